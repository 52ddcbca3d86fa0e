"""A model that is in memory already: its structure copied, its weights left where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, numpy_helper

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader.elements import RAW, bytes_of
from archlint.analyzer.reader.inspection import inspect
from archlint.analyzer.reader.model import IGNORE_KEY, Elements, Model
from archlint.analyzer.reader.strings import decoded, parse
from archlint.analyzer.reader.structure import (
    MAX_STRUCTURE,
    PAYLOADS,
    REFERENCE,
    TEXT_REFERENCE,
    Payload,
    is_large,
)
from archlint.analyzer.reader.tensors import TooLargeError, is_plain, tensors
from archlint.analyzer.reader.wire import encode

_FIELDS: Final = tuple(PAYLOADS.values())
_OF_TENSORS: Final[Any] = TensorProto.DESCRIPTOR.fields  # of either implementation of protobuf
_SINGLE: Final = frozenset(entry.name for entry in _OF_TENSORS if not entry.is_repeated)
_TEXT: Final = "string_data"
_WIDTHS: Final = {"float_data": 4, "double_data": 8}  # bytes of an entry
# The messages that hold tensors, or hold messages that do.
_HOLDERS: Final = frozenset(
    f"onnx.{name}Proto"
    for name in (
        "Graph", "Node", "Attribute", "Tensor", "SparseTensor", "Function", "TrainingInfo",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InMemory:
    """A ModelProto, which is read and never changed.

    ``elements`` make those of the initializers that have none in it, by their names; they are
    asked for by rules that look at weights, one tensor at a time.
    """

    proto: ModelProto
    elements: Mapping[str, Elements] = field(default_factory=dict)


def hold(path: str, memory: InMemory) -> Model:
    """The structure of a model in memory, as ``read`` has it of a file of this path.

    The size of the file is that which it would have with all its weights in it. Raises
    ModelReadError.
    """
    if not memory.proto.HasField("graph"):
        raise ModelReadError(path, "is no ONNX model: it holds no graph; export it again")
    try:
        outline = _Outline(memory.elements)
        size, content = outline.serialised(memory.proto)
        if len(content) > MAX_STRUCTURE:
            raise ModelReadError(path, _too_large(len(content)))
        proto = parse(content)
        problems, external_bytes = inspect(path, proto, outline.payloads)
    except TooLargeError as error:
        raise ModelReadError(path, error.reason) from error
    except EncodeError as error:
        raise ModelReadError(path, _too_large(1 << 31)) from error
    except (DecodeError, RecursionError) as error:
        raise ModelReadError(path, "holds messages nested too deep for ONNX's parsers") from error
    return Model(
        path,
        proto,
        size,
        problems,
        tuple(outline.payloads),
        external_bytes,
        IGNORE_KEY.encode() in content,
        tuple(outline.elements),
    )


def _too_large(size: int) -> str:
    reads = f"archlint reads {MAX_STRUCTURE >> 20:,} MiB"
    return f"holds {size >> 20:,} MiB beside its weights; {reads}"


class _Outline:
    """A copy of a model without the payloads of its large tensors, and what makes these."""

    def __init__(self, given: Mapping[str, Elements]) -> None:
        self.payloads: list[Payload] = []
        self.elements: list[Elements] = []
        self._given = given
        self._references: list[tuple[TensorProto, str, str]] = []

    def serialised(self, source: ModelProto) -> tuple[int, bytes]:
        """The bytes that the whole model takes in a file, and its structure."""
        proto = ModelProto()
        lacking = self._copy(source, proto)
        content = proto.SerializeToString()
        size = len(content) + lacking
        if REFERENCE.encode() in content:
            for held in tensors(proto, mistyped=True):
                _forget(held.tensor)
        for tensor, key, value in self._references:
            tensor.metadata_props.add(key=key, value=value)
        return size, proto.SerializeToString()

    def _copy(self, source: Message, target: Message) -> int:
        """Copy a message; by how many bytes the copy is shorter."""
        lacking = 0
        for entry, value in source.ListFields():
            kind = entry.message_type
            if kind is None or kind.full_name not in _HOLDERS:
                _copy_plain(entry, value, target)
            elif entry.is_repeated:
                parts = getattr(target, entry.name)
                lacking += sum(self._part(part, parts.add()) for part in value)
            else:
                lacking += self._part(value, getattr(target, entry.name))
        return lacking

    def _part(self, source: Message, target: Message) -> int:
        """As ``_copy``, with the bytes that tell the length of the part."""
        target.SetInParent()
        if isinstance(source, TensorProto) and isinstance(target, TensorProto):
            lacking = self._tensor(source, target)
        elif _holds_none(source):
            target.CopyFrom(source)
            return 0
        else:
            lacking = self._copy(source, target)
        if lacking:
            size = target.ByteSize()
            lacking += len(encode(size + lacking)) - len(encode(size))
        return lacking

    def _tensor(self, source: TensorProto, target: TensorProto) -> int:
        present = [name for name in _FIELDS if _has(source, name)]
        given = None if present else self._given.get(source.name)
        if given is not None:
            sizes = {RAW: bytes_of(source) or 0}
        else:
            sizes = {name: _size(source, name) for name in present}
            if not is_large(sum(sizes.values()), source.data_type):
                target.CopyFrom(source)
                return 0
        for entry in _OF_TENSORS:
            if entry.name not in _FIELDS and _has(source, entry.name):
                _copy_plain(entry, getattr(source, entry.name), target)
        self._refer(target, sizes, given or partial(numpy_helper.to_array, source))
        return sum(1 + len(encode(size)) + size for size in sizes.values())

    def _refer(self, target: TensorProto, sizes: Mapping[str, int], elements: Elements) -> None:
        """Remember what was left out of a tensor, by fields."""
        place = len(self.elements)
        left = [Payload(place, size, name) for name, size in sizes.items() if name != _TEXT]
        if left:
            reference = f"{len(self.payloads)} {len(left)}"
            self._references.append((target, REFERENCE, reference))
            self.payloads += left
        if _TEXT in sizes:
            self._references.append((target, TEXT_REFERENCE, f"{place}"))
        self.elements.append(elements)


def _holds_none(message: Message) -> bool:
    """Whether it is surely a part without tensors, as most nodes are."""
    if isinstance(message, NodeProto):
        return all(map(is_plain, message.attribute))
    return isinstance(message, AttributeProto) and is_plain(message)


def _copy_plain(entry: FieldDescriptor, value: Any, target: Message) -> None:
    """Copy a field that holds no tensor."""
    is_text = entry.type == FieldDescriptor.TYPE_STRING
    if entry.is_repeated:
        getattr(target, entry.name).extend(map(decoded, value) if is_text else value)
    elif entry.message_type is not None:
        getattr(target, entry.name).CopyFrom(value)
    else:
        setattr(target, entry.name, decoded(value) if is_text else value)


def _has(tensor: TensorProto, name: str) -> bool:
    """Whether a field is there; to list all of a tensor's would copy its payload."""
    if name in _SINGLE:
        return tensor.HasField(name)
    return len(getattr(tensor, name)) > 0


def _size(tensor: TensorProto, name: str) -> int:
    """The bytes that a field of elements takes in a file, without those that tell its length."""
    value = getattr(tensor, name)
    if name == RAW:
        return len(value)
    if name in _WIDTHS:
        return len(value) * _WIDTHS[name]
    whole = TensorProto(**{name: value}).ByteSize()
    size = whole - 2
    while 1 + len(encode(size)) + size > whole:
        size -= 1
    return size


def _forget(tensor: TensorProto) -> None:
    """Take out what claims to refer to a payload."""
    kept = [entry for entry in tensor.metadata_props if not entry.key.startswith(REFERENCE)]
    if len(kept) < len(tensor.metadata_props):
        copies = TensorProto(metadata_props=kept)
        del tensor.metadata_props[:]
        tensor.metadata_props.extend(copies.metadata_props)
