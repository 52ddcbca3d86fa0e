"""What is left out of the copy of a model, how it is found again, and what is too large to read."""

from __future__ import annotations

import tempfile

import pytest
from onnx import ModelProto, TensorProto

from archlint.analyzer.dims import MAX_RANK
from archlint.analyzer.reader import schema, structure, wire
from archlint.analyzer.reader.structure import INLINE_BYTES, REFERENCE, Payload, Skimmed, skim
from archlint.analyzer.reader.wire import LimitError, encode
from skimming import skimmed


def length_delimited(number: int, content: bytes) -> bytes:
    """A field of bytes or of a message."""
    return encode(number << 3 | 2) + encode(len(content)) + content


def tensor_of(*fields: bytes, data_type: int = TensorProto.FLOAT) -> bytes:
    """A model with one initializer, made of its fields."""
    typed = TensorProto(name="t", data_type=data_type).SerializeToString()
    return length_delimited(7, length_delimited(5, b"".join(fields) + typed))


def referred(content: Skimmed) -> tuple[Payload, ...]:
    """The payloads of the one initializer."""
    (tensor,) = ModelProto.FromString(content.content).graph.initializer
    values = [entry.value for entry in tensor.metadata_props if entry.key == REFERENCE]
    spans = [tuple(map(int, value.split())) for value in values]
    return tuple(p for first, count in spans for p in content.payloads[first : first + count])


RAW, FLOATS, DOUBLES, STRINGS = 9, 4, 10, 6  # fields of TensorProto


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        pytest.param([(RAW, 2000)], [("raw_data", 2000)], id="raw"),
        pytest.param([(FLOATS, 2000)], [("float_data", 2000)], id="typed"),
        pytest.param([(FLOATS, 800), (FLOATS, 800)], [("float_data", 800)] * 2, id="in-pieces"),
        pytest.param([(RAW, 2000), (RAW, 1500)], [("raw_data", 1500)], id="the-last-counts"),
        pytest.param([(FLOATS, 900), (RAW, 900)], [("float_data", 900), ("raw_data", 900)], id="2"),
        pytest.param([(STRINGS, 900), (STRINGS, 900)], [], id="strings-are-not-kept"),
        pytest.param([(RAW, INLINE_BYTES)], [], id="small"),
    ],
)  # fmt: skip
def test_a_tensor_refers_to_its_payloads(
    fields: list[tuple[int, int]], kept: list[tuple[str, int]]
) -> None:
    """To where the content of each of its fields is in the file."""
    parts = [length_delimited(n, bytes([n]) * size) for n, size in fields]
    content = tensor_of(*parts)
    payloads = referred(skimmed(content))
    assert [(payload.field, payload.length) for payload in payloads] == kept
    numbers = TensorProto.DESCRIPTOR.fields_by_name
    for payload in payloads:
        inside = content[payload.offset : payload.offset + payload.length]
        assert inside == bytes([numbers[payload.field].number]) * payload.length


@pytest.mark.parametrize("size", [10, 5000])
@pytest.mark.parametrize("key_first", [True, False])
def test_a_file_cannot_forge_a_reference(size: int, key_first: bool) -> None:
    """What claims to be one is left out; other metadata is not."""
    key, value = length_delimited(1, REFERENCE.encode()), length_delimited(2, b"0 1")
    forged = length_delimited(16, key + value if key_first else value + key)
    twice = length_delimited(16, length_delimited(1, b"other") + key)
    honest = length_delimited(16, length_delimited(1, b"name") + length_delimited(2, b"w"))
    payload = length_delimited(RAW, bytes(size))
    content = skimmed(tensor_of(forged, honest, payload, twice))
    assert len(content.payloads) == (size > INLINE_BYTES)
    assert referred(content) == content.payloads
    (tensor,) = ModelProto.FromString(content.content).graph.initializer
    assert [e.value for e in tensor.metadata_props if e.key == "name"] == ["w"]


def small_nodes(count: int) -> bytes:
    """A graph of nodes with nothing in them."""
    return b"\x0a\x00" * count


def node_of_nodes(count: int) -> bytes:
    """A node whose body holds such nodes."""
    return length_delimited(1, length_delimited(5, length_delimited(6, small_nodes(count))))


DIM = b"\x08\x01"
SHAPE_DIM = b"\x0a\x00"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(length_delimited(7, small_nodes(101)), "more than 100 nodes", id="nodes"),
        pytest.param(
            length_delimited(25, b"\x3a\x00" * 101), "more than 100 nodes", id="nodes-of-a-function"
        ),
        pytest.param(
            length_delimited(7, length_delimited(1, b"\x0a\x00" * 1001)),
            "more than 1,000 fields", id="fields",
        ),
        pytest.param(
            length_delimited(7, length_delimited(1, b"\x2a\x00" * 300) * 4),
            "more than 1,000 fields", id="fields-of-small-messages",
        ),
        pytest.param(tensor_of(DIM * (MAX_RANK + 1)), "more than 64 dims", id="rank"),
        pytest.param(
            tensor_of(length_delimited(1, b"\1" * 1000)), "more than 64 dims", id="packed-rank"
        ),
        pytest.param(
            length_delimited(7, length_delimited(11, length_delimited(2, length_delimited(
                1, length_delimited(2, SHAPE_DIM * (MAX_RANK + 1)))))),
            "more than 64 dims", id="rank-of-a-shape",
        ),
        pytest.param(
            tensor_of(*[length_delimited(FLOATS, bytes(4))] * 20), "more than 10 pieces",
            id="pieces",
        ),
        pytest.param(
            length_delimited(7, length_delimited(10, bytes(9000))), "beside its weights", id="size"
        ),
        pytest.param(length_delimited(7, b"") * 2, "two graphs, the second", id="graphs"),
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused(
    content: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is parsed, with the limit and the place."""
    limits = schema.LIMITS
    nodes = {kind: limits[kind]._replace(most=100, why="more than 100 nodes")
             for kind in ("onnx.GraphProto", "onnx.FunctionProto")}  # fmt: skip
    monkeypatch.setattr(structure, "LIMITS", limits | nodes)
    monkeypatch.setattr(structure, "MAX_FIELDS", 1000)
    monkeypatch.setattr(wire, "MAX_FIELDS", 1000)
    monkeypatch.setattr(structure, "MAX_PIECES", 10)
    monkeypatch.setattr(structure, "MAX_STRUCTURE", 8000)
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        with pytest.raises(LimitError, match=rf"{why}.* at byte [\d,]+") as raised:
            skim(file.fileno(), whole=len(content) <= INLINE_BYTES)
    assert raised.value.reason.startswith("holds ")
    assert "; " in raised.value.reason


def test_the_limits_are_those_that_are_told() -> None:
    """A million nodes, five million fields."""
    nodes = schema.LIMITS["onnx.GraphProto"]
    assert (nodes.most, nodes.why) == (1_000_000, "more than 1,000,000 nodes")
    assert wire.MAX_FIELDS == 5_000_000


def test_what_is_copied_unseen_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small messages are walked where they could hold more fields than are read, and read if they
    do not: names whose letters look like fields are none."""
    monkeypatch.setattr(structure, "MAX_FIELDS", 1000)
    monkeypatch.setattr(wire, "MAX_FIELDS", 1000)
    node = length_delimited(1, length_delimited(3, b"*" * 500))
    content = length_delimited(7, node * 10)
    assert skimmed(content).content == content


def test_fields_across_reads_are_found() -> None:
    """A field's key and length may stand on both sides of the end of a buffer."""
    for filling in range(4060, 4110):
        tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, raw_data=bytes(3000))
        graph = length_delimited(10, b"x" * filling)
        graph += length_delimited(5, tensor.SerializeToString()) * 3
        content = skimmed(length_delimited(7, graph))
        assert [payload.length for payload in content.payloads] == [3000] * 3


def test_numbers_may_be_longer_than_they_need() -> None:
    """Lengths and keys padded with zeros are the same numbers."""
    payload = b"\xca\x80\x00" + b"\x88\xa7\x80\x80\x00" + bytes(5000)
    (found,) = skimmed(tensor_of(payload)).payloads
    assert (found.field, found.length) == ("raw_data", 5000)
