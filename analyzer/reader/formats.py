"""Recognise what is surely no ONNX model, and say what to do with it."""

from __future__ import annotations

import codecs
import os
import re
import stat
from typing import Final, NamedTuple

from archlint.analyzer.text import size

HEAD: Final = 1024
_TAIL: Final = 1 << 16  # where a zip archive lists what is in it

_TORCH: Final = "export the model with torch.onnx.export"
_TENSORFLOW: Final = "convert it with tf2onnx"
_ORIGINAL: Final = "give the .onnx file that it was made from"
_WEIGHTS: Final = "it holds weights without a network; export the model that they belong to"
_UNPACK: Final = "unpack it and give the .onnx file in it"
_OTHER: Final = "give the path of a .onnx file"

# A pattern of the first bytes, what the file is, what to do. A ModelProto begins with the key of
# one of its fields, most often 0x08, and then with what this field holds: with none of these.
_BINARY: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19\.", "a PyTorch checkpoint", _TORCH),
    (rb"\x80[\x02-\x05]", "a Python pickle", "export the model in it, to ONNX"),
    (rb"..\0\0ORTM", "an .ort model", _ORIGINAL),
    (rb"..\0\0TFL3", "a TensorFlow Lite model", "convert it with tf2onnx --tflite"),
    (rb".{4}\0{4}\{", "a SafeTensors file", _WEIGHTS),
    (rb"GGUF", "a GGUF file", _WEIGHTS),
    (rb"\x89HDF\r\n", "an HDF5 file (a Keras model?)", _TENSORFLOW),
    (rb"\x93NUMPY", "a NumPy array", _OTHER),
    (rb"[pf]trt", "a TensorRT engine", _ORIGINAL),
    (rb"\x1f\x8b", "compressed by gzip", "decompress it with gunzip"),
    (rb"\xfd7zXZ\0", "compressed by xz", "decompress it with unxz"),
    (rb"\x28\xb5\x2f\xfd", "compressed by zstd", "decompress it with unzstd"),
    (rb"BZh[1-9]1AY&SY", "compressed by bzip2", "decompress it with bunzip2"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"\x89PNG\r\n|\xff\xd8\xff|%PDF-", "a picture or document", _OTHER),
    (rb"\x7fELF|MZ\x90\0", "a program", _OTHER),
    # Their second field is a message that begins with a message; that of a ModelProto is a name.
    (rb"\x08\x01\x12[\x80-\xff]*[\0-\x7f]\n", "a TensorFlow SavedModel", _TENSORFLOW),
    (rb"\x08[\x02-\x7f]\x12[\x80-\xff]*[\0-\x7f]\n", "a Core ML model", _ORIGINAL),
    # Their first field is a message; that of a ModelProto is a number.
    (rb"\n[\x80-\xff]*[\0-\x7f]\n", "a TensorFlow graph", _TENSORFLOW),
    (rb"\n[\x80-\xff]*[\0-\x7f]\x08", "a Paddle program", "convert it with paddle2onnx"),
)  # fmt: skip

_SAVE: Final = "load it with onnx.load(path, format=...) and save it as .onnx"
_TEXT: Final[tuple[tuple[str, str, str], ...]] = (
    (r"(?i)<(!doctype\s+html|html|head|body)", "a web page, not the model",
     "fetch the file itself, by its download address"),
    (r"<\?xml.*?<net\s", "an OpenVINO model", _ORIGINAL),
    (r"<\s*ir_version|(.*\n)??ir_version\s*:|\{\s*\"irVersion\"", "a model in text form", _SAVE),
    (r"[{\[]", "a JSON file", _OTHER),
    (r"(name|layers?|input|input_dim|node)\s*[:{]", "a network in text form (Caffe, TensorFlow?)",
     "convert it to ONNX"),
)  # fmt: skip

# What a zip archive lists, what it is, what to do.
_ZIP: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"/data.pkl", "a PyTorch checkpoint", _TORCH),
    (b"model.weights.h5", "a Keras model", _TENSORFLOW),
    (b".npy", "a NumPy archive", _WEIGHTS),
)

_IRREGULAR: Final = (
    (stat.S_ISFIFO, "a named pipe", "give - and redirect it to standard input"),
    (stat.S_ISSOCK, "a socket", _OTHER),
    (stat.S_ISCHR, "a device", _OTHER),
    (stat.S_ISBLK, "a device", _OTHER),
)

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md; one with extensions names an object
# that is not the file's content.
_POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\r?\n"
    rb"oid sha256:([0-9a-f]{64})\r?\nsize (\d{1,18})(?:\r?\n)?"
)


class Pointer(NamedTuple):
    """What stands in git for a file that is kept by Git LFS: its SHA-256, and its size."""

    oid: str
    size: int


def pointer_of(content: bytes) -> Pointer | None:
    """The pointer that the whole content of a file is; None where it is none."""
    found = _POINTER.fullmatch(content)
    return Pointer(found[1].decode(), int(found[2])) if found else None


def irregular(path: str, mode: int) -> str | None:
    """Why what has this mode is no regular file, with what to do."""
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        if os.path.lexists(os.path.join(path, "saved_model.pb")):
            return f"is a TensorFlow SavedModel, not ONNX; {_TENSORFLOW}"
        return f"is a folder, not a regular file; {_OTHER}"
    for test, kind, remedy in _IRREGULAR:
        if test(mode):
            return f"is {kind}, not a regular file; {remedy}"
    return f"is not a regular file; {_OTHER}"


def foreign(descriptor: int, path: str) -> str | None:
    """Why an open file is surely no ONNX model, with what to do."""
    head = os.pread(descriptor, HEAD, 0)
    if not head:
        return "the file is empty; export the model again"
    if head.startswith(b"version https://git-lfs."):
        return _pointer(head, path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        end = os.fstat(descriptor).st_size
        return _archive(head + os.pread(descriptor, _TAIL, max(0, end - _TAIL)))
    if (text := _text(head)) is not None:
        return _written(text)
    for pattern, kind, remedy in _BINARY:
        if re.match(pattern, head, re.DOTALL):
            return f"is {kind}, not ONNX; {remedy}"
    return None


def _pointer(head: bytes, path: str) -> str:
    """What a Git LFS pointer stands for; https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
    oid = re.search(rb"^oid (\w+:\w{1,8})", head, re.MULTILINE)
    count = re.search(rb"^size (\d{1,18})$", head, re.MULTILINE)
    of = f" to {size(int(count[1]))}" if count else ""
    named = f" ({oid[1].decode()})" if oid else ""
    return f'is a Git LFS pointer{of}{named}, not the model; run: git lfs pull --include="{path}"'


def _archive(names: bytes) -> str:
    for name, kind, remedy in _ZIP:
        if name in names:
            return f"is {kind} (a zip archive), not ONNX; {remedy}"
    return f"is a zip archive, not ONNX; {_UNPACK}"


def _written(text: str) -> str:
    for pattern, kind, remedy in _TEXT:
        if re.match(pattern, text, re.DOTALL):
            return f"is {kind}, not ONNX; {remedy}"
    return f"is a text file, not ONNX; {_OTHER}"


def _text(head: bytes) -> str | None:
    """The bytes as text, if they are; a model holds control characters that text does not."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return None
    text = text.lstrip()
    return text if all(sign.isprintable() or sign in "\t\r\n\f" for sign in text) else None
