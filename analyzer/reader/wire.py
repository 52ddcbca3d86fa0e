"""Walk the protobuf wire format of a model and leave the weights in the file.

Every message is copied except the payloads of large tensors, so that what is handed to onnx's
parser stays small whatever the size of the file. Field numbers are those of onnx.proto3."""

from __future__ import annotations

import os
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
LENGTH_DELIMITED: Final = 2
FIXED32: Final = 5

# Message kind → field number → kind of the message that the field holds.
_TENSOR: Final = "TensorProto"
_CHILDREN: Final[dict[str, dict[int, str]]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: _TENSOR, 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: _TENSOR,
        6: "GraphProto",
        10: _TENSOR,
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: _TENSOR, 2: _TENSOR},
}
_DATA_TYPE: Final = 2
# float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data
_PAYLOADS: Final = frozenset({4, 5, 6, 7, 9, 10, 11})
# Shapes, indices and masks are small integer tensors that shape inference needs; TensorProto's
# UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT32, UINT64.
_INTEGERS: Final = frozenset({2, 3, 4, 5, 6, 7, 9, 12, 13})
INLINE_INTEGERS: Final = 64 * 1024
INLINE_BYTES: Final = 1024
MAX_DEPTH: Final = 100
_MIN_READ: Final = 1 << 12
_MAX_READ: Final = 1 << 20


class WireError(ValueError):
    """The bytes are no protobuf message; ``offset`` says where."""

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(f"{why} at byte {offset:,}")
        self.offset = offset


class _Window:
    """Buffered reads of a file: the buffer is small after a jump and grows while reads go on."""

    def __init__(self, descriptor: int) -> None:
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._start = 0
        self._bytes = b""
        self._ahead = _MIN_READ

    def read(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length) of the file; fewer only where the file ends."""
        begin = offset - self._start
        if begin < 0 or begin + length > len(self._bytes):
            onward = 0 <= begin <= len(self._bytes)
            self._ahead = min(2 * self._ahead, _MAX_READ) if onward else _MIN_READ
            self._bytes = os.pread(self._descriptor, max(length, self._ahead), offset)
            self._start, begin = offset, 0
        return self._bytes[begin : begin + length]


def skim(descriptor: int) -> bytes:
    """The ModelProto of an open file without the payloads of its large tensors.

    Raises WireError for bytes that are truncated or no protobuf.
    """
    window = _Window(descriptor)
    return b"".join(_message(window, "ModelProto", 0, window.size, 0))


def _message(window: _Window, kind: str, begin: int, end: int, depth: int) -> list[bytes]:
    if depth > MAX_DEPTH:
        raise WireError(f"messages nested deeper than {MAX_DEPTH}", begin)
    if kind == _TENSOR:
        return _tensor(window, begin, end)
    children = _CHILDREN[kind]
    parts: list[bytes] = []
    offset = begin
    while offset < end:
        start = offset
        key, offset = _varint(window, offset, end)
        body, offset = _field_end(window, key & 7, offset, end)
        child = children.get(key >> 3) if key & 7 == LENGTH_DELIMITED else None
        if child is None or offset - body <= INLINE_BYTES:
            parts.append(window.read(start, offset - start))
            continue
        inner = _message(window, child, body, offset, depth + 1)
        parts += [_encode(key), _encode(sum(map(len, inner))), *inner]
    return parts


def _tensor(window: _Window, begin: int, end: int) -> list[bytes]:
    """A TensorProto without payloads that are larger than shapes and scalars ever are."""
    kept: list[bytes] = []
    payloads: list[tuple[int, int]] = []
    data_type = 0
    offset = begin
    while offset < end:
        start = offset
        key, offset = _varint(window, offset, end)
        body, offset = _field_end(window, key & 7, offset, end)
        if key >> 3 in _PAYLOADS and offset - body > INLINE_BYTES:
            payloads.append((start, offset))
            continue
        if key >> 3 == _DATA_TYPE and key & 7 == VARINT:
            data_type, _ = _varint(window, body, end)
        kept.append(window.read(start, offset - start))
    size = sum(stop - start for start, stop in payloads)
    if data_type in _INTEGERS and size <= INLINE_INTEGERS:
        kept += [window.read(start, stop - start) for start, stop in payloads]
    return kept


def _field_end(window: _Window, wire_type: int, offset: int, end: int) -> tuple[int, int]:
    """Where the content of a field begins and ends."""
    if wire_type == LENGTH_DELIMITED:
        length, offset = _varint(window, offset, end)
    elif wire_type == VARINT:
        return offset, _varint(window, offset, end)[1]
    elif wire_type in (FIXED64, FIXED32):
        length = 8 if wire_type == FIXED64 else 4
    else:
        raise WireError(f"wire type {wire_type}, which ONNX never uses,", offset)
    if offset + length > end:
        raise WireError(f"a field of {length:,} bytes where {end - offset:,} are left", offset)
    return offset, offset + length


def _varint(window: _Window, offset: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for byte in window.read(offset, min(10, end - offset)):
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7
    raise WireError("an unfinished number", offset)


def _encode(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
