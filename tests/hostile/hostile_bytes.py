"""Files that are no ONNX model, or whose bytes are damaged."""

from __future__ import annotations

import json
import random
import zipfile
from functools import cache
from io import BytesIO
from typing import Final

from hostile_build import Make, chain, field, graph, info, model, node, tensor, varint, wire_model

_PARTS: Final = 16


@cache
def small() -> bytes:
    """A convolution and an activation, as a file to damage."""
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"])]
    weight = tensor("w", [[[[1.0] * 3] * 3] * 3] * 4)
    return model(graph(nodes, [info("x", [1, 3, 8, 8])], initializers=[weight]))


def _zip() -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), b"\x80\x02}q\x00.")
    return target.getvalue()


def _safetensors() -> bytes:
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(head).to_bytes(8, "little") + head + bytes(4)


def _truncated(part: int) -> Make:
    return lambda: small()[: len(small()) * part // _PARTS]


_LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)

# Files of other formats, each with a word that the one line of the refusal must hold.
OTHER_FORMATS: dict[str, tuple[Make, str]] = {
    "empty-file": (lambda: b"", "empty"),
    "lfs-pointer": (lambda: _LFS, "git lfs pull"),
    "lfs-pointer-crlf": (lambda: _LFS.replace(b"\n", b"\r\n"), "git lfs pull"),
    "html-page": (lambda: b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", "not"),
    "zip": (_zip, "zip"),
    "ort": (lambda: b"\x1c\0\0\0ORTM" + bytes(64), ".ort"),
    "tflite": (lambda: b"\x1c\0\0\0TFL3" + bytes(64), "TensorFlow Lite"),
    "prototxt": (lambda: b'ir_version: 8\ngraph { node { op_type: "Relu" } }\n', "text"),
    "json": (lambda: b'{"format": "layers-model", "weights": []}', "JSON"),
    "openvino-xml": (lambda: b'<?xml version="1.0"?>\n<net name="x" version="11"/>\n', "not"),
    "utf16-text": (lambda: "ir_version: 8 graph {}".encode("utf-16"), ""),
    "bom-text": (lambda: b"\xef\xbb\xbfir_version: 8", ""),
    "pickle": (lambda: b"\x80\x02}q\x00X\x01\x00\x00\x00wq\x01K\x01s.", ""),
    "safetensors": (_safetensors, ""),
    "gguf": (lambda: b"GGUF\x03\0\0\0" + bytes(32), ""),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(64), ""),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(64), ""),
    "gzip": (lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + bytes(32), ""),
    "elf": (lambda: b"\x7fELF\x02\x01\x01" + bytes(64), ""),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", ""),
    "tensorrt-plan": (lambda: b"ftrt" + bytes(64), ""),
    "zeros": (lambda: bytes(1 << 20), ""),
    "ones": (lambda: b"\xff" * (1 << 20), ""),
    "random": (lambda: random.Random(1).randbytes(1 << 16), ""),  # noqa: S311 - no secret
    "one-byte": (lambda: b"\x08", ""),
    "model-without-graph": (lambda: field(1, 8) + field(8, field(2, 17)), "no graph"),
}

# Bytes that no ONNX tool should have written; what becomes of each is the reader's to decide.
DAMAGED: dict[str, Make] = {
    **{f"truncated-{part}-of-{_PARTS}": _truncated(part) for part in range(1, _PARTS)},
    "truncated-by-a-byte": lambda: small()[:-1],
    "two-models-concatenated": lambda: small() + small(),
    "garbage-after-the-model": lambda: small() + b"\xff" * 64,
    "zeros-after-the-model": lambda: small() + bytes(64),
    "graph-as-number": lambda: field(1, 8) + field(7, 5),
    "graph-empty": lambda: wire_model(b""),
    "field-number-zero": lambda: small() + b"\x02\x01a",
    "field-number-too-large": lambda: small() + field((1 << 29) + 7, b"a"),
    "wire-type-group": lambda: small() + b"\x0b" * 200 + b"\x0c" * 200,
    "wire-type-seven": lambda: small() + b"\x0f",
    "number-of-eleven-bytes": lambda: b"\x08" + b"\x80" * 10 + b"\x01" + small(),
    "length-past-the-end": lambda: small() + b"\x3a" + varint(10**9),
    "length-of-2-63": lambda: small() + b"\x3a" + varint(2**63 - 1),
    "length-negative": lambda: small() + b"\x3a" + varint(-1),
    "unknown-fields": lambda: small() + b"".join(field(n, b"a" * 99) for n in range(100, 9000)),
    "ir-version-as-bytes": lambda: field(1, b"8") + small(),
    "node-as-number": lambda: wire_model(field(1, 7) * 50),
    "node-of-garbage": lambda: wire_model(field(1, b"\xff" * 40)),
    "dims-packed-and-not": lambda: wire_model(
        field(5, field(1, varint(3)) + field(1, 4) + field(2, 1) + field(8, "w"))
    ),
    "dims-unfinished": lambda: wire_model(field(5, field(1, b"\x80") + field(2, 1))),
    "data-type-huge": lambda: wire_model(field(5, field(1, 3) + field(2, 2**40) + field(8, "w"))),
    "data-type-negative": lambda: wire_model(field(5, field(1, 3) + field(2, -5) + field(8, "w"))),
    "attribute-type-99": lambda: wire_model(
        field(1, field(2, "y") + field(4, "Relu") + field(5, field(1, "a") + field(20, 99)))
    ),
    "shape-nested-in-types": lambda: wire_model(field(11, field(1, "x") + field(2, _types(80)))),
    "types-nested-too-deep": lambda: wire_model(field(11, field(1, "x") + field(2, _types(9000)))),
    "weights-twice": lambda: chain(
        [node("Conv", ["x", "w"])], initializers=[tensor("w", [[[[1.0]]]]), tensor("w", [[1.0]])]
    ),
}


def _types(depth: int) -> bytes:
    """A TypeProto of sequences of sequences, so many times."""
    inner = field(1, field(1, 1))
    for _ in range(depth):
        inner = field(4, field(1, inner))
    return inner
