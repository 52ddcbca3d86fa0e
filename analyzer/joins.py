"""Where branches that meet again part: the regions of a graph between a value and a join."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from onnx import TensorProto

from archlint.analyzer.graph import Graph, Node

_NO_FEATURES = frozenset({TensorProto.INT64, TensorProto.BOOL})  # shapes, indices, conditions
_LARGEST = 256  # values in the branches of one join; a block of a known network has below 100


@dataclass(frozen=True, slots=True)
class Fork:
    """Branches from one value; each is the ids of its nodes, empty where the value itself joins."""

    source: str
    branches: tuple[frozenset[int], ...]


def operands(graph: Graph, node: Node) -> tuple[str, ...]:
    """The inputs of a node that depend on what the model is fed and may be features: no shapes."""
    values = [graph.value(name) for name in node.inputs if name]
    return tuple(v.name for v in values if not v.constant and v.dtype not in _NO_FEATURES)


class Forks:
    """Finds where branches part.

    ``stops`` are ids of nodes that no branch may contain: no search goes on behind them. ``left``
    is how many more values all searches may look at; the last one may overdraw it.
    """

    def __init__(self, graph: Graph, stops: Collection[int] = (), left: int = _LARGEST) -> None:
        self._graph = graph
        self._stops = stops
        self.left = left

    def before(self, joined: Sequence[str]) -> Fork | None:
        """The value from which branches part that end in the values ``joined``.

        Parameters
        ----------
        joined
            The last value of each branch.

        Returns
        -------
        Fork or None
            None where no value is in all branches, or where they have more than 256 values.

        Notes
        -----
        The lowest common ancestor in topological order: values are taken from a heap, the last one
        first, each with the set of branches that it is in, which it hands to the inputs of its
        producer. A value is taken after all its consumers, so that the first one in all branches is
        the last such value. In a graph with one input, where nothing else enters the branches, its
        producer is the immediate dominator of the join (``networkx.immediate_dominators``); unlike
        that, a side input such as an attention mask does not hide the block that it enters.
        O(B log B) for B values in the branches, whatever the size of the graph.

        """
        graph, whole = self._graph, (1 << len(joined)) - 1
        inside: dict[str, int] = {}
        for place, name in enumerate(joined):
            inside[name] = inside.get(name, 0) | 1 << place
        heap = [(-_made_at(graph, name), name) for name in inside]
        heapq.heapify(heap)
        taken: list[tuple[Node, int]] = []
        while heap and len(taken) < _LARGEST and self.left > 0:
            _, name = heapq.heappop(heap)
            if inside[name] == whole:
                return Fork(name, tuple(_branches(name, taken, len(joined))))
            self.left -= 1
            node = graph.producer(name)
            if node is None or node.id in self._stops:
                continue
            taken.append((node, inside[name]))
            for before in (*operands(graph, node), *node.captured):
                if before not in inside:
                    inside[before] = 0
                    heapq.heappush(heap, (-_made_at(graph, before), before))
                inside[before] |= inside[name]
        return None


def _made_at(graph: Graph, name: str) -> int:
    """The place of a value in topological order; inputs come first."""
    node = graph.producer(name)
    return -1 if node is None else node.id


def _branches(
    source: str, taken: Sequence[tuple[Node, int]], count: int
) -> Iterator[frozenset[int]]:
    """Of the nodes before the join, those that the source leads to, branch by branch."""
    reached = {source}
    members: list[list[int]] = [[] for _ in range(count)]
    for node, inside in sorted(taken, key=lambda entry: entry[0].id):
        if reached.isdisjoint((*node.inputs, *node.captured)):
            continue
        reached.update(node.outputs)
        for place in range(count):
            if inside >> place & 1:
                members[place].append(node.id)
    return map(frozenset, members)
