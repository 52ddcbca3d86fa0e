"""Make every string of a model text: protobuf hands out those that are no UTF-8 as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import GraphProto, ModelProto


def normalise(model: ModelProto) -> None:
    r"""Replace bytes that are no UTF-8 by their escapes, in place: ``\xff``."""
    if any(isinstance(text, bytes) for text in _texts(model)):
        _repair(model)


def _texts(model: ModelProto) -> Iterator[str]:
    """Every string that is read of a model."""
    for entry in model.opset_import:
        yield entry.domain
    yield from _texts_of_graph(model.graph)


def _texts_of_graph(graph: GraphProto) -> Iterator[str]:
    for info in chain(graph.input, graph.output, graph.value_info):
        yield info.name
        yield from (dim.dim_param for dim in info.type.tensor_type.shape.dim)
    yield from (tensor.name for tensor in graph.initializer)
    yield from (tensor.values.name for tensor in graph.sparse_initializer)
    for node in graph.node:
        yield node.name
        yield node.op_type
        yield node.domain
        yield from node.input
        yield from node.output
        for attribute in node.attribute:
            yield attribute.name
            if attribute.HasField("g"):
                yield from _texts_of_graph(attribute.g)
        for entry in node.metadata_props:
            yield entry.key
            yield entry.value


def _repair(message: Message) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for part in value if field.is_repeated else (value,):
                _repair(part)
        elif field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                value[:] = map(_decoded, value)
            else:
                setattr(message, field.name, _decoded(value))


def _decoded(text: str | bytes) -> str:
    return text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
