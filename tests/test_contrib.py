"""Operators of com.microsoft: shapes equal to those of a run of onnxruntime, costs as products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper

from archlint.analyzer.cost import count
from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.shapes.context import SHAPE_RULES

Ops = Mapping[str, int]
registry = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
HEADER = '<ir_version: 10, opset_import: ["" : 21, "com.microsoft" : 1]>'
MS = "com.microsoft."

Q8 = "float s = {0.1}, uint8 z = {3}"  # a scale and a zero point
FLAT = "float[2,6,8] x"
BYTES = "uint8[2,6,8] x"
QKV = "float[2,6,8] x, float[2,5,8] k, float[2,5,12] v"
PAST = "float[2,4,7,2] pk, float[2,4,7,2] pv"
ONE = "float[2,1,8] x, float[2,1,8] k, float[2,1,8] v"
GQA = "float[1,6,32] x, float[1,6,16] k, float[1,6,16] v"
TOTAL = "int32[1] l = {8}, int32 t = {9}"
MAP = "float[1,3,7,9] x"
HWC = "uint8[1,7,9,3] x"
EMBED = "int32[2,6] i, float[20,8] w, float[10,8] p, float[2,8] t, float[8] g, float[8] b"

# Fed inputs, constants, node, MACs, other operations by family. Rows of one operator share a name
# up to a dash.
ROWS: dict[str, tuple[str, str, str, int, Ops]] = {
    "Attention": (f"{FLAT}, float[8,36] w, float[36] b", "",
                  "y, p = Attention<num_heads=4>(x, w, b)",
                  2 * 6 * 8 * 36 + 2 * 4 * 6 * 6 * (3 + 3),
                  {"bias": 2 * 6 * 36, "softmax": 5 * 2 * 4 * 6 * 6}),
    "Attention-widths": (f"{FLAT}, float[8,40] w, float[40] b", "",
                         "y = Attention<num_heads=4, qkv_hidden_sizes=[12,12,16]>(x, w, b)",
                         2 * 6 * 8 * 40 + 2 * 4 * 6 * 6 * (3 + 4),
                         {"bias": 2 * 6 * 40, "softmax": 5 * 2 * 4 * 6 * 6}),
    "Attention-past": (f"{FLAT}, float[8,36] w, float[36] b, float[2,2,4,5,3] p", "",
                       "y, q = Attention<num_heads=4>(x, w, b, , p)",
                       2 * 6 * 8 * 36 + 2 * 4 * 6 * (5 + 6) * (3 + 3),
                       {"bias": 2 * 6 * 36, "softmax": 5 * 2 * 4 * 6 * 11}),
    "Attention-masked": (f"{FLAT}, float[8,36] w, float[36] b, int32[2,6] m, float[1,4,6,6] a", "",
                         "y = Attention<num_heads=4>(x, w, b, m, , a)",
                         2 * 6 * 8 * 36 + 2 * 4 * 6 * 6 * (3 + 3),
                         {"bias": 2 * 6 * 36, "softmax": 5 * 2 * 4 * 6 * 6,
                          "elementwise": 2 * 2 * 4 * 6 * 6}),
    "QAttention": (f"{BYTES}, uint8[8,36] w, float[36] b, float[2,2,4,5,3] p", Q8,
                   "y, q = QAttention<num_heads=4>(x, w, b, s, s, , z, z, p)",
                   2 * 6 * 8 * 36 + 2 * 4 * 6 * (5 + 6) * (3 + 3),
                   {"bias": 2 * 6 * 36, "softmax": 5 * 2 * 4 * 6 * 11}),
    "MultiHeadAttention": (QKV, "", "y = MultiHeadAttention<num_heads=4>(x, k, v)",
                           2 * 4 * 6 * 5 * (2 + 3), {"softmax": 5 * 2 * 4 * 6 * 5}),
    "MultiHeadAttention-bias": (f"{QKV}, float[28] b", "",
                                "y, pk, pv = MultiHeadAttention<num_heads=4>(x, k, v, b)",
                                2 * 4 * 6 * 5 * (2 + 3),
                                {"softmax": 5 * 2 * 4 * 6 * 5, "bias": 2 * (6 * 8 + 5 * (8 + 12))}),
    "MultiHeadAttention-cross": ("float[2,6,8] x, float[2,4,5,2] k, float[2,4,5,2] v", "",
                                 "y = MultiHeadAttention<num_heads=4>(x, k, v)",
                                 2 * 4 * 6 * 5 * (2 + 2), {"softmax": 5 * 2 * 4 * 6 * 5}),
    "MultiHeadAttention-past": (f"{ONE}, {PAST}", "", ("y, a, b = MultiHeadAttention<num_heads=4>"
                                "(x, k, v, , , , pk, pv)"),
                                2 * 4 * 1 * (7 + 1) * (2 + 2), {"softmax": 5 * 2 * 4 * (7 + 1)}),
    # a buffer of 7 positions, of which 3 are in use
    "MultiHeadAttention-shared": (f"{ONE}, {PAST}", "int32[1] n = {3}",
                                  ("y, a, b = MultiHeadAttention<num_heads=4>"
                                  "(x, k, v, , , , pk, pv, n)"),
                                  2 * 4 * 1 * (3 + 1) * (2 + 2), {"softmax": 5 * 2 * 4 * (3 + 1)}),
    "DecoderMaskedMultiHeadAttention": (
        f"{ONE}, {PAST}", "int32[1] n = {3}",
        ("y, a, b = DecoderMaskedMultiHeadAttention<num_heads=4, past_present_share_buffer=1>"
        "(x, k, v, , , pk, pv, n)"),
        2 * 4 * 1 * (3 + 1) * (2 + 2), {"softmax": 5 * 2 * 4 * (3 + 1)}),
    "DecoderMaskedMultiHeadAttention-cross": (
        "float[2,1,8] x, float[2,4,5,2] k, float[2,4,5,2] v", "",
        "y = DecoderMaskedMultiHeadAttention<num_heads=4>(x, k, v)",
        2 * 4 * 1 * 5 * (2 + 2), {"softmax": 5 * 2 * 4 * 5}),
    "GroupQueryAttention": (
        f"{GQA}, float[1,2,3,8] a, float[1,2,3,8] b", TOTAL,
        ("y, p, q, o = GroupQueryAttention<num_heads=4, kv_num_heads=2, qk_output=1>"
        "(x, k, v, a, b, l, t)"),
        4 * 6 * 9 * (8 + 8), {"softmax": 5 * 4 * 6 * 9}),
    "GroupQueryAttention-packed": (
        "float[1,6,64] x, float[1,2,3,8] a, float[1,2,3,8] b", TOTAL,
        "y, p, q = GroupQueryAttention<num_heads=4, kv_num_heads=2>(x, , , a, b, l, t)",
        4 * 6 * 9 * (8 + 8), {"softmax": 5 * 4 * 6 * 9}),
    "GroupQueryAttention-shared": (
        ("float[1,1,32] x, float[1,1,16] k, float[1,1,16] v, float[1,2,12,8] a,"
        " float[1,2,12,8] b"), TOTAL,
        "y, p, q = GroupQueryAttention<num_heads=4, kv_num_heads=2>(x, k, v, a, b, l, t)",
        4 * 1 * 9 * (8 + 8), {"softmax": 5 * 4 * 1 * 9}),
    # 6 keys and none before them; 16 * (2 + 1) numbers of queries and keys are rotated
    "GroupQueryAttention-rotary": (
        f"{GQA}, float[20,8] c", "int32[1] l = {5}, int32 t = {6}",
        ("y, p, q = GroupQueryAttention<num_heads=2, kv_num_heads=1, do_rotary=1>"
        "(x, k, v, , , l, t, c, c)"),
        2 * 6 * 6 * (16 + 16), {"softmax": 5 * 2 * 6 * 6, "elementwise": 3 * 6 * 16 * (2 + 1)}),
    "RotaryEmbedding": ("float[2,6,16] x, float[20,2] c", "int64[1] i = {0}",
                        "y = RotaryEmbedding(x, i, c, c)", 0, {"elementwise": 3 * 2 * 6 * 16}),
    # the first 4 numbers of each of 2 heads
    "RotaryEmbedding-partial": (
        "float[2,6,16] x, float[20,2] c", "int64[1] i = {0}",
        "y = RotaryEmbedding<num_heads=2, rotary_embedding_dim=4>(x, i, c, c)",
        0, {"elementwise": 3 * 2 * 6 * 2 * 4}),
    "MRotaryEmbedding": ("float[2,4,6,8] x, int64[3,2,6] i, float[20,4] c", "",
                         "y = MRotaryEmbedding<mrope_section=[2,1,1]>(x, i, c, c)",
                         0, {"elementwise": 3 * 2 * 4 * 6 * 8}),
    "LinearAttention": (
        "float[2,6,16] x, float[2,6,16] k, float[2,6,12] v, float[2,6,4] d", "",
        "y, h = LinearAttention<q_num_heads=4, kv_num_heads=4>(x, k, v, , d, d)",
        2 * 6 * 4 * (4 * 3) * 3,
        {"elementwise": 2 * 6 * 4 * 4 * 3 + 2 * 2 * 6 * 12, "activation": 2 * 6 * 4}),
    "LinearAttention-grouped": (
        "float[2,6,16] x, float[2,6,8] k, float[2,6,6] v", "",
        'y, h = LinearAttention<q_num_heads=4, kv_num_heads=2, update_rule="linear">(x, k, v)',
        2 * 6 * (4 * 3) * (2 + 4), {}),
    # a state of 4 x 3 for each of 8 heads: read, updated and read again for each of 10 tokens
    "GatedDeltaNet": ("float[10,2,4] q, float[10,8,3] v, float[10,8] d, float[1,8,3,4] h", "",
                      "y, z = GatedDeltaNet<qk_l2_norm=1>(q, q, v, , d, d, h)",
                      10 * 8 * 4 * 3 * 3,
                      {"elementwise": 10 * 8 * 4 * 3 + 2 * 10 * 8 * 3, "activation": 10 * 8}),
    "GatedDeltaNet-captured": (
        "float[2,5,2,4] q, float[2,5,8,3] v, float[2,5,8] d, float[2,8,3,4] h",
        "int32[2] n = {1,2}",
        ("y, z, u = GatedDeltaNet<qk_l2_norm=1, state_update_capacity=2>"
        "(q, q, v, , d, d, h, , , n)"), 10 * 8 * 4 * 3 * 3,
        {"elementwise": 10 * 8 * 4 * 3 + 2 * 10 * 8 * 3, "activation": 10 * 8}),
    # a decay for each number of a key
    "GatedDeltaNet-keys": (
        "float[10,2,4] q, float[10,8,3] v, float[10,8,4] d, float[10,8] b, float[1,8,3,4] h",
        "int32[1] n = {1}",
        ("y, z, u = GatedDeltaNet<qk_l2_norm=1, state_update_capacity=2>"
        "(q, q, v, , d, b, h, , , n)"), 10 * 8 * 4 * 3 * 3,
        {"elementwise": 10 * 8 * 4 * 3 + 2 * 10 * 8 * 3, "activation": 10 * 8 * 4}),
    "LinearAttentionGate": ("float[2,6,4] a, float[4] b, float[4] c", "",
                            "y, z = LinearAttentionGate(a, b, c, a)", 0,
                            {"activation": 2 * 2 * 6 * 4, "elementwise": 2 * 2 * 6 * 4}),
    "CausalConvWithState": ("float[2,4,9] x, float[4,1,3] w, float[4] b", "",
                            'y, h = CausalConvWithState<activation="silu">(x, w, b)',
                            2 * 4 * 9 * 3, {"bias": 2 * 4 * 9, "activation": 2 * 4 * 9}),
    "CausalConvWithState-last": (
        "float[2,9,2,2] x, float[4,1,3] w", "",
        "y, h = CausalConvWithState<channels_last=1, dilation=2>(x, w)", 2 * 9 * 2 * 2 * 3, {}),
    "VarlenCausalConvWithState": (
        "float[10,4] x, float[4,1,3] w, float[4] b, float[2,4,4] h",
        "int32[3] c = {0,3,10}, int32[2] n = {1,2}",
        ("y, z, u = VarlenCausalConvWithState<dilation=2, state_update_capacity=2,"
        ' activation="silu">(x, w, c, b, h, n)'),
        10 * 4 * 3, {"bias": 10 * 4, "activation": 10 * 4}),
    "DynamicQuantizeLSTM": (
        "float[9,2,5] x, uint8[2,5,12] w, uint8[2,3,12] r, float[2,24] b, float[2] q, uint8[2] n",
        "", ('y, h, c = DynamicQuantizeLSTM<hidden_size=3, direction="bidirectional">'
        "(x, w, r, b, , , , , q, n, q, n)"),
        2 * 9 * 2 * 4 * 3 * (5 + 3),
        {"activation": 2 * 9 * 2 * 4 * 3, "bias": 2 * 2 * 9 * 2 * 4 * 3,
         "elementwise": 5 * 2 * 9 * 2 * 3, "quantization": 5 * (9 * 2 * 5 + 2 * 9 * 2 * 3)}),
    "FusedMatMul": ("float[2,3,4,5] a, float[2,3,6,5] b", "", "y = FusedMatMul<transB=1>(a, b)",
                    2 * 3 * 4 * 6 * 5, {}),
    "FusedMatMul-turned": ("float[2,3,4,5] a, float[3,4,2,6] b", "",
                           "y = FusedMatMul<transA=1, transBatchA=1>(a, b)",
                           3 * 4 * 5 * 6 * 2, {}),
    "FusedMatMul-vector": ("float[5] a, float[4,5,6] b", "", "y = FusedMatMul<transA=1>(a, b)",
                           4 * 6 * 5, {}),
    "TransposeMatMul": ("float[4,3,5] a, float[4,3,6] b", "", "y = TransposeMatMul<transA=1>(a, b)",
                        4 * 5 * 6 * 3, {}),
    "FusedGemm": ("float[6,8] x, float[8,5] w, float[5] b", "",
                  'y = FusedGemm<activation="Relu">(x, w, b)',
                  6 * 8 * 5, {"bias": 6 * 5, "activation": 6 * 5}),
    "DynamicQuantizeMatMul": (f"{FLAT}, uint8[8,5] w, float[5] b", Q8,
                              "y = DynamicQuantizeMatMul(x, w, s, z, b)", 2 * 6 * 8 * 5,
                              {"quantization": 5 * 2 * 6 * 8 + 2 * 6 * 5, "bias": 2 * 6 * 5}),
    "MatMulIntegerToFloat": (f"{BYTES}, uint8[8,5] w, float[5] b", Q8,
                             "y = MatMulIntegerToFloat(x, w, s, s, z, z, b)", 2 * 6 * 8 * 5,
                             {"quantization": 2 * 6 * 5, "bias": 2 * 6 * 5}),
    "MatMulInteger16": ("int16[2,6,8] x, int16[8,5] w", "", "y = MatMulInteger16(x, w)",
                        2 * 6 * 8 * 5, {}),
    "QGemm": ("uint8[6,8] x, uint8[5,8] w, int32[5] b", Q8,
              "y = QGemm<transB=1>(x, s, z, w, s, z, b, s, z)", 6 * 8 * 5, {"bias": 6 * 5}),
    "QGemm-float": ("uint8[8,6] x, uint8[8,5] w", Q8, "y = QGemm<transA=1>(x, s, z, w, s, z)",
                    6 * 8 * 5, {}),
    "MatMulNBits": ("float[2,6,48] x, uint8[5,2,16] w, float[5,2] q, float[5] b", "",
                    "y = MatMulNBits<K=48, N=5, bits=4, block_size=32>(x, w, q, , , b)",
                    2 * 6 * 48 * 5, {"bias": 2 * 6 * 5}),
    "MatMulBnb4": ("float[2,6,32] x, uint8[80] w, float[5] q", "",
                   "y = MatMulBnb4<K=32, N=5, quant_type=1, block_size=32>(x, w, q)",
                   2 * 6 * 32 * 5, {}),
    "MatMulBnb4-back": ("float[2,6,5] x, uint8[80] w, float[5] q", "",
                        "y = MatMulBnb4<K=32, N=5, quant_type=1, block_size=32, transB=0>(x, w, q)",
                        2 * 6 * 32 * 5, {}),
    "MatMulFpQ4": ("float[2,6,64] x, uint8[200] w", "int64[2] n = {64, 5}",
                   "y = MatMulFpQ4<blk_quant_type=0>(x, w, n)", 2 * 6 * 64 * 5, {}),
    "GatherBlockQuantized": (
        "uint8[10,16] w, int64[2,3] i, float[10,2] q", "",
        "y = GatherBlockQuantized<bits=4, block_size=16, quantize_axis=1>(w, i, q)",
        0, {"quantization": 2 * 2 * 3 * 32}),
    "GatherBlockQuantized-bytes": (
        "uint8[10,32] w, int64[2,3] i, float[10,2] q", "",
        "y = GatherBlockQuantized<bits=8, block_size=16, quantize_axis=1>(w, i, q)",
        0, {"quantization": 2 * 2 * 3 * 32}),
    # rows of two blocks, each a scale of 2 bytes and 32 numbers in 16 bytes
    "GatherPacked": ("uint8[10,36] w, int64[2,3] i", "",
                     "y = GatherPacked<packed_type=2, K=64, output_dtype=1>(w, i)",
                     0, {"quantization": 2 * 2 * 3 * 64}),
    # 3 of 8 experts a token, out of 2 of 4 groups
    "MoEGroupRouter": ("float[2,6,8] x, float[8] b", "",
                       "y = MoEGroupRouter<n_group=4, topk_group=2, top_k=3>(x, b)", 0,
                       {"activation": 12 * 8, "bias": 12 * 8, "reduction": 2 * 12 * 8,
                        "elementwise": 12 * 3}),
    "MoEGroupRouter-scores": ("float[2,6,8] x, float[8] b", "",
                              ", s, r = MoEGroupRouter<top_k=3>(x, b)", 0,
                              {"activation": 12 * 8, "bias": 12 * 8}),
    # 2 of 4 experts a token
    "MoE": ("float[2,6,8] x, float[12,4] r, float[4,16,8] a, float[4,8,16] b", "",
            'y = MoE<k=2, activation_type="gelu">(x, r, a, , b)', 2 * 6 * 2 * (16 * 8 + 8 * 16),
            {"activation": 2 * 6 * 2 * 16, "softmax": 5 * 12 * 4}),
    "MoE-swiglu": ("float[2,6,8] x, float[12,4] r, float[4,32,8] a, float[4,8,16] b", "",
                   'y = MoE<k=2, activation_type="swiglu", swiglu_fusion=1>(x, r, a, , b)',
                   2 * 6 * 2 * (32 * 8 + 8 * 16),
                   {"activation": 2 * 6 * 2 * 16, "softmax": 5 * 12 * 4}),
    "QMoE": (("float[2,6,32] x, float[12,4] r, uint8[4,64,16] a, float[4,64] p, uint8[4,32,16] b,"
             " float[4,32] q"), "",
             ('y = QMoE<k=2, activation_type="swiglu", swiglu_fusion=1, expert_weight_bits=4>'
             "(x, r, a, p, , b, q)"), 2 * 6 * 2 * (64 * 32 + 32 * 32),
             {"activation": 2 * 6 * 2 * 32, "softmax": 5 * 12 * 4}),
    "CDist": ("float[4,5] a, float[3,5] b", "", 'y = CDist<metric="sqeuclidean">(a, b)',
              4 * 3 * 5, {}),
    # words of 7 characters, each of 4 numbers; 5 windows of 3
    "WordConvEmbedding": (
        "int32[9,7] x, float[6,1,3,4] w, float[6] b, float[30,4] c", "",
        ("y = WordConvEmbedding<embedding_size=6, conv_window_size=3, char_embedding_size=4>"
        "(x, w, b, c)"), 9 * 5 * 6 * 3 * 4, {"bias": 9 * 5 * 6}),
    "HyperConnectionPreMix": ("float[2,6,4,8] x, float[2,6,4] g", "",
                              "y = HyperConnectionPreMix(x, g)", 2 * 6 * 4 * 8, {}),
    "HyperConnectionPreMix-flat": ("float[2,6,32] x, float[2,6,4] g", "",
                                   "y = HyperConnectionPreMix<num_branches=4>(x, g)",
                                   2 * 6 * 4 * 8, {}),
    "HyperConnectionPostMix": ("float[2,6,4,8] x, float[2,6,8] b, float[2,6,4] g, float[2,6,4,4] m",
                               "", "y = HyperConnectionPostMix(x, b, g, m)",
                               2 * 6 * 8 * (4 * 4 + 4), {}),
    "EngramGate": ("float[2,6,4,8] k, float[2,6,8] v, float[4,8] g", "",
                   "y, z = EngramGate(k, k, v, g, g, g)", 2 * 6 * 4 * 8,
                   {"normalization": 3 * 4 * 2 * 6 * 4 * 8, "activation": 4 * 2 * 6 * 4,
                    "elementwise": 2 * 6 * 4 * 8}),
    # 5 rows and 7 columns of windows; an addend and an activation for each of 4 maps
    "FusedConv": (f"{MAP}, float[4,3,3,3] w, float[4] b, float[1,4,5,7] a", "",
                  'y = FusedConv<activation="Relu">(x, w, b, a)', 4 * 5 * 7 * 3 * 3 * 3,
                  {"bias": 4 * 5 * 7, "activation": 4 * 5 * 7, "elementwise": 4 * 5 * 7}),
    "QLinearConv": ("uint8[1,3,7,9] x, uint8[4,3,3,3] w, int32[4] b", Q8,
                    "y = QLinearConv(x, s, z, w, s, z, s, z, b)", 4 * 5 * 7 * 3 * 3 * 3,
                    {"bias": 4 * 5 * 7}),
    "QLinearConv-last": (f"{HWC}, uint8[4,3,3,3] w", Q8,
                         ("y = QLinearConv<channels_last=1, strides=[2,2]>"
                         "(x, s, z, w, s, z, s, z)"), 4 * 3 * 4 * 3 * 3 * 3, {}),
    "ConvTransposeWithDynamicPads": (
        f"{MAP}, float[3,4,3,3] w, float[4] b", "int64[4] p = {1,1,1,1}",
        "y = ConvTransposeWithDynamicPads<strides=[2,2]>(x, w, p, b)", 3 * 7 * 9 * 4 * 3 * 3,
        {"bias": 4 * 13 * 17}),
    "MaxpoolWithMask": (f"{MAP}, int32[1,3,7,9] m", "",
                        "y = MaxpoolWithMask<kernel_shape=[3,3], strides=[2,2]>(x, m)",
                        0, {"pooling": 3 * 3 * 4 * 3 * 3}),
    "NhwcMaxPool": (HWC, "", "y = NhwcMaxPool<kernel_shape=[3,3], strides=[2,2]>(x)",
                    0, {"pooling": 3 * 3 * 4 * 3 * 3}),
    "QLinearAveragePool": ("uint8[1,3,7,9] x", Q8,
                           "y = QLinearAveragePool<kernel_shape=[3,2]>(x, s, z, s, z)",
                           0, {"pooling": 3 * 5 * 8 * 3 * 2}),
    "QLinearAveragePool-last": (
        HWC, Q8, "y = QLinearAveragePool<kernel_shape=[3,2], channels_last=1>(x, s, z, s, z)",
        0, {"pooling": 3 * 5 * 8 * 3 * 2}),
    "QLinearGlobalAveragePool": (
        HWC, Q8, "y = QLinearGlobalAveragePool<channels_last=1>(x, s, z, s, z)",
        0, {"pooling": 3 * 7 * 9}),
    "CropAndResize": (f"{MAP}, float[5,4] r, int32[5] i", "int32[2] n = {4, 6}",
                      "y = CropAndResize(x, r, i, n)", 0, {"interpolation": 8 * 5 * 3 * 4 * 6}),
    "GridSample": (f"{MAP}, float[1,4,5,2] g", "", "y = GridSample(x, g)",
                   0, {"interpolation": 8 * 3 * 4 * 5}),
    "EmbedLayerNormalization": (EMBED, "",
                                "y, m, e = EmbedLayerNormalization(i, i, w, p, t, g, b, i)",
                                0, {"elementwise": 2 * 2 * 6 * 8, "normalization": 7 * 2 * 6 * 8}),
    "EmbedLayerNormalization-two": (EMBED, "",
                                    "y, m = EmbedLayerNormalization(i, , w, p, , g, b)",
                                    0, {"elementwise": 2 * 6 * 8, "normalization": 7 * 2 * 6 * 8}),
    "QEmbedLayerNormalization": (
        EMBED.replace("float", "uint8"), Q8,
        ("y, m = QEmbedLayerNormalization"
        "(i, i, w, p, t, g, b, , s, s, s, s, s, z, z, z, z, z)"),
        0, {"elementwise": 2 * 2 * 6 * 8, "normalization": 7 * 2 * 6 * 8,
            "quantization": 2 * 3 * 2 * 6 * 8}),
    "SkipLayerNormalization": (f"{FLAT}, float[8] g", "",
                               "y, m, d, t = SkipLayerNormalization(x, x, g, g, g)", 0,
                               {"elementwise": 2 * 6 * 8, "bias": 2 * 6 * 8,
                                "normalization": 7 * 2 * 6 * 8}),
    "SkipSimplifiedLayerNormalization": (
        f"{FLAT}, float[8] g", "", "y, m, d, t = SkipSimplifiedLayerNormalization(x, x, g, g)",
        0, {"elementwise": 2 * 6 * 8, "bias": 2 * 6 * 8, "normalization": 4 * 2 * 6 * 8}),
    "BranchwiseRMSNorm": ("float[2,6,4,8] x, float[8] g", "", "y = BranchwiseRMSNorm(x, g)",
                          0, {"normalization": 4 * 2 * 6 * 4 * 8}),
    "GatedRMSNorm": (f"{FLAT}, float[4] g", "", "y = GatedRMSNorm(x, g, x)", 0,
                     {"normalization": 4 * 96, "activation": 96, "elementwise": 2 * 6 * 8}),
    "GatedAdd": (f"{FLAT}, float[2,6,1] g", "", "y = GatedAdd(x, x, g)",
                 0, {"elementwise": 2 * 2 * 6 * 8}),
    **{op: (FLAT, "", f"y = {op}(x)", 0, {"activation": 2 * 6 * 8})
       for op in ("ScaledSiLU", "Gelu", "QuickGelu", "FastGelu")},
    "BiasGelu": (f"{FLAT}, float[8] b", "", "y = BiasGelu(x, b)", 0,
                 {"activation": 2 * 6 * 8, "bias": 2 * 6 * 8}),
    "QuantizeLinear": (FLAT, "float s = {0.1}, int16 i = {0}", "y = QuantizeLinear(x, s, i)",
                       0, {"quantization": 3 * 2 * 6 * 8}),
    "DequantizeLinear": ("int32[2,6,8] x", Q8, "y = DequantizeLinear(x, s)",
                         0, {"quantization": 2 * 2 * 6 * 8}),
    **{op: ("uint8[2,1,8] x, uint8[6,8] a", Q8, f"y = {op}(x, s, z, a, s, z, s, z)",
            0, {"elementwise": 2 * 6 * 8}) for op in ("QLinearAdd", "QLinearMul")},
    "QLinearWhere": ("bool[6,1] c, uint8[2,1,8] x, uint8[6,8] a", Q8,
                     "y = QLinearWhere(c, x, s, z, a, s, z, s, z)", 0, {"elementwise": 2 * 6 * 8}),
    "QLinearConcat": (f"{BYTES}, uint8[2,6,3] a", Q8,
                      "y = QLinearConcat<axis=2>(s, z, x, s, z, a, s, z)", 0, {}),
    **{op: (BYTES, Q8, f"y = {op}(x, s, z, s, z)", 0, {"activation": 2 * 6 * 8})
       for op in ("QLinearLeakyRelu", "QLinearSigmoid")},
    "QLinearSoftmax": (BYTES, Q8, "y = QLinearSoftmax<opset=13>(x, s, z, s, z)",
                       0, {"softmax": 5 * 2 * 6 * 8}),
    "Inverse": ("float[2,5,5] x", "", "y = Inverse(x)", 0, {"elementwise": 2 * 5**3}),
    "ExpandDims": (FLAT, "int32 a = {-1}", "y = ExpandDims(x, a)", 0, {}),
    "Unique": ("float[5] x", "", "y, i, n = Unique(x)", 0, {}),
    "Range": ("", "float a = {1.0}, float b = {4.5}", "y = Range(a, b)", 0, {}),
    "Range-step": ("", "int64[1] a = {1}, int64[1] b = {6}, int64[1] d = {3}",
                   "y = Range(a, b, d)", 0, {}),
    "Pad": ("float[2,3] x", "int64[4] p = {1,0,2,3}", "y = Pad(x, p)", 0, {}),
    "GatherND": ("float[2,3,4] x", "int64[2,2] i = {0,1,1,2}", "y = GatherND(x, i)", 0, {}),
    "Trilu": (FLAT, "", "y = Trilu(x)", 0, {}),
    "UnfoldTensor": ("float[2,10,3] x", "", "y = UnfoldTensor<dim=1, size=4, step=2>(x)", 0, {}),
    "SampleOp": (FLAT, "", "y = SampleOp(x)", 0, {}),
    "NGramRepeatBlock": ("int64[2,6] i, float[2,20] x", "",
                         "y = NGramRepeatBlock<ngram_size=3>(i, x)", 0, {}),
    # orders 2 and 3: three and five operations to mix, one a head
    "NGramHashMapping": ("int64[2,6] i", "int64[3] m = {1,2,3}, int64[8] v = {7,7,7,7,7,7,7,7}",
                         ("y, p = NGramHashMapping<max_ngram_size=3, n_head_per_ngram=4, pad_id=0>"
                         "(i, m, v)"), 0, {"elementwise": 2 * 6 * (3 + 5 + 2 * 4)}),
    "VarlenNGramHashMapping": (
        "int64[12] i", ("int64[3] m = {1,2,3}, int64[8] v = {7,7,7,7,7,7,7,7},"
        " int32[3] n = {0,5,12}"),
        "y, p = VarlenNGramHashMapping<max_ngram_size=3, n_head_per_ngram=4, pad_id=0>(i, m, v, n)",
        0, {"elementwise": 12 * (3 + 5 + 2 * 4)}),
    "MurmurHash3": ("int32[2,3] x", "", "y = MurmurHash3(x)", 0, {"elementwise": 17 * 2 * 3}),
    "MurmurHash3-long": ("int64[2,3] x", "", "y = MurmurHash3<positive=0>(x)",
                         0, {"elementwise": 23 * 2 * 3}),
    "DynamicTimeWarping": ("float[4,6] x", "", "y = DynamicTimeWarping(x)", 0, {}),
}  # fmt: skip

# Operators with a kernel for the CPU that have no row: the data decides what they give or cost.
UNKNOWN = {
    "AttnLSTM", "BeamSearch", "BifurcationDetector", "GreedySearch", "Sampling", "SparseAttention",
    "SparseToDenseMatMul", "Tokenizer", "WhisperBeamSearch",
}  # fmt: skip
# Outputs whose size only a run tells, which leaves the bytes of their nodes unknown.
OPEN = {"Unique": {"y", "n"}, "DynamicTimeWarping": {"y"}}


# The newest onnxruntime whose operators are all known.
KNOWN = (1, 32)
VERSION = tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])
CPU_KERNELS = {
    kernel.op_name
    for kernel in registry.get_all_opkernel_def()
    if kernel.domain == "com.microsoft" and kernel.provider == "CPUExecutionProvider"
}


def none_missing(missing: set[str]) -> None:
    """No operators are missing; a newer onnxruntime may have some, which skips the test."""
    if missing and VERSION > KNOWN:
        pytest.skip(f"new in onnxruntime {onnxruntime.__version__}: {', '.join(sorted(missing))}")
    assert not missing


def model_of(row: str) -> tuple[ModelProto, Graph]:
    """The model of a row with every output fetched, and its graph."""
    inputs, constants, node, _, _ = ROWS[row]
    outputs, call = node.split(" = ", 1)
    text = f"{HEADER} g ({inputs}) => () <{constants}> {{ {outputs} = {MS}{call} }}"
    model = from_text(text)
    names = [name for name in model.proto.graph.node[0].output if name]
    model.proto.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    return model.proto, load(model)


def fed(model: ModelProto) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Numbers between 0 and 1 for every input, zeros where it takes integers."""
    random = np.random.default_rng(0)
    for info in model.graph.input:
        dims = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        array = random.random(dims) if dtype.kind == "f" else np.zeros(dims)
        yield info.name, array.astype(dtype)


@pytest.mark.parametrize("row", ROWS)
def test_shapes_are_those_of_a_run(row: str) -> None:
    """Every output has the shape and the data type of the array that onnxruntime returns."""
    if row.split("-", maxsplit=1)[0] not in CPU_KERNELS:
        pytest.skip(f"onnxruntime {onnxruntime.__version__} has no kernel of it for the CPU")
    model, graph = model_of(row)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [output.name for output in session.get_outputs()]
    assert names == [output.name for output in model.graph.output]
    for name, array in zip(names, session.run(names, dict(fed(model))), strict=True):
        value = graph.value(name)
        assert isinstance(array, np.ndarray)
        assert value.dtype == helper.np_dtype_to_tensor_dtype(array.dtype)
        if name in OPEN.get(row, ()):
            assert value.shape is not None
            assert len(value.shape) == array.ndim
        else:
            assert value.static_shape == array.shape


@pytest.mark.parametrize("row", ROWS)
def test_cost_is_the_product_of_its_definition(row: str) -> None:
    """MACs and operations of each family are those of the operator's definition."""
    *_, macs, ops = ROWS[row]
    table = count(model_of(row)[1])
    cost = table.total()
    assert cost.macs == macs
    assert dict(cost.ops_by_family) == ops
    assert set(table.uncosted) == ({0} if row in OPEN else set())


@pytest.mark.parametrize(
    ("row", "bits"),
    [
        ("DynamicQuantizeMatMul", 8), ("DynamicQuantizeLSTM", 8), ("MatMulIntegerToFloat", 8),
        ("QGemm", 8), ("QLinearConv", 8), ("QLinearConv-last", 8), ("MatMulInteger16", 16),
    ],
)  # fmt: skip
def test_products_of_integers_are_told_by_their_width(row: str, bits: int) -> None:
    """Those that the operator quantises its input for too; packed weights become floats."""
    cost = count(model_of(row)[1]).total()
    assert cost.integer_macs == ((bits, cost.macs),)
    assert count(model_of("MatMulNBits")[1]).total().integer_macs == ()


def test_every_kernel_of_the_cpu_has_a_row() -> None:
    """What onnxruntime can run on a CPU is compared with what it does."""
    rows = {row.split("-")[0] for row in ROWS}
    none_missing(CPU_KERNELS - rows - UNKNOWN)
    assert not rows & UNKNOWN
    if VERSION == KNOWN:
        assert rows | UNKNOWN == CPU_KERNELS


def test_every_operator_has_rules() -> None:
    """Each schema of onnxruntime's own domains has a shape rule and a formula."""
    domains = ("com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc")
    schemas = registry.get_all_operator_schema()
    names = {f"{schema.domain}.{schema.name}" for schema in schemas if schema.domain in domains}
    none_missing(names - set(SHAPE_RULES) - {"com.ms.internal.nhwc.MaxUnpool"})
    none_missing(names - set(HANDLERS) - {"com.ms.internal.nhwc.MaxUnpool"})
