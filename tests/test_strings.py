"""Every string of a model is text, whatever bytes the file has for it."""

from __future__ import annotations

import re

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from onnx import ModelProto

from archlint.analyzer.reader.strings import parse

MARK = "#@#"  # what stands in a string until its bytes are replaced by others
DEPTH = 4  # of messages within themselves: bodies, types of types


def filled(message: Message, seen: tuple[str, ...] = ()) -> int:
    """Fills every string of a message and of the messages in it; how many."""
    kind = message.DESCRIPTOR.full_name
    if seen.count(kind) > 1 or len(seen) > 3 * DEPTH:
        return 0
    count = 0
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                getattr(message, field.name).append(MARK)
            else:
                setattr(message, field.name, MARK)
            count += 1
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            part = getattr(message, field.name)
            part = part.add() if field.is_repeated else part
            part.SetInParent()
            count += filled(part, (*seen, kind))
    return count


def strings(message: Message) -> list[object]:
    """Every string of a message and of the messages in it."""
    found: list[object] = []
    for field, value in message.ListFields():
        listed = value if field.is_repeated else (value,)
        if field.type == FieldDescriptor.TYPE_STRING:
            found += listed
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            found += [text for part in listed for text in strings(part)]
    return found


def everything() -> bytes:
    """A model with a string wherever onnx.proto allows one."""
    model = ModelProto()
    assert filled(model) > 100
    return model.SerializeToString()


def test_every_string_of_the_standard_is_repaired() -> None:
    """Functions, metadata, types of sequences and maps, annotations: all alike."""
    content = everything()
    places = [match.start() for match in re.finditer(MARK.encode(), content)]
    for place in places[:: len(places) // 50]:
        broken = content[:place] + b"\xff@#" + content[place + 3 :]
        found = strings(parse(broken))
        assert all(isinstance(text, str) for text in found)
        assert found.count("\\xff@#") == 1
        assert found.count(MARK) == len(found) - 1
    found = strings(parse(content.replace(MARK.encode(), b"\xff@#")))
    assert set(found) == {"\\xff@#"}


def named(name: bytes) -> bytes:
    """A model that has a node of this name."""
    model = ModelProto()
    model.graph.node.add(name="#" * len(name), op_type="Relu")
    return model.SerializeToString().replace(b"#" * len(name), name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(b"/conv1/Conv", "/conv1/Conv", id="ascii"),
        pytest.param("größe×2".encode(), "größe×2", id="utf-8"),
        pytest.param(b"a\xffb", "a\\xffb", id="no-utf-8"),
        pytest.param(b"a\xc3", "a\\xc3", id="half-a-character"),
        pytest.param(b"\xed\xa0\x80", "\\xed\\xa0\\x80", id="surrogate"),
        pytest.param(b"\xc0\x80", "\\xc0\\x80", id="overlong"),
        pytest.param(b"a\0\x1b[31m\n\xe2\x80\xae", "a\0\x1b[31m\n\u202e", id="control-characters"),
    ],
)
def test_a_name_is_what_it_says(name: bytes, text: str) -> None:
    """Control characters stay, since they tell names apart; bytes that are no text are escaped."""
    assert parse(named(name)).graph.node[0].name == text


def test_bytes_stay_bytes() -> None:
    """Elements of a tensor and attributes of type STRING are bytes, whatever is in them."""
    model = ModelProto()
    node = model.graph.node.add(op_type="Op", name="x")
    node.attribute.add(name="s", s=b"\xff\0", strings=[b"\xfe"])
    model.graph.initializer.add(string_data=[b"\xfd"], raw_data=b"\xfc")
    content = model.SerializeToString()
    assert parse(content) == model
    assert parse(content.replace(b"\x1a\x01x", b"\x1a\x01\xff")).graph.node[0].attribute == (
        node.attribute
    )


def test_what_does_not_decode_is_an_error() -> None:
    """It is not taken for text that is to be repaired."""
    with pytest.raises(DecodeError):
        parse(b"\x3a\x05ab")
