"""Mutants of ONNX files: damage to the fields of their messages, and to their bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError
from onnx import ModelProto

from hostile_build import LEAST, MOST, varint

_VARINT, _BYTES = 0, 2
_FIXED: Final = {1: 8, 5: 4}
_LARGEST_LEAF: Final = 1 << 16
_NUMBERS: Final = (
    0, 1, 2, 3, 5, 7, 8, 9, 16, 21, 64, 65, 127, 255, 999, 4096, 4097, 10**6, 2**31 - 1, 2**31,
    2**32, 10**12, 2**62, MOST, LEAST, -1, -2, -3, -9, 2**64 - 1,
)  # fmt: skip
_TEXTS: Final = (
    b"", b"x", b"\xff\xfe", b"\x1b[31m", b"::error::a", b"../a", b"NOTSET", b"SAME_UPPER", b"axis",
    b"axes", b"group", b"pads", b"strides", b"kernel_shape", b"Conv", b"MatMul", b"Gemm",
    b"Reshape", b"Concat", b"Split", b"If", b"Loop", b"Scan", b"Einsum", b"Attention", b"LSTM",
    b"Resize", b"Slice", b"Gather", b"Shape", b"ConstantOfShape", b"Expand", b"Pad", b"Range",
    b"Tile", b"Identity", b"DequantizeLinear", b"Constant", b"com.microsoft", b"ai.onnx.ml",
    b"n" * 300,
)  # fmt: skip
_FLOATS: Final = (
    b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"\0\0\0\0", b"\xff\xff\x7f\x7f",
    b"\1\0\0\0",
)  # fmt: skip


@dataclass(slots=True)
class Field:
    """A field of a message: a number, bytes, or the fields of a message of its own."""

    number: int
    wire: int
    content: int | bytes | list[Field]
    kind: Any = None  # the descriptor of that message


Fields = list[Field]


def parse(data: bytes, kind: Any = ModelProto.DESCRIPTOR) -> Fields:
    """The fields of a message; raises DecodeError for what is none."""
    fields: Fields = []
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _number(data, place)
            fields.append(Field(number, wire, value))
            continue
        length = _FIXED.get(wire, 0)
        if wire == _BYTES:
            length, place = _number(data, place)
        elif not length:
            raise DecodeError("a group")
        body, place = data[place : place + length], place + length
        formal = kind.fields_by_number.get(number)
        inner = formal.message_type if formal is not None else None
        content = body if inner is None or wire != _BYTES else parse(body, inner)
        fields.append(Field(number, wire, content, inner))
    return fields


def _number(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise DecodeError("an unfinished number")


def write(fields: Fields) -> bytes:
    """The message of the fields."""
    return b"".join(map(_written, fields))


def _written(field: Field) -> bytes:
    key = varint(field.number << 3 | field.wire)
    if isinstance(field.content, int):
        return key + varint(field.content)
    body = field.content if isinstance(field.content, bytes) else write(field.content)
    return key + body if field.wire in _FIXED else key + varint(len(body)) + body


class Mutator:
    """Mutants of a corpus, each one decided by its number and the seed."""

    def __init__(self, corpus: Sequence[bytes], seed: int) -> None:
        self._corpus = corpus
        self._seed = seed

    def mutant(self, number: int) -> bytes:
        """A file of the corpus, damaged in one to six places."""
        chance = random.Random(f"{self._seed} {number}")  # noqa: S311 - no secret
        data = chance.choice(self._corpus)
        if chance.random() < 0.85:
            with suppress(RecursionError):  # nested deeper than these functions descend
                tree = parse(data)
                for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
                    self._damage(tree, chance)
                data = write(tree)
        if chance.random() < 0.2:
            data = _bytes_damaged(data, chance)
        return data

    def _damage(self, tree: Fields, chance: random.Random) -> None:
        messages = [found for found in _messages(tree) if found]
        if not messages:
            return
        # Small messages are as likely as large ones: an attribute as the graph.
        fields = chance.choice(messages)
        place = chance.randrange(len(fields))
        field = fields[place]
        what = chance.random()
        if what < 0.12:
            del fields[place]
        elif what < 0.2:
            fields.insert(chance.randrange(len(fields) + 1), field)
        elif what < 0.28:
            other = chance.randrange(len(fields))
            fields[place], fields[other] = fields[other], field
        elif what < 0.32:
            field.number = chance.randrange(1, 30)
        elif what < 0.35:
            field.wire = chance.randrange(8)
        elif what < 0.5 and field.kind is not None:
            fields[place] = self._grafted(field, chance)
        else:
            _change(field, tree, chance)

    def _grafted(self, field: Field, chance: random.Random) -> Field:
        """A message of the same kind from another file."""
        donor = parse(chance.choice(self._corpus))
        alike = [f for part in _messages(donor) for f in part if f.kind is field.kind]
        if not alike:
            return field
        found = chance.choice(alike)
        return Field(field.number, field.wire, found.content, found.kind)


def _messages(fields: Fields) -> Iterator[Fields]:
    yield fields
    for field in fields:
        if isinstance(field.content, list):
            yield from _messages(field.content)


def _change(field: Field, tree: Fields, chance: random.Random) -> None:
    """Another number, text or float; a message changes inside."""
    if isinstance(field.content, int):
        near = field.content + chance.choice((-1, 1, -2, 2))
        field.content = chance.choice((*_NUMBERS, near, near, near))
    elif field.wire in _FIXED:
        field.content = chance.choice(_FLOATS) * (_FIXED[field.wire] // 4)
    elif isinstance(field.content, bytes):
        field.content = (
            _text(tree, chance) if chance.random() < 0.7 else _cut(field.content, chance)
        )
    elif field.content:
        _change(chance.choice(field.content), tree, chance)


def _text(tree: Fields, chance: random.Random) -> bytes:
    """One of the usual texts, or one that stands elsewhere in the model: another value's name."""
    if chance.random() < 0.5:
        return chance.choice(_TEXTS)
    leaves = [
        field.content
        for part in _messages(tree)
        for field in part
        if isinstance(field.content, bytes) and len(field.content) < _LARGEST_LEAF
    ]
    return chance.choice(leaves or [b""])


def _cut(data: bytes, chance: random.Random) -> bytes:
    return chance.choice((data[: len(data) // 2], data[1:], data * 2, data + b"\0", b""))


def _bytes_damaged(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    damages: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at],
        lambda: data[at:],
        lambda: data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:],
        lambda: data[:at] + data[at + chance.randrange(1, 20) :],
        lambda: (
            data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            if at < len(data)
            else data
        ),
        lambda: data + data,
    )
    return chance.choice(damages)()


def smaller(data: bytes) -> Iterator[bytes]:
    """The file without one of the fields of its messages, outer ones first."""
    try:
        tree = parse(data)
        messages = list(_messages(tree))
        write(tree)
    except (DecodeError, RecursionError):  # nested deeper than these functions descend
        return
    for fields in messages:
        for place in reversed(range(len(fields))):
            removed = fields.pop(place)
            yield write(tree)
            fields.insert(place, removed)
