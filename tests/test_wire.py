"""The wire format: every message is copied byte for byte, but for the payloads of large tensors."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from archlint.analyzer.reader import structure, wire
from archlint.analyzer.reader.structure import (
    INLINE_BYTES,
    INLINE_INTEGERS,
    MAX_DEPTH,
    MAX_RANK,
    REFERENCE,
    Payload,
    Skimmed,
    skim,
)  # fmt: skip
from archlint.analyzer.reader.wire import LimitError, WireError


def skimmed_whole(content: bytes) -> Skimmed:
    """What is skimmed of a file that holds these bytes; the same, whether small messages are copied
    unseen or walked."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        fast, thorough = skim(file.fileno()), skim(file.fileno(), whole=True)
    assert fast == thorough
    return fast


def skimmed(content: bytes) -> bytes:
    """The skimmed bytes of a file that holds these."""
    return skimmed_whole(content).content


def model_of(*tensors: TensorProto, nodes: tuple[NodeProto, ...] = ()) -> ModelProto:
    """A model with these tensors and nodes."""
    return helper.make_model(helper.make_graph(nodes, "g", [], [], tensors))


def raw(size: int, data_type: int = TensorProto.FLOAT) -> TensorProto:
    """A tensor of so many bytes."""
    return TensorProto(name="t", data_type=data_type, dims=[size], raw_data=bytes(size))


@pytest.mark.parametrize(
    ("tensor", "kept"),
    [
        pytest.param(raw(INLINE_BYTES), True, id="small-floats"),
        pytest.param(raw(INLINE_BYTES + 1), False, id="large-floats"),
        pytest.param(raw(INLINE_INTEGERS - 8, TensorProto.INT64), True, id="integers"),
        pytest.param(raw(INLINE_INTEGERS + 1, TensorProto.INT64), False, id="large-integers"),
        pytest.param(raw(2000, TensorProto.BOOL), True, id="truth-values"),
        pytest.param(raw(2000, TensorProto.BFLOAT16), False, id="half-floats"),
        pytest.param(raw(2000, TensorProto.INT4), False, id="packed-weights"),
    ],
)
def test_payloads_are_kept_by_size_and_type(tensor: TensorProto, kept: bool) -> None:
    """Shapes, indices and masks are needed, weights are not."""
    proto = ModelProto.FromString(skimmed(model_of(tensor).SerializeToString()))
    assert proto.graph.initializer[0].raw_data == (tensor.raw_data if kept else b"")
    assert proto.graph.initializer[0].dims == tensor.dims


@pytest.mark.parametrize(
    "field", ["float_data", "int32_data", "double_data", "uint64_data", "int64_data"]
)
def test_typed_payloads_are_left_out_too(field: str) -> None:
    """Numbers in typed fields are weights as much as raw bytes."""
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[5000])
    getattr(tensor, field).extend([1] * 5000)
    proto = ModelProto.FromString(skimmed(model_of(tensor).SerializeToString()))
    assert proto.ByteSize() < 200
    assert not getattr(proto.graph.initializer[0], field)


def test_strings_are_left_out() -> None:
    """A long string element is a payload."""
    tensor = TensorProto(name="t", data_type=TensorProto.STRING, dims=[1])
    tensor.string_data.append(b"x" * 5000)
    proto = ModelProto.FromString(skimmed(model_of(tensor).SerializeToString()))
    assert proto.ByteSize() < 200


def test_the_type_may_stand_behind_the_payload() -> None:
    """Fields come in any order: integers are kept also where their type follows them."""
    payload = TensorProto(raw_data=bytes(4000)).SerializeToString()
    typed = TensorProto(data_type=TensorProto.INT64, name="t").SerializeToString()
    graph = length_delimited(5, payload + typed)
    proto = ModelProto.FromString(skimmed(length_delimited(7, graph)))
    assert proto.graph.initializer[0].raw_data == bytes(4000)


def holder(kind: str) -> ModelProto:
    """A model that holds a large tensor in a place other than its initializers."""
    tensor = raw(5000)
    attribute = AttributeProto(name="value", type=AttributeProto.TENSOR, t=tensor)
    listed = AttributeProto(name="all", type=AttributeProto.TENSORS, tensors=[tensor])
    inner = GraphProto(initializer=[tensor])
    body = AttributeProto(name="body", type=AttributeProto.GRAPH, g=inner)
    sparse = AttributeProto(name="sparse", type=AttributeProto.SPARSE_TENSOR)
    sparse.sparse_tensor.values.CopyFrom(tensor)
    given = {"attribute": attribute, "attributes": listed, "body": body, "sparse": sparse}
    node = NodeProto(op_type="Op", output=["y"], attribute=[given.get(kind, attribute)])
    model = model_of(nodes=(node,) if kind in given else ())
    if kind == "function":
        model.functions.add(name="f", node=[node])
    elif kind == "sparse-initializer":
        model.graph.sparse_initializer.add().values.CopyFrom(tensor)
    elif kind == "training":
        model.training_info.add().algorithm.initializer.add().CopyFrom(tensor)
    return model


@pytest.mark.parametrize(
    "kind",
    ["attribute", "attributes", "body", "sparse", "function", "sparse-initializer", "training"],
)
def test_weights_are_left_out_wherever_they_are(kind: str) -> None:
    """Constant nodes, bodies, functions and sparse tensors hold weights too."""
    model = holder(kind)
    proto = ModelProto.FromString(skimmed(model.SerializeToString()))
    assert model.ByteSize() > 5000
    assert proto.ByteSize() < 300
    assert [node.op_type for node in proto.graph.node] == [n.op_type for n in model.graph.node]


names = st.text(max_size=30)
nodes = st.builds(
    NodeProto, op_type=names, name=names, input=st.lists(names), output=st.lists(names),
    doc_string=st.text(max_size=2000),
)  # fmt: skip


@given(st.lists(nodes, max_size=5), names, st.integers(0, 2**63 - 1))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_a_model_without_weights_is_copied_whole(
    listed: list[NodeProto], producer: str, version: int
) -> None:
    """Nothing but payloads is ever lost."""
    model = model_of(nodes=tuple(listed))
    model.producer_name, model.model_version = producer, version
    content = model.SerializeToString()
    assert skimmed(content) == content


def varint(value: int) -> bytes:
    """A protobuf varint."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def length_delimited(number: int, body: bytes) -> bytes:
    """A field of bytes or of a message."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def nested(depth: int) -> bytes:
    """A graph in a body in a body, each behind filling that makes it too large to copy blindly."""
    graph = length_delimited(10, bytes(INLINE_BYTES))
    for _ in range(depth):
        graph = length_delimited(1, length_delimited(5, length_delimited(6, graph)))
    return length_delimited(7, graph)


@pytest.mark.parametrize(
    ("content", "why", "offset"),
    [
        pytest.param(b"\x08", "an unfinished number", 1, id="key-alone"),
        pytest.param(b"\x08" + b"\xff" * 12, "an unfinished number", 11, id="endless-number"),
        pytest.param(b"\x3a\x05abc", "a field of 5 bytes where 3 are left", 2, id="field-too-long"),
        pytest.param(b"\x0d\x01", "a field of 4 bytes where 1 are left", 1, id="fixed32-cut"),
        pytest.param(b"\x09\x01", "a field of 8 bytes where 1 are left", 1, id="fixed64-cut"),
        pytest.param(b"\x3b", "wire type 3", 1, id="group"),
        pytest.param(b"\x3f", "wire type 7", 1, id="no-wire-type"),
        pytest.param(b"\x00\x01", "a field without a number", 0, id="no-number"),
        pytest.param(b"\x3a", "an unfinished number", 1, id="no-length"),
        pytest.param(b"\x3a\x80", "an unfinished number", 2, id="half-a-length"),
    ],
)
def test_what_is_no_message_says_where(content: bytes, why: str, offset: int) -> None:
    """The error tells what is wrong at which byte."""
    with pytest.raises(WireError, match=why) as raised:
        skimmed(content)
    assert raised.value.offset == offset


def test_nesting_has_a_limit() -> None:
    """Bodies in bodies are followed only so deep, without exhausting the stack."""
    assert skimmed(nested(5)) == nested(5)
    with pytest.raises(LimitError, match=rf"nested too deep \(more than {MAX_DEPTH}\)"):
        skimmed(nested(MAX_DEPTH))


def test_an_inner_length_beyond_its_message_is_an_error() -> None:
    """A field may not reach past the message that holds it, though the file goes on."""
    inner = varint(5 << 3 | 2) + varint(9999) + bytes(INLINE_BYTES)
    with pytest.raises(WireError, match="a field of 9,999 bytes"):
        skimmed(length_delimited(7, inner) + bytes(20_000))


def test_nothing_is_an_empty_model() -> None:
    """No bytes are a message without fields."""
    assert skimmed(b"") == b""


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
    payloads = referred(skimmed_whole(content))
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
    content = skimmed_whole(tensor_of(forged, honest, payload, twice))
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
    limits = structure._LIMITS
    nodes = {kind: limits[kind]._replace(most=100, why="more than 100 nodes")
             for kind in ("onnx.GraphProto", "onnx.FunctionProto")}  # fmt: skip
    monkeypatch.setattr(structure, "_LIMITS", limits | nodes)
    monkeypatch.setattr(structure, "MAX_FIELDS", 1000)
    monkeypatch.setattr(wire, "MAX_FIELDS", 1000)
    monkeypatch.setattr(structure, "MAX_PIECES", 10)
    monkeypatch.setattr(structure, "MAX_STRUCTURE", 8000)
    with tempfile.TemporaryFile() as file:
        file.write(content + bytes(0))
        file.flush()
        with pytest.raises(LimitError, match=rf"{why}.* at byte [\d,]+") as raised:
            skim(file.fileno(), whole=len(content) <= INLINE_BYTES)
    assert raised.value.reason.startswith("holds ")
    assert "; " in raised.value.reason


def test_the_limits_are_those_that_are_told() -> None:
    """A million nodes, five million fields."""
    nodes = structure._LIMITS["onnx.GraphProto"]
    assert (nodes.most, nodes.why) == (1_000_000, "more than 1,000,000 nodes")
    assert wire.MAX_FIELDS == 5_000_000


def test_what_is_copied_unseen_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small messages are walked where they could hold more fields than are read, and read if they
    do not: names whose letters look like fields are none."""
    monkeypatch.setattr(structure, "MAX_FIELDS", 1000)
    monkeypatch.setattr(wire, "MAX_FIELDS", 1000)
    node = length_delimited(1, length_delimited(3, b"*" * 500))
    content = length_delimited(7, node * 10)
    assert skimmed(content) == content


def test_fields_across_reads_are_found() -> None:
    """A field's key and length may stand on both sides of the end of a buffer."""
    for filling in range(4060, 4110):
        tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, raw_data=bytes(3000))
        graph = length_delimited(10, b"x" * filling)
        graph += length_delimited(5, tensor.SerializeToString()) * 3
        content = skimmed_whole(length_delimited(7, graph))
        assert [payload.length for payload in content.payloads] == [3000] * 3


def test_numbers_may_be_longer_than_they_need() -> None:
    """Lengths and keys padded with zeros are the same numbers."""
    payload = b"\xca\x80\x00" + b"\x88\xa7\x80\x80\x00" + bytes(5000)
    (found,) = skimmed_whole(tensor_of(payload)).payloads
    assert (found.field, found.length) == ("raw_data", 5000)
