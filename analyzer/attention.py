"""Attention as exporters write it, a Softmax between two products, and its sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.cost import CostTable
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.joins import operands
from archlint.analyzer.weighted import is_weighted

_PRODUCTS = frozenset({"MatMul", "FusedMatMul", "Einsum", "QLinearMatMul", "MatMulInteger"})
_WHOLE = frozenset({
    "Attention", "QAttention", "MultiHeadAttention", "DecoderMaskedMultiHeadAttention",
    "GroupQueryAttention", "PackedMultiHeadAttention",
})  # fmt: skip
_SCORES = 16  # nodes between the scores and the Softmax: scale, mask, position bias
_CONTEXT = 8  # nodes between the Softmax and the product with the values, and behind that
_SOFTMAX = 5  # operations a score, in every formula of attention
_PROJECTION = 32  # nodes from a product back to its projections: heads, rotary positions


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


def attentions(graph: Graph) -> Iterator[frozenset[int]]:
    """The ids of the nodes of each attention, in topological order.

    From the projections of queries, keys and values to that of the output, where there are any.
    """
    for node in graph.nodes:
        products: tuple[Node, ...] = ()
        if node.op_type in _WHOLE:
            products = (node,)
        elif node.op_type == "Softmax":
            scores, context = _scores(graph, node), _context(graph, node)
            if scores is not None and context is not None:
                products = (scores, context)
        if products:
            yield frozenset(_members(graph, products))


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


def _members(graph: Graph, products: tuple[Node, ...]) -> Iterator[int]:
    first, last = products[0], products[-1]
    entering = dict.fromkeys(operands(graph, first))
    between: list[Node] = []
    if first is not last:
        between = list(_before(graph, operands(graph, last), 2 * _SCORES, {first.id}))
    yield from (node.id for node in (*products, *between))
    for name in entering:
        yield from (node.id for node in _before(graph, (name,), _PROJECTION))
    yield from _behind(graph, last)


def _is_product(graph: Graph, node: Node) -> bool:
    return node.op_type in _PRODUCTS and len(operands(graph, node)) >= 2


def _scores(graph: Graph, softmax: Node) -> Node | None:
    """The product of queries and keys: the last product before the Softmax."""
    before = _before(graph, operands(graph, softmax), _SCORES)
    return next((node for node in before if _is_product(graph, node)), None)


def _context(graph: Graph, softmax: Node) -> Node | None:
    """The product of the weights and the values."""
    for node in _chain(graph, softmax):
        if _is_product(graph, node):
            return node
    return None


def _behind(graph: Graph, product: Node) -> Iterator[int]:
    """What leads to the projection of the output, if there is one."""
    passed: list[int] = []
    for node in _chain(graph, product):
        passed.append(node.id)
        if is_weighted(graph, node):
            yield from passed
            return


def _chain(graph: Graph, node: Node) -> Iterator[Node]:
    """The nodes behind one along values that only one node reads, up to a few."""
    for _ in range(_CONTEXT):
        consumers = graph.consumers(node.output(0))
        if len(consumers) != 1:
            return
        (node,) = consumers
        yield node


def _before(
    graph: Graph, names: Iterable[str], most: int, stops: Collection[int] = ()
) -> Iterator[Node]:
    """The nodes before values, breadth first, up to weighted ones and those to stop at."""
    queue = list(names)
    seen = set(queue)
    for name in queue:
        node = graph.producer(name)
        if node is None or node.id in stops:
            continue
        yield node
        most -= 1
        if most == 0:
            return
        if not is_weighted(graph, node):
            further = [name for name in operands(graph, node) if name not in seen]
            seen.update(further)
            queue += further
