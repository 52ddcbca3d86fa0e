"""What stands at the places of a model's nodes: their names, and what one run costs there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from archlint.analyzer.cost import Cost, CostTable, Inner
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.timing.attribution.marking import Place

_UNROLLED = ("trip ", "item ")  # bodies of a loop that is followed trip by trip


@dataclass(frozen=True, slots=True)
class Placed:
    """A node as reports name it, with the cost of all its runs; None where that is unknown.

    The cost of a node that runs subgraphs is that of their nodes, which have places of their own.
    """

    label: str
    operator: str
    scope: tuple[str, ...]
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class _Frame:
    """A graph that a place leads into, with its trips, and what stands before its labels."""

    table: CostTable
    trips: int | None
    prefix: str
    scope: tuple[str, ...]
    is_function: bool


class Places:
    """Looks nodes up in a cost table."""

    def __init__(self, costs: CostTable) -> None:
        self._known: dict[Place, tuple[_Frame, ...]] = {
            (): (_Frame(costs, 1, "", (), is_function=False),)
        }
        self._at = cache(_by_position)

    def at(self, place: Place) -> Placed | None:
        """The node at a place; None where the cost table has none."""
        *outer, position = place
        found = [
            (frame, node)
            for frame in self._frames(tuple(outer))
            if (node := self._node(frame.table.graph, position, whole=len(place) == 1)) is not None
        ]
        if not found:
            return None
        frame, node = found[0]
        costs = [_cost(frame, node) for frame, node in found]
        known = [cost for cost in costs if cost is not None]
        whole = None if len(known) < len(costs) else sum(known[1:], known[0])
        return Placed(_label(frame, node), node.operator, _scope(frame, node), whole)

    def _node(self, graph: Graph, position: int | str, *, whole: bool) -> Node | None:
        """The node of an id in the whole graph, or at a position in a body."""
        if not isinstance(position, int):
            return None
        if whole:
            return graph.nodes[position] if 0 <= position < len(graph.nodes) else None
        return self._at(graph).get(position)

    def _frames(self, outer: Place) -> tuple[_Frame, ...]:
        """The graphs that a place's beginning leads into: one, or one for every trip of a loop."""
        if outer in self._known:
            return self._known[outer]
        *before, position, body = outer
        found = []
        for frame in self._frames(tuple(before)):
            node = self._node(frame.table.graph, position, whole=not before)
            if node is None:
                continue
            parts = frame.table.inner.get(node.id, ())
            found += [_inside(frame, node, part) for part in parts if _is(part, str(body))]
        self._known[outer] = tuple(found)
        return self._known[outer]


def _by_position(graph: Graph) -> dict[int, Node]:
    return {node.position: node for node in graph.nodes}


def _is(part: Inner, body: str) -> bool:
    return part.body.name == body or (body == "body" and part.body.name.startswith(_UNROLLED))


def _inside(frame: _Frame, node: Node, part: Inner) -> _Frame:
    trips = None if frame.trips is None or part.trips is None else frame.trips * part.trips
    name = part.body.name if not part.body.name.startswith(_UNROLLED) else "body"
    is_function = part.body.actual is not None
    return _Frame(
        part.table, trips, f"{_label(frame, node)}/{name}/", _scope(frame, node), is_function
    )


def _label(frame: _Frame, node: Node) -> str:
    """As the cost table names its rows: a name that the file gives needs no places around it."""
    return node.label if node.name and not frame.is_function else f"{frame.prefix}{node.label}"


def _scope(frame: _Frame, node: Node) -> tuple[str, ...]:
    inner = (*frame.scope, *node.scope) if frame.is_function else node.scope
    return inner or frame.scope


def _cost(frame: _Frame, node: Node) -> Cost | None:
    parts = frame.table.inner.get(node.id, ())
    if parts and parts[0].body.actual is None:
        return Cost()
    cost = frame.table.cost(node)
    return None if cost is None or frame.trips is None else cost * frame.trips
