"""Which activation follows a convolution, for proposals to have the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from archlint.analyzer.graph import Graph, Node, per_graph
from archlint.analyzer.patterns import ACTIVATIONS, GATE_DEPTH, Activation, as_activation, branches
from archlint.analyzer.written_out import written_out

_RELU = Activation("Relu")


def activation_after(graph: Graph, node: Node) -> Activation:
    """The activation behind a convolution, else the graph's most frequent one, else Relu."""
    value = node.output(0)
    sources, written = branches(graph).sources, _by_source(graph)
    for _ in range(GATE_DEPTH):
        if value in written:
            return written[value]
        consumers = graph.consumers(value)
        if {"Sigmoid", "Mul"} == {consumer.op_type for consumer in consumers}:
            return Activation("Silu")
        if len(consumers) != 1:
            break
        (consumer,) = consumers
        if consumer.op_type in ACTIVATIONS:
            return as_activation(graph, consumer) or _most_frequent(graph)
        if sources.get(consumer.output(0)) != value:
            break
        value = consumer.output(0)
    return _most_frequent(graph)


@per_graph
def _by_source(graph: Graph) -> Mapping[str, Activation]:
    """The activations that are written as several operators, by what they are of."""
    return {whole.source: whole.activation for whole in written_out(graph).values()}


@per_graph
def _most_frequent(graph: Graph) -> Activation:
    written = written_out(graph).values()
    inner = {node.id for whole in written for node in whole.nodes}
    found = [(whole.nodes[0].id, whole.activation) for whole in written]
    found += [
        (node.id, as_activation(graph, node) or _RELU)
        for node in graph.nodes
        if node.op_type in ACTIVATIONS - {"PRelu"} and node.id not in inner
    ]
    found.sort(key=lambda one: one[0])
    for op_type, _ in Counter(activation.op_type for _, activation in found).most_common(1):
        return next(activation for _, activation in found if activation.op_type == op_type)
    return _RELU
