"""What is no model is recognised by its first bytes, and each kind has its remedy."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import socket
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, helper, printer

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader import read
from archlint.analyzer.reader.formats import foreign
from archlint.analyzer.reader.wire import encode

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
SAMPLES = Path(__file__).parents[1] / "samples"
FILES = [*sorted(SAMPLES.glob("*.onnx")), *sorted(DATA.rglob("*.onnx"))]

# The beginning of what torch.save writes without a zip archive: its magic number.
MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
HASH = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{HASH}\nsize 97781234\n"


def zipped(*names: str) -> bytes:
    """A zip archive of files of these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, bytes(2000))
    return buffer.getvalue()


def numpy_archive() -> bytes:
    """What numpy.savez writes."""
    buffer = io.BytesIO()
    np.savez(buffer, weight=np.ones(3))
    return buffer.getvalue()


def tarred() -> bytes:
    """A tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(__file__, "model.onnx")
    return buffer.getvalue()


def safetensors() -> bytes:
    """https://huggingface.co/docs/safetensors: a length of eight bytes, and JSON."""
    head = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(8)


def field(number: int, content: bytes) -> bytes:
    """A serialised field of bytes."""
    return encode(number << 3 | 2) + encode(len(content)) + content


MODEL = helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [], []))
# https://github.com/tensorflow/tensorflow: SavedModel{1: version, 2: MetaGraphDef{1: MetaInfoDef}};
# GraphDef{1: NodeDef{1: name, 2: op}}.
SAVED_MODEL = b"\x08\x01" + field(2, field(1, field(1, b"serve") * 60))
GRAPH_DEF = field(1, field(1, b"x") + field(2, b"Placeholder")) * 5
# https://github.com/apple/coremltools: Model{1: version, 2: description{1: input}}.
CORE_ML = b"\x08\x04" + field(2, field(1, field(1, b"image")))
# https://github.com/PaddlePaddle/Paddle: ProgramDesc{1: BlockDesc{1: idx, 2: parent_idx}}.
PADDLE = field(1, b"\x08\x00\x10" + b"\xff" * 9 + b"\x01" + bytes(300))

# What a file holds, what it is said to be, and what to do.
KINDS: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "the file is empty", "export"),
    "lfs-pointer": (LFS.encode(), r"LFS pointer to 97\.78 MB \(sha256:4d7a2146\)", "git lfs pull"),
    "lfs-bare": (LFS[:43].encode(), "a Git LFS pointer, not", "git lfs pull --include="),
    "page": (b"\n<!DOCTYPE html><html>\n<p>Sign in</p>", "a web page", "download address"),
    "page-bare": (b"<html lang='en'>", "a web page", "download address"),
    "torch-zip": (zipped("net/data.pkl", "net/data/0"), "PyTorch checkpoint", "torch.onnx.export"),
    "torch-zip-late": (zipped("a", "b", "net/data.pkl"), "PyTorch checkpoint", "torch.onnx"),
    "torch-legacy": (MAGIC + bytes(100), "a PyTorch checkpoint", "torch.onnx.export"),
    "pickle": (pickle.dumps({"model": object}), "a Python pickle", "export"),
    "npz": (numpy_archive(), "a NumPy archive", "without a network"),
    "npy": (b"\x93NUMPY\x01\0v\0{'descr': '<f4'", "a NumPy array", r"\.onnx"),
    "keras": (zipped("config.json", "model.weights.h5"), "a Keras model", "tf2onnx"),
    "zip": (zipped("readme"), "a zip archive", "unpack"),
    "zip-of-nothing": (zipped(), "a zip archive", "unpack"),
    "safetensors": (safetensors(), "SafeTensors", "without a network"),
    "gguf": (b"GGUF\x03\0\0\0" + bytes(20), "GGUF", "without a network"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(90), "HDF5", "tf2onnx"),
    "ort": (b"\x18\0\0\0ORTM" + bytes(50), r"\.ort", r"\.onnx file that it was made from"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(50), "TensorFlow Lite", "tf2onnx"),
    "saved-model": (SAVED_MODEL, "a TensorFlow SavedModel", "tf2onnx"),
    "graph-def": (GRAPH_DEF, "a TensorFlow graph", "tf2onnx"),
    "core-ml": (CORE_ML, "a Core ML model", "made from"),
    "paddle": (PADDLE, "a Paddle program", "paddle2onnx"),
    "tensorrt": (b"ptrt" + bytes(30), "a TensorRT engine", "made from"),
    "openvino": (b'<?xml version="1.0"?>\n<net name="n" version="11">', "OpenVINO", "made from"),
    "onnx-text": (printer.to_text(MODEL).encode(), "a model in text form", "save it as .onnx"),
    "onnx-prototxt": (str(MODEL).encode(), "a model in text form", "save it as .onnx"),
    "prototxt": (b'name: "LeNet"\nlayer {\n  type: "Data"\n}', "in text form", "convert"),
    "json": (b'{"model": [1, 2]}', "a JSON file", r"\.onnx"),
    "text": (b"# a readme\n\nwith words\n", "a text file", r"\.onnx"),
    "text-of-umlauts": ("grüße\n".encode() * 400, "a text file", r"\.onnx"),
    "text-with-mark": ("\ufeff# a readme\n".encode(), "a text file", r"\.onnx"),
    "gzip": (gzip.compress(MODEL.SerializeToString()), "gzip", "gunzip"),
    "xz": (lzma.compress(MODEL.SerializeToString()), "xz", "unxz"),
    "bzip2": (bz2.compress(MODEL.SerializeToString()), "bzip2", "bunzip2"),
    "zstd": (b"\x28\xb5\x2f\xfd\x24" + bytes(30), "zstd", "unzstd"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\x04", "7z", "unpack"),
    "tar": (tarred(), "a tar archive", "unpack"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture", r"\.onnx"),
    "program": (b"\x7fELF\x02\x01\x01", "a program", r"\.onnx"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_format_is_recognised(kind: str, tmp_path: Path) -> None:
    """One line says what the file is and what to do."""
    content, what, remedy = KINDS[kind]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelReadError, match=rf"{what}.*[;,:] .*{remedy}") as raised:
        read(str(path))
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)
    assert "damaged" not in str(raised.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_model_is_mistaken(path: Path) -> None:
    """onnx's own files, and the samples."""
    with path.open("rb") as file:
        assert foreign(file.fileno(), str(path)) is None


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(ModelProto(ir_version=1, producer_name="caffe2"), id="version-1"),
        pytest.param(ModelProto(ir_version=7, producer_name="ORTM" * 2), id="producer-ortm"),
        pytest.param(ModelProto(ir_version=7, producer_name="x" * 300), id="long-producer"),
        pytest.param(ModelProto(model_version=6069, domain="d"), id="no-ir-version"),
        pytest.param(ModelProto(producer_name="GGUF"), id="producer-first"),
        pytest.param(ModelProto(doc_string="PK\x03\x04"), id="doc-first"),
        pytest.param(ModelProto(opset_import=[helper.make_opsetid("", 8)]), id="opset-first"),
    ],
)
def test_unusual_first_fields_are_no_other_format(model: ModelProto, tmp_path: Path) -> None:
    """Whatever field a model begins with, and whatever stands in it."""
    model.graph.node.add(op_type="Relu", input=["x"], output=["y"])
    path = tmp_path / "m.onnx"
    for content in (
        model.SerializeToString(),
        field(7, model.graph.SerializeToString()) + ModelProto(ir_version=9).SerializeToString(),
    ):
        path.write_bytes(content)
        assert len(read(str(path)).proto.graph.node) == 1


def nothing(_: Path) -> None:
    """No file at all."""


def loop(path: Path) -> None:
    """A symbolic link to itself."""
    path.symlink_to(path)


def listening(path: Path) -> None:
    """A socket of another program."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def saved_model(path: Path) -> None:
    """What tf.saved_model.save writes."""
    path.mkdir()
    (path / "saved_model.pb").touch()


def device(path: Path) -> None:
    """A link to a device."""
    path.symlink_to(os.devnull)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        pytest.param(nothing, "cannot be opened: No such file", id="missing"),
        pytest.param(Path.mkdir, "is a folder, not a regular file", id="folder"),
        pytest.param(saved_model, "is a TensorFlow SavedModel", id="saved-model"),
        pytest.param(os.mkfifo, "is a named pipe, not a regular file; give -", id="fifo"),
        pytest.param(device, "is a device, not a regular file", id="device"),
        pytest.param(loop, "cannot be opened", id="link-loop"),
        pytest.param(listening, "is a socket, not a regular file", id="socket"),
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


def test_a_path_that_none_can_have_is_refused() -> None:
    """The system's calls refuse it before they look."""
    with pytest.raises(ModelReadError, match="cannot be opened: embedded null"):
        read("a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """The message is that of the operating system."""
    path = tmp_path / "m.onnx"
    path.write_bytes(MODEL.SerializeToString())
    path.chmod(0)
    with pytest.raises(ModelReadError, match="cannot be opened: Permission denied"):
        read(str(path))
