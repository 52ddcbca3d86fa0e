"""The rows of a layered graph, and the bends of edges that pass some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layered:
    """A connected graph whose edges lead from one row to the next.

    Boxes come first, then bends. ``light`` are those that make way for others: bends of an edge
    that passes by what its box also leads to, and boxes that only stand where they are needed.
    ``chains`` are the edges as they were, with the bends that they lead through.
    """

    widths: list[float]
    rows: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    light: list[bool]
    chains: dict[tuple[int, int], list[int]]


def layered(widths: Sequence[float], edges: Sequence[tuple[int, int]]) -> Layered:
    """The rows of boxes of these widths, with bends where edges pass a row."""
    targets: list[list[int]] = [[] for _ in widths]
    sources: list[list[int]] = [[] for _ in widths]
    for source, target in edges:
        targets[source].append(target)
        sources[target].append(source)
    depths, ranks = _ranks(sources, targets)
    graph = Layered(
        list(widths),
        [[] for _ in range(max(ranks) + 1)],
        [[] for _ in widths],
        [[] for _ in widths],
        [rank > depth for rank, depth in zip(ranks, depths, strict=True)],
        {},
    )
    for box, rank in enumerate(ranks):
        graph.rows[rank].append(box)
    for source, reached in enumerate(targets):
        _lead(graph, source, sorted(reached, key=ranks.__getitem__), ranks)
    return graph


def _ranks(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> tuple[list[int], list[int]]:
    """The longest path to each box, and its row: that, or later where it makes edges shorter."""
    waiting = [len(found) for found in sources]
    order = [box for box, count in enumerate(waiting) if not count]
    ranks = [0] * len(sources)
    for box in order:
        for target in targets[box]:
            ranks[target] = max(ranks[target], ranks[box] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    if len(order) < len(sources):
        raise ValueError("the edges make a cycle")
    depths = list(ranks)
    for box in reversed(order):
        if targets[box] and len(sources[box]) <= len(targets[box]):
            ranks[box] = min(ranks[target] for target in targets[box]) - 1
    for box in order:
        if sources[box] and len(sources[box]) >= len(targets[box]):
            ranks[box] = max(ranks[source] for source in sources[box]) + 1
    return depths, ranks


def _lead(graph: Layered, source: int, reached: Sequence[int], ranks: Sequence[int]) -> None:
    """The edges of a box are in the graph, with one chain of bends for all of them."""
    bends: list[int] = []
    for target in reached:
        while len(bends) < ranks[target] - ranks[source] - 1:
            bend = len(graph.widths)
            graph.widths.append(0.0)
            graph.light.append(graph.light[source] or len(reached) > 1)
            graph.above.append([])
            graph.below.append([])
            graph.rows[ranks[source] + len(bends) + 1].append(bend)
            _connect(graph, bends[-1] if bends else source, bend)
            bends.append(bend)
        length = ranks[target] - ranks[source] - 1
        _connect(graph, bends[length - 1] if length else source, target)
        graph.chains[source, target] = bends[:length]


def _connect(graph: Layered, upper: int, lower: int) -> None:
    graph.below[upper].append(lower)
    graph.above[lower].append(upper)
