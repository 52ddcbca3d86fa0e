"""Values that something other than nodes knows by name, so that a fix must not touch them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from onnx import GraphProto, ModelProto, NodeProto

from archlint.analyzer.graph import Graph, per_graph
from archlint.analyzer.nodes import own_names


@per_graph
def pinned(graph: Graph) -> frozenset[str]:
    """The values that may be neither renamed nor taken out.

    Bodies have values of their own that are so called, annotations of quantisation name them, or
    the training information reads or updates them.
    """
    if graph.tallies is None:
        return frozenset(graph.values)
    proto = graph.tallies.model.proto
    return frozenset(chain(_bodies(proto.graph.node), _annotated(proto.graph), _trained(proto)))


@per_graph
def fed(graph: Graph) -> frozenset[str]:
    """The initializers that are only the defaults of inputs, and all that nodes make of them."""
    found = set(graph.overridable)
    for node in graph.nodes if found else ():
        if not found.isdisjoint((*node.inputs, *node.captured)):
            found.update(node.outputs)
    return frozenset(found - {""})


def _bodies(nodes: Iterable[NodeProto]) -> Iterator[str]:
    for node in nodes:
        for attribute in node.attribute:
            for body in chain((attribute.g,) if attribute.HasField("g") else (), attribute.graphs):
                yield from own_names(body)
                yield from _bodies(body.node)


def _annotated(graph: GraphProto) -> Iterator[str]:
    for annotation in graph.quantization_annotation:
        yield annotation.tensor_name
        for entry in annotation.quant_parameter_tensor_names:
            yield entry.value


def _trained(proto: ModelProto) -> Iterator[str]:
    for training in proto.training_info:
        for entry in chain(training.initialization_binding, training.update_binding):
            yield entry.key
            yield entry.value
        for part in (training.initialization, training.algorithm):
            for node in part.node:
                yield from node.input
