"""Small models that have something to fix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, numpy_helper

from archlint.analyzer.reader.text import from_text

HEAD = '<ir_version: 8, opset_import: ["": 17]>'
NORMALISED = f"""{HEAD} g (float[1,3,16,16] x) => (float[1,8,16,16] y)
<float[8,3,3,3] w, float[8] s, float[8] b, float[8] m, float[8] v> {{
  [conv] c = Conv<pads=[1,1,1,1]>(x, w)
  [norm] n = BatchNormalization(c, s, b, m, v)
  [relu] r = Relu(n)
  [copy] i = Identity(r)
  [head] y = Sigmoid(i)
}}"""
CLEAN = f"{HEAD} g (float[1,3,16,16] x) => (float[1,3,16,16] y) {{ [relu] y = Relu(x) }}"
TWO_HEADS = f"""{HEAD} g (float[1,3,16,16] x) => (float[1,8,16,16] y, float[1,8,1,1] aux)
<float[8,3,3,3] w> {{
  [conv] c = Conv<pads=[1,1,1,1]>(x, w)
  [relu] y = Relu(c)
  [pool] p = GlobalAveragePool(c)
  [side] aux = Sigmoid(p)
}}"""
WIDE = f"""{HEAD} g (float[1,64,32,32] x) => (float[1,128,32,32] y)
<float[128,64,3,3] w> {{ [wide] y = Conv<pads=[1,1,1,1]>(x, w) }}"""
CUSTOM = NORMALISED.replace("Sigmoid(i)", "acme.Magic(i)").replace(
    '["": 17]', '["": 17, "acme": 1]'
)
SYMBOLIC = NORMALISED.replace("float[1,3,16,16] x", "float[N,3,H,W] x").replace(
    "float[1,8,16,16] y", "float[N,8,H,W] y"
)


def model(text: str) -> ModelProto:
    """The model of a text, with seeded numbers in the weights that it declares."""
    proto = from_text(text).proto
    random = np.random.default_rng(0)
    made = {value for node in proto.graph.node for value in node.output}
    stored = {tensor.name for tensor in proto.graph.initializer}
    for entry in list(proto.graph.value_info):
        if entry.name in made or entry.name in stored:
            continue
        dims = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
        numbers = 0.1 + 0.05 * np.abs(random.standard_normal(dims))
        if len(dims) > 1:
            numbers = 0.1 * random.standard_normal(dims)
        proto.graph.initializer.append(
            numpy_helper.from_array(numbers.astype(np.float32), entry.name)
        )
        proto.graph.value_info.remove(entry)
    return proto


def save(path: Path, text: str, *, external: bool = False) -> Path:
    """The file of such a model, its weights beside it where they are ``external``."""
    proto = model(text)
    if external:
        onnx.save(
            proto, path, save_as_external_data=True, location=f"{path.name}.bin", size_threshold=0
        )
    else:
        onnx.save(proto, path)
    return path


def low_rank(path: Path, rank: int) -> Path:
    """WIDE with a kernel of this rank, as a matrix of the output's channels by all else."""
    proto = from_text(WIDE).proto
    random = np.random.default_rng(0)
    parts = random.standard_normal((128, rank)), random.standard_normal((rank, 64 * 9))
    kernel = (parts[0] @ parts[1] / 100).reshape(128, 64, 3, 3).astype(np.float32)
    del proto.graph.value_info[:]
    proto.graph.initializer.append(numpy_helper.from_array(kernel, "w"))
    onnx.save(proto, path)
    return path


def operators(path: Path) -> list[str]:
    """The operators of a model's nodes, in order."""
    return [node.op_type for node in onnx.load(path, load_external_data=False).graph.node]
