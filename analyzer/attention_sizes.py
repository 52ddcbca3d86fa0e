"""How many positions attend to how many, and what their scores cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.attention import attentions
from archlint.analyzer.cost import CostTable
from archlint.analyzer.graph import Node
from archlint.analyzer.joins import operands
from archlint.analyzer.weighted import is_weighted

_SOFTMAX = 5  # operations a score, in every formula of attention


@dataclass(frozen=True, slots=True)
class AttentionSizes:
    """One attention of ``queries`` positions to ``keys`` positions.

    ``nodes`` compute the scores and the weighted sums; ``macs`` are those of both products over all
    heads, without the projections that a fused operator does besides.
    """

    nodes: tuple[Node, ...]
    queries: int
    keys: int
    macs: int


def attention_sizes(costs: CostTable) -> Iterator[AttentionSizes]:
    """The attentions whose sizes are known, in topological order."""
    for members in attentions(costs.graph):
        nodes = [costs.graph.nodes[place] for place in sorted(members)]
        softmax = next((node for node in nodes if node.op_type == "Softmax"), None)
        sizes = _fused(costs, nodes) if softmax is None else _apart(costs, nodes, softmax)
        if sizes is not None:
            yield sizes


def _apart(costs: CostTable, nodes: list[Node], softmax: Node) -> AttentionSizes | None:
    """A Softmax between two products."""
    graph = costs.graph
    scores = graph.value(softmax.output(0)).static_shape
    products = [
        node
        for node in nodes
        if (cost := costs.cost(node)) is not None
        and cost.macs
        and not is_weighted(graph, node)
        and len(operands(graph, node)) >= 2
    ]
    if scores is None or len(scores) < 2 or not products:
        return None
    within = tuple(sorted((*products, softmax), key=lambda node: node.id))
    return AttentionSizes(within, scores[-2], scores[-1], costs.total(products).macs)


def _fused(costs: CostTable, nodes: list[Node]) -> AttentionSizes | None:
    """One operator: its keys follow from the operations of its softmax, which are 5 a score."""
    for node in nodes:
        cost = costs.cost(node)
        families = dict(cost.ops_by_family) if cost is not None else {}
        query = costs.graph.value(node.input(0)).static_shape
        result = costs.graph.value(node.output(0)).static_shape
        if query is None or result is None or "softmax" not in families:
            continue
        if node.op_type.startswith("Packed"):  # its sequences differ in length
            continue
        heads, length = _heads(node, query)
        scores, rows = families["softmax"] // _SOFTMAX, query[0] * heads * length
        if rows:
            macs = 2 * scores * prod(result) // rows  # of the result each row is a head's size
            return AttentionSizes((node,), length, scores // rows, macs)
    return None


def _heads(node: Node, query: tuple[int, ...]) -> tuple[int, int]:
    """Heads and positions of queries [batch, positions, …] or [batch, heads, positions, size]."""
    if len(query) == 4:
        return query[1], query[2]
    heads = node.attributes.get("q_num_heads", node.attributes.get("num_heads", 1))
    return int(heads), query[1]
