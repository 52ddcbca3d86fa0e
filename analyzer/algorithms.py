"""Graph algorithms that answer questions about cost over time: memory and the critical path."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.cost import CostTable
from archlint.analyzer.graph import Graph, Node

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

    Notes ----- A value is alive from its producer (a graph input from the start) until its last
    consumer (a graph output until the end); during a node both its inputs and its outputs are
    alive. Nodes that only rename a buffer share that of their input. A runtime may do better by
    running in place or by another order, and worse by fragmentation."""
    buffer, last_use = _lifetimes(graph)
    sizes: dict[str, int] = {}
    unknown = 0
    for name in dict.fromkeys(buffer.values()):
        size = _bytes(graph, name)
        unknown += size is None
        sizes[name] = size or 0
    dying: dict[int, list[str]] = {}
    for name, when in last_use.items():
        dying.setdefault(when, []).append(name)
    live = sum(sizes[buffer[name]] for name in graph.inputs if name in buffer)
    peak, where = live, None
    for node in graph.nodes:
        made = {name for name in node.outputs if buffer.get(name) == name}
        live += sum(sizes[name] for name in made)
        if live > peak:
            peak, where = live, node
        live -= sum(sizes[name] for name in dying.get(node.id, ()))
    return Peak(peak, where, unknown)


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


def _bytes(graph: Graph, name: str) -> int | None:
    value = graph.value(name)
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
    for node in graph.nodes:
        best, chosen = 0, None
        for name in (*node.inputs, *node.captured):
            producer = graph.producer(name) if name else None
            if producer is not None and longest[producer.id] > best:
                best, chosen = longest[producer.id], producer.id
        cost = table.cost(node)
        longest.append(best + (cost.macs if cost else 0))
        before.append(chosen)
    if not longest:
        return CriticalPath(0, ())
    at: int | None = max(range(len(longest)), key=longest.__getitem__)
    macs = longest[at] if at is not None else 0
    path = []
    while at is not None:
        path.append(graph.nodes[at])
        at = before[at]
    return CriticalPath(macs, tuple(reversed(path)))
