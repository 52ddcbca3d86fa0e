"""A model that is read and written is the model that it was, but for what was edited."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader import read
from archlint.analyzer.reader.structure import REFERENCE
from archlint.analyzer.reader.wire import delimited
from archlint.analyzer.writer import write
from rewriting import PLACES, TENSORS, edited, held, model_of, numbers, rewritten

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.onnx"))


@pytest.fixture(autouse=True, scope="module")
def _in_haste() -> Iterator[None]:
    """The files of these tests need not be there after a power cut."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_written_byte_for_byte(sample: Path, tmp_path: Path) -> None:
    """Protobuf's own serialisation puts fields in order; so are those that are put in."""
    assert rewritten(sample.read_bytes(), tmp_path) == sample.read_bytes()


@pytest.mark.parametrize("kind", TENSORS)
def test_elements_stay_in_their_field(kind: str, tmp_path: Path) -> None:
    """Whatever the type, and also where they do not fit the dims."""
    content = model_of(TENSORS[kind]).SerializeToString(deterministic=True)
    assert rewritten(content, tmp_path) == content


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["raw", "strings", "double"])
def test_elements_stay_where_they_are(place: str, kind: str, tmp_path: Path) -> None:
    """Constants, bodies, functions, sparse tensors and training have large tensors too."""
    content = held(place, TENSORS[kind]).SerializeToString(deterministic=True)
    assert rewritten(content, tmp_path) == content


RAW, FLOATS, STRINGS = (number << 3 | 2 for number in (9, 4, 6))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(delimited(FLOATS, bytes(800)) + delimited(FLOATS, b"\1" * 900), id="pieces"),
        pytest.param(delimited(RAW, b"\1" * 1800) + delimited(RAW, b"\2" * 1700), id="the-last"),
        pytest.param(b"\xca\x80\x00" + b"\x88\xa7\x80\x80\x00" + b"\3" * 5000, id="long-numbers"),
        pytest.param(
            delimited(STRINGS, b"a" * 900) + delimited(66, b"n") + delimited(STRINGS, b"b" * 900),
            id="strings-apart",
        ),
        pytest.param(delimited(RAW, bytes(2000)) + delimited(802, b"unknown"), id="unknown-field"),
    ],
)
def test_unusual_encodings_are_the_same_message(fields: bytes, tmp_path: Path) -> None:
    """Fields in pieces, again, apart, behind the elements and with padded lengths."""
    head = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[5]).SerializeToString()
    content = delimited(58, delimited(42, fields + head) + delimited(18, b"g"))
    again = rewritten(content, tmp_path)
    assert ModelProto.FromString(again) == ModelProto.FromString(content)
    assert REFERENCE.encode() not in again


def test_numbers_in_both_encodings_of_a_field_are_refused(tmp_path: Path) -> None:
    """Nobody knows any more in which order they were."""
    single = (b"\x25" + bytes(4)) * 3  # float_data, not packed
    content = delimited(58, delimited(42, single + delimited(FLOATS, bytes(2000))))
    with pytest.raises(ModelError, match="a part of float_data alone"):
        rewritten(content, tmp_path)


tensors = st.builds(
    lambda size, kind, name: TensorProto(
        name=name, data_type=kind, dims=[size], raw_data=bytes(place % 256 for place in range(size))
    ),
    st.sampled_from([0, 3, 1024, 1025, 5000, 66_000]),
    st.sampled_from([TensorProto.INT8, TensorProto.FLOAT8E4M3FN, TensorProto.BOOL]),
    st.text(max_size=9),
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), tensors), max_size=5), st.text(max_size=99))
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_any_model_is_what_it_was(parts: list[tuple[str, TensorProto]], text: str) -> None:
    """Of tensors of any size in any place."""
    model = model_of()
    for place, tensor in parts:
        model.MergeFrom(held(place, tensor))
    model.doc_string = text
    content = model.SerializeToString(deterministic=True)
    with tempfile.TemporaryDirectory() as folder:
        assert rewritten(content, Path(folder)) == content


def _edit(proto: ModelProto) -> None:
    """What fixes do: tensors go, come, are renamed, copied and put elsewhere."""
    graph = proto.graph
    body = graph.node[0].attribute[0].g
    body.initializer.add().CopyFrom(graph.initializer[1])
    graph.initializer.add().CopyFrom(graph.initializer[2])
    graph.initializer[2].name = "renamed"
    del graph.initializer[0]
    graph.initializer.append(numbers("new", 4000, seed=9))
    graph.node.append(helper.make_node("Relu", ["a"], ["b"]))


def test_an_edited_model_is_written_as_it_is(tmp_path: Path) -> None:
    """As the whole model, edited in the same way."""
    whole = held("body", numbers("inner", seed=1))
    whole.graph.initializer.extend(numbers(f"w{seed}", 500, seed) for seed in range(4))
    source, target = tmp_path / "source.onnx", tmp_path / "target.onnx"
    onnx.save(whole, str(source))
    model = edited(source, _edit)
    before = model.proto.SerializeToString()
    write(model, str(target))
    _edit(whole)
    assert onnx.load(str(target)) == whole
    assert model.proto.SerializeToString() == before, "the Model is never changed"
    write(model, str(source))
    assert source.read_bytes() == target.read_bytes(), "in place as elsewhere"


def test_little_is_held_at_once(tmp_path: Path) -> None:
    """The weights pass through blocks."""
    source, target = tmp_path / "source.onnx", tmp_path / "target.onnx"
    tensor = TensorProto(
        name="w", data_type=TensorProto.UINT8, dims=[12 << 20], raw_data=bytes(12 << 20)
    )
    onnx.save(model_of(tensor), str(source))
    model = read(str(source))
    tracemalloc.start()
    try:
        write(model, str(target))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert target.stat().st_size == source.stat().st_size
