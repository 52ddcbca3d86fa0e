"""Nodes that change nothing, whatever the model is fed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.pinned import fed, pinned

_WHOLE = 1_000_000_000  # an end of a Slice from which exporters mean all of an axis
_LONGEST = (1 << 31) - 1  # the least end by which the standard says that an axis is taken whole


def does_nothing(graph: Graph, node: Node) -> bool:
    """Whether a node by itself hands on what it reads."""
    idle = _IDLE.get(node.operator)
    return idle is not None and idle(graph, node)


def _integers(graph: Graph, node: Node, index: int, attribute: str) -> list[int] | None:
    """Integers that were an attribute in old operator sets and are an input since; None if they are
    not known, or depend on what the model is fed."""
    numbers = node.attributes.get(attribute)
    value = graph.value(node.input(index))
    if not isinstance(numbers, list):
        data = value.data if value.constant else None
        numbers = [] if data is None else data.reshape(-1).tolist()
    return numbers if numbers and all(isinstance(n, int) for n in numbers) else None


def _identity(graph: Graph, node: Node) -> bool:
    named = node.output(0) in graph.outputs
    return not (named and graph.producer(node.input(0)) is None)


def _dropout(graph: Graph, node: Node) -> bool:
    mask = node.output(1)
    if mask and (graph.consumers(mask) or mask in graph.outputs):
        return False
    if graph.opset < 7:
        return bool(node.attributes.get("is_test", 0))
    training = graph.value(node.input(2)).data
    return not node.input(2) or (training is not None and not training.any())


def _cast(graph: Graph, node: Node) -> bool:
    to = node.attributes.get("to", 0)
    return isinstance(to, int) and graph.value(node.input(0)).dtype == to != 0


def _pad(graph: Graph, node: Node) -> bool:
    pads = _integers(graph, node, 1, "paddings" if graph.opset < 2 else "pads")
    return pads is not None and not any(pads)


def _slice(graph: Graph, node: Node) -> bool:
    """Whether it takes all of every axis, in order, whatever the sizes are."""
    starts, ends = _integers(graph, node, 1, "starts"), _integers(graph, node, 2, "ends")
    steps = _integers(graph, node, 4, "steps") if node.input(4) else []
    if starts is None or ends is None or steps is None:
        return False
    return not any(starts) and min(ends) >= _WHOLE and all(step == 1 for step in steps)


def _concat(_graph: Graph, node: Node) -> bool:
    return len(node.inputs) == 1


def _transpose(graph: Graph, node: Node) -> bool:
    order = _order(graph, node)
    return order is not None and order == sorted(order)


def _order(graph: Graph, node: Node) -> list[int] | None:
    """The order of axes that a Transpose makes; None where it is unknown."""
    rank = len(graph.value(node.input(0)).shape or ())
    order = node.attributes.get("perm", list(reversed(range(rank))))
    if not isinstance(order, list) or not all(isinstance(axis, int) for axis in order):
        return None
    return order if sorted(order) == list(range(rank)) else None


def undone(graph: Graph, second: Node) -> tuple[Node, ...]:
    """A Transpose and the one before that it undoes, unless something else reads that one."""
    first = graph.producer(second.input(0))
    if first is None or {first.operator, second.operator} != {"Transpose"}:
        return ()
    orders = _order(graph, first), _order(graph, second)
    if orders[0] is None or orders[1] is None:
        return ()
    pair = [orders[0][axis] for axis in orders[1]] == sorted(orders[0])
    value = first.output(0)
    alone = len(graph.consumers(value)) == 1 and value not in graph.outputs
    return (first, second) if pair and alone and orders[0] != sorted(orders[0]) else ()


@dataclass(slots=True)
class Removal:
    """Nodes that may go, and the values that are written in stead of those around them."""

    nodes: list[Node] = field(default_factory=list)
    renames: dict[str, str] = field(default_factory=dict)


def removals(graph: Graph) -> Iterator[Removal]:
    """What may go of the nodes that do nothing: for each value, those that only hand it on.

    Graph outputs keep their names: a value gets that of the first output that it is, unless it is
    an input, an initializer or an output itself. What would need two names stays.
    """
    kept, found = pinned(graph), dict[str, Removal]()
    same: dict[str, str] = {}  # what a value is handed on from
    gone: set[int] = set()
    for node in graph.nodes:
        chain = _certain(graph, node)
        made = {name for one in chain for name in one.outputs if name}
        if not chain or not kept.isdisjoint(made) or not gone.isdisjoint(one.id for one in chain):
            continue
        source, result = chain[0].input(0), node.output(0)
        source = same.get(source, source)
        if source not in graph.values or source in kept:
            continue
        removal = found.setdefault(source, Removal())
        if result in graph.outputs:
            if source in removal.renames or not _may_be_renamed(graph, source):
                continue
            removal.renames[source] = result
        same[result] = source
        removal.nodes += chain
        gone.update(one.id for one in chain)
    for result, source in same.items():
        name = found[source].renames.get(source, source)
        if result != name:
            found[source].renames[result] = name
    yield from (removal for removal in found.values() if removal.nodes)


def _may_be_renamed(graph: Graph, value: str) -> bool:
    return graph.producer(value) is not None and value not in graph.outputs


def _certain(graph: Graph, node: Node) -> tuple[Node, ...]:
    """The node, with the one before where two undo each other, if for all that may be fed they hand
    on what they read."""
    if not does_nothing(graph, node):
        return undone(graph, node)
    if not fed(graph).isdisjoint(node.inputs[1:]):
        return ()
    ends = _integers(graph, node, 2, "ends") if node.operator == "Slice" else None
    return () if ends and min(ends) < _LONGEST else (node,)


_IDLE: dict[str, Callable[[Graph, Node], bool]] = {
    "Identity": _identity,
    "Dropout": _dropout,
    "Cast": _cast,
    "Pad": _pad,
    "Slice": _slice,
    "Concat": _concat,
    "Transpose": _transpose,
}
