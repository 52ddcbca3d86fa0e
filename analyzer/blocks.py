"""The blocks that networks are made of: residual, Inception and attention blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archlint.analyzer.attention import attentions
from archlint.analyzer.graph import Graph, Node, per_graph
from archlint.analyzer.joins import Fork, Forks, operands
from archlint.analyzer.weighted import is_weighted

_ADDITIONS = frozenset({"Add", "Sum", "QLinearAdd"})
_CONCATENATIONS = frozenset({"Concat", "QLinearConcat"})
_SHORTCUT = 8  # nodes of a shortcut: a projection, its normalisation, a pooling, quantisation
_FEWEST_BRANCHES, _MOST_BRANCHES = 3, 16  # of an Inception block


class BlockKind(StrEnum):
    """How the branches of a block meet; the value is its name in a sentence."""

    RESIDUAL = "residual"
    INCEPTION = "Inception"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Block:
    """The ``number``-th of ``count`` blocks of a kind, with the ids of its nodes."""

    kind: BlockKind
    number: int
    count: int
    nodes: frozenset[int]

    def __str__(self) -> str:
        """``the 3rd of 9 Inception blocks``."""
        if self.count == 1:
            return f"the {self.kind} block"
        return f"the {_ordinal(self.number)} of {self.count} {self.kind} blocks"


def block_of(graph: Graph, nodes: Collection[Node]) -> Block | None:
    """The smallest block that all the nodes are in; None for no nodes."""
    if not nodes:
        return None
    by_node = _by_node(graph)
    around = [by_node.get(node.id, ()) for node in nodes]
    shared = [block for block in around[0] if all(block in others for others in around)]
    return min(shared, key=lambda block: len(block.nodes), default=None)


@per_graph
def blocks(graph: Graph) -> tuple[Block, ...]:
    """The blocks of a graph, kind by kind, each kind in topological order.

    Parameters
    ----------
    graph
        Branches are followed along values that depend on what the model is fed.

    Returns
    -------
    tuple of Block
        A node may be in blocks of several kinds, and in none.

    Notes
    -----
    A residual block ends in the addition of two branches from one value: a shortcut of at most one
    weighted layer, and a branch that has more of them (He et al. 2015, arXiv 1512.03385, section
    3.2). An Inception block ends in the concatenation of three branches or more from one value,
    none of which leads through the end of another, and at least two of which have weights (Szegedy
    et al. 2014, arXiv 1409.4842, section 4). No block reaches across the end of a residual one, nor
    an Inception block across that of another: of nested ones the innermost counts. An attention
    block is a Softmax between two products, with the projections around them (Vaswani et al. 2017,
    arXiv 1706.03762, section 3.2). Each search looks at a bounded number of values, and all of them
    at about eight for each node of the graph; a graph that would take more, as no known network
    does, has no blocks.

    """
    additions: set[int] = set()  # where residual blocks end
    ends: set[int] = set()  # where residual and Inception blocks do
    budget = 4096 + 8 * len(graph.nodes)
    forks = {
        BlockKind.RESIDUAL: Forks(graph, additions, budget),
        BlockKind.INCEPTION: Forks(graph, ends, budget),
    }
    found: dict[BlockKind, list[frozenset[int]]] = {kind: [] for kind in BlockKind}
    for node in graph.nodes:
        kind = _joins(graph, node)
        if kind is None:
            continue
        parts = forks[kind].before(operands(graph, node))
        if parts is not None and _is_block(graph, kind, node, parts):
            ends.add(node.id)
            if kind is BlockKind.RESIDUAL:
                additions.add(node.id)
            found[kind].append(frozenset().union({node.id}, *parts.branches))
    if any(search.left <= 0 for search in forks.values()):
        return ()
    found[BlockKind.ATTENTION] += attentions(graph)
    return tuple(block for kind, members in found.items() for block in _numbered(kind, members))


def _joins(graph: Graph, node: Node) -> BlockKind | None:
    """The kind of block that a node may be the end of."""
    if node.op_type in _ADDITIONS and len(operands(graph, node)) == 2:
        return BlockKind.RESIDUAL
    if node.op_type in _CONCATENATIONS:
        joined = operands(graph, node)
        ranks = {len(graph.value(name).shape or ()) for name in joined}
        if _FEWEST_BRANCHES <= len(joined) <= _MOST_BRANCHES and len(ranks) == 1 and min(ranks) > 2:
            return BlockKind.INCEPTION
    return None


def _is_block(graph: Graph, kind: BlockKind, end: Node, parts: Fork) -> bool:
    weighted = [sum(is_weighted(graph, graph.nodes[n]) for n in part) for part in parts.branches]
    if kind is BlockKind.RESIDUAL:
        return any(
            shortcut <= 1 and len(part) <= _SHORTCUT and max(weighted) > shortcut
            for shortcut, part in zip(weighted, parts.branches, strict=True)
        )
    joined = operands(graph, end)
    same_rank = _rank(graph, parts.source) == _rank(graph, joined[0])
    several = sum(count > 0 for count in weighted) >= 2
    return same_rank and several and all(parts.branches) and _apart(graph, joined, parts)


def _rank(graph: Graph, name: str) -> int | None:
    shape = graph.value(name).shape
    return None if shape is None else len(shape)


def _apart(graph: Graph, joined: Sequence[str], parts: Fork) -> bool:
    """Whether no branch leads through the end of another."""
    for place, name in enumerate(joined):
        node = graph.producer(name)
        others = (*parts.branches[:place], *parts.branches[place + 1 :])
        if node is None or any(node.id in part for part in others):
            return False
    return True


def _numbered(kind: BlockKind, members: Sequence[frozenset[int]]) -> Iterator[Block]:
    for number, nodes in enumerate(members, start=1):
        yield Block(kind, number, len(members), nodes)


@per_graph
def _by_node(graph: Graph) -> dict[int, list[Block]]:
    by_node: dict[int, list[Block]] = {}
    for block in blocks(graph):
        for node in block.nodes:
            by_node.setdefault(node, []).append(block)
    return by_node


def block_names(graph: Graph) -> dict[int, str]:
    """The innermost block of each node that is in one, as ``Inception block 3``."""
    return {
        node: f"{block.kind} block {block.number}"
        for node, around in _by_node(graph).items()
        for block in [min(around, key=lambda block: len(block.nodes))]
    }


def _ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``11th``."""
    teens = 10 < number % 100 < 20
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
