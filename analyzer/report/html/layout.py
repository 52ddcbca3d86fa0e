"""A layered layout of a directed acyclic graph: boxes in rows, edges from top to bottom.

The steps are those of Sugiyama, Tagawa and Toda 1981 ("Methods for visual understanding of
hierarchical system structures"): rows by longest paths; a chain of bends where an edge crosses
rows, one for all edges of a box; orders that cross little; straight chains. An edge that passes a
row does so upright between its boxes, so that no edge runs through a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archlint.analyzer.report.html.layout_order import ordered
from archlint.analyzer.report.html.layout_positions import positions
from archlint.analyzer.report.html.layout_rows import layered

ROW_GAP = 28.0
"""Between the boxes of a row and those of the next."""

_USUAL_WIDTH = 960.0  # what parts that nothing connects fill before they begin another line
_APART = 40.0  # between such parts

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where boxes and edges are.

    ``corners`` are the upper left ones of the boxes. A route leads from the lower side of a box to
    the upper side of another: straight down from a point to one below it, in a curve to others.
    """

    width: float
    height: float
    corners: tuple[Point, ...] = ()
    routes: tuple[tuple[Point, ...], ...] = ()


def layout(sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> Layout:
    """The layout of boxes of these widths and heights, which the edges connect without a cycle.

    Parts that nothing connects stand side by side, in the order of their first boxes.
    """
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    routes: dict[tuple[int, int], tuple[Point, ...]] = {}
    x = y = line = width = 0.0
    members = _components(len(sizes), edges)
    own = _edges_of(members, len(sizes), edges)
    drawn = [_component([sizes[b] for b in m], e) for m, e in zip(members, own, strict=True)]
    room = max([_USUAL_WIDTH, *(part.width for part in drawn)])
    for boxes, part in zip(members, drawn, strict=True):
        if x and x + part.width > room:
            x, y, line = 0.0, y + line + _APART, 0.0
        for box, (left, top) in zip(boxes, part.corners, strict=True):
            corners[box] = left + x, top + y
        for (source, target), route in part.routes.items():
            moved = tuple((left + x, top + y) for left, top in route)
            routes[boxes[source], boxes[target]] = moved
        width, line = max(width, x + part.width), max(line, part.height)
        x += part.width + _APART
    return Layout(width, y + line, tuple(corners), tuple(routes[edge] for edge in edges))


def _components(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The boxes that edges connect, whichever way they lead; each list in rising order."""
    parent = list(range(count))

    def root(box: int) -> int:
        while parent[box] != box:
            parent[box] = box = parent[parent[box]]
        return box

    for source, target in edges:
        first, second = sorted((root(source), root(target)))
        parent[second] = first
    found: dict[int, list[int]] = {}
    for box in range(count):
        found.setdefault(root(box), []).append(box)
    return list(found.values())


def _edges_of(
    members: Sequence[Sequence[int]], count: int, edges: Sequence[tuple[int, int]]
) -> list[list[tuple[int, int]]]:
    """The different edges of each component, between the places of boxes in it."""
    component, place = [0] * count, [0] * count
    for number, boxes in enumerate(members):
        for at, box in enumerate(boxes):
            component[box], place[box] = number, at
    found: list[list[tuple[int, int]]] = [[] for _ in members]
    for source, target in sorted(set(edges)):
        found[component[source]].append((place[source], place[target]))
    return found


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The layout of a connected graph."""

    width: float
    height: float
    corners: list[Point]
    routes: dict[tuple[int, int], tuple[Point, ...]]


def _component(sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> _Drawn:
    graph = layered([width for width, _ in sizes], edges)
    rows = ordered(graph.rows, graph.above, graph.below)
    found = positions(rows, graph.widths, graph.above, graph.below, graph.light)
    middles, across = _from_the_left(found, graph.widths, rows[0])
    tops, heights, row_of = _vertical(rows, sizes)
    corners = [
        (middles[box] - width / 2, tops[row_of[box]] + (heights[row_of[box]] - height) / 2)
        for box, (width, height) in enumerate(sizes)
    ]
    routes = {}
    for (source, target), bends in graph.chains.items():
        route = [(middles[source], corners[source][1] + sizes[source][1])]
        route.append((middles[source], tops[row_of[source]] + heights[row_of[source]]))
        for bend in bends:
            top = tops[row_of[bend]]
            route += [(middles[bend], top), (middles[bend], top + heights[row_of[bend]])]
        route.append((middles[target], tops[row_of[target]]))
        route.append((middles[target], corners[target][1]))
        routes[source, target] = _without_stops(route)
    return _Drawn(across, tops[-1] + heights[-1], corners, routes)


def _from_the_left(
    middles: Sequence[float], widths: Sequence[float], first: Sequence[int]
) -> tuple[Sequence[float], float]:
    """The middles with the leftmost side at 0, and the width of all.

    What is too wide to be seen at once is mirrored if it would begin in the right half.
    """
    left = min(middle - width / 2 for middle, width in zip(middles, widths, strict=True))
    found = [round(middle - left) for middle in middles]
    across = max(middle + width / 2 for middle, width in zip(found, widths, strict=True))
    if across > _USUAL_WIDTH and 2 * sum(found[box] for box in first) > len(first) * across:
        found = [round(across - middle) for middle in found]
    return found, across


def _vertical(
    rows: Sequence[Sequence[int]], sizes: Sequence[Size]
) -> tuple[list[float], list[float], dict[int, int]]:
    """The upper side and the height of each row, and the row of each box and bend."""
    heights = [max(sizes[box][1] for box in row if box < len(sizes)) for row in rows]
    tops, top = [], 0.0
    for height in heights:
        tops.append(top)
        top += height + ROW_GAP
    return tops, heights, {box: number for number, row in enumerate(rows) for box in row}


def _without_stops(route: Sequence[Point]) -> tuple[Point, ...]:
    """The route without points that lie between two on one upright line."""
    kept: list[Point] = []
    for point in route:
        while len(kept) > 1 and kept[-2][0] == kept[-1][0] == point[0]:
            kept.pop()
        if not kept or kept[-1] != point:
            kept.append(point)
    return tuple(kept)
