"""The protobuf wire format of a file that is too large to read: its fields one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

VARINT: Final = 0
FIXED64: Final = 1
LENGTH_DELIMITED: Final = 2
FIXED32: Final = 5

MAX_FIELDS: Final = 5_000_000
_MIN_READ: Final = 1 << 12
_MAX_READ: Final = 1 << 18
LONGEST_VARINT: Final = 10
_HEADER: Final = 2 * LONGEST_VARINT  # a key and a length
_FIXED: Final = {FIXED64: 8, FIXED32: 4}


class WireError(ValueError):
    """The bytes are no protobuf message; ``offset`` says where."""

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(f"{why} at byte {offset:,}")
        self.offset = offset

    @property
    def reason(self) -> str:
        """What the file is, and what to do."""
        return f"is no ONNX model, or is damaged: {self}; export or fetch it again"


class LimitError(WireError):
    """The bytes are a message that holds more than is read."""

    def __init__(self, why: str, offset: int, remedy: str) -> None:
        super().__init__(why, offset)
        self.remedy = remedy

    @property
    def reason(self) -> str:
        """What there is too much of, and what to do."""
        return f"holds {self}; {self.remedy}"


class Limit(NamedTuple):
    """A field that a message holds at most ``most`` times: its key, and the error otherwise."""

    key: int
    most: int
    why: str
    remedy: str


class Window:
    """Buffered reads of an open file: the buffer is small after a jump and grows while reads go on;
    of bytes in memory all is in it."""

    def __init__(self, source: int | bytes) -> None:
        self._descriptor, held = (-1, source) if isinstance(source, bytes) else (source, b"")
        self.size = len(held) if self._descriptor < 0 else os.fstat(self._descriptor).st_size
        self.passed = 0  # fields, at most MAX_FIELDS
        self._start, self._stop = 0, len(held)
        self._bytes = held + bytes(_HEADER)  # those of [start, stop), and zeros
        self._ahead = _MIN_READ

    def read(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length) of the file; fewer only where the file ends."""
        if offset < self._start or offset + length > self._stop:
            self._load(offset, length)
        return self._bytes[offset - self._start : min(offset + length, self._stop) - self._start]

    def varint(self, offset: int, end: int) -> int:
        """The number that begins at this byte."""
        return _varint(self.read(offset, min(LONGEST_VARINT, end - offset)), offset)[0]

    def fields(
        self, begin: int, end: int, above: int = -1, limit: Limit | None = None
    ) -> Iterator[tuple[int, int, int, int]]:
        """Start, key, begin of the content and end of the fields of the message [begin, end).

        Those whose content is no longer than ``above`` are counted and passed over. The file may
        be read elsewhere between two fields. Raises WireError.
        """
        limited, most = (limit.key, limit.most) if limit else (0, 0)
        passed = seen = 0
        offset, last, buffer, base = begin, -1, b"", 0
        while offset < end:
            if offset > last or buffer is not self._bytes:
                self._pass(passed, offset)
                passed = 0
                buffer, base, last = self._at(offset)
            position = offset - base + 1
            key = buffer[position - 1]
            if key > 0x7F:
                key, position = self._long(offset, end)
            wire_type = key & 7
            if wire_type == LENGTH_DELIMITED:
                length = buffer[position]
                position += 1
                if length > 0x7F:
                    length, position = self._long(base + position - 1, end)
            elif wire_type == VARINT and buffer[position] <= 0x7F:
                length = 1
            else:
                length = self._scalar(wire_type, base + position, end)
            body = base + position
            stop = body + length
            if stop > end:
                raise _cut(wire_type, body, length, end)
            if key == limited:
                seen += 1
                if seen > most and limit:
                    raise LimitError(limit.why, offset, limit.remedy)
            elif key < 8:
                raise WireError("a field without a number", offset)
            passed += 1
            if length > above:
                yield offset, key, body, stop
            offset = stop
        self._pass(passed, offset)

    def _pass(self, fields: int, offset: int) -> None:
        self.passed += fields
        if self.passed > MAX_FIELDS:
            why = f"more than {MAX_FIELDS:,} fields"
            raise LimitError(why, offset, "archlint reads no larger models")

    def _scalar(self, wire_type: int, body: int, end: int) -> int:
        """The bytes that a number takes."""
        if wire_type == VARINT:
            return self._long(body, end)[1] - (body - self._start)
        if wire_type in _FIXED:
            return _FIXED[wire_type]
        raise WireError(f"wire type {wire_type}, which ONNX never uses,", body)

    def _long(self, offset: int, end: int) -> tuple[int, int]:
        """A number of several bytes and the place in the buffer behind it."""
        begin = offset - self._start
        first, second = self._bytes[begin : begin + 2]
        if second <= 0x7F and offset + 1 < end:
            return first & 0x7F | second << 7, begin + 2
        stop = min(begin + LONGEST_VARINT, end - self._start)
        value, length = _varint(self._bytes[begin:stop], offset)
        return value, begin + length

    def _at(self, offset: int) -> tuple[bytes, int, int]:
        """The buffer, where it begins, and the last byte at which it surely holds a field's key
        and length."""
        header = min(offset + _HEADER, self.size)
        if offset < self._start or header > self._stop:
            self._load(offset, header - offset)
        last = self.size if self._stop >= self.size else self._stop - _HEADER
        return self._bytes, self._start, last

    def _load(self, offset: int, length: int) -> None:
        onward = self._start <= offset <= self._stop + self._ahead
        self._ahead = min(2 * self._ahead, _MAX_READ) if onward else _MIN_READ
        content = os.pread(self._descriptor, max(length, self._ahead), offset)
        self._start, self._stop = offset, offset + len(content)
        self._bytes = content + bytes(_HEADER)


def _cut(wire_type: int, body: int, length: int, end: int) -> WireError:
    if wire_type == VARINT or body > end:
        return WireError("an unfinished number", end)
    return WireError(f"a field of {length:,} bytes where {end - body:,} are left", body)


def _varint(content: bytes, offset: int) -> tuple[int, int]:
    """The number that these bytes begin with, and of how many it is; they stand at ``offset``."""
    value = 0
    for place, byte in enumerate(content):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, place + 1
    raise WireError("an unfinished number", offset + len(content))


def delimited(key: int, content: bytes) -> bytes:
    """A field that tells the length of its content."""
    return encode(key) + encode(len(content)) + content


def encode(value: int) -> bytes:
    """A number as a varint."""
    if value <= 0x7F:
        return bytes((value,))
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
