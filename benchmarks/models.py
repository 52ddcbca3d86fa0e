"""Write the models that are measured: ``python models.py NAME FILE``.

The bytes are the same at every run. Weights are seeded random numbers, or holes of a sparse file
where only their size matters.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from math import isqrt, prod
from pathlib import Path
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, TensorProto, helper

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "samples"))

from archlint.analyzer.builder import IR_VERSION, OPSET, GraphBuilder  # noqa: E402 - after the path is set
from build_all import build_sample  # noqa: E402 - after the path is set
from inside import UNRULED  # noqa: E402 - after the path is set

_LENGTH_DELIMITED = 2  # the wire type of protobuf
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # field numbers of onnx.proto


def sample(path: Path, name: str) -> None:
    """A network of samples/ with random weights in the file."""
    path.write_bytes(build_sample(name, "random").SerializeToString(deterministic=True))


def layers(path: Path, weight_bytes: int, depth: int = 200) -> None:
    """A chain of square MatMul and Relu, two nodes a layer, whose weights are holes of the file.

    Each weight is the largest square matrix of float32 with which all stay below ``weight_bytes``.
    """
    width = isqrt(weight_bytes // (4 * depth))
    b = GraphBuilder("layers")
    x = b.input("input", [1, width])
    for layer in range(depth):
        x = b.node("MatMul", x, f"layer.{layer}.weight", name=f"/layer.{layer}/MatMul")
        x = b.relu(x, name=f"/layer.{layer}/Relu")
    b.output(x, [1, width])
    names = [f"layer.{layer}.weight" for layer in range(depth)]
    _write_sparse(path, b.graph(), dict.fromkeys(names, (width, width)))


def residual(path: Path, nodes: int, *, last: str = "Relu") -> None:
    """Residual blocks of five nodes and small weights, ``last`` on top; ``nodes`` in all."""
    b = GraphBuilder("residual", weights="random")
    x = b.input("input", [1, 8, 14, 14])
    for block in range((nodes - 1) // 5):
        y = b.conv(x, 8, 1, bias=False, name=f"/blocks.{block}/conv1/Conv")
        y = b.relu(y, name=f"/blocks.{block}/act1/Relu")
        y = b.conv(y, 8, 1, bias=False, name=f"/blocks.{block}/conv2/Conv")
        x = b.node("Add", y, x, name=f"/blocks.{block}/Add")
        x = b.relu(x, name=f"/blocks.{block}/act2/Relu")
    for place in range((nodes - 1) % 5):
        x = b.relu(x, name=f"/tail.{place}/Relu")
    b.output(b.node(last, x, name="/last"), [1, 8, 14, 14])
    path.write_bytes(b.model().SerializeToString(deterministic=True))


def encoder(path: Path, depth: int = 12, width: int = 768, tokens: int = 128) -> None:
    """A transformer encoder (Vaswani et al. 2017) of BERT-base's size, its weights beside it."""
    b = GraphBuilder("encoder", weights="random")
    x = b.input("input", [1, tokens, width])
    for layer in range(depth):
        scope = f"/layers.{layer}"
        x = _normalised(b, x, _attention(b, x, width, tokens, scope), width, f"{scope}/norm1")
        y = b.relu(_dense(b, x, width, 4 * width, f"{scope}/up"), name=f"{scope}/Relu")
        y = _dense(b, y, 4 * width, width, f"{scope}/down")
        x = _normalised(b, x, y, width, f"{scope}/norm2")
    b.output(x, [1, tokens, width])
    data = path.with_suffix(".data")
    data.unlink(missing_ok=True)  # onnx would append to it
    onnx.save_model(b.model(), path, save_as_external_data=True, location=data.name)


def _attention(b: GraphBuilder, x: str, width: int, tokens: int, scope: str) -> str:
    """Self-attention with heads of 64."""
    heads = width // 64
    parts = []
    for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        y = _dense(b, x, width, width, f"{scope}/{part}")
        y = b.node("Reshape", y, b.constant(f"{scope}/split", [1, tokens, heads, 64]))
        parts.append(b.node("Transpose", y, perm=order))
    scores = b.node("MatMul", *parts[:2], name=f"{scope}/scores/MatMul")
    scores = b.node("Div", scores, b.constant(f"{scope}/scale", 8.0))  # the root of 64
    y = b.node("MatMul", b.node("Softmax", scores, axis=-1), parts[2], name=f"{scope}/sum/MatMul")
    y = b.node("Transpose", y, perm=[0, 2, 1, 3])
    y = b.node("Reshape", y, b.constant(f"{scope}/join", [1, tokens, width]))
    return _dense(b, y, width, width, f"{scope}/out")


def _dense(b: GraphBuilder, x: str, inputs: int, outputs: int, scope: str) -> str:
    weight = b.weight(f"{scope}.weight", (inputs, outputs), fan_in=inputs)
    y = b.node("MatMul", x, weight, name=f"{scope}/MatMul")
    return b.node("Add", y, b.weight(f"{scope}.bias", (outputs,)), name=f"{scope}/Add")


def _normalised(b: GraphBuilder, x: str, y: str, width: int, scope: str) -> str:
    """The sum of both, its last axis normalised."""
    scales = [b.weight(f"{scope}.{name}", (width,)) for name in ("weight", "bias")]
    total = b.node("Add", x, y, name=f"{scope}/Add")
    return b.node("LayerNormalization", total, *scales, name=f"{scope}/LayerNormalization", axis=-1)


def swin(path: Path, depths: tuple[int, ...] = (2, 2, 18, 2), image: int = 224) -> None:
    """A Swin transformer (Liu et al. 2021), by default Swin-S, from torch's TorchScript exporter.

    Needs torch and transformers.
    """
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    torch.manual_seed(0)
    heads = [3 * 2**stage for stage in range(len(depths))]
    config = transformers.SwinConfig(
        depths=list(depths), num_heads=heads, image_size=image, num_labels=1000,
        attn_implementation="eager",
    )  # fmt: skip
    model = transformers.SwinForImageClassification(config).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of every constant that the trace bakes in
        torch.onnx.export(
            model, (torch.zeros(1, 3, image, image),), path, dynamo=False, opset_version=17
        )


def _write_sparse(path: Path, graph: GraphProto, weights: dict[str, tuple[int, ...]]) -> None:
    """The model of a graph with float32 initializers of holes; it may exceed protobuf's 2 GiB."""
    tensors = []
    for name, shape in weights.items():
        header = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT).SerializeToString()
        size = 4 * prod(shape)
        header += _start(_RAW_DATA, size)
        tensors.append((_start(_INITIALIZER, len(header) + size) + header, size))
    nodes = graph.SerializeToString(deterministic=True)
    length = len(nodes) + sum(len(header) + size for header, size in tensors)
    model = ModelProto(ir_version=IR_VERSION, opset_import=[helper.make_opsetid("", OPSET)])
    with path.open("wb") as file:
        file.write(model.SerializeToString() + _start(_GRAPH, length) + nodes)
        for header, size in tensors:
            file.write(header)
            file.seek(size, os.SEEK_CUR)
        file.truncate()


def _start(field: int, length: int) -> bytes:
    """Tag and length of a field of bytes."""
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(length)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the eighth bit where more follow."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


_SAMPLES = (
    "factorized_7x7", "mobilenet_v1", "googlenet", "densenet121", "resnet18", "inception_v3",
    "resnet50", "alexnet", "vgg16",
)  # fmt: skip
MODELS: dict[str, Callable[[Path], None]] = {
    **{name: partial(sample, name=name) for name in _SAMPLES},
    "encoder": encoder,
    "layers_1.9GB": partial(layers, weight_bytes=1_900_000_000),
    "layers_4.3GB": partial(layers, weight_bytes=4_300_000_000),
    "nodes_1000": partial(residual, nodes=1000),
    "nodes_5000": partial(residual, nodes=5000),
    "nodes_10000": partial(residual, nodes=10_000),
    "nodes_100000": partial(residual, nodes=100_000),
    "isolation": partial(residual, nodes=100, last=UNRULED),
    "swin": swin,
}
"""What writes each model, by its name."""


if __name__ == "__main__":
    MODELS[sys.argv[1]](Path(sys.argv[2]))
