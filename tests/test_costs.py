"""Costs: products written out from each operator's definition, every registered formula once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from archlint.analyzer.cost import Cost, CostTable, count
from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from rare_costs import FLAT, GEMM, MAP, RARE, UNCOUNTED

Ops = Mapping[str, int]
ACTIVATIONS = (
    "Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu",
    "Shrink", "Sigmoid", "Softplus", "Softsign", "Swish", "Tanh", "ThresholdedRelu", "Clip",
    "com.microsoft.FastGelu", "com.microsoft.Gelu", "com.microsoft.QuickGelu",
)  # fmt: skip
UNARY = (
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Cos", "Cosh",
    "Erf", "Exp", "Floor", "IsInf", "IsNaN", "Log", "Neg", "Not", "Reciprocal", "Round", "Sign",
    "Sin", "Sinh", "Sqrt", "Tan",
)  # fmt: skip
BINARY = (
    "Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal", "Greater",
    "GreaterOrEqual", "Less", "LessOrEqual", "Mod", "Mul", "Or", "Pow", "Sub", "Xor",
)  # fmt: skip
REDUCTIONS = (
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "ArgMax", "ArgMin",
)  # fmt: skip
MOVES = ("Flatten", "Identity", "Dropout", "Squeeze", "Transpose", "Trilu", "EyeLike", "Shape",
         "Size", "Cast<to=10>")  # fmt: skip

SCALE = "float s = {0.1}, uint8 z = {3}, int8 i = {0}"
Q8 = f"{SCALE}, uint8[6,8,3,3] w"


def q(data: str, weight: str) -> str:
    """The eight inputs of a quantised product."""
    return f"({data}, s, z, {weight}, s, z, s, z)"


# Declared inputs, weights, node, MACs, other operations by family.
ROWS: dict[str, tuple[str, str, str, int, Ops]] = {
    # (15 + 1 + 2 - 5) // 2 + 1 = 7 rows, (11 + 1 - 4) + 1 = 9 columns, 8 / 2 channels a filter
    "conv": (MAP, "float[6,4,3,2] w, float[6] b",
             "y = Conv<group=2, strides=[2,1], dilations=[2,3], pads=[1,0,2,1]>(x, w, b)",
             2 * 6 * 7 * 9 * 4 * 3 * 2, {"bias": 2 * 6 * 7 * 9}),
    "conv-same-upper": (MAP, "float[6,8,3,3] w",
                        'y = Conv<auto_pad="SAME_UPPER", strides=[2,2]>(x, w)',
                        2 * 6 * 8 * 6 * 8 * 3 * 3, {}),
    "conv-same-lower": (MAP, "float[6,8,2,2] w", 'y = Conv<auto_pad="SAME_LOWER">(x, w)',
                        2 * 6 * 15 * 11 * 8 * 2 * 2, {}),
    "conv-valid": (MAP, "float[6,8,3,3] w", 'y = Conv<auto_pad="VALID", pads=[9,9,9,9]>(x, w)',
                   2 * 6 * 13 * 9 * 8 * 3 * 3, {}),
    "conv-1d": ("float[1,4,20] x", "float[6,4,5] w", "y = Conv<strides=[3]>(x, w)",
                6 * 6 * 4 * 5, {}),
    "conv-3d": ("float[1,2,6,7,8] x", "float[3,2,2,3,4] w", "y = Conv(x, w)",
                3 * 5 * 5 * 5 * 2 * 2 * 3 * 4, {}),
    "conv-depthwise": (MAP, "float[8,1,3,3] w", "y = Conv<group=8, pads=[1,1,1,1]>(x, w)",
                       2 * 8 * 15 * 11 * 3 * 3, {}),
    "conv-int": ("uint8[1,8,9,9] x", Q8, "y = ConvInteger(x, w, z, z)", 6 * 7 * 7 * 8 * 3 * 3, {}),
    "conv-quantised": ("uint8[1,8,9,9] x", f"{Q8}, int32[6] b",
                       f"y = QLinearConv{q('x', 'w')[:-1]}, b)",
                       6 * 7 * 7 * 8 * 3 * 3, {"bias": 6 * 7 * 7}),
    # out = 2 * (in - 1) + output_padding + 3 - 2 pads: 29 + 1 - 0 rows, 21 + 1 columns
    "conv-transpose": (MAP, "float[8,5,3,3] w, float[10] b",
                       ("y = ConvTranspose<group=2, strides=[2,2], pads=[1,1,1,1],"
                       " output_padding=[1,1]>(x, w, b)"),
                       2 * 8 * 15 * 11 * 5 * 3 * 3, {"bias": 2 * 10 * 30 * 22}),
    "conv-deformable": (f"{MAP}, float[2,18,13,9] o", "float[6,8,3,3] w, float[6] b",
                        "y = DeformConv(x, w, o, b)", 2 * 6 * 13 * 9 * 8 * 3 * 3,
                        {"bias": 2 * 6 * 13 * 9, "interpolation": 2 * 8 * 9 * 13 * 9 * 4 * 2}),
    "conv-deformable-masked": (f"{MAP}, float[2,18,13,9] o, float[2,9,13,9] m", "float[6,8,3,3] w",
                               "y = DeformConv(x, w, o, , m)", 2 * 6 * 13 * 9 * 8 * 3 * 3,
                               {"interpolation": 2 * 8 * 9 * 13 * 9 * (4 * 2 + 1)}),
    "gemm": (GEMM, "float[5,4] w", "y = Gemm(x, w)", 7 * 5 * 4, {}),
    "gemm-trans-a": (GEMM, "float[7,4] w", "y = Gemm<transA=1>(x, w)", 5 * 7 * 4, {}),
    "gemm-bias": (GEMM, "float[4,5] w, float[4] b", "y = Gemm<transB=1>(x, w, b)", 7 * 5 * 4,
                  {"bias": 7 * 4}),
    "matmul-broadcast": ("float[3,1,7,5] x", "float[2,5,4] w", "y = MatMul(x, w)",
                         3 * 2 * 7 * 4 * 5, {}),
    "matmul-vector": (GEMM, "float[5] w", "y = MatMul(x, w)", 7 * 5, {}),
    "matmul-dot": ("float[5] x", "float[5] w", "y = MatMul(x, w)", 5, {}),
    "matmul-integer": ("uint8[7,5] x", f"{SCALE}, uint8[5,4] w", "y = MatMulInteger(x, w, z, z)",
                       7 * 5 * 4, {}),
    "matmul-quantised": ("uint8[7,5] x", f"{SCALE}, uint8[5,4] w",
                         f"y = QLinearMatMul{q('x', 'w')}", 7 * 5 * 4, {}),
    "einsum-attention": ("float[2,4,6,8] x, float[2,4,5,8] k", "",
                         'y = Einsum<equation="bhld,bhsd->bhls">(x, k)', 2 * 4 * 6 * 5 * 8, {}),
    "einsum-ellipsis": ("float[2,4,6,8] x", "float[8,3] w",
                        'y = Einsum<equation="...i,io->...o">(x, w)', 2 * 4 * 6 * 8 * 3, {}),
    # ij,jk first, then ik,kl: j is summed away
    "einsum-chain": ("float[2,3] x", "float[3,4] w, float[4,5] v",
                     'y = Einsum<equation="ij,jk,kl->il">(x, w, v)', 2 * 3 * 4 + 2 * 4 * 5, {}),
    "einsum-diagonal": ("float[5,5] x", "", 'y = Einsum<equation="ii->i">(x)',
                     0, {"elementwise": 5 * 5}),
    "det": ("float[2,6,6] x", "", "y = Det(x)", 0, {"elementwise": 2 * 6**3 // 3}),
    "attention-4d": ("float[2,4,6,8] x, float[2,4,5,8] k, float[2,4,5,3] v", "",
                     "y = Attention(x, k, v)",
                     2 * 4 * 6 * 5 * (8 + 3), {"softmax": 5 * 2 * 4 * 6 * 5}),
    "attention-grouped": ("float[2,8,6,16] x, float[2,2,5,16] k, float[2,2,5,16] v", "",
                          "y = Attention(x, k, v)",
                          2 * 8 * 6 * 5 * (16 + 16), {"softmax": 5 * 2 * 8 * 6 * 5}),
    "attention-3d": ("float[2,6,32] x, float[2,5,16] k, float[2,5,8] v", "",
                     "y = Attention<q_num_heads=4, kv_num_heads=2>(x, k, v)",
                     2 * 4 * 6 * 5 * (8 + 4), {"softmax": 5 * 2 * 4 * 6 * 5}),
    "attention-past": (("float[1,4,1,8] x, float[1,4,1,8] k, float[1,4,1,8] v,"
                       " float[1,4,9,8] pk, float[1,4,9,8] pv"), "",
                       "y, a, b = Attention(x, k, v, , pk, pv)",
                       4 * 1 * (9 + 1) * (8 + 8), {"softmax": 5 * 4 * 10}),
    "attention-masked": (("float[2,4,6,8] x, float[2,4,5,8] k, float[2,4,5,3] v,"
                         " float[6,5] m"), "", "y = Attention<softcap=2.0>(x, k, v, m)",
                         2 * 4 * 6 * 5 * (8 + 3),
                         {"softmax": 5 * 2 * 4 * 6 * 5, "elementwise": 2 * 4 * 6 * 5,
                          "activation": 3 * 2 * 4 * 6 * 5}),
    # a causal mask changes no kernel's loops
    "attention-causal": ("float[2,4,6,8] x", "", "y = Attention<is_causal=1>(x, x, x)",
                         2 * 4 * 6 * 6 * (8 + 8), {"softmax": 5 * 2 * 4 * 6 * 6}),
    "attention-flex": ("float[2,8,6,16] x, float[2,2,5,16] k, float[2,2,5,12] v", "",
                       "y = ai.onnx.preview.FlexAttention(x, k, v)",
                       2 * 8 * 6 * 5 * (16 + 12), {"softmax": 5 * 2 * 8 * 6 * 5}),
    # a key times a value onto the state a kv head, the state times a query a head
    "attention-linear": ("float[2,7,32] x, float[2,7,16] k, float[2,7,12] v", "",
                         ('y, s = LinearAttention<q_num_heads=4, kv_num_heads=2,'
                         ' update_rule="linear">(x, k, v)'),
                         2 * 7 * 8 * 6 * (2 + 4), {}),
    "attention-gated-delta": (("float[2,7,32] x, float[2,7,16] k, float[2,7,12] v,"
                              " float[2,7,16] g, float[2,7,2] b"), "",
                              ("y, s = LinearAttention<q_num_heads=4, kv_num_heads=2>"
                              "(x, k, v, , g, b)"),
                              2 * 7 * 8 * 6 * (2 * 2 + 4),
                              {"activation": 2 * 7 * 16,
                               "elementwise": 2 * 7 * 2 * 8 * 6 + 2 * 2 * 7 * 12}),
    "rotary": ("float[2,4,6,8] x, int64[2,6] p", "float[50,4] c",
               "y = RotaryEmbedding(x, c, c, p)", 0, {"elementwise": 3 * 2 * 4 * 6 * 8}),
    "rotary-partial": ("float[2,6,32] x, float[2,6,2] c", "",
                       "y = RotaryEmbedding<num_heads=4, rotary_embedding_dim=4>(x, c, c)",
                       0, {"elementwise": 3 * 2 * 6 * 4 * 4}),
    "conv-causal": ("float[2,8,11] x", "float[8,1,4] w, float[8] b",
                    'y, s = CausalConvWithState<activation="silu">(x, w, b)',
                    2 * 8 * 11 * 4, {"bias": 2 * 8 * 11, "activation": 2 * 8 * 11}),
    # gates x hidden x (inputs + hidden) a step; two biases a gate
    "lstm-both-ways": ("float[9,2,5] x", "float[2,12,5] w, float[2,12,3] r, float[2,24] b",
                       'y = LSTM<hidden_size=3, direction="bidirectional">(x, w, r, b)',
                       2 * 9 * 2 * 4 * 3 * (5 + 3),
                       {"activation": 2 * 9 * 2 * 4 * 3, "bias": 2 * 2 * 9 * 2 * 4 * 3,
                        "elementwise": 5 * 2 * 9 * 2 * 3}),
    "gru-batch-first": ("float[2,9,5] x", "float[1,9,5] w, float[1,9,3] r",
                        "y = GRU<hidden_size=3, layout=1>(x, w, r)", 9 * 2 * 3 * 3 * (5 + 3),
                        {"activation": 9 * 2 * 3 * 3, "elementwise": 5 * 9 * 2 * 3}),
    "lstm-peepholes": ("float[9,2,5] x", "float[1,12,5] w, float[1,12,3] r, float[1,9] p",
                       "y = LSTM<hidden_size=3>(x, w, r, , , , , p)",
                       9 * 2 * 4 * 3 * (5 + 3),
                       {"activation": 9 * 2 * 4 * 3, "elementwise": (5 + 6) * 9 * 2 * 3}),
    "rnn": ("float[9,2,5] x", "float[1,3,5] w, float[1,3,3] r", "y = RNN<hidden_size=3>(x, w, r)",
            9 * 2 * 3 * (5 + 3), {"activation": 9 * 2 * 3}),
    "pool-ceil": (MAP, "", "y = MaxPool<kernel_shape=[3,2], strides=[2,3], ceil_mode=1>(x)", 0,
                  {"pooling": 2 * 8 * 7 * 4 * 3 * 2}),
    "pool-padded": (MAP, "", "y = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)", 0,
                    {"pooling": 2 * 8 * 15 * 11 * 3 * 3}),
    "pool": (MAP, "", "y = LpPool<kernel_shape=[5,5]>(x)", 0, {"pooling": 2 * 8 * 11 * 7 * 5 * 5}),
    **{op: (MAP, "", f"y = {op}(x)", 0, {"pooling": 2 * 8 * 15 * 11})
       for op in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")},
    **{op: (FLAT, "", f"y = {op}(x)", 0, {"reduction": 2 * 3 * 5}) for op in REDUCTIONS},
    "top-k": (FLAT, "int64[1] k = {2}", "y, j = TopK(x, k)", 0, {"reduction": 2 * 3 * 5}),
    **{op: (FLAT, "int64 a = {1}", f"y = {op}(x, a)", 0, {"reduction": 2 * 3 * 5})
       for op in ("CumSum", "CumProd")},
    **{op: (FLAT, "", f"y = {op}(x)", 0, {"activation": 2 * 3 * 5}) for op in ACTIVATIONS},
    "prelu": (FLAT, "float[3,1] w", "y = PRelu(x, w)", 0, {"activation": 2 * 3 * 5}),
    **{op: (FLAT, "", f"y = {op}(x)", 0, {"elementwise": 2 * 3 * 5}) for op in UNARY},
    **{op: ("float[2,1,5] x, float[3,1] v", "", f"y = {op}(x, v)", 0,
            {"elementwise": 2 * 3 * 5}) for op in BINARY},
    "where": ("bool[3,1] c, float[2,1,5] x", "", "y = Where(c, x, x)", 0,
              {"elementwise": 2 * 3 * 5}),
    **{op: (FLAT, "", f"y = {op}(x, x, x)", 0, {"elementwise": 2 * 2 * 3 * 5})
       for op in ("Max", "Min", "Sum")},
    "mean": (FLAT, "", "y = Mean(x, x, x)", 0, {"elementwise": 3 * 2 * 3 * 5}),
    **{op: (FLAT, "", f"y = {op}(x)", 0, {"softmax": 5 * 2 * 3 * 5})
       for op in ("Softmax", "LogSoftmax")},
    "hardmax": (FLAT, "", "y = Hardmax(x)", 0, {"softmax": 2 * 3 * 5}),
    "batch-norm": (MAP, "float[8] w", "y = BatchNormalization(x, w, w, w, w)",
                   0, {"normalization": 2 * 2 * 8 * 15 * 11}),
    "batch-norm-training": (MAP, "float[8] w",
                            "y = BatchNormalization<training_mode=1>(x, w, w, w, w)",
                            0, {"normalization": 7 * 2 * 8 * 15 * 11}),
    "layer-norm": (FLAT, "float[5] w", "y = LayerNormalization(x, w)",
                   0, {"normalization": 6 * 2 * 3 * 5}),
    "instance-norm": (MAP, "float[8] w", "y = InstanceNormalization(x, w, w)",
                      0, {"normalization": 7 * 2 * 8 * 15 * 11}),
    "group-norm": (MAP, "float[8] w", "y = GroupNormalization<num_groups=2>(x, w, w)",
                   0, {"normalization": 7 * 2 * 8 * 15 * 11}),
    **{op: (FLAT, "float[5] w", f"y = {op}(x, w)", 0, {"normalization": 4 * 2 * 3 * 5})
       for op in ("RMSNormalization", "SimplifiedLayerNormalization")},
    "lp-norm": (FLAT, "", "y = LpNormalization(x)", 0, {"normalization": 3 * 2 * 3 * 5}),
    "moments": (MAP, "", "y = MeanVarianceNormalization(x)", 0,
                {"normalization": 5 * 2 * 8 * 15 * 11}),
    "lrn": (MAP, "", "y = LRN<size=5>(x)", 0, {"normalization": (5 + 5) * 2 * 8 * 15 * 11}),
    "resize-nearest": ("float[1,8,5,6] x", "float[4] r = {1,1,2,2}",
                       'y = Resize<mode="nearest">(x, , r)', 0, {}),
    # 4 neighbours over two axes, 16 for cubic; a product and a sum each
    "resize-linear": ("float[1,8,5,6] x", "int64[4] r = {1,8,10,12}",
                      'y = Resize<mode="linear">(x, , , r)',
                      0, {"interpolation": 8 * 10 * 12 * 4 * 2}),
    "resize-one-axis": ("float[1,8,5,6] x", "float[4] r = {1,1,2,1}",
                        'y = Resize<mode="linear">(x, , r)',
                        0, {"interpolation": 8 * 10 * 6 * 2 * 2}),
    "resize-cubic": ("float[1,8,5,6] x", "float[4] r = {1,1,2,2}",
                     'y = Resize<mode="cubic">(x, , r)',
                     0, {"interpolation": 8 * 10 * 12 * 16 * 2}),
    # an axis that halves is read through twice as many neighbours
    "resize-antialias": ("float[1,8,8,6] x", "int64[4] r = {1,8,4,12}",
                         'y = Resize<mode="linear", antialias=1>(x, , , r)',
                         0, {"interpolation": 8 * 4 * 12 * (2 * 2 * 2) * 2}),
    "upsample": ("float[1,8,5,6] x", "float[4] r = {1,1,2,2}",
                 'y = Upsample<mode="linear">(x, r)', 0, {"interpolation": 8 * 10 * 12 * 4 * 2}),
    "grid-sample": ("float[1,8,5,6] x, float[1,4,3,2] g", "", "y = GridSample(x, g)",
                    0, {"interpolation": 8 * 4 * 3 * 4 * 2}),
    "quantise": (FLAT, SCALE, "y = QuantizeLinear(x, s, z)", 0, {"quantization": 3 * 2 * 3 * 5}),
    "dequantise": ("int8[2,3,5] x", SCALE, "y = DequantizeLinear(x, s, i)",
                   0, {"quantization": 2 * 2 * 3 * 5}),
    "quantise-live": (FLAT, "", "y, s, z = DynamicQuantizeLinear(x)", 0,
                      {"quantization": 5 * 2 * 3 * 5}),
    **{op: (FLAT, "", f"y = {op}(x)", 0, {}) for op in MOVES},
    "non-zero": ("", "int64[4] w = {1,0,2,0}", "y = NonZero(w)", 0, {}),
    "constant": (FLAT, "", "y = Constant<value_ints=[1,2]>()", 0, {}),
    "constant-of-shape": (FLAT, "int64[2] n = {6,7}", "y = ConstantOfShape(n)", 0, {}),
    **{op: (FLAT, "int64[1] m = {-1}", f"y = {op}(x, m)", 0, {})
       for op in ("Reshape", "Unsqueeze")},
    "range": ("", "int64 a = {0}, int64 b = {9}, int64 c = {2}", "y = Range(a, b, c)", 0, {}),
    "concat": (FLAT, "", "y = Concat<axis=1>(x, x)", 0, {}),
    "cast-like": (FLAT, SCALE, "y = CastLike(x, z)", 0, {}),
    "depth-to-space": (MAP, "", "y = DepthToSpace<blocksize=2>(x)", 0, {}),
    "space-to-depth": ("float[1,3,4,6] x", "", "y = SpaceToDepth<blocksize=2>(x)", 0, {}),
    "pad": (FLAT, "int64[6] n = {0,0,1,0,0,1}", "y = Pad(x, n)", 0, {}),
    **{op: (FLAT, "int64[3] n = {2,3,1}", f"y = {op}(x, n)", 0, {})
       for op in ("Expand", "Tile", "CenterCropPad", "ReverseSequence")},
    "one-hot": ("int64[2,3] x", "int64 n = {10}, float[2] f = {0,1}", "y = OneHot(x, n, f)", 0, {}),
    "scatter-nd": (FLAT, "int64[1,1] n = {0}, float[1,3,5] u", "y = ScatterND(x, n, u)", 0, {}),
    **{op: (FLAT, "int64[1,1,1] n = {0}, float[1,1,1] u", f"y = {op}(x, n, u)", 0, {})
       for op in ("Scatter", "ScatterElements")},
    "tensor-scatter": ("float[2,4,6,8] x, float[2,4,1,8] u, int64[2] i", "",
                       "y = TensorScatter(x, u, i)", 0, {}),
    "gather": ("int64[2,3] i", "float[10,4] w", "y = Gather(w, i)", 0, {}),
    "gather-elements": (FLAT, "int64[1,1,1] n = {0}", "y = GatherElements(x, n)", 0, {}),
    "gather-nd": (FLAT, "int64[1,2] n = {0,1}", "y = GatherND(x, n)", 0, {}),
    "slice": (FLAT, "int64[1] n = {0}, int64[1] m = {2}", "y = Slice(x, n, m, m)", 0, {}),
    "split": (FLAT, "int64[2] n = {1,2}", "y, z = Split<axis=1>(x, n)", 0, {}),
    **RARE,
}  # fmt: skip


def table_of(inputs: str, weights: str, node: str) -> CostTable:
    """The costs of one node; weights without numbers are declared and left out."""
    return count(load(from_text(f"g ({inputs}) => (y) <{weights}> {{ {node} }}", opset=23)))


@pytest.mark.parametrize("row", ROWS)
def test_cost_is_the_product_of_its_definition(row: str) -> None:
    """MACs and operations of each family are those of the operator's definition."""
    inputs, weights, node, macs, ops = ROWS[row]
    table = table_of(inputs, weights, node)
    cost = table.total()
    assert dict(table.uncosted) == {}
    assert cost.macs == macs
    assert dict(cost.ops_by_family) == ops
    assert cost.flops == 2 * macs + sum(ops.values())


def test_every_formula_has_a_row() -> None:
    """No operator is counted without a test of its formula."""
    tables = [table_of(inputs, weights, node) for inputs, weights, node, _, _ in ROWS.values()]
    tested = {node.operator for table in tables for node in table.graph.nodes}
    tested |= {table_of(*row[:3]).graph.nodes[-1].operator for row in UNCOUNTED.values()}
    assert {name for name in HANDLERS if not name.startswith("com.")} - tested == set()


@pytest.mark.parametrize("row", UNCOUNTED)
def test_what_depends_on_the_data_or_on_nonsense_is_unknown(row: str) -> None:
    """No number is made up: the cost is unknown, and the reason says why."""
    *parts, why = UNCOUNTED[row]
    table = table_of(*parts)
    last = table.graph.nodes[-1]
    assert table.cost(last) is None
    assert any(why in cause.why for cause in table.uncosted[last.id])


# Bytes read, written, and of weights: elements times the width of their type.
BYTES: dict[str, tuple[str, str, str, tuple[int, int, int]]] = {
    "conv": ("float[1,8,9,9] x", "float[6,8,3,3] w, float[6] b", "y = Conv(x, w, b)",
             (4 * 8 * 9 * 9, 4 * 6 * 7 * 7, 4 * (6 * 8 * 3 * 3 + 6))),
    "half-precision": ("float16[7,5] x", "float16[5,4] w", "y = MatMul(x, w)",
                       (2 * 7 * 5, 2 * 7 * 4, 2 * 5 * 4)),
    "both-fed": (GEMM, "", "y = Add(x, x)", (4 * 7 * 5 + 4 * 7 * 5, 4 * 7 * 5, 0)),
    "only-picked-rows": ("int64[2,3] i", "float[1000,4] w", "y = Gather(w, i)",
                         (8 * 2 * 3, 4 * 2 * 3 * 4, 4 * 2 * 3 * 4)),
    # 15 numbers of 4 bits take 7.5 bytes
    "packed": (GEMM, "int4[5,3] w, float s = {0.1}", "d = DequantizeLinear(w, s) y = MatMul(x, d)",
               (4 * 7 * 5, 4 * 7 * 3, 8)),
    "renaming": (FLAT, "int64[1] n = {-1}", "y = Reshape(x, n)", (0, 0, 0)),
    "constant": (FLAT, "float[9,9] w", "y = Transpose(w)", (0, 0, 0)),
    "scales-are-no-weights": (FLAT, SCALE, "y = QuantizeLinear(x, s, z)",
                              (4 * 2 * 3 * 5, 2 * 3 * 5, 0)),
}  # fmt: skip


@pytest.mark.parametrize("row", BYTES)
def test_bytes_are_elements_times_width(row: str) -> None:
    """Activations and weights are told apart, and nothing that is not touched counts."""
    inputs, weights, node, expected = BYTES[row]
    cost = table_of(inputs, weights, node).total()
    assert cost.intensity == (cost.flops / sum(expected) if any(expected) else None)
    assert (cost.bytes_read, cost.bytes_written, cost.weight_bytes) == expected


@pytest.mark.parametrize(
    ("node", "why"),
    [
        pytest.param("y = Frobnicate(x)", "Frobnicate", id="no-formula"),
        pytest.param("y = my.domain.Conv(x, w)", "my.domain.Conv", id="foreign-domain"),
        pytest.param("y = Conv<group=3>(x, w)", "contradictory", id="contradictory-shapes"),
        pytest.param("u = Frobnicate(x) y = Relu(u)", "Frobnicate", id="behind-an-unknown"),
    ],
)
def test_unknown_cost_has_a_reason_and_is_never_zero(node: str, why: str) -> None:
    """What cannot be counted is left out of the costs and says which node is to blame."""
    table = table_of(MAP, "float[6,8,3,3] w", node)
    last = table.graph.nodes[-1]
    assert table.cost(last) is None
    assert any(why in cause.why for cause in table.uncosted[last.id])
    assert table.group("all", table.rows()).unknown == len(table.graph.nodes)


def test_costs_add_and_subtract_by_family() -> None:
    """The difference of two costs adds up to the first again; families that cancel go."""
    one = Cost(5, (("bias", 2), ("softmax", 3)), 7, 11, 13)
    two = Cost(1, (("bias", 2),), 2, 3, 4)
    assert one - two == Cost(4, (("softmax", 3),), 5, 8, 9)
    assert (one - two) + two == one
    assert one.ops == 2 + 3


def test_groups_partition_the_total() -> None:
    """Costs by operator add up to the whole."""
    nodes = "a = Relu(x) b = MatMul(a, w) c = Relu(b) y = MatMul(c, v)"
    table = table_of(GEMM, "float[5,4] w, float[4,3] v", nodes)
    groups = {group.name: group for group in table.by_operator()}
    assert groups["MatMul"].cost.macs == 7 * 5 * 4 + 7 * 4 * 3
    assert groups["MatMul"].parameters == 5 * 4 + 4 * 3
    assert groups["Relu"].cost.ops == 7 * 5 + 7 * 4
    assert sum((group.cost.flops for group in groups.values()), 0) == table.total().flops
