"""Copy a model without its weights: all of it but the payloads of large tensors.

What is handed to onnx's parser stays small whatever the size of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from onnx import StringStringEntryProto, TensorProto

from archlint.analyzer.dims import MAX_RANK
from archlint.analyzer.reader.schema import (
    CHILDREN,
    LIMITS,
    MAX_DEPTH,
    MODEL,
    NO_RANK,
    NO_RUNTIME,
    key_of,
)  # fmt: skip
from archlint.analyzer.reader.wire import (
    LENGTH_DELIMITED,
    LONGEST_VARINT,
    MAX_FIELDS,
    VARINT,
    LimitError,
    Window,
    delimited,
    encode,
)  # fmt: skip

# Shapes, indices and masks are small integer tensors, which shape inference needs.
_INTEGERS: Final = frozenset({
    TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16, TensorProto.INT32,
    TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT32, TensorProto.UINT64,
})  # fmt: skip
INLINE_INTEGERS: Final = 64 * 1024
INLINE_BYTES: Final = 1024

MAX_PIECES: Final = 1000  # fields of a tensor's elements, of which one is enough
MAX_STRUCTURE: Final = 1 << 29  # bytes of the copy

# The entry of a skimmed tensor's metadata that says where its payload is: the index of the first
# in Model.payloads, and how many there are; of strings, where the spans of their fields are and how
# long, or the place in Model.elements of what makes them.
REFERENCE: Final = "archlint.payload"
TEXT_REFERENCE: Final = f"{REFERENCE}.text"
_REFERENCES: Final = (REFERENCE.encode(), TEXT_REFERENCE.encode())
_LONGEST: Final = len(TEXT_REFERENCE) + 1  # bytes that tell a reference from other keys

_DIM: Final = key_of(TensorProto, "dims", VARINT)
_DIMS: Final = key_of(TensorProto, "dims")
_DATA_TYPE: Final = key_of(TensorProto, "data_type", VARINT)
_METADATA: Final = key_of(TensorProto, "metadata_props")
_STRINGS: Final = key_of(TensorProto, "string_data")
_KEY: Final = key_of(StringStringEntryProto, "key")
_VALUE: Final = key_of(StringStringEntryProto, "value")
PAYLOADS: Final = {
    key_of(TensorProto, field): field
    for field in (
        "raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data",
        "string_data",
    )
}  # fmt: skip
_TENSOR: Final = TensorProto.DESCRIPTOR.full_name
# The low bits of the first byte of every field that holds a message or a string.
_LENGTH_DELIMITED_KEYS: Final = bytes(byte for byte in range(256) if byte & 7 == LENGTH_DELIMITED)


class Payload(NamedTuple):
    """Where the elements of a tensor are in the model's file: the content of one field."""

    offset: int
    length: int
    field: str


@dataclass(frozen=True, slots=True)
class Skimmed:
    """A serialised ModelProto without the payloads of its large tensors, and where these are."""

    content: bytes
    payloads: tuple[Payload, ...]


def skim(descriptor: int, *, whole: bool = False) -> Skimmed:
    """The ModelProto of an open file without the payloads of its large tensors.

    Messages of up to INLINE_BYTES are copied unseen, unless ``whole`` asks that all be walked.
    Raises WireError for bytes that are truncated or no protobuf, LimitError for a model that is
    larger than what is read.
    """
    walk = _Walk(descriptor, -1 if whole else INLINE_BYTES)
    content = walk.copy(MODEL, 0, walk.window.size)
    if whole or walk.is_bounded(content):
        return Skimmed(content, tuple(walk.payloads))
    return skim(descriptor, whole=True)


def is_large(size: int, data_type: int) -> bool:
    """Whether a tensor whose elements take so many bytes is left out of a copy."""
    return size > (INLINE_INTEGERS if data_type in _INTEGERS else INLINE_BYTES)


def copy(descriptor: int, kind: str, begin: int, end: int) -> bytes:
    """The message [begin, end) of an open file, without the payloads of large tensors."""
    return _Walk(descriptor, INLINE_BYTES).copy(kind, begin, end)


class _Walk:
    """One pass over a file that notes what to leave out of its copy, and what to put in."""

    def __init__(self, descriptor: int, above: int) -> None:
        self.window = Window(descriptor)
        self.payloads: list[Payload] = []
        self._above = above
        self._edits: list[tuple[int, int, bytes]] = []  # in place of [begin, end) of the file
        self._references = 0

    def copy(self, kind: str, begin: int, end: int) -> bytes:
        """The message [begin, end) of the file."""
        size = end - begin + self._walk(kind, begin, end, 0)
        if size > MAX_STRUCTURE:
            why = f"{size >> 20:,} MiB beside its weights, which end"
            remedy = f"archlint reads {MAX_STRUCTURE >> 20:,} MiB"
            raise LimitError(why, end, remedy)
        parts: list[bytes] = []
        offset = begin
        for start, stop, new in self._edits:
            parts += (self.window.read(offset, start - offset), new)
            offset = stop
        parts.append(self.window.read(offset, end - offset))
        return b"".join(parts)

    def is_bounded(self, content: bytes) -> bool:
        """Whether what was copied unseen surely holds no more fields than are read, and no
        reference to a payload."""
        most = MAX_FIELDS - self.window.passed
        return content.count(_REFERENCES[0]) == self._references and (
            len(content) // 2 <= most
            or len(content) - len(content.translate(None, _LENGTH_DELIMITED_KEYS)) <= most
        )

    def _walk(self, kind: str, begin: int, end: int, depth: int) -> int:
        """By how many bytes the copy of this message is longer."""
        if depth > MAX_DEPTH:
            why = f"messages nested too deep (more than {MAX_DEPTH})"
            raise LimitError(why, begin, "no parser of ONNX takes it")
        if kind == _TENSOR:
            return self._tensor(begin, end)
        children = CHILDREN[kind]
        longer = 0
        for start, key, body, stop in self.window.fields(begin, end, self._above, LIMITS.get(kind)):
            child = children.get(key)
            if child is None or not CHILDREN[child]:
                continue
            place = len(self._edits)
            self._edits.append((start, start, b""))
            inner = self._walk(child, body, stop, depth + 1)
            if len(self._edits) == place + 1:
                self._edits.pop()
            else:
                header = encode(key) + encode(stop - body + inner)
                self._edits[place] = (start, body, header)
                longer += inner + len(header) - (body - start)
        return longer

    def _tensor(self, begin: int, end: int) -> int:
        """By how many bytes the copy of a tensor is longer."""
        rank = size = 0
        data_type = (begin, begin)
        found: list[Payload] = []
        payloads: list[tuple[int, int]] = []
        texts: list[tuple[int, int]] = []
        claims: list[tuple[int, int]] = []
        for start, key, body, stop in self.window.fields(begin, end):
            if key == _DIM:
                rank += 1
            elif key in PAYLOADS:
                size += stop - body
                _add_payload(found, Payload(body, stop - body, PAYLOADS[key]))
                _add_span(payloads, start, stop)
                if key == _STRINGS:
                    _add_span(texts, start, stop)
            elif key == _DATA_TYPE:
                data_type = (body, stop)
            elif key == _DIMS:
                rank += (stop - body) // LONGEST_VARINT
            elif key == _METADATA and self._is_reference(body, stop):
                _add_span(claims, start, stop)
        if rank > MAX_RANK:
            raise LimitError(NO_RANK, begin, NO_RUNTIME)
        if not self._is_large(size, *data_type):
            return self._cut(claims)
        reference = self._refer(found, texts)
        longer = len(reference) + self._cut(sorted(claims + payloads))
        self._edits.append((end, end, reference))
        return longer

    def _cut(self, spans: list[tuple[int, int]]) -> int:
        """Leave these out; by how many bytes, below 0, the copy is longer."""
        self._edits += [(start, stop, b"") for start, stop in spans]
        return sum([start - stop for start, stop in spans])

    def _is_large(self, size: int, begin: int, end: int) -> bool:
        """Whether a tensor of so many bytes, whose type stands at [begin, end), is left out."""
        if size <= INLINE_BYTES or size > INLINE_INTEGERS:
            return size > INLINE_BYTES
        return begin == end or is_large(size, self.window.varint(begin, end))

    def _is_reference(self, begin: int, end: int) -> bool:
        """Whether an entry of metadata claims to say where a payload is."""
        return any(
            key == _KEY and self.window.read(body, min(stop - body, _LONGEST)) in _REFERENCES
            for _, key, body, stop in self.window.fields(begin, end)
        )

    def _refer(self, payloads: list[Payload], texts: list[tuple[int, int]]) -> bytes:
        """The entries of a tensor's metadata that say where its payloads are."""
        numbers = b"%d %d" % (len(self.payloads), len(payloads)) if payloads else b""
        spans = b" ".join([b"%d %d" % (start, stop - start) for start, stop in texts])
        self.payloads += payloads
        told = [told for told in zip(_REFERENCES, (numbers, spans), strict=True) if told[1]]
        self._references += len(told)
        entries = [delimited(_KEY, key) + delimited(_VALUE, value) for key, value in told]
        return b"".join([delimited(_METADATA, entry) for entry in entries])


def _add_payload(found: list[Payload], payload: Payload) -> None:
    """Strings are not kept, and of raw data the last counts."""
    if payload.field == "string_data":
        return
    if payload.field == "raw_data":
        found[:] = [other for other in found if other.field != "raw_data"]
    found.append(payload)
    _check_pieces(len(found), payload.offset)


def _add_span(spans: list[tuple[int, int]], start: int, stop: int) -> None:
    """Spans that touch become one."""
    if spans and spans[-1][1] == start:
        start = spans.pop()[0]
    spans.append((start, stop))
    _check_pieces(len(spans), start)


def _check_pieces(count: int, offset: int) -> None:
    if count > MAX_PIECES:
        raise LimitError(f"a tensor in more than {MAX_PIECES:,} pieces", offset, NO_RUNTIME)
