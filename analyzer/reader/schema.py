"""What the messages of ONNX hold, and how much of it is read."""

from __future__ import annotations

from typing import Final

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from onnx import FunctionProto, GraphProto, ModelProto, TensorShapeProto

from archlint.analyzer.dims import MAX_RANK
from archlint.analyzer.reader.wire import LENGTH_DELIMITED, Limit

MAX_NODES: Final = 1_000_000
MAX_DEPTH: Final = 100  # that of protobuf's parser


def key_of(message: type[Message], field: str, wire_type: int = LENGTH_DELIMITED) -> int:
    """What a field begins with: its number and how its content is encoded."""
    return int(message.DESCRIPTOR.fields_by_name[field].number) << 3 | wire_type


def _messages(kind: str, found: dict[str, dict[int, str]]) -> dict[str, dict[int, str]]:
    """Kind of a message → key of a field → kind of the message that the field holds."""
    if kind not in found:
        found[kind] = fields = {}
        for field in Default().FindMessageTypeByName(kind).fields:
            if field.message_type is not None:
                fields[field.number << 3 | LENGTH_DELIMITED] = field.message_type.full_name
                _messages(field.message_type.full_name, found)
    return found


MODEL: Final = ModelProto.DESCRIPTOR.full_name
CHILDREN: Final = _messages(MODEL, {})

NO_RANK: Final = f"a tensor of more than {MAX_RANK} dims"
NO_RUNTIME: Final = "no runtime takes it"
_NODES: Final = (MAX_NODES, f"more than {MAX_NODES:,} nodes", "archlint reads no larger models")
_TWO: Final = "these are two models: give each a file of its own"
LIMITS: Final = {
    MODEL: Limit(key_of(ModelProto, "graph"), 1, "two graphs, the second", _TWO),
    "onnx.GraphProto": Limit(key_of(GraphProto, "node"), *_NODES),
    "onnx.FunctionProto": Limit(key_of(FunctionProto, "node"), *_NODES),
    "onnx.TensorShapeProto": Limit(key_of(TensorShapeProto, "dim"), MAX_RANK, NO_RANK, NO_RUNTIME),
}
