"""Single operators with absurd inputs and attributes."""

from __future__ import annotations

from typing import Any, Final

from hostile_build import LEAST, MOST, Make, graph, info, model, node, one, tensor

_X: Final = [1, 3, 8, 8]
_W: Final = [4, 3, 3, 3]
_NAN, _INF = float("nan"), float("inf")


def _conv(**attributes: Any) -> Make:
    return one("Conv", _X, _W, **attributes)


def _untyped(operator: str, domain: str = "", **attributes: Any) -> Make:
    """A node whose input has a name alone."""

    def make() -> bytes:
        made = graph([node(operator, ["x"], ["y"], domain, **attributes)])
        made.input.add(name="x")
        return model(made, opsets={domain: 4, "": 21}.items())

    return make


def _dims(*dims: int | str) -> Make:
    """An input of these dims into the usual layers."""

    def make() -> bytes:
        nodes = [
            node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
            node("MaxPool", ["x"], ["b"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Flatten", ["x"], ["c"]),
            node("MatMul", ["x", "x"], ["d"]),
            node("Reshape", ["x", "s"], ["e"]),
            node("Concat", ["x", "x"], ["f"], axis=0),
            node("GlobalAveragePool", ["x"], ["g"]),
            node("Shape", ["x"], ["h"]),
            node("ConstantOfShape", ["h"], ["i"]),
            node("Resize", ["x", "", "q"], ["j"]),
        ]
        known = [
            tensor("w", [[[[1.0] * 3] * 3] * 3] * 4),
            tensor("s", [0, -1]),
            tensor("q", [2.0] * 4),
        ]
        return model(graph(nodes, [info("x", dims)], list("abcdefghij"), known))

    return make


OPERATORS: dict[str, Make] = {
    "eyelike-untyped": _untyped("EyeLike"),
    "labelencoder-untyped": _untyped(
        "LabelEncoder", "ai.onnx.ml", keys_int64s=[1], values_floats=[1.0]
    ),
    "treeensemble-untyped": _untyped("TreeEnsembleRegressor", "ai.onnx.ml", nodes_falsenodeids=[5]),
    "input-negative": _dims(-1, -3, -(2**31), -8),
    "input-zero": _dims(0, 0, 0, 0),
    "input-10-12": _dims(10**12, 10**12, 10**12, 10**12),
    "input-most": _dims(MOST, MOST, MOST, MOST),
    "input-least": _dims(LEAST, 3, 8, 8),
    "input-scalar": _dims(),
    "input-rank-1": _dims(3),
    "input-rank-63": _dims(*[2] * 63),
    "input-rank-65": _dims(*[2] * 65),
    "input-empty-dim-names": _dims("", "", "", ""),
    "input-one-dim-name": _dims("n", "n", "n", "n"),
    "einsum-not-text": one("Einsum", [2, 3], [3, 4], equation=5),
    "einsum-floats": one("Einsum", [2, 3], [3, 4], equation=[_NAN, 1.0]),
    "einsum-bytes": one("Einsum", [2, 3], [3, 4], equation=b"\xff\xfe->\x00"),
    "einsum-empty": one("Einsum", [2, 3], [3, 4], equation=""),
    "einsum-arrows": one("Einsum", [2, 3], [3, 4], equation="->->->"),
    "einsum-dots": one("Einsum", [2, 3], [3, 4], equation="...i...,...j->...."),
    "einsum-mismatch": one("Einsum", [2, 3], [3, 4], equation="ijk,kl,mn->im"),
    "einsum-unknown-output": one("Einsum", [2, 3], [3, 4], equation="ij,jk->zz"),
    "einsum-diagonal-differs": one("Einsum", [2, 3], equation="ii->i"),
    "einsum-commas": one("Einsum", [2, 3], equation="," * 100_000),
    "einsum-megabyte": one("Einsum", [2, 3], [3, 4], equation="ij" * 500_000 + "->ij"),
    "einsum-many-letters": one(
        "Einsum", [2**40] * 52, equation="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ->"
    ),
    "einsum-absent": one("Einsum", [2, 3], [3, 4]),
    "conv-kernel-larger-than-input": one("Conv", [1, 3, 2, 2], [4, 3, 99, 99]),
    "conv-kernel-2-40": one("Conv", _X, [4, 3, 2**40, 2**40]),
    "conv-kernel-zero": one("Conv", _X, [4, 3, 0, 0]),
    "conv-group-zero": _conv(group=0),
    "conv-group-negative": _conv(group=-3),
    "conv-group-2-62": _conv(group=2**62),
    "conv-group-uneven": _conv(group=7),
    "conv-stride-zero": _conv(strides=[0, 0]),
    "conv-stride-negative": _conv(strides=[-1, LEAST]),
    "conv-strides-many": _conv(strides=[1] * 10_000),
    "conv-strides-none": _conv(strides=[]),
    "conv-pads-negative": _conv(pads=[-9, -9, -9, -9]),
    "conv-pads-huge": _conv(pads=[MOST] * 4),
    "conv-pads-of-wrong-length": _conv(pads=[1, 1, 1]),
    "conv-dilation-2-62": _conv(dilations=[2**62, 2**62]),
    "conv-dilation-zero": _conv(dilations=[0, 0]),
    "conv-auto-pad-unknown": _conv(auto_pad="SIDEWAYS"),
    "conv-kernel-shape-lies": _conv(kernel_shape=[7, 7]),
    "conv-kernel-shape-of-wrong-rank": _conv(kernel_shape=[3] * 9),
    "conv-weight-of-rank-1": one("Conv", _X, [4]),
    "conv-weight-of-rank-64": one("Conv", [1] * 64, [1] * 64),
    "convtranspose-output-shape": one("ConvTranspose", _X, [3, 4, 3, 3], output_shape=[-1, LEAST]),
    "convtranspose-huge": one("ConvTranspose", _X, [3, 4, 3, 3], strides=[2**61, 2**61]),
    "deformconv-huge": one("DeformConv", _X, _W, [1, 2**40, 8, 8], offset_group=0),
    "pool-kernel-none": one("MaxPool", _X, kernel_shape=[]),
    "pool-kernel-huge": one("AveragePool", _X, kernel_shape=[2**62, 2**62], ceil_mode=1),
    "pool-kernel-negative": one("MaxPool", _X, kernel_shape=[-2, 0], outputs=2),
    "lppool-p-zero": one("LpPool", _X, kernel_shape=[2, 2], p=0),
    "globallppool-p-huge": one("GlobalLpPool", _X, p=LEAST),
    "maxunpool": one("MaxUnpool", _X, _X, kernel_shape=[2, 2], strides=[MOST, 0]),
    "maxroipool": one("MaxRoiPool", _X, [2, 5], pooled_shape=[-1, 2**62]),
    "roialign": one("RoiAlign", _X, [2, 4], [2], output_height=-5, output_width=MOST),
    "resize-nan": one("Resize", _X, constants=[[0.0] * 8, [_NAN] * 4]),
    "resize-inf": one("Resize", _X, constants=[[0.0] * 8, [_INF] * 4]),
    "resize-negative": one("Resize", _X, constants=[[0.0] * 8, [-2.0] * 4]),
    "resize-1e38": one("Resize", _X, constants=[[0.0] * 8, [1e38] * 4]),
    "resize-of-wrong-length": one("Resize", _X, constants=[[0.0], [2.0] * 9]),
    "resize-axes": one("Resize", _X, constants=[[0.0], [2.0]], axes=[99], mode="sideways"),
    "upsample-nan": one("Upsample", _X, constants=[[_NAN, -_INF, 0.0, 1e38]]),
    "upsample-attribute": one("Upsample", _X, scales=[1e300, _NAN]),
    "gemm-absurd": one("Gemm", [2**62, 2**62], [2**62, 2**62], alpha=_NAN, beta=_INF, transA=99),
    "matmul-ranks": one("MatMul", [2] * 40, [3]),
    "matmul-scalars": one("MatMul", [], []),
    "attention-no-heads": one(
        "Attention", [1, 4, 8], [1, 4, 8], [1, 4, 8], q_num_heads=0, kv_num_heads=0
    ),
    "attention-heads-negative": one(
        "Attention", [1, 4, 8], [1, 4, 8], [1, 4, 8], q_num_heads=-2, kv_num_heads=LEAST
    ),
    "attention-microsoft": one(
        "Attention", [1, 4, 8], [8, 24], [24], domain="com.microsoft", num_heads=0
    ),
    "multiheadattention": one(
        "MultiHeadAttention", [1, 4, 8], [1, 4, 8], domain="com.microsoft", num_heads=-1
    ),
    "groupqueryattention": one(
        "GroupQueryAttention",
        [1, 4, 8],
        [1, 4, 8],
        domain="com.microsoft",
        num_heads=0,
        kv_num_heads=0,
    ),
    "matmulnbits": one(
        "MatMulNBits",
        [4, 8],
        [8, 0, 0],
        [0],
        domain="com.microsoft",
        K=0,
        N=MOST,
        bits=0,
        block_size=0,
    ),
    "matmulnbits-negative": one(
        "MatMulNBits",
        [4, 8],
        [8, 1, 16],
        [8],
        domain="com.microsoft",
        K=-8,
        N=-8,
        bits=-4,
        block_size=-32,
    ),
    "lstm-hidden-negative": one("LSTM", [5, 1, 4], [1, 8, 4], [1, 8, 2], hidden_size=-2, outputs=3),
    "lstm-direction": one("LSTM", [5, 1, 4], [9, 8, 4], [9, 8, 2], direction="sideways", layout=7),
    "gru-activations": one("GRU", [5, 1, 4], [1, 6, 4], [1, 6, 2], activations=["no"] * 9999),
    "blackmanwindow": one("BlackmanWindow", constants=[10**15], output_datatype=999),
    "dft": one("DFT", [1, 2**62, 1], constants=[MOST, 1], onesided=7),
    "stft": one("STFT", [1, 100, 1], constants=[0, [1.0] * 4, 10**9]),
    "melweight": one("MelWeightMatrix", constants=[10**12, -5, 0, 0.0, _NAN]),
    "randomnormal": one("RandomNormal", shape=[2**62, 2**62], dtype=999),
    "randomuniformlike": one("RandomUniformLike", [MOST] * 30),
    "multinomial": one("Multinomial", [2, 3], sample_size=-1),
    "nonmaxsuppression": one("NonMaxSuppression", [1, 2**40, 4], [1, 1, 2**40], constants=[[MOST]]),
    "compress": one("Compress", _X, [2**62], axis=-77),
    "tfidf": one("TfIdfVectorizer", [5], ngram_counts=[-1], ngram_indexes=[MOST], pool_int64s=[1]),
    "strings-split": one("StringSplit", [5], maxsplit=-5, outputs=2),
    "constant-empty": one("Constant"),
    "constant-of-everything": one(
        "Constant", value_int=1, value_floats=[_NAN], value_string=b"\xff", value=tensor("a", [1])
    ),
    "constant-of-text": one("Constant", value="text"),
    "trilu": one("Trilu", _X, constants=[MOST], upper=-7),
    "eyelike-k": one("EyeLike", [10**12, 10**12], k=MOST, dtype=999),
    "loop-without-body": one("Loop", [], []),
    "if-on-data": one("If", _X),
    "batchnorm-few-inputs": one("BatchNormalization", _X, epsilon=_NAN),
    "batchnorm-training": one(
        "BatchNormalization", _X, [9], [0], [-1], [2, 2], training_mode=1, outputs=5
    ),
    "layernorm-axis": one("LayerNormalization", _X, [8], axis=99, outputs=3),
    "groupnorm-none": one("GroupNormalization", _X, [3], [3], num_groups=0),
    "rmsnorm-axis": one("RMSNormalization", _X, [8], axis=LEAST),
    "lrn-size": one("LRN", _X, size=MOST, alpha=_INF),
    "reduce-axes": one("ReduceMean", _X, constants=[[99, LEAST]], keepdims=5),
    "reduce-axes-attribute": one("ReduceSum", _X, axes=[MOST] * 4000),
    "argmax-axis": one("ArgMax", _X, axis=44, keepdims=-1),
    "cumsum": one("CumSum", _X, constants=[[MOST]]),
}
