"""What findings are recognised by in another file of the same model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from archlint.analyzer.compare.keys import Keys
from archlint.analyzer.compare.neighbourhoods import Neighbourhoods, depths
from archlint.analyzer.compare.order import places
from archlint.analyzer.finding import Finding
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.identity import Identity

VERSION = "archlint/v1"
"""What a fingerprint is made of: another way to make them gets another name."""

_FAR = 3  # nodes around
_DIGITS = 16

Position = tuple[bytes, int]


def identities(graph: Graph, findings: Sequence[Finding]) -> list[Identity]:
    """The identity of each finding; no two have the same fingerprint.

    Notes
    -----
    The fingerprint hashes the rule and, sorted, what its nodes are: operator, attributes, dims of
    weights, kind of number. Its ordinal is the place of the finding's first node among all nodes of
    the graph that are the same, flagged or not, so that it is no other where a finding is fixed.
    They are ordered by their depth, then by a hash of what is around them, then by the walk from
    the outputs. Of findings of one rule at the same nodes the later ones have a second ordinal.

    """
    homes: dict[int, _Home] = {}
    found: list[Identity] = []
    used: Counter[str] = Counter()
    for finding in findings:
        if finding.nodes:
            within, path = _around(graph, finding.nodes[0])
            home = homes.setdefault(id(within), _Home(within, path))
            identity = home.identity(finding)
        else:
            hashed = _hashed(finding.code, "", ())
            identity = Identity(f"{hashed}:0", finding.message)
        again = used[identity.fingerprint]
        used[identity.fingerprint] += 1
        if again:
            identity = replace(identity, fingerprint=f"{identity.fingerprint}.{again}")
        found.append(identity)
    return found


def _hashed(code: str, path: str, keys: Sequence[str]) -> str:
    text = "\0".join((VERSION, code, path, *keys))
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:_DIGITS]


def _around(graph: Graph, node: Node) -> tuple[Graph, str]:
    """The graph that a node is in, the model's or a body's, and which operators lead there."""
    waiting, seen = [(graph, "")], {id(graph)}
    for within, path in waiting:
        if node.id < len(within.nodes) and within.nodes[node.id] is node:
            return within, path
        for place, bodies in within.bodies.items():
            for body in bodies:
                if id(body.graph) not in seen:
                    seen.add(id(body.graph))
                    step = f"{path}/{within.nodes[place].operator}.{body.name}"
                    waiting.append((body.graph, step))
    return graph, ""


class _Twins:
    """The nodes of a graph that are the same, by their depth."""

    def __init__(self, nodes: Iterable[Node], depth: Sequence[int]) -> None:
        self._by_depth: dict[int, list[Node]] = {}
        for node in nodes:
            self._by_depth.setdefault(depth[node.id], []).append(node)
        self._before: dict[int, int] = {}
        count = 0
        for level in sorted(self._by_depth):
            self._before[level] = count
            count += len(self._by_depth[level])
        self._ranks: dict[int, dict[int, int]] = {}

    def ordinal(self, node: Node, depth: int, position: Callable[[Node], Position]) -> int:
        """How many of them come before this one; ``position`` orders those of equal depth."""
        level = self._by_depth[depth]
        if len(level) == 1:
            return self._before[depth]
        ranks = self._ranks.get(depth)
        if ranks is None:
            level.sort(key=position)
            ranks = self._ranks[depth] = {twin.id: rank for rank, twin in enumerate(level)}
        return self._before[depth] + ranks[node.id]


class _Home:
    """A graph in which findings are, and what was asked of it already."""

    def __init__(self, graph: Graph, path: str) -> None:
        self._graph, self._path = graph, path
        self._keys = Keys(graph)
        self._around = Neighbourhoods(graph, self._keys)
        self._twins: dict[str, _Twins] = {}

    def identity(self, finding: Finding) -> Identity:
        """The identity of a finding in this graph, its ordinal that of its first node."""
        keys = sorted(map(self._keys.of, finding.nodes))
        first, named = self._first(finding.nodes), finding.nodes[0]
        return Identity(
            f"{_hashed(finding.code, self._path, keys)}:{self._ordinal(first)}",
            named.label,
            ".".join(named.scope),
            named.operator,
            self._around.neighbours(first).hex(),
            self._around.digest(first, _FAR).hex(),
        )

    def _first(self, nodes: Sequence[Node]) -> Node:
        """The first of some nodes, wherever in the file they are."""
        if len(nodes) == 1:
            return nodes[0]
        depth = depths(self._graph)
        least = min(depth[node.id] for node in nodes)
        return min(
            (node for node in nodes if depth[node.id] == least),
            key=lambda node: (self._keys.of(node), self._position(node)),
        )

    def _position(self, node: Node) -> Position:
        place = places(self._graph).get(node.id, node.id)
        return self._around.digest(node, _FAR), place

    def _ordinal(self, node: Node) -> int:
        key, depth = self._keys.of(node), depths(self._graph)
        twins = self._twins.get(key)
        if twins is None:
            twins = self._twins[key] = _Twins(self._alike(key, node.op_type), depth)
        return twins.ordinal(node, depth[node.id], self._position)

    def _alike(self, key: str, op_type: str) -> Iterator[Node]:
        nodes = self._graph.nodes
        return (node for node in nodes if node.op_type == op_type and self._keys.of(node) == key)
