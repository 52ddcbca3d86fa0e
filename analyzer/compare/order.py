"""The operations of a graph in an order that neither names nor the file decide."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from archlint.analyzer.compare.keys import Keys
from archlint.analyzer.graph import Graph, Node, per_graph


@per_graph
def places(graph: Graph) -> Mapping[int, int]:
    """The place among the operations of each node that runs at every inference, by its id."""
    return {node.id: place for place, node in enumerate(in_walk(graph))}


@per_graph
def in_walk(graph: Graph) -> tuple[Node, ...]:
    """The nodes that run at every inference, in topological order.

    Notes
    -----
    A depth-first walk from the outputs, which follows the inputs of each node in order; a node
    comes after all that it reads. Nodes that lead to no output follow: their last ones are walked
    from in the order of a hash of all that leads to them.
    """
    walk = _Walk(graph)
    for name in graph.outputs:
        walk.to(name)
    for name in walk.dead_ends():
        walk.to(name)
    return tuple(walk.found)


@per_graph
def reads(graph: Graph) -> Mapping[int, tuple[str, ...]]:
    """The values that nodes which run bodies read, by their ids, those of the bodies last."""
    return {
        place: (*node.inputs, *_captured(graph, node))
        for place in graph.bodies
        if (node := graph.nodes[place]).captured
    }


def _captured(graph: Graph, node: Node) -> tuple[str, ...]:
    """The outer values that a node's bodies read, in the order of their walks."""
    known = frozenset(node.captured)
    seen: dict[str, None] = {}
    for body in graph.bodies.get(node.id, ()):
        inner = reads(body.graph)
        for operation in in_walk(body.graph):
            for name in inner.get(operation.id, operation.inputs):
                if name in known:
                    seen.setdefault(name)
        seen.update(dict.fromkeys(name for name in body.graph.outputs if name in known))
    return (*seen, *(name for name in dict.fromkeys(node.captured) if name not in seen))


class _Walk:
    """The nodes found so far."""

    def __init__(self, graph: Graph) -> None:
        self.found: list[Node] = []
        self._graph = graph
        self._makers = {
            output: node for node in graph.operators() for output in node.outputs if output
        }
        self._reads = reads(graph)
        self._opened = bytearray(len(graph.nodes))  # 1: waits for what it reads, 2: found

    def to(self, name: str) -> None:
        """All that a value is made of."""
        start = self._makers.get(name)
        if start is None:
            return
        makers, opened, waiting = self._makers, self._opened, [start]
        while waiting:
            node = waiting[-1]
            if opened[node.id]:
                waiting.pop()
                if opened[node.id] == 1:
                    opened[node.id] = 2
                    self.found.append(node)
                continue
            opened[node.id] = 1
            for read in reversed(self._reads.get(node.id, node.inputs)):
                maker = makers.get(read)
                if maker is not None and not opened[maker.id]:
                    waiting.append(maker)

    def dead_ends(self) -> list[str]:
        """A value of each node that nothing reads and that is no output."""
        dead = [node for node in self._graph.operators() if not self._opened[node.id]]
        if not dead:
            return []
        read = {name for node in dead for name in self._reads.get(node.id, node.inputs)}
        digests = self._digests(dead)
        ends = [node for node in dead if read.isdisjoint(node.outputs)]
        ends.sort(key=lambda node: digests[node.id])
        return [next(name for name in node.outputs if name) for node in ends]

    def _digests(self, dead: list[Node]) -> dict[int, bytes]:
        """A hash of each of these nodes and of all that leads to it."""
        keys, known = Keys(self._graph), {node.id: place for place, node in enumerate(self.found)}
        inputs = {name: place for place, name in enumerate(self._graph.inputs)}
        digests: dict[int, bytes] = {}
        for node in dead:
            parts = [keys.of(node).encode(errors="backslashreplace")]
            for name in self._reads.get(node.id, node.inputs):
                maker = self._makers.get(name)
                if maker is None:
                    parts.append(b"<%d" % inputs.get(name, -1))
                elif maker.id in known:
                    parts.append(b"%d" % known[maker.id])
                else:
                    parts.append(digests[maker.id] + b"%d" % maker.outputs.index(name))
            digests[node.id] = hashlib.sha256(b"\0".join(parts)).digest()
        return digests
