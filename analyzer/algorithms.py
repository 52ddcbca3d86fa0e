"""Graph algorithms that answer questions about cost over time: memory and the critical path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archlint.analyzer.cost import CostTable
from archlint.analyzer.dims import Shape
from archlint.analyzer.graph import Graph, Node, Value

# The result lies where the input lies: no memory of its own.
_RENAMING = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"})


@dataclass(frozen=True, slots=True)
class Peak:
    """The most bytes of activations that are alive at once, and the node during which they are."""

    bytes: int
    node: Node | None
    unknown: int


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain of dependent nodes with the most MACs."""

    macs: int
    nodes: tuple[Node, ...]


def peak_memory(graph: Graph) -> Peak:
    """Peak bytes of live activations when the nodes run one by one in topological order.

    Parameters
    ----------
    graph
        Shapes of its values in elements; constants take no part.

    Returns
    -------
    Peak
        ``unknown`` counts the values whose size is unknown and that are therefore left out.

    Notes
    -----
    A value is alive from its producer (a graph input from the start) until its last consumer (a
    graph output until the end); during a node both its inputs and its outputs are alive, and what
    the largest of its bodies needs beyond its own inputs if that is more than its outputs. Nodes
    that only rename a buffer share that of their input. A runtime may do better by running in place
    or by another order, and worse by fragmentation.

    """
    return _peak(graph, {})


def _peak(graph: Graph, known: dict[int, Peak]) -> Peak:
    """The peak of a graph; ``known`` are those of bodies, which several nodes may run."""
    if id(graph) in known:
        return known[id(graph)]
    buffer, last_use = _lifetimes(graph)
    unknown, sizes = _sizes(graph, set(buffer.values()))
    dying: dict[int, int] = {}  # the bytes that each node is the last to need
    for name, when in last_use.items():
        dying[when] = dying.get(when, 0) + sizes[name]
    live = sum(sizes[buffer[name]] for name in graph.inputs if name in buffer)
    peak, where = live, None
    for node in graph.nodes:
        made = 0
        for name in node.outputs:
            if buffer.get(name) == name:
                made += sizes[name]
        within = 0
        for body in graph.bodies.get(node.id, ()):
            inner = _peak(body.graph, known)
            outside = _sizes(body.graph, body.graph.inputs)[1]
            within = max(within, inner.bytes - sum(outside.values()))
            unknown += inner.unknown
        if live + max(made, within) > peak:
            peak, where = live + max(made, within), node
        live += made - dying.get(node.id, 0)
    result = known[id(graph)] = Peak(peak, where, unknown)
    return result


def _sizes(graph: Graph, names: Iterable[str]) -> tuple[int, dict[str, int]]:
    """How many of the values have an unknown size, and the bytes of each, 0 for those."""
    values = graph.values
    alike: dict[tuple[int, Shape | None], int | None] = {}
    sizes: dict[str, int | None] = {}
    for name in names:
        value = values.get(name) or Value(name)
        key = value.dtype, value.shape
        if key not in alike:
            alike[key] = _bytes(value)
        sizes[name] = alike[key]
    return list(sizes.values()).count(None), {name: size or 0 for name, size in sizes.items()}


def _lifetimes(graph: Graph) -> tuple[dict[str, str], dict[str, int]]:
    """The value whose memory each value lies in, and the last node that needs that memory."""
    buffer = {name: name for name in graph.inputs}
    last_use: dict[str, int] = dict.fromkeys(graph.inputs, len(graph.nodes))
    for node in graph.nodes:
        for name in (*node.inputs, *node.captured):
            if name in buffer:
                last_use[buffer[name]] = node.id
        for name in node.outputs:
            if name and not graph.value(name).constant:
                renames = node.op_type in _RENAMING and name == node.outputs[0]
                buffer[name] = buffer.get(node.input(0), name) if renames else name
                last_use[buffer[name]] = node.id
    for name in graph.outputs:
        if name in buffer:
            last_use[buffer[name]] = len(graph.nodes)
    return buffer, last_use


def _bytes(value: Value) -> int | None:
    elements = value.elements
    return value.bytes_of(elements) if isinstance(elements, int) else None


def critical_path(table: CostTable) -> CriticalPath:
    """The path through the graph with the most MACs; nodes of unknown cost count nothing.

    Returns
    -------
    CriticalPath
        Total MACs divided by its MACs is the parallelism: how much faster unlimited hardware could
        run whole nodes side by side.

    Notes
    -----
    Longest path in a directed acyclic graph by dynamic programming over the topological order,
    O(V + E) (Sedgewick and Wayne, Algorithms, 4th ed., 4.4). Of equal paths the first one wins.
    """
    graph = table.graph
    longest: list[int] = []
    before: list[int | None] = []
    makers: dict[str, int] = {}
    for node in graph.nodes:
        best, chosen = 0, None
        for name in (*node.inputs, *node.captured) if node.captured else node.inputs:
            maker = makers.get(name)
            if maker is not None and longest[maker] > best:
                best, chosen = longest[maker], maker
        cost = table.costs.get(node.id)
        longest.append(best + (cost.macs if cost else 0))
        before.append(chosen)
        for name in node.outputs:
            makers[name] = node.id
    if not longest:
        return CriticalPath(0, ())
    at: int | None = max(range(len(longest)), key=longest.__getitem__)
    macs = longest[at] if at is not None else 0
    path = []
    while at is not None:
        path.append(graph.nodes[at])
        at = before[at]
    return CriticalPath(macs, tuple(reversed(path)))
