"""Whole models that onnxruntime optimised or quantised: all shapes known and those of a run, every
node counted, and the multiply-accumulates of the float model that they were made from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper
from onnxruntime import quantization
from onnxruntime.quantization import QuantFormat, QuantType

from archlint.analyzer.cost import count
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.reader.text import from_text

Level = onnxruntime.GraphOptimizationLevel
Feeds = dict[str, NDArray[np.generic]]

# 32 channels are whole blocks on every machine, so that none is computed only to fill one up.
CONV_NET = (
    """g (float[1,3,20,20] x) => (float[1,10] y) {
      a0 = Conv<pads=[1,1,1,1]>(x, w0, b0) r0 = Relu(a0)
      a1 = Conv<pads=[1,1,1,1], group=32, strides=[2,2]>(r0, w1, b1) r1 = LeakyRelu(a1)
      a2 = Conv(r1, w2, b2)
      p = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1]>(r1)
      c = Concat<axis=1>(a2, p)
      q = GlobalAveragePool(c) e = Conv(q, w3, b3) s = Sigmoid(e) m = Mul(c, s)
      a3 = Conv(m, w4, b4) t = Add(a3, a2) r3 = Relu(t)
      v = AveragePool<kernel_shape=[2,2], strides=[2,2]>(r3)
      g = GlobalAveragePool(v) f = Flatten(g)
      h = Gemm<transB=1>(f, w5, b5) y = Softmax(h)
    }""",
    {"w0": (32, 3, 3, 3), "b0": (32,), "w1": (32, 1, 3, 3), "b1": (32,), "w2": (32, 32, 1, 1),
     "b2": (32,), "w3": (64, 64, 1, 1), "b3": (64,), "w4": (32, 64, 1, 1), "b4": (32,),
     "w5": (10, 32), "b5": (10,)},
    20 * 20 * 32 * 3 * 3 * 3 + 10 * 10 * 32 * 3 * 3 + 10 * 10 * 32 * 32 + 64 * 64
    + 10 * 10 * 32 * 64 + 10 * 32,
)  # fmt: skip

# A block of a transformer as exporters write it: 4 heads of 8 over 2 sequences of 6.
TRANSFORMER = (
    """g (int64[2,6] x) => (float[2,6,32] y)
    <int64[4] heads = {0,0,4,8}, int64[3] flat = {0,0,32}, float scale = {2.828427},
     float root = {1.4142135}, float one = {1.0}, float half = {0.5}> {
      e = Gather(table, x) n = LayerNormalization(e, g0, b0)
      q0 = MatMul(n, wq) q1 = Add(bq, q0) q2 = Reshape(q1, heads)
      q = Transpose<perm=[0,2,1,3]>(q2)
      k0 = MatMul(n, wk) k1 = Add(bk, k0) k2 = Reshape(k1, heads)
      k = Transpose<perm=[0,2,3,1]>(k2)
      v0 = MatMul(n, wv) v1 = Add(bv, v0) v2 = Reshape(v1, heads)
      v = Transpose<perm=[0,2,1,3]>(v2)
      s0 = MatMul(q, k) s1 = Div(s0, scale) s = Softmax<axis=-1>(s1)
      a0 = MatMul(s, v) a1 = Transpose<perm=[0,2,1,3]>(a0) a2 = Reshape(a1, flat)
      o0 = MatMul(a2, wo) o = Add(bo, o0)
      r = Add(o, n) m = LayerNormalization(r, g1, b1)
      f0 = MatMul(m, w1) f1 = Add(b2, f0)
      d = Div(f1, root) z = Erf(d) i = Add(z, one) j = Mul(f1, i) l = Mul(j, half)
      u0 = MatMul(l, w2) u = Add(b3, u0) t = Add(u, m) y = LayerNormalization(t, g2, b4)
    }""",
    {"table": (20, 32), **dict.fromkeys(("g0", "b0", "g1", "b1", "g2", "b4"), (32,)),
     **dict.fromkeys(("wq", "wk", "wv", "wo"), (32, 32)),
     **dict.fromkeys(("bq", "bk", "bv", "bo", "b3"), (32,)),
     "w1": (32, 64), "b2": (64,), "w2": (64, 32)},
    12 * 4 * 32 * 32 + 2 * 4 * 6 * 6 * (8 + 8) + 12 * 2 * 32 * 64,
)  # fmt: skip

MODELS = {"conv net": CONV_NET, "transformer": TRANSFORMER}


def float_model(name: str) -> ModelProto:
    """A model with seeded weights."""
    text, weights, _ = MODELS[name]
    model = from_text(text, opset=21).proto
    random = np.random.default_rng(0)
    for weight, dims in weights.items():
        array = (random.standard_normal(dims) / dims[-1] ** 0.5).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, weight))
    return model


def feeds_of(model: ModelProto) -> Feeds:
    """Numbers around 0, token ids where the input takes integers."""
    random = np.random.default_rng(1)
    (info,) = model.graph.input
    dims = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
    if info.type.tensor_type.elem_type == onnx.TensorProto.INT64:
        return {info.name: random.integers(0, 20, dims)}
    return {info.name: random.standard_normal(dims).astype(np.float32)}


class Calibration:
    """What onnxruntime calls a CalibrationDataReader: one batch of inputs."""

    def __init__(self, model: ModelProto) -> None:
        self.batches: Iterator[Feeds] = iter([feeds_of(model)])

    def get_next(self) -> Feeds | None:
        """The next batch, None after the last."""
        return next(self.batches, None)


def save(model: ModelProto, folder: Path) -> str:
    """The path of the saved model."""
    path = str(folder / "model.onnx")
    onnx.save(model, path)
    return path


def optimised(level: Any, model: ModelProto, folder: Path) -> str:
    """What onnxruntime makes of a model at an optimisation level."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(model.SerializeToString(), options)
    return str(folder / "optimised.onnx")


def of_any_batch(model: ModelProto, folder: Path) -> str:
    """A model that takes any number of sequences, as onnxruntime runs it."""
    for info in (*model.graph.input, *model.graph.output):
        info.type.tensor_type.shape.dim[0].dim_param = "batch"
    return optimised(Level.ORT_ENABLE_ALL, model, folder)


def of_int4_blocks(model: ModelProto, folder: Path) -> str:
    """Weights in blocks of 16 numbers of 4 bits, as onnxruntime runs them."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "MatMul"]:
        tensor = weights.get(node.input[1])
        if tensor is not None:
            blocks = numpy_helper.to_array(tensor).reshape(-1, 16, tensor.dims[1])
            scales = np.abs(blocks).max(axis=1) / 7
            numbers = np.rint(blocks / scales[:, None]).reshape(tensor.dims).astype(np.int8)
            packed = helper.make_tensor("", onnx.TensorProto.INT4, tensor.dims, numbers.flatten())
            tensor.CopyFrom(packed)
            tensor.name = f"{node.input[1]}4"
            scale = numpy_helper.from_array(scales, f"{node.input[1]}_scale")
            model.graph.initializer.append(scale)
            model.graph.node.append(
                helper.make_node("DequantizeLinear", [tensor.name, scale.name], [node.input[1]],
                                 axis=0, block_size=16))  # fmt: skip
    return optimised(Level.ORT_ENABLE_ALL, model, folder)


def for_transformers(model: ModelProto, folder: Path) -> str:
    """What onnxruntime's own optimiser of transformers makes of a model."""
    pytest.importorskip("sympy", reason="onnxruntime's optimiser of transformers needs it")
    from onnxruntime.transformers import optimizer

    fused = optimizer.optimize_model(save(model, folder), "bert", 4, 32, opt_level=0)
    fused.save_model_to_file(str(folder / "fused.onnx"))
    return str(folder / "fused.onnx")


def dynamic(model: ModelProto, folder: Path) -> str:
    """Weights in int8, activations quantised as it runs."""
    quantization.quantize_dynamic(save(model, folder), folder / "q.onnx")
    return str(folder / "q.onnx")


def static(
    form: QuantFormat, kind: QuantType, model: ModelProto, folder: Path, *, channels: bool = False
) -> str:
    """Weights in int8 and activations in 8 bits, by one batch of inputs."""
    batches: Any = Calibration(model)
    quantization.quantize_static(
        save(model, folder), folder / "q.onnx", batches, quant_format=form,
        activation_type=kind, weight_type=QuantType.QInt8, per_channel=channels,
    )  # fmt: skip
    return str(folder / "q.onnx")


def optimised_static(kind: QuantType, model: ModelProto, folder: Path) -> str:
    """A model in QDQ form as onnxruntime runs it."""
    path = static(QuantFormat.QDQ, kind, model, folder, channels=True)
    return optimised(Level.ORT_ENABLE_ALL, onnx.load(path), folder)


def processed(quantizer: Any, folder: Path) -> str:
    """What a quantiser of products makes of its model."""
    quantizer.process()
    quantizer.model.save_model_to_file(str(folder / "q.onnx"))
    return str(folder / "q.onnx")


def four_bits(model: ModelProto, folder: Path) -> str:
    """Weights in NF4."""
    from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer

    return processed(MatMulBnb4Quantizer(model, MatMulBnb4Quantizer.NF4, 16), folder)


def n_bits(model: ModelProto, folder: Path) -> str:
    """Weights in blocks of 4 bits."""
    pytest.importorskip("onnx_ir", reason="onnxruntime's quantiser to blocks of bits needs it")
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    return processed(MatMulNBitsQuantizer(model, block_size=32, is_symmetric=False), folder)


EXTENDED = functools.partial(optimised, Level.ORT_ENABLE_EXTENDED)
ALL = functools.partial(optimised, Level.ORT_ENABLE_ALL)
QDQ = functools.partial(static, QuantFormat.QDQ)
OPERATORS = functools.partial(static, QuantFormat.QOperator)

# How a model is made of which, and some operators that it must have, so that they are tested.
VARIANTS: dict[str, tuple[str, Callable[[ModelProto, Path], str], set[str]]] = {
    "conv net, extended": ("conv net", EXTENDED, {"com.microsoft.FusedConv"}),
    "conv net, all": ("conv net", ALL, set()),
    "conv net, dynamic": ("conv net", dynamic, {"ConvInteger"}),
    "conv net, QDQ in uint8": (
        "conv net", functools.partial(QDQ, QuantType.QUInt8), {"QuantizeLinear"}),
    "conv net, QDQ in int8 by channel": (
        "conv net", functools.partial(QDQ, QuantType.QInt8, channels=True), {"QuantizeLinear"}),
    "conv net, operators in uint8": (
        "conv net", functools.partial(OPERATORS, QuantType.QUInt8),
        {"QLinearConv", "com.microsoft.QLinearAdd", "com.microsoft.QLinearConcat",
         "com.microsoft.QLinearSigmoid", "com.microsoft.QLinearGlobalAveragePool"}),
    "conv net, operators in int8": (
        "conv net", functools.partial(OPERATORS, QuantType.QInt8), {"QLinearConv"}),
    "conv net, QDQ in uint8, all": (
        "conv net", functools.partial(optimised_static, QuantType.QUInt8), set()),
    "conv net, QDQ in int8, all": (
        "conv net", functools.partial(optimised_static, QuantType.QInt8), set()),
    "transformer, extended": (
        "transformer", EXTENDED, {"com.microsoft.SkipLayerNormalization"}),
    "transformer, all": ("transformer", ALL, {"com.microsoft.FusedMatMul"}),
    "transformer, any batch": ("transformer", of_any_batch, {"com.microsoft.BiasGelu"}),
    "transformer, int4 blocks": ("transformer", of_int4_blocks, {"com.microsoft.MatMulNBits"}),
    "transformer, fused": (
        "transformer", for_transformers,
        {"com.microsoft.Attention", "com.microsoft.SkipLayerNormalization"}),
    "transformer, dynamic": ("transformer", dynamic, {"MatMulInteger"}),
    "transformer, QDQ in uint8": (
        "transformer", functools.partial(QDQ, QuantType.QUInt8), {"QuantizeLinear"}),
    "transformer, operators in uint8": (
        "transformer", functools.partial(OPERATORS, QuantType.QUInt8), {"QLinearMatMul"}),
    "transformer, QDQ in uint8, all": (
        "transformer", functools.partial(optimised_static, QuantType.QUInt8), set()),
    "transformer, NF4": ("transformer", four_bits, {"com.microsoft.MatMulBnb4"}),
    "transformer, blocks of 4 bits": ("transformer", n_bits, {"com.microsoft.MatMulNBits"}),
}  # fmt: skip


def all_values(path: str, feeds: Feeds) -> dict[str, NDArray[np.generic]]:
    """Every value that the nodes of a model make, in a run without further optimisation."""
    model = onnx.load(path)
    names = [name for node in model.graph.node for name in node.output if name]
    del model.graph.output[:]
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = Level.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    arrays = map(np.asarray, session.run(names, feeds))
    return dict(zip(names, arrays, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_is_known_and_as_in_a_run(variant: str, tmp_path: Path) -> None:
    """Shapes and types of all values, MACs, and no node without a cost."""
    name, make, operators = VARIANTS[variant]
    model = float_model(name)
    feeds = feeds_of(model)
    path = make(model, tmp_path)
    table = count(load(read(path), Bindings({"batch": 2} if "any batch" in variant else {})))
    values = {
        name: (helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in all_values(path, feeds).items()
    }
    known = {name: table.graph.value(name) for name in values}
    assert {n: (value.dtype, value.static_shape) for n, value in known.items()} == values
    assert dict(table.uncosted) == {}
    assert table.total().macs == MODELS[name][2]
    assert {node.operator for node in table.graph.nodes} >= operators
