"""Make every string of a model text: protobuf hands out those that are no UTF-8 as bytes."""

from __future__ import annotations

from functools import cache

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from onnx import ModelProto


def parse(content: bytes) -> ModelProto:
    r"""The serialised model; bytes in its strings that are no UTF-8 are escaped: ``\xff``.

    Fields of bytes, as attributes of type STRING are, stay what they are. Raises DecodeError.
    """
    try:
        _strict().FromString(content)
    except DecodeError:
        model = ModelProto.FromString(content)
        _repair(model)
        return model
    return ModelProto.FromString(content)


@cache
def _strict() -> type[Message]:
    """ModelProto by the rules of proto3, whose parser refuses strings that are no UTF-8: faster by
    far than to ask every string."""
    file = FileDescriptorProto()
    ModelProto.DESCRIPTOR.file.CopyToProto(file)
    file.syntax = "proto3"
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(ModelProto.DESCRIPTOR.full_name))


def _repair(message: Message) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for part in value if field.is_repeated else (value,):
                _repair(part)
        elif field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                value[:] = map(decoded, value)
            else:
                setattr(message, field.name, decoded(value))


def decoded(text: str | bytes) -> str:
    r"""A string of a message as text, with ``\xff`` for a byte that is no UTF-8."""
    return text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
