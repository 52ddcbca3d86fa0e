"""The reader: what is no model is refused in one line, what is one is read without its weights."""

from __future__ import annotations

import io
import os
import random
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from archlint.analyzer.algorithms import critical_path, peak_memory
from archlint.analyzer.cost import count
from archlint.analyzer.errors import ArchlintError, ModelReadError
from archlint.analyzer.load import load
from archlint.analyzer.reader import read

SAMPLES = Path(__file__).parents[1] / "samples"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
FILES = [*sorted(SAMPLES.glob("*.onnx")), *sorted(LIGHT.glob("*.onnx"))]
BLOCK = SAMPLES / "resnet_basic_block.onnx"
LENET = SAMPLES / "lenet5.onnx"


def zipped() -> bytes:
    """A zip archive as torch.save writes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", "x")
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 12345\n"

# What a file holds, and a word of the message that tells what to do.
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "lfs-pointer": (LFS, "git lfs pull"),
    "zip": (zipped(), "torch.onnx.export"),
    "ort": (b"\x18\0\0\0ORTM" + bytes(50), ".ort"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(50), "TensorFlow Lite"),
    "text": (b"# a readme\n\nwith words\n", "text"),
    "text-of-umlauts": ("grüße\n".encode() * 400, "text"),
    "json": (b'{"model": [1, 2]}', "text"),
    "pickle": (b"\x80\x02}q\x00(X\x05\x00\x00\x00modelq\x01K\x01u.", "damaged"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "damaged"),
    "zeros": (bytes(100), "ONNX"),
    "noise": (bytes(place * 7919 % 251 for place in range(1, 5000)), "damaged"),
    "no-graph": (ModelProto(ir_version=8, producer_name="x\0").SerializeToString(), "no graph"),
    "only-a-tensor": (numpy_helper.from_array(np.ones((3, 3))).SerializeToString(), "ONNX"),
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
    assert "\n" not in str(raised.value)


def no_file(_: Path) -> None:
    """Nothing at all."""


def loop(path: Path) -> None:
    """A symbolic link to itself."""
    path.symlink_to(path)


def listening(path: Path) -> None:
    """A socket of another program."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        pytest.param(no_file, "cannot be opened: No such file", id="missing"),
        pytest.param(Path.mkdir, "not a regular file", id="folder"),
        pytest.param(os.mkfifo, "not a regular file", id="fifo"),
        pytest.param(loop, "cannot be opened", id="link-loop"),
        pytest.param(listening, "cannot be opened", id="socket"),
    ],
)
def test_what_is_no_file_is_refused(
    make: Callable[[Path], None], word: str, tmp_path: Path
) -> None:
    """Neither hangs nor crashes, and says what is wrong."""
    path = tmp_path / "m"
    make(path)
    with pytest.raises(ModelReadError, match=word):
        read(str(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """The message is that of the operating system."""
    path = tmp_path / "m.onnx"
    path.write_bytes(BLOCK.read_bytes())
    path.chmod(0)
    with pytest.raises(ModelReadError, match="cannot be opened: Permission denied"):
        read(str(path))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_model_is_refused(share: float, tmp_path: Path) -> None:
    """A download that broke off is told as damaged."""
    whole = LENET.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelReadError, match=r"damaged.* again"):
        read(str(path))


def without_data(model: ModelProto) -> ModelProto:
    """The model without the payloads of all its tensors."""
    copy = ModelProto()
    copy.CopyFrom(model)
    held = [a.t for node in copy.graph.node for a in node.attribute]
    for tensor in (*copy.graph.initializer, *held):
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


def save(path: Path, *tensors: TensorProto) -> None:
    """A model with these initializers."""
    graph = helper.make_graph([], "g", [], [], list(tensors))
    onnx.save(helper.make_model(graph), path)


def test_large_weights_stay_in_the_file(tmp_path: Path) -> None:
    """8 MB of weights leave a proto of a few hundred bytes with their types and shapes."""
    path = tmp_path / "big.onnx"
    tensors = [numpy_helper.from_array(np.ones((1000, 1000), np.float32), "raw")]
    tensors.append(helper.make_tensor("typed", TensorProto.FLOAT, (1000, 1000), np.ones(10**6)))
    save(path, *tensors)
    model = read(str(path))
    assert model.file_bytes > 8 * 10**6
    assert model.proto.ByteSize() < 300
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


def test_a_name_that_is_no_utf8_is_escaped(tmp_path: Path) -> None:
    """Bytes that are no text are kept apart, and shown as their escapes."""
    path = tmp_path / "m.onnx"
    path.write_bytes(BLOCK.read_bytes().replace(b"/block/conv1/Conv", b"/block/\xffonv1/Conv"))
    names = [node.name for node in read(str(path)).proto.graph.node]
    assert "/block/\\xffonv1/Conv" in names
    assert analyse(path) == "analysed"


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
