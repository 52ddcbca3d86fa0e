"""The reader: what is no model is refused in one line, what is one is read without its weights."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
)  # fmt: skip

from archlint.analyzer.algorithms import critical_path, peak_memory
from archlint.analyzer.cost import count
from archlint.analyzer.errors import ArchlintError, ModelReadError
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.reader.wire import encode

SAMPLES = Path(__file__).parents[1] / "samples"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
FILES = [*sorted(SAMPLES.glob("*.onnx")), *sorted(LIGHT.glob("*.onnx"))]
BLOCK = SAMPLES / "resnet_basic_block.onnx"
LENET = SAMPLES / "lenet5.onnx"


# What a file holds, and a word of the message that tells what is wrong with it.
REFUSED: dict[str, tuple[bytes, str]] = {
    "zeros": (bytes(100), "without a number at byte 0"),
    "noise": (bytes(place * 7919 % 251 for place in range(1, 5000)), "damaged"),
    "no-graph": (ModelProto(ir_version=8, producer_name="x\0").SerializeToString(), "no graph"),
    "only-a-tensor": (numpy_helper.from_array(np.ones((3, 3))).SerializeToString(), "ONNX"),
    "two-models": (BLOCK.read_bytes() + LENET.read_bytes(), "two graphs, the second at byte"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_model_is_refused(kind: str, tmp_path: Path) -> None:
    """The error is one line with the path, what the file is, and what to do."""
    content, word = REFUSED[kind]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelReadError, match=word) as raised:
        read(str(path))
    assert raised.value.path == str(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert ";" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_model_is_refused(share: float, tmp_path: Path) -> None:
    """A download that broke off is told as damaged, with the place."""
    whole = LENET.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelReadError, match=r"damaged.* at byte [\d,]+; .* again"):
        read(str(path))


def bodies(depth: int) -> bytes:
    """A model of so many bodies in bodies."""
    graph = GraphProto(name="innermost").SerializeToString()
    for _ in range(depth):
        attribute = AttributeProto(name="then_branch", type=AttributeProto.GRAPH)
        node = NodeProto(op_type="If").SerializeToString()
        body = attribute.SerializeToString() + field(6, graph)
        graph = field(1, node + field(5, body))
    return field(7, graph)


def field(number: int, content: bytes) -> bytes:
    """A serialised field that holds a message."""
    return encode(number << 3 | 2) + encode(len(content)) + content


def test_deep_nesting_is_told(tmp_path: Path) -> None:
    """Protobuf's parser takes 100 messages in one another: the graph and 33 bodies of 3 each."""
    path = tmp_path / "deep.onnx"
    path.write_bytes(bodies(33))
    assert len(read(str(path)).proto.graph.node) == 1
    path.write_bytes(bodies(34))
    with pytest.raises(ModelReadError, match=r"nested too deep \(more than 100\) at byte \d"):
        read(str(path))


def test_a_message_that_does_not_decode_is_found(tmp_path: Path) -> None:
    """Where the wire format is right and the content is not: floats of three bytes."""
    tensor = TensorProto(name="t", dims=[1], data_type=TensorProto.FLOAT).SerializeToString()
    broken = tensor + field(4, b"abc")
    before = b"\x08\x08" + field(7, b"")[:1]
    graph = field(1, NodeProto(op_type="Relu").SerializeToString()) + field(5, broken)
    path = tmp_path / "m.onnx"
    path.write_bytes(before + encode(len(graph)) + graph)
    offset = path.read_bytes().index(broken)
    with pytest.raises(ModelReadError, match=f"TensorProto that does not decode at byte {offset}"):
        read(str(path))


def without_data(model: ModelProto) -> ModelProto:
    """The model without the payloads of all its tensors."""
    copy = ModelProto()
    copy.CopyFrom(model)
    held = [a.t for node in copy.graph.node for a in node.attribute]
    for tensor in (*copy.graph.initializer, *held):
        del tensor.metadata_props[:]
        for payload in ("raw_data", "float_data", "int64_data", "int32_data", "double_data"):
            tensor.ClearField(payload)
    return copy


def integers(model: ModelProto) -> dict[str, list[int]]:
    """The elements of the initializers that are int64."""
    listed = [t for t in model.graph.initializer if t.data_type == TensorProto.INT64]
    return {tensor.name: numpy_helper.to_array(tensor).reshape(-1).tolist() for tensor in listed}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_structure_is_that_of_onnx(path: Path) -> None:
    """All but the payloads equals what onnx loads, and integer tensors keep theirs."""
    model = read(str(path))
    whole = onnx.load(path)
    assert without_data(model.proto) == without_data(whole)
    assert integers(model.proto) == integers(whole)
    assert model.file_bytes == path.stat().st_size
    assert model.path == str(path)
    assert model.problems == ()


def save(path: Path, *tensors: TensorProto) -> None:
    """A model with these initializers."""
    graph = helper.make_graph([], "g", [], [], list(tensors))
    onnx.save(helper.make_model(graph), path)


def test_large_weights_stay_in_the_file(tmp_path: Path) -> None:
    """8 MB of weights leave a proto of a few hundred bytes with their types and shapes, and the
    place of each in the file."""
    path = tmp_path / "big.onnx"
    tensors = [numpy_helper.from_array(np.ones((1000, 1000), np.float32), "raw")]
    tensors.append(helper.make_tensor("typed", TensorProto.FLOAT, (1000, 1000), np.ones(10**6)))
    save(path, *tensors)
    model = read(str(path))
    assert model.file_bytes > 8 * 10**6
    assert model.proto.ByteSize() < 300
    assert [(payload.length, payload.field) for payload in model.payloads] == [
        (4 * 10**6, "raw_data"), (4 * 10**6, "float_data"),
    ]  # fmt: skip
    raw = model.payloads[0]
    assert path.read_bytes()[raw.offset : raw.offset + raw.length] == tensors[0].raw_data
    shapes = {t.name: (t.data_type, list(t.dims)) for t in model.proto.graph.initializer}
    assert shapes == {"raw": (1, [1000, 1000]), "typed": (1, [1000, 1000])}
    assert load(model).value("raw").static_shape == (1000, 1000)


@pytest.mark.parametrize(
    ("dtype", "elements", "kept"),
    [
        pytest.param(np.int64, 4096, True, id="indices"),
        pytest.param(np.int64, 10**5, False, id="large-table"),
        pytest.param(np.bool_, 2048, True, id="mask"),
        pytest.param(np.float32, 16, True, id="scales"),
        pytest.param(np.float32, 4096, False, id="weights"),
    ],
)
def test_payloads_that_shapes_need_are_kept(
    dtype: type, elements: int, kept: bool, tmp_path: Path
) -> None:
    """Small tensors and integer tensors of some size are read with their elements."""
    path = tmp_path / "m.onnx"
    array: NDArray[Any] = np.arange(elements).astype(dtype)
    save(path, numpy_helper.from_array(array, "t"))
    (tensor,) = read(str(path)).proto.graph.initializer
    assert bool(tensor.raw_data) == kept
    if kept:
        np.testing.assert_array_equal(numpy_helper.to_array(tensor), array)


def analyse(path: Path) -> str:
    """Read, load and count; the name of the error if it ends in one that is told to the user."""
    try:
        table = count(load(read(str(path))))
        peak_memory(table.graph)
        critical_path(table)
    except ArchlintError as error:
        return type(error).__name__
    return "analysed"


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with a few bytes changed, removed or put in."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[place] ^= 1 << chance.randrange(8)
            case 1:
                changed[place] = chance.randrange(256)
            case 2:
                del changed[place : place + chance.randint(1, 8)]
            case _:
                changed[place:place] = chance.randbytes(chance.randint(1, 8))
    return bytes(changed)


@pytest.mark.parametrize(
    ("source", "times"),
    [pytest.param(BLOCK, 300, id="block"), pytest.param(LENET, 40, id="lenet")],
)
def test_damaged_bytes_end_in_a_result_or_an_error(
    source: Path, times: int, tmp_path: Path
) -> None:
    """Whatever the damage, the analysis ends in a result or in an error for the user."""
    chance = random.Random(20)  # noqa: S311 - reproducible damage
    content = source.read_bytes()
    path = tmp_path / "damaged.onnx"
    ends = set()
    for _ in range(times):
        path.write_bytes(mutated(content, chance))
        ends.add(analyse(path))
    assert {"analysed", "ModelReadError"} <= ends


class Piped:
    """Standard input that holds these bytes."""

    def __init__(self, content: bytes, *, terminal: bool = False) -> None:
        self.buffer = io.BytesIO(content)
        self.isatty = lambda: terminal


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the file would be that holds the same bytes."""
    monkeypatch.setattr(sys, "stdin", Piped(LENET.read_bytes()))
    model, of_file = read("-"), read(str(LENET))
    assert model.path == "-"
    assert (model.proto, model.file_bytes) == (of_file.proto, of_file.file_bytes)


@pytest.mark.parametrize(
    ("stdin", "why"),
    [
        pytest.param(Piped(b"", terminal=True), "is no file or pipe", id="terminal"),
        pytest.param(None, "is no file or pipe", id="closed"),
        pytest.param(Piped(b""), "empty", id="empty"),
        pytest.param(Piped(b"hello\n"), "text file", id="text"),
        pytest.param(Piped(LENET.read_bytes()[:5000]), "damaged", id="cut"),
    ],
)
def test_standard_input_without_a_model_is_refused(
    stdin: Piped | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for somebody to type a model."""
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(ModelReadError, match=f"^-: .*{why}"):
        read("-")


def test_what_is_surely_no_model_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless stream is refused after its first bytes."""
    stdin = Piped(b"GGUF" + bytes(10**7))
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(ModelReadError, match="GGUF"):
        read("-")
    assert stdin.buffer.tell() < 10**5
