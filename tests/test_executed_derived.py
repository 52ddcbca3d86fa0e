"""What onnxruntime's quantiser and optimiser write: the multiply-accumulates that run are counted,
and are those of the networks that they were made from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, numpy_helper
from onnxruntime import quantization

from archlint.analyzer.reader import read
from archlint.analyzer.reader.text import from_text
from kernels import check

OPSET = 17
LENGTH, WIDTH, HEADS, HIDDEN = 12, 32, 4, 64
CONVOLUTIONAL = """
a = Conv<kernel_shape=[3,3], pads=[1,1,1,1]>(x, stem, stem_b)
b = BatchNormalization(a, scale, shift, mean, var)
c = Relu(b)
d = Conv<kernel_shape=[3,3], pads=[1,1,1,1], group=16>(c, depth, depth_b)
e = Conv<kernel_shape=[1,1]>(d, point, point_b)
f = Add(e, c)
g = Relu(f)
h = MaxPool<kernel_shape=[2,2], strides=[2,2]>(g)
i = GlobalAveragePool(h)
j = Flatten(i)
y = Gemm<transB=1>(j, head, head_b)
"""
CONVOLUTIONAL_WEIGHTS = {
    "stem": (16, 3, 3, 3), "stem_b": (16,), "scale": (16,), "shift": (16,), "mean": (16,),
    "var": (16,), "depth": (16, 1, 3, 3), "depth_b": (16,), "point": (16, 16, 1, 1),
    "point_b": (16,), "head": (10, 16), "head_b": (10,),
}  # fmt: skip
CONVOLUTIONAL_MACS = 16 * 16 * (16 * 3 * 9 + 16 * 9 + 16 * 16) + 10 * 16


def projected(name: str, axes: str) -> str:
    """A linear layer, split into heads."""
    return f"""
{name}1 = MatMul(n, w{name})
{name}2 = Add({name}1, b{name})
{name}3 = Reshape({name}2, split)
{name} = Transpose<perm=[{axes}]>({name}3)
"""


TRANSFORMER = f"""
n = LayerNormalization(x, g1, s1)
{projected("q", "0,2,1,3")} {projected("k", "0,2,3,1")} {projected("v", "0,2,1,3")}
scores = MatMul(q, k)
scaled = Div(scores, root)
weights = Softmax<axis=-1>(scaled)
mixed = MatMul(weights, v)
back = Transpose<perm=[0,2,1,3]>(mixed)
joined = Reshape(back, join)
o1 = MatMul(joined, wo)
o2 = Add(o1, bo)
r = Add(o2, x)
m = LayerNormalization(r, g2, s2)
u1 = MatMul(m, wu)
u2 = Add(u1, bu)
e1 = Div(u2, sqrt2)
e2 = Erf(e1)
e3 = Add(e2, one)
e4 = Mul(u2, e3)
e5 = Mul(e4, half)
d1 = MatMul(e5, wd)
d2 = Add(d1, bd)
y = Add(d2, r)
"""
TRANSFORMER_WEIGHTS = {
    **{f"w{name}": (WIDTH, WIDTH) for name in "qkvo"}, **{f"b{name}": (WIDTH,) for name in "qkvo"},
    "g1": (WIDTH,), "s1": (WIDTH,), "g2": (WIDTH,), "s2": (WIDTH,),
    "wu": (WIDTH, HIDDEN), "bu": (HIDDEN,), "wd": (HIDDEN, WIDTH), "bd": (WIDTH,),
}  # fmt: skip
TRANSFORMER_CONSTANTS = {
    "root": np.float32((WIDTH // HEADS) ** 0.5), "sqrt2": np.float32(2**0.5),
    "one": np.float32(1), "half": np.float32(0.5), "join": np.array([1, LENGTH, WIDTH]),
    "split": np.array([1, LENGTH, HEADS, WIDTH // HEADS]),
}  # fmt: skip
TRANSFORMER_MACS = LENGTH * (4 * WIDTH**2 + 2 * LENGTH * WIDTH + 2 * WIDTH * HIDDEN)


def network(kind: str) -> ModelProto:
    """A small network with seeded weights."""
    convolutional = kind == "convolutional"
    shapes = CONVOLUTIONAL_WEIGHTS if convolutional else TRANSFORMER_WEIGHTS
    random = np.random.default_rng(1)
    # Running variances are positive.
    weights = {name: np.abs(random.normal(0.1, 0.05, shape)).astype(np.float32)
               for name, shape in shapes.items()}  # fmt: skip
    signature = "float[1,3,16,16] x" if convolutional else f"float[1,{LENGTH},{WIDTH}] x"
    result = "float[1,10] y" if convolutional else f"float[1,{LENGTH},{WIDTH}] y"
    nodes = CONVOLUTIONAL if convolutional else TRANSFORMER
    model = from_text(f"g ({signature}) => ({result}) {{ {nodes} }}", opset=OPSET).proto
    constants = weights if convolutional else weights | TRANSFORMER_CONSTANTS
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()
    )
    for node in model.graph.node:
        node.name = f"{node.op_type}_{node.output[0]}"
    onnx.checker.check_model(model)
    return model


class Data(quantization.CalibrationDataReader):  # type: ignore[misc]  # it ships no types
    """Two seeded inputs to calibrate with."""

    def __init__(self, model: ModelProto) -> None:
        random = np.random.default_rng(2)
        info = model.graph.input[0]
        shape = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        self.feeds = [{info.name: random.normal(size=shape).astype(np.float32)} for _ in range(2)]

    def get_next(self) -> Any:
        """The next input, None at the end."""
        return self.feeds.pop() if self.feeds else None


def static(form: str, kind: str, source: Path, target: Path) -> None:
    """Statically quantised, weights as signed or unsigned bytes."""
    types = quantization.QuantType
    quantization.quantize_static(
        str(source), str(target), Data(onnx.load(source)),
        quant_format=quantization.QuantFormat[form],
        activation_type=types.QUInt8, weight_type=types[kind],
    )  # fmt: skip


def dynamic(source: Path, target: Path) -> None:
    """Quantised with scales that are computed at run time."""
    quantization.quantize_dynamic(str(source), str(target))


def packed(source: Path, target: Path) -> None:
    """Weights of matrix products packed into four bits."""
    pytest.importorskip("onnx_ir", reason="onnxruntime's quantiser to four bits needs onnx_ir")
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer: Any = MatMulNBitsQuantizer(onnx.load(source), block_size=16, is_symmetric=True)
    quantizer.process()
    onnx.save(quantizer.model.model, target)


def optimised(level: str, source: Path, target: Path) -> None:
    """As onnxruntime rewrites it before a run."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def fused(source: Path, target: Path) -> None:
    """As onnxruntime's optimiser of transformers fuses it."""
    pytest.importorskip("sympy", reason="onnxruntime's optimiser of transformers needs sympy")
    from onnxruntime.transformers import optimizer

    model = optimizer.optimize_model(
        str(source), "bert", num_heads=HEADS, hidden_size=WIDTH, opt_level=0
    )
    model.save_model_to_file(str(target))


Maker = Callable[[Path, Path], None]
BOTH: dict[str, Maker] = {
    "qdq": partial(static, "QDQ", "QInt8"),
    "qdq-unsigned": partial(static, "QDQ", "QUInt8"),
    "qoperator": partial(static, "QOperator", "QInt8"),
    "dynamic": dynamic,
    "basic": partial(optimised, "ORT_ENABLE_BASIC"),
    "extended": partial(optimised, "ORT_ENABLE_EXTENDED"),
}
DERIVED: dict[str, tuple[str, Maker, int]] = {
    **{f"convolutional-{n}": ("convolutional", m, CONVOLUTIONAL_MACS) for n, m in BOTH.items()},
    **{f"transformer-{n}": ("transformer", m, TRANSFORMER_MACS) for n, m in BOTH.items()},
    "transformer-packed": ("transformer", packed, TRANSFORMER_MACS),
    "transformer-fused": ("transformer", fused, TRANSFORMER_MACS),
}


@pytest.mark.parametrize("name", DERIVED)
def test_derived_models(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every multiply-accumulate of the network is still there, and is counted."""
    kind, make, macs = DERIVED[name]
    monkeypatch.chdir(tmp_path)
    source, target = tmp_path / "network.onnx", tmp_path / "derived.onnx"
    onnx.save(network(kind), source)
    make(source, target)
    assert check(read(str(target))) == macs


BYTES = "uint8[2,6,16] x, float s, uint8 z, uint8[16,20] w"
# Kernels of com.microsoft that the makers above give only to larger networks.
KERNELS = {
    "packed": ("float[2,6,32] x, uint8[20,2,8] w, float[40] s",
               "y = MatMulNBits<K=32, N=20, bits=4, block_size=16>(x, w, s)", 2 * 6 * 32 * 20),
    "attention": ("float[2,6,16] x, float[16,48] w, float[48] b",
                  "y = Attention<num_heads=4>(x, w, b)", 2 * 6 * (16 * 48 + 2 * 6 * 16)),
    "attention-quantised": ("uint8[2,6,16] x, uint8[16,48] w, float[48] b, float s, uint8 z",
                            "y = QAttention<num_heads=4>(x, w, b, s, s, , z, z)",
                            2 * 6 * (16 * 48 + 2 * 6 * 16)),
    "attention-multi-head": ("float[2,6,16] q, float[2,5,16] k, float[2,5,24] v",
                             "y = MultiHeadAttention<num_heads=4>(q, k, v)",
                             2 * 6 * 5 * (16 + 24)),
    "dynamic": ("float[2,6,16] x, uint8[16,20] w, float s, uint8 z",
                "y = DynamicQuantizeMatMul(x, w, s, z)", 2 * 6 * 16 * 20),
    "to-float": (BYTES, "y = MatMulIntegerToFloat(x, w, s, s, z, z)", 2 * 6 * 16 * 20),
    "fused": ("float[2,16,6] x, float[16,20] w",
              "y = FusedMatMul<transA=1, alpha=0.5>(x, w)", 2 * 6 * 16 * 20),
    "gemm": ("uint8[16,6] x, float s, uint8 z, uint8[16,20] w",
             "y = QGemm<transA=1>(x, s, z, w, s, z, , s, z)", 6 * 16 * 20),
    "lstm": (("float[9,2,5] x, uint8[1,5,12] w, uint8[1,3,12] r, float[1] s, uint8[1] z"),
             "y, h, c = DynamicQuantizeLSTM<hidden_size=3>(x, w, r, , , , , , s, z, s, z)",
             9 * 2 * 12 * (5 + 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name: str) -> None:
    """Single operators of com.microsoft: what ran is also what the product says."""
    inputs, node, macs = KERNELS[name]
    header = '<ir_version: 10, opset_import: ["": 17, "com.microsoft": 1]>'
    node = node.replace("= ", "= com.microsoft.")
    assert check(from_text(f"{header} g ({inputs}) => (y) {{ {node} }}")) == macs


@pytest.mark.parametrize(
    ("kind", "macs"), [("convolutional", CONVOLUTIONAL_MACS), ("transformer", TRANSFORMER_MACS)]
)
def test_networks(kind: str, macs: int, tmp_path: Path) -> None:
    """The networks as they were written do what the products say."""
    onnx.save(network(kind), tmp_path / "network.onnx")
    assert check(read(str(tmp_path / "network.onnx"))) == macs
