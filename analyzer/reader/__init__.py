"""From a path to a Model: recognise what the file is, and read its structure without its
weights."""

from __future__ import annotations

import codecs
import os
import stat
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from onnx import ModelProto

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader.strings import normalise
from archlint.analyzer.reader.wire import WireError, skim

_SNIFF = 1024
_O_BINARY: int = getattr(os, "O_BINARY", 0)
_LFS = b"version https://git-lfs.github.com/spec/v1"


@dataclass(frozen=True, slots=True)
class Model:
    """The structure of an ONNX file: its ModelProto, the payloads of large tensors left out.

    ``file_bytes`` is the size of the file itself, without external data.
    """

    path: str
    proto: ModelProto
    file_bytes: int


def read(path: str) -> Model:
    """Read the structure of the ONNX file at ``path``; raises ModelReadError."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _O_BINARY)
    except OSError as error:
        raise ModelReadError(path, f"cannot be opened: {error.strerror}") from error
    try:
        return _read_open(path, descriptor)
    except OSError as error:
        raise ModelReadError(path, f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _read_open(path: str, descriptor: int) -> Model:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ModelReadError(path, "is not a regular file; give the path of a .onnx file")
    if reason := _not_onnx(os.pread(descriptor, _SNIFF, 0), path):
        raise ModelReadError(path, reason)
    try:
        proto = ModelProto.FromString(skim(descriptor))
    except WireError as error:
        raise ModelReadError(
            path, f"is no ONNX model, or is damaged: {error}; export or fetch it again"
        ) from error
    except DecodeError as error:
        raise ModelReadError(
            path, "is no ONNX model, or is damaged: its messages do not decode; export it again"
        ) from error
    if not proto.HasField("graph"):
        raise ModelReadError(path, "is no ONNX model: it holds no graph; export it again")
    normalise(proto)
    return Model(path, proto, status.st_size)


def _not_onnx(head: bytes, path: str) -> str | None:
    """Why a file that begins so is surely no ONNX model, with what to do."""
    if not head:
        return "the file is empty; export the model again"
    if head.startswith(_LFS):
        return f'is a Git LFS pointer, not the model; run: git lfs pull --include="{path}"'
    if head.startswith(b"PK\x03\x04"):
        return (
            "is a zip archive (a PyTorch checkpoint?), not ONNX; export it with torch.onnx.export"
        )
    if head[4:8] in (b"ORTM", b"TFL3"):
        kind = "an .ort model" if head[4:8] == b"ORTM" else "a TensorFlow Lite model"
        return f"is {kind}, not ONNX; give the .onnx file that it was made from"
    if _is_text(head):
        return "is a text file, not ONNX; give a model in ONNX's binary format"
    return None


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    # A ModelProto begins with its IR version, 0x08: a control character that text never holds.
    return all(character.isprintable() or character in "\t\r\n" for character in text)
