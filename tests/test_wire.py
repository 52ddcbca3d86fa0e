"""The wire format: every message is copied byte for byte, but for the payloads of large tensors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from archlint.analyzer.reader.schema import MAX_DEPTH
from archlint.analyzer.reader.structure import INLINE_BYTES, INLINE_INTEGERS
from archlint.analyzer.reader.wire import LimitError, WireError, encode
from skimming import skimmed


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
    proto = ModelProto.FromString(skimmed(model_of(tensor).SerializeToString()).content)
    assert proto.graph.initializer[0].raw_data == (tensor.raw_data if kept else b"")
    assert proto.graph.initializer[0].dims == tensor.dims


@pytest.mark.parametrize(
    "field", ["float_data", "int32_data", "double_data", "uint64_data", "int64_data"]
)
def test_typed_payloads_are_left_out_too(field: str) -> None:
    """Numbers in typed fields are weights as much as raw bytes."""
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[5000])
    getattr(tensor, field).extend([1] * 5000)
    proto = ModelProto.FromString(skimmed(model_of(tensor).SerializeToString()).content)
    assert proto.ByteSize() < 200
    assert not getattr(proto.graph.initializer[0], field)


def test_strings_are_left_out() -> None:
    """A long string element is a payload."""
    tensor = TensorProto(name="t", data_type=TensorProto.STRING, dims=[1])
    tensor.string_data.append(b"x" * 5000)
    proto = ModelProto.FromString(skimmed(model_of(tensor).SerializeToString()).content)
    assert proto.ByteSize() < 200


def test_the_type_may_stand_behind_the_payload() -> None:
    """Fields come in any order: integers are kept also where their type follows them."""
    payload = TensorProto(raw_data=bytes(4000)).SerializeToString()
    typed = TensorProto(data_type=TensorProto.INT64, name="t").SerializeToString()
    graph = length_delimited(5, payload + typed)
    proto = ModelProto.FromString(skimmed(length_delimited(7, graph)).content)
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
    proto = ModelProto.FromString(skimmed(model.SerializeToString()).content)
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
    assert skimmed(content).content == content


def length_delimited(number: int, body: bytes) -> bytes:
    """A field of bytes or of a message."""
    return encode(number << 3 | 2) + encode(len(body)) + body


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
    assert skimmed(nested(5)).content == nested(5)
    with pytest.raises(LimitError, match=rf"nested too deep \(more than {MAX_DEPTH}\)"):
        skimmed(nested(MAX_DEPTH))


def test_an_inner_length_beyond_its_message_is_an_error() -> None:
    """A field may not reach past the message that holds it, though the file goes on."""
    inner = encode(5 << 3 | 2) + encode(9999) + bytes(INLINE_BYTES)
    with pytest.raises(WireError, match="a field of 9,999 bytes"):
        skimmed(length_delimited(7, inner) + bytes(20_000))


def test_nothing_is_an_empty_model() -> None:
    """No bytes are a message without fields."""
    assert skimmed(b"").content == b""
