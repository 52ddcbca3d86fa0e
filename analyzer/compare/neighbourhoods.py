"""What is around a node: hashes that neither names nor the order of the file decide.

Cast, quantisation and Identity are looked through: inserting them changes no neighbourhood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from archlint.analyzer.compare.keys import Keys
from archlint.analyzer.compare.order import reads
from archlint.analyzer.graph import Graph, Node, per_graph

TRANSPARENT = frozenset({
    "Cast", "Identity", "QuantizeLinear", "DequantizeLinear", "com.microsoft.QuantizeLinear",
    "com.microsoft.DequantizeLinear",
})  # fmt: skip
"""Operators whose insertion changes no architecture."""
_OFTEN_TRANSPARENT = frozenset(operator.rpartition(".")[2] for operator in TRANSPARENT)

_MOST = 64  # neighbours of a node that are told apart
_LONGEST = 16  # transparent nodes in a row that are looked through


@per_graph
def depths(graph: Graph) -> Sequence[int]:
    """How many nodes the longest way from the inputs to each node has, itself and transparent ones
    not counted; by the ids of the nodes."""
    found = [0] * len(graph.nodes)
    made: dict[str, int] = {}
    inner = reads(graph)
    for node in graph.operators():
        depth = 0
        for name in inner.get(node.id, node.inputs) if inner else node.inputs:
            if name in made and made[name] > depth:
                depth = made[name]
        found[node.id] = depth
        if node.op_type not in _OFTEN_TRANSPARENT or node.operator not in TRANSPARENT:
            depth += 1
        for name in node.outputs:
            made[name] = depth
    return found


class Neighbourhoods:
    """Hashes of what is around the nodes of a graph, each made when it is first asked for."""

    def __init__(self, graph: Graph, keys: Keys) -> None:
        self._graph, self._keys = graph, keys
        self._outputs = frozenset(graph.outputs)
        self._known: dict[tuple[int, int], bytes] = {}

    def digest(self, node: Node, radius: int) -> bytes:
        """A hash of a node and of what is within so many nodes around it."""
        found = self._known.get((node.id, radius))
        if found is None:
            found = self._known[node.id, radius] = self._digest(node, radius)
        return found

    def neighbours(self, node: Node, radius: int = 0) -> bytes:
        """A hash of what is around each neighbour of a node, by default of these alone."""
        sources = [
            b"input" if source is None else self.digest(source, radius)
            for source in self._sources(node)
        ]
        return _hash(b"|".join((*sources, b">", *self._behind(node, radius))))

    def _digest(self, node: Node, radius: int) -> bytes:
        if radius == 0:
            return _hash(self._keys.of(node).encode(errors="backslashreplace"))
        return _hash(self.digest(node, radius - 1) + self.neighbours(node, radius - 1))

    def _behind(self, node: Node, radius: int) -> list[bytes]:
        """Hashes of the nodes that read what a node makes, sorted; of too many only that."""
        readers, is_output = self._readers(node)
        if len(readers) > _MOST:
            return [b"many"]
        found = sorted(self.digest(reader, radius) for reader in readers)
        return [*found, b"output"] if is_output else found

    def _sources(self, node: Node) -> Iterator[Node | None]:
        """The nodes that make what a node reads; None for an input of the graph."""
        graph = self._graph
        for name in reads(graph).get(node.id, node.inputs)[:_MOST]:
            value = graph.values.get(name)
            if not name or (value is not None and value.constant):
                continue
            source = graph.producer(name)
            for _ in range(_LONGEST):
                if source is None or source.operator not in TRANSPARENT:
                    break
                source = graph.producer(source.input(0))
            yield source

    def _readers(self, node: Node) -> tuple[list[Node], bool]:
        """The nodes that read what a node makes, and whether it is an output of the graph."""
        found: dict[int, Node] = {}
        is_output = False
        names = list(node.outputs)
        for _ in range(_LONGEST):
            behind: list[str] = []
            for name in names:
                is_output = is_output or name in self._outputs
                for reader in self._graph.consumers(name):
                    if reader.operator in TRANSPARENT:
                        behind += reader.outputs
                    else:
                        found[reader.id] = reader
            if not behind or len(found) > _MOST or len(behind) > _MOST:
                break
            names = behind
        return list(found.values()), is_output


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:8]
