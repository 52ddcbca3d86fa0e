"""Operators that onnxruntime's kernels for the CPU do not run: shapes and costs by their schemas.

Those of com.microsoft are documented in onnxruntime's docs/ContribOperators.md; the operators of
com.ms.internal.nhwc are those of ai.onnx with the channels last, com.microsoft.nchwc's with blocks
of channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.shapes.contrib_unknown import UNKNOWN_SHAPES

Ops = Mapping[str, int]
Shapes = Sequence[tuple[int, ...]]
DOMAINS = ("com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc")
IMPORTS = ", ".join(f'"{domain}" : 1' for domain in DOMAINS)
HEADER = f'<ir_version: 10, opset_import: ["" : 21, {IMPORTS}]>'

FLAT = "float[2,6,8] x"
SCALE = "float s = {0.1}"
HWC = "float[1,7,9,32] x"
NHWC = "com.ms.internal.nhwc."
BLOCKS = "com.microsoft.nchwc."
MS = "com.microsoft."
Q = "float s = {0.1}, uint8 z = {3}"

# Fed inputs, constants (without numbers, if weights), node, shapes of the outputs, MACs, other
# operations by family, parameters.
ROWS: dict[str, tuple[str, str, str, Shapes, int, Ops, int]] = {
    # 5 rows and 7 columns of windows over 32 channels
    **{f"{domain}{op}": (HWC, "float[4,32,3,3] w, float[4] b", f"y = {domain}{op}(x, w, b)",
                         [(1, 5, 7, 4)], 5 * 7 * 4 * 32 * 3 * 3, {"bias": 5 * 7 * 4},
                         4 * 32 * 3 * 3 + 4)
       for domain, op in ((MS, "NhwcConv"), (MS, "NhwcFusedConv"), (NHWC, "Conv"))},
    f"{BLOCKS}Conv": ("float[1,32,7,9] x, float[1,16,5,7] a", "float[16,32,3,3] w",
                      f'y = {BLOCKS}Conv<activation="Relu">(x, w, , a)', [(1, 16, 5, 7)],
                      16 * 5 * 7 * 32 * 3 * 3,
                      {"activation": 16 * 5 * 7, "elementwise": 16 * 5 * 7}, 16 * 32 * 3 * 3),
    # 2 * (7 - 1) + 3 rows, 2 * (9 - 1) + 3 columns
    f"{NHWC}ConvTranspose": (HWC, "float[32,4,3,3] w",
                             f"y = {NHWC}ConvTranspose<strides=[2,2]>(x, w)",
                             [(1, 15, 19, 4)], 7 * 9 * 32 * 4 * 3 * 3, {}, 32 * 4 * 3 * 3),
    f"{NHWC}QLinearConv": ("uint8[1,7,9,3] x", f"{Q}, uint8[4,3,3,3] w",
                           f"y = {NHWC}QLinearConv(x, s, z, w, s, z, s, z)",
                           [(1, 5, 7, 4)], 5 * 7 * 4 * 3 * 3 * 3, {}, 4 * 3 * 3 * 3),
    f"{NHWC}QLinearConvTranspose": (
        "uint8[1,7,9,3] x", f"{Q}, uint8[3,4,3,3] w, int32[4] b",
        f"y = {NHWC}QLinearConvTranspose<strides=[2,2]>(x, s, z, w, s, z, s, z, b)",
        [(1, 15, 19, 4)], 7 * 9 * 3 * 4 * 3 * 3, {"bias": 15 * 19 * 4}, 3 * 4 * 3 * 3 + 4),
    **{f"{domain}{op}": (f"float[1,{dims}] x", "", f"y = {domain}{op}<kernel_shape=[3,2]>(x)",
                         [out], 0, {"pooling": 5 * 8 * 32 * 3 * 2}, 0)
       for domain, ops, dims, out in (
           (NHWC, ("AveragePool", "MaxPool", "LpPool"), "7,9,32", (1, 5, 8, 32)),
           (BLOCKS, ("AveragePool", "MaxPool"), "32,7,9", (1, 32, 5, 8)))
       for op in ops},
    **{f"{domain}{op}": (f"float[1,{dims}] x", "", f"y = {domain}{op}(x)", [out],
                         0, {"pooling": 32 * 7 * 9}, 0)
       for domain, ops, dims, out in (
           (NHWC, ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), "7,9,32", (1, 1, 1, 32)),
           (BLOCKS, ("GlobalAveragePool", "GlobalMaxPool"), "32,7,9", (1, 32, 1, 1)))
       for op in ops},
    f"{NHWC}QLinearAveragePool": (
        "uint8[1,7,9,3] x", Q, f"y = {NHWC}QLinearAveragePool<kernel_shape=[3,2]>(x, s, z, s, z)",
        [(1, 5, 8, 3)], 0, {"pooling": 5 * 8 * 3 * 3 * 2}, 0),
    f"{NHWC}BatchNormalization": (HWC, "float[32] w",
                                  f"y = {NHWC}BatchNormalization(x, w, w, w, w)",
                                  [(1, 7, 9, 32)], 0, {"normalization": 2 * 7 * 9 * 32}, 32),
    f"{NHWC}InstanceNormalization": (HWC, "float[32] w",
                                     f"y = {NHWC}InstanceNormalization(x, w, w)",
                                     [(1, 7, 9, 32)], 0, {"normalization": 7 * 7 * 9 * 32}, 32),
    f"{NHWC}LRN": (HWC, "", f"y = {NHWC}LRN<size=5>(x)", [(1, 7, 9, 32)],
                   0, {"normalization": (5 + 5) * 7 * 9 * 32}, 0),
    f"{NHWC}DepthToSpace": (HWC, "", f"y = {NHWC}DepthToSpace<blocksize=2>(x)",
                            [(1, 14, 18, 8)], 0, {}, 0),
    f"{NHWC}SpaceToDepth": ("float[1,6,8,3] x", "", f"y = {NHWC}SpaceToDepth<blocksize=2>(x)",
                            [(1, 3, 4, 12)], 0, {}, 0),
    f"{NHWC}GridSample": (f"{HWC}, float[1,4,5,2] g", "", f"y = {NHWC}GridSample(x, g)",
                          [(1, 4, 5, 32)], 0, {"interpolation": 8 * 4 * 5 * 32}, 0),
    f"{NHWC}Resize": (HWC, "int64[4] n = {1,14,18,32}",
                      f'y = {NHWC}Resize<mode="linear">(x, , , n)', [(1, 14, 18, 32)],
                      0, {"interpolation": 8 * 14 * 18 * 32}, 0),
    f"{BLOCKS}Upsample": ("float[1,32,7,9] x", "", f"y = {BLOCKS}Upsample<scales=[1,1,2,3]>(x)",
                          [(1, 32, 14, 27)], 0, {}, 0),
    f"{BLOCKS}ReorderInput": ("float[1,32,7,9] x", "", f"y = {BLOCKS}ReorderInput(x)",
                              [(1, 32, 7, 9)], 0, {}, 0),
    f"{BLOCKS}ReorderInput-last": (HWC, "", f"y = {BLOCKS}ReorderInput<channels_last=1>(x)",
                                   [(1, 32, 7, 9)], 0, {}, 0),
    f"{BLOCKS}ReorderOutput": ("float[1,32,7,9] x", "",
                               f"y = {BLOCKS}ReorderOutput<channels=20>(x)",
                               [(1, 20, 7, 9)], 0, {}, 0),
    f"{BLOCKS}ReorderOutput-last": (
        "float[1,32,7,9] x", "", f"y = {BLOCKS}ReorderOutput<channels=20, channels_last=1>(x)",
        [(1, 7, 9, 20)], 0, {}, 0),
    "BiasAdd": (f"{FLAT}, float[2,6,8] r", "float[8] b", f"y = {MS}BiasAdd(x, b, r)",
                [(2, 6, 8)], 0, {"bias": 2 * 6 * 8, "elementwise": 2 * 6 * 8}, 8),
    "BiasSoftmax": (f"{FLAT}, float[1,6,8] b", "", f"y = {MS}BiasSoftmax(x, b)",
                    [(2, 6, 8)], 0, {"softmax": 6 * 2 * 6 * 8}, 0),
    "BiasSplitGelu": (FLAT, "float[8] b", f"y = {MS}BiasSplitGelu(x, b)", [(2, 6, 4)], 0,
                      {"bias": 2 * 6 * 8, "activation": 2 * 6 * 4, "elementwise": 2 * 6 * 4}, 8),
    "BiasDropout": (FLAT, "float[8] b", f"y, m = {MS}BiasDropout(x, b, x)",
                    [(2, 6, 8), (2, 6, 8)], 0, {"bias": 2 * 6 * 8, "elementwise": 2 * 6 * 8}, 8),
    "BitmaskBiasDropout": (FLAT, "float[8] b", f"y, m = {MS}BitmaskBiasDropout(x, b)",
                           [(2, 6, 8), (3,)], 0, {"bias": 2 * 6 * 8}, 8),
    "BitmaskDropout": (FLAT, "", f"y, m = {MS}BitmaskDropout(x)", [(2, 6, 8), (3,)], 0, {}, 0),
    **{op: ("float[2,5,2] a, float[5,2] b", "", f"y = {MS}{op}(a, b)", [(2, 5, 2)],
            0, {"elementwise": 6 * 2 * 5}, 0) for op in ("ComplexMul", "ComplexMulConj")},
    "LayerNormalization": (FLAT, "float[8] g", f"y, m, d = {MS}LayerNormalization(x, g)",
                           [(2, 6, 8), (2, 6, 1), (2, 6, 1)],
                           0, {"normalization": 6 * 2 * 6 * 8}, 8),
    "SimplifiedLayerNormalization": (FLAT, "float[8] g",
                                     f"y, d = {MS}SimplifiedLayerNormalization(x, g)",
                                     [(2, 6, 8), (2, 6, 1)],
                                     0, {"normalization": 4 * 2 * 6 * 8}, 8),
    "GroupNorm": (HWC, "float[32] g", f"y = {MS}GroupNorm<groups=4, activation=1>(x, g, g)",
                  [(1, 7, 9, 32)], 0,
                  {"normalization": 7 * 7 * 9 * 32, "activation": 7 * 9 * 32}, 32),
    "SkipGroupNorm": (f"{HWC}, float[1,32] r", "float[32] g",
                      f"y, t = {MS}SkipGroupNorm<groups=4>(x, g, g, r, g)",
                      [(1, 7, 9, 32)] * 2, 0,
                      {"normalization": 7 * 7 * 9 * 32, "elementwise": 7 * 9 * 32,
                       "bias": 7 * 9 * 32}, 32),
    "IsAllFinite": (FLAT, "", f"y = {MS}IsAllFinite(x, x)", [()],
                    0, {"reduction": 2 * 2 * 6 * 8}, 0),
    "DecoderMaskedSelfAttention": (
        "float[2,1,8] x, float[2,2,4,9,3] p", "float[8,36] w, float[36] b, int32[1] n = {5}",
        (f"y, q = {MS}DecoderMaskedSelfAttention<num_heads=4, past_present_share_buffer=1>"
        "(x, w, b, , p, , n)"), [(2, 1, 12), (2, 2, 4, 9, 3)],
        2 * 1 * 8 * 36 + 2 * 4 * (5 + 1) * (3 + 3),
        {"bias": 2 * 36, "softmax": 5 * 2 * 4 * 6}, 8 * 36 + 36),
    "MultiHeadAttention-packed": ("float[2,6,4,3,2] x", "",
                                  f"y = {MS}MultiHeadAttention<num_heads=4>(x)",
                                  [(2, 6, 8)], 2 * 4 * 6 * 6 * (2 + 2),
                                  {"softmax": 5 * 2 * 4 * 6 * 6}, 0),
    "MultiHeadAttention-keys": ("float[2,6,8] x, float[2,5,4,2,2] k", "",
                                f"y = {MS}MultiHeadAttention<num_heads=4>(x, k)", [(2, 6, 8)],
                                2 * 4 * 6 * 5 * (2 + 2), {"softmax": 5 * 2 * 4 * 6 * 5}, 0),
    # a cache of packed 4-bit integers, as long as the window; a window does not lower the count
    "GroupQueryAttention-packed-cache": (
        ("float16[1,1,32] x, float16[1,1,16] k, float16[1,1,16] v, uint8[1,2,8,4] a,"
        " uint8[1,2,8,4] b"), "int32[1] l = {19}, int32 t = {20}, float[8] g",
        (f"y, p, q = {MS}GroupQueryAttention<num_heads=4, kv_num_heads=2, sliding_window_cache=1,"
        " local_window_size=8>(x, k, v, a, b, l, t, , , , , , , , g, g)"),
        [(1, 1, 32), (1, 2, 8, 4), (1, 2, 8, 4)], 4 * 20 * (8 + 8),
        {"softmax": 5 * 4 * 20, "normalization": 4 * 8 * (4 + 2)}, 8),
    # how many of 6 queries are no padding is no parameter
    "GroupQueryAttention-chunks": (
        "float[1,6,32] x, float[1,6,16] k, float[1,2,12,8] a",
        "int32[1] l = {8}, int32 t = {9}, int32[1] n = {4}",
        (f"y, p, q = {MS}GroupQueryAttention<num_heads=4, kv_num_heads=2>"
        "(x, k, k, a, a, l, t, , , , , , , , , , n)"),
        [(1, 6, 32), (1, 2, 12, 8), (1, 2, 12, 8)], 4 * 6 * 9 * (8 + 8),
        {"softmax": 5 * 4 * 6 * 9}, 0),
    "PackedAttention": ("float[9,8] x, int32[2,6] o, int32[3] c", "float[8,36] w, float[36] b",
                        f"y = {MS}PackedAttention<num_heads=4>(x, w, b, o, c)", [(9, 12)],
                        9 * 8 * 36 + 2 * 4 * 6 * 6 * (3 + 3),
                        {"bias": 9 * 36, "softmax": 5 * 2 * 4 * 6 * 6}, 8 * 36 + 36),
    "PackedMultiHeadAttention": (
        "float[9,8] x, float[9,12] v, int32[2,6] o, int32[3] c", "float[28] b",
        f"y = {MS}PackedMultiHeadAttention<num_heads=4>(x, x, v, b, o, c)", [(9, 12)],
        2 * 4 * 6 * 6 * (2 + 3), {"bias": 9 * (8 + 8 + 12), "softmax": 5 * 2 * 4 * 6 * 6}, 28),
    "PackedMultiHeadAttention-packed": (
        "float[9,4,3,2] x, int32[2,6] o, int32[3] c", "",
        f"y = {MS}PackedMultiHeadAttention<num_heads=4>(x, , , , o, c)", [(9, 8)],
        2 * 4 * 6 * 6 * (2 + 2), {"softmax": 5 * 2 * 4 * 6 * 6}, 0),
    "QOrderedAttention": (
        "int8[2,6,8] x",
        f"{SCALE}, int8[8,12] q, int8[8,12] k, int8[8,16] v, float[12] b, float[16] c",
        (f"y = {MS}QOrderedAttention<num_heads=4>"
        "(x, s, s, s, s, q, k, v, s, s, s, b, b, c, s, s, s)"), [(2, 6, 16)],
        2 * 6 * 8 * (12 + 12 + 16) + 2 * 4 * 6 * 6 * (3 + 4),
        {"bias": 2 * 6 * 40, "softmax": 5 * 2 * 4 * 6 * 6}, 8 * 40 + 12 + 16),
    "RelativePositionBias": ("", "float[32,4] w, int64[1] n = {6}",
                             f"y = {MS}RelativePositionBias<max_distance=9>(w, n, n)",
                             [(1, 4, 6, 6)], 0, {}, 0),
    # 12 rows of 4 heads of 2 numbers by a weight [2, 6]
    "GatedRelativePositionBias": (
        "float[2,6,8] x, float[1,4,6,6] r",
        "float[8] b, float[2,6] w, float[6] c, float[1,4,1,1] e",
        f"y = {MS}GatedRelativePositionBias<num_heads=4>(x, b, r, w, c, e)", [(2, 4, 6, 6)],
        12 * 4 * 2 * 6,
        {"bias": 12 * 8 + 48 * 6, "reduction": 48 * 6, "activation": 2 * 48,
         "elementwise": 3 * 48 + 2 * 4 * 6 * 6}, 8 + 2 * 6 + 6 + 4),
    "GemmaRotaryEmbedding": ("float[2,6,8] e, float[2,4,6,8] q, float[2,2,6,8] k", "",
                             f"y, z = {MS}GemmaRotaryEmbedding(e, q, q, k, k)",
                             [(2, 4, 6, 8), (2, 2, 6, 8)], 0,
                             {"elementwise": 2 * 2 * 6 * 8 + 3 * 2 * (4 + 2) * 6 * 8}, 0),
    # a state of 4 x 3 for each of 8 heads: read, updated and read again for each of 10 tokens
    "GatedDeltaNet": ("float[10,2,4] q, float[10,8,3] v, float[10,8] d, float[1,8,3,4] h", "",
                      f"y, z = {MS}GatedDeltaNet(q, q, v, , d, d, h)", [(10, 8, 3), (1, 8, 3, 4)],
                      10 * 8 * 4 * 3 * 3,
                      {"elementwise": 10 * 8 * 4 * 3 + 2 * 10 * 8 * 3, "activation": 10 * 8}, 0),
    "GatedDeltaNet-packed": (
        "float[10,40] q, float[1,8,3,4] h", "",
        (f'y, z, u = {MS}GatedDeltaNet<update_rule="linear", state_update_capacity=2>'
        "(q, , , , , , h)"),
        [(10, 8, 3), (1, 8, 3, 4), (1, 2 * (8 + 2 * 4 + 8 * 3))], 10 * 8 * 4 * 3 * 2, {}, 0),
    "VarlenCausalConvWithState": (
        "float[10,4] x, int32[3] c, float[2,4,2] h", "float[4,1,3] w, float[4] b",
        f"y, z = {MS}VarlenCausalConvWithState(x, w, c, b, h)", [(10, 4), (2, 4, 2)],
        10 * 4 * 3, {"bias": 10 * 4}, 4 * 3 + 4),
    # a sum a tap and a mask for the one before
    "VarlenCausalConvWithState-changed": (
        "float[10,4] x, int32[3] c, float[2,4,1] h, float[10,2,2] d, float[10,1] m",
        "float[4,1,2] w",
        f"y, z = {MS}VarlenCausalConvWithState<group_size=2>(x, w, c, , h, , d, m)",
        [(10, 4), (2, 4, 1)], 10 * 4 * 2, {"elementwise": 3 * 10 * 4}, 4 * 2),
    # 4 of 6 channels, with a longer state of its own layout
    "CausalConvWithState-picked": (
        "float[2,9,6] x", "float[4,1,3] w",
        (f"y, z, u = {MS}CausalConvWithState<channels_last=1, input_channels=4,"
        " input_channel_offset=1, state_length=5, state_channels_last=0, state_update_capacity=3>"
        "(x, w)"), [(2, 9, 4), (2, 4, 5), (2, 3, 4)], 2 * 9 * 4 * 3, {}, 4 * 3),
    # a gate that 8 numbers a row make
    "GatedAdd-projected": (f"{FLAT}, float[2,6,5] g", "float[5,1] w",
                           f"y = {MS}GatedAdd(x, x, g, w)", [(2, 6, 8)], 2 * 6 * 5,
                           {"elementwise": 2 * 2 * 6 * 8, "activation": 2 * 6}, 5),
    # 4 heads of 64 with a state of 64 x 128 each, in 2 groups: 256 + 2 * 2 * 128 channels
    "Mamba2Verify": (
        ("bfloat16[3,1028] x, bfloat16[5,768,3] c, float[5,4,128,64] h, int32[1] i"),
        ("bfloat16[768,4] w, bfloat16[768] b, float[4] t, float[4] a, float[4] d,"
         " float[256] g"),
        (f"y, p, q, u, r = {MS}Mamba2Verify<heads=4, n_groups=2>"
        "(x, c, h, w, b, t, a, d, g, i)"),
        [(3, 256), (5, 768, 3), (5, 4, 128, 64), (3, 768), (3, 256)],
        3 * (4 * 768 + 2 * 4 * 128 * 64 + 256),
        {"bias": 3 * (768 + 4), "activation": 3 * (768 + 4 + 4 + 256),
         "elementwise": 3 * (4 * 128 * 64 + 4 + 256 + 256), "normalization": 4 * 3 * 256},
        768 * 4 + 768 + 3 * 4 + 256),
    "SpeculativePrefixCommit": (
        ("int64[2,8] n, int64[2,8] i, int32[3] s, int64[32] c, int64[4] x, int64[2,16] p,"
        " int64[2] r"), "", f"y, a, b = {MS}SpeculativePrefixCommit(n, i, s, c, x, p, r)",
        [(2,), (32,), (4,)], 0, {"elementwise": 2 * 8}, 0),
    "SpeculativePrefixCommit-one": (
        ("int64[8] n, int64[8] i, int32[3] s, int64[16] c, int64[2] x, int64[16] p,"
        " int64[2] r"), "", f"y, a, b = {MS}SpeculativePrefixCommit(n, i, s, c, x, p, r)",
        [(1,), (16,), (2,)], 0, {"elementwise": 8}, 0),
    "PackedSparseAttentionIndexerMerge": (
        "int32[4,7] i, int32[4] n, int32[9] r, int32[9] a, int32[9] b", "",
        (f'y, c, s = {MS}PackedSparseAttentionIndexerMerge<max_output_entries=12,'
        ' policy_mode="append_range">(i, n, r, a, b)'), [(9, 12), (9,), (9,)], 0, {}, 0),
    # 2 heads, of which 8 of 12 numbers are normalised and 4 rotated
    "RMSNormRotary": (
        "float16[2,6,2,12] x, int64[2,6] i", "float[8] g, float[20,2] c",
        (f"y, z = {MS}RMSNormRotary<rotary_embedding_dim=4, input_start=4, input_width=8,"
        " output_fp16=1>(x, g, i, c, c)"), [(2, 6, 16), (2, 6, 2, 8)], 0,
        {"normalization": 4 * 2 * 6 * 2 * 8, "elementwise": 3 * 2 * 6 * 2 * 4}, 8),
    "RMSNormRotary-flat": (
        "float16[2,6,2,8] x, int64[1] i", "float[8] g, float[20,4] c",
        f"y = {MS}RMSNormRotary<rotary_embedding_dim=8, flatten_batch=1>(x, g, i, c, c)",
        [(1, 12, 16)], 0,
        {"normalization": 4 * 12 * 2 * 8, "elementwise": 3 * 12 * 2 * 8}, 8),
    "SwiGLU": (f"{FLAT}", "", f"y = {MS}SwiGLU<limit=7.0, activation_beta=1.0>(x, x)", [(2, 6, 8)],
               0, {"activation": 2 * 6 * 8, "elementwise": (1 + 2 + 1) * 2 * 6 * 8}, 0),
    "SwiGLU-packed": (FLAT, "", f"y = {MS}SwiGLU(x)", [(2, 6, 4)],
                      0, {"activation": 2 * 6 * 4, "elementwise": 2 * 6 * 4}, 0),
    # 4 logits and 2 halves of 5
    "RouterGateUpProj": ("float16[2,6,8] x", "float16[8,14] w",
                         f"y, z = {MS}RouterGateUpProj<router_size=4, limit=7.0>(x, w)",
                         [(2, 6, 4), (2, 6, 5)], 2 * 6 * 8 * (4 + 2 * 5),
                         {"activation": 2 * 6 * 5, "elementwise": (1 + 2) * 2 * 6 * 5}, 8 * 14),
    "MoEGroupRouter-projected": (
        "float16[12,256] x", "float[8] b, float16[8,256] w",
        f", y, z = {MS}MoEGroupRouter<top_k=3>(x, b, w)", [(12, 8), (12, 8)], 12 * 256 * 8,
        {"activation": 12 * 8, "bias": 12 * 8}, 8 + 8 * 256),
    # streams of 8 numbers, gates of rank 5
    "HyperConnectionLowRankMix": (
        "float[2,6,32] x", "float[32] g, float[32,5] d, float[5,32] u, float[32,4] i",
        f"y, z = {MS}HyperConnectionLowRankMix<num_branches=4>(x, g, d, u, i)",
        [(2, 6, 8), (2, 6, 4)], 12 * (32 * 5 + 5 * 32 + 32 * 4 + 32),
        {"normalization": 4 * 12 * 32, "activation": 12 * (5 + 32 + 4),
         "elementwise": 12 * (2 * 4 + 8)}, 32 + 2 * 32 * 5 + 32 * 4),
    "HyperConnectionLowRankMix-mixed": (
        "float[2,6,32] x, float[2,6,8] o, float[2,6,4] p",
        "float[32] g, float[32,5] d, float[5,32] u, float[32,4] i",
        f"y, z, t = {MS}HyperConnectionLowRankMix<num_branches=4>(x, g, d, u, i, o, p)",
        [(2, 6, 8), (2, 6, 4), (2, 6, 32)], 12 * (32 * 5 + 5 * 32 + 32 * 4 + 32 + 32),
        {"normalization": 4 * 12 * 32, "activation": 12 * (5 + 32 + 4),
         "elementwise": 12 * (2 * 4 + 8)}, 32 + 2 * 32 * 5 + 32 * 4),
    "MatMulPacked": ("float16[2,6,64] x", "uint8[5,36] w, float s",
                     (f'y = {MS}MatMulPacked<packed_type=2, K=64, N=5, activation_type="silu">'
                     "(x, w, s)"), [(2, 6, 5)], 2 * 6 * 64 * 5,
                     {"quantization": 2 * 6 * 5, "activation": 2 * 6 * 5}, 64 * 5),
    # an adapter of rank 3
    **{f"MatMulNBitsQLoRA-{name}": (
        "float[2,6,48] x",
        (f"uint8[5,2,16] w, float[5,2] s, uint8[{down}, float[3,2] p, uint8[5,{up}, float[5,1] q"),
        f"y = {MS}MatMulNBitsQLoRA<K=48, N=5>(x, w, s, a, p, b, q)",
        [(2, 6, 5)], 2 * 6 * (48 * 5 + products), {"elementwise": 2 * 6 * 5} if products else {},
        48 * 5 + weights)
       for name, down, up, products, weights in (
           ("rank", "3,2,32] a", "1,32] b", 48 * 3 + 3 * 5, 48 * 3 + 3 * 5),
           ("no-down", "0,2,32] a = {}", "1,32] b", 3 * 5, 3 * 5),
           ("no-up", "3,2,32] a", "0,32] b = {}", 0, 48 * 3))},
    "MatMulNBits-left-out": ("float[2,6,48] x", "uint8[0,2,16] w = {}, float[5,2] s, float[5] b",
                             f"y = {MS}MatMulNBits<K=48, N=5>(x, w, s, , , b)", [(2, 6, 5)], 0,
                             {"bias": 2 * 6 * 5}, 5),
    # gate and value of 32 numbers each in one matrix
    "QMoE-geglu": (
        "float[2,6,32] x, float[12,4] r",
        "uint8[4,64,16] a, float[4,64] p, uint8[4,32,16] b, float[4,32] q",
        (f'y = {MS}QMoE<k=2, activation_type="geglu", swiglu_fusion=2>'
        "(x, r, a, p, , b, q)"), [(2, 6, 32)], 2 * 12 * (64 * 32 + 32 * 32),
        {"activation": 2 * 12 * 32, "softmax": 5 * 12 * 4}, 4 * (64 * 32 + 32 * 32)),
    # 2 of 4 experts a token, each with two or three matrices of 64 x 256 numbers
    "MoEPacked": (
        "float16[2,6,256] x, float[12,4] r",
        "uint8[4,64,66] a, uint8[4,64,66] b, uint8[4,256,18] c",
        f"y = {MS}MoEPacked<k=2, gate_type=16, up_type=16, down_type=2>(x, r, a, b, c)",
        [(2, 6, 256)], 2 * 12 * 3 * 64 * 256,
        {"activation": 2 * 12 * 64, "softmax": 5 * 12 * 4}, 3 * 4 * 64 * 256),
    "MoEPacked-routed": (
        "float16[2,6,256] x, float[12,4] r", "uint8[4,64,66] a, uint8[4,256,18] c",
        (f'y = {MS}MoEPacked<k=2, gate_type=16, down_type=16, activation_type="relu2">'
        "(x, r, a, , c, r)"),
        [(2, 6, 256)], 2 * 12 * 2 * 64 * 256, {"activation": 2 * 12 * 64}, 2 * 4 * 64 * 256),
    "FusedMatMulActivation": (FLAT, "float[5,8] w",
                              f'y = {MS}FusedMatMulActivation<transB=1, activation="Relu">(x, w)',
                              [(2, 6, 5)], 2 * 6 * 8 * 5, {"activation": 2 * 6 * 5}, 8 * 5),
    "GemmFastGelu": (FLAT, "float[8,5] w, float[5] b", f"y = {MS}GemmFastGelu(x, w, b)",
                     [(2, 6, 5)], 2 * 6 * 8 * 5, {"bias": 2 * 6 * 5, "activation": 2 * 6 * 5},
                     8 * 5 + 5),
    "GemmFloat8": ("float[6,8] x", "float[5,8] w",
                   f'y = {MS}GemmFloat8<transB=1, activation="RELU", dtype=10>(x, w)', [(6, 5)],
                   6 * 8 * 5, {"activation": 6 * 5}, 8 * 5),
    "QOrderedMatMul": ("int8[2,6,8] x", f"{SCALE}, int8[8,5] w, float[5] b",
                       f"y = {MS}QOrderedMatMul(x, s, w, s, s, b)", [(2, 6, 5)], 2 * 6 * 8 * 5,
                       {"bias": 2 * 6 * 5}, 8 * 5 + 5),
    "MatMulBlockQuantizedFp8Weight": (
        "float16[2,6,128] x", "uint8[5,128] w, float[5,1] q, float16[5] b",
        f"y = {MS}MatMulBlockQuantizedFp8Weight(x, w, q, , b)", [(2, 6, 5)], 2 * 6 * 128 * 5,
        {"bias": 2 * 6 * 5}, 128 * 5 + 5),
    "QOrderedGelu": ("int8[2,6,8] x", SCALE, f"y = {MS}QOrderedGelu(x, s, s)", [(2, 6, 8)],
                     0, {"activation": 2 * 6 * 8}, 0),
    "QOrderedLayerNormalization": ("int8[2,6,8] x", f"{SCALE}, float[8] g",
                                   f"y = {MS}QOrderedLayerNormalization(x, s, g, g, s)",
                                   [(2, 6, 8)], 0, {"normalization": 7 * 2 * 6 * 8}, 8),
    "QuantizeWithOrder": (FLAT, SCALE, f"y = {MS}QuantizeWithOrder(x, s)", [(2, 6, 8)],
                          0, {"quantization": 3 * 2 * 6 * 8}, 0),
    "DequantizeWithOrder": ("int8[2,6,8] x", SCALE, f"y = {MS}DequantizeWithOrder<to=1>(x, s)",
                            [(2, 6, 8)], 0, {"quantization": 2 * 2 * 6 * 8}, 0),
    "MulInteger": ("uint8[2,1,8] x, uint8[6,8] a", "", f"y = {MS}MulInteger(x, , a)", [(2, 6, 8)],
                   0, {"elementwise": 2 * 6 * 8}, 0),
    "ReduceSumInteger": ("uint8[2,6,8] x", "", f"y = {MS}ReduceSumInteger<axes=[1], keepdims=0>(x)",
                         [(2, 8)], 0, {"reduction": 2 * 6 * 8}, 0),
    "QLinearReduceMean": ("uint8[2,6,8] x", Q,
                          f"y = {MS}QLinearReduceMean<axes=[-1], keepdims=1>(x, s, z, s, z)",
                          [(2, 6, 1)], 0, {"reduction": 2 * 6 * 8}, 0),
    "TorchEmbedding": ("int64[2,6] i", "float[20,8] w", f"y = {MS}TorchEmbedding(w, i)",
                       [(2, 6, 8)], 0, {}, 20 * 8),
    # 3 + 5 + ... + (2 * 2^31 - 1) operations to mix, none of which is counted one by one
    "NGramHashMapping-orders": (
        "int64[2,6] i, int64[3] m, int64[8] v", "",
        f"y, p = {MS}NGramHashMapping<max_ngram_size=2147483648, n_head_per_ngram=1>(i, m, v)",
        [(2, 6, 2**31 - 1), (2, 2**31 - 1)], 0,
        {"elementwise": 2 * 6 * (2**62 - 1 + 2**31 - 1)}, 0),
    "RestorePadding": ("float[9,8] x, int32[2,6] o", "", f"y = {MS}RestorePadding(x, o)",
                       [(2, 6, 8)], 0, {}, 0),
    # 5 n log2 n / 2 for n = 8
    "Rfft": ("float[2,8] x", "", f"y = {MS}Rfft<onesided=1>(x)", [(2, 5, 2)],
             0, {"signal": 2 * 20 * 3}, 0),
    "Irfft": ("float[2,5,2] x", "", f"y = {MS}Irfft<onesided=1>(x)", [(2, 8)],
              0, {"signal": 2 * 20 * 3}, 0),
    "MatMulNBitsMlp": (
        "float[2,6,32] x",
        "float[32] g, uint8[5,1,16] w, float[5,1] q, uint8[5,1,16] u, float[5] b",
        f"y, t = {MS}MatMulNBitsMlp<K=32, N=5>(x, x, g, w, q, b, u, q, b)",
        [(2, 6, 5), (2, 6, 32)], 2 * 2 * 6 * 32 * 5,
        {"activation": 2 * 6 * 5, "elementwise": 2 * 6 * 5 + 2 * 6 * 32, "bias": 2 * 2 * 6 * 5,
         "normalization": 4 * 2 * 6 * 32}, 32 + 2 * 32 * 5 + 5),
    "MatMulNBitsQkv": (
        "float[2,6,32] x",
        "float[32] g, uint8[8,1,16] w, float[8,1] q, uint8[4,1,16] k, uint8[4,1,16] v, float[8] b",
        f"y, a, c, t = {MS}MatMulNBitsQkv<K=32, Nq=8, Nkv=4>(x, x, g, w, q, b, k, q, , v, q)",
        [(2, 6, 8), (2, 6, 4), (2, 6, 4), (2, 6, 32)], 2 * 6 * 32 * (8 + 4 + 4),
        {"elementwise": 2 * 6 * 32, "bias": 2 * 6 * 8, "normalization": 4 * 2 * 6 * 32},
        32 + 32 * (8 + 4 + 4) + 8),
    "MatMulBlockQuantizedFp4Weight": (
        "float16[2,6,32] x", "uint8[5,16] w, uint8[5,2] q, float16[5] b",
        f"y = {MS}MatMulBlockQuantizedFp4Weight(x, w, q, q, , b)", [(2, 6, 5)], 2 * 6 * 32 * 5,
        {"bias": 2 * 6 * 5}, 32 * 5 + 5),
}  # fmt: skip


def table_of(inputs: str, constants: str, nodes: str) -> CostTable:
    """The costs of nodes; weights without numbers are declared and left out."""
    return count(load(from_text(f"{HEADER} g ({inputs}) => (y) <{constants}> {{ {nodes} }}")))


@pytest.mark.parametrize("row", ROWS)
def test_shapes_and_cost_are_those_of_the_schema(row: str) -> None:
    """Shapes of the outputs, MACs, operations of each family and parameters."""
    inputs, constants, node, shapes, macs, ops, _ = ROWS[row]
    table = table_of(inputs, constants, node)
    values = [table.graph.value(name) for name in table.graph.nodes[0].outputs if name]
    assert [value.static_shape for value in values] == list(shapes)
    assert all(value.dtype for value in values)
    assert dict(table.uncosted) == {}
    assert table.total().macs == macs
    assert dict(table.total().ops_by_family) == ops


@pytest.mark.parametrize("row", sorted(ROWS))
def test_parameters_are_the_numbers_of_the_weights(row: str) -> None:
    """Scales, zero points, tables of angles and masks are none."""
    inputs, constants, node, _, _, _, parameters = ROWS[row]
    assert table_of(inputs, constants, node).parameter_count == parameters


# Inputs and constants, node, a part of the reason.
UNKNOWN: dict[str, tuple[str, str, str]] = {
    **{name: ("float[2,6,8] x", f"y = {name}(x)", why) for name, why in UNKNOWN_SHAPES.items()},
    "channels of no whole block": (
        "float[1,20,7,9] x", f"y = {BLOCKS}ReorderInput(x)", "20 channels are padded to blocks"),
    "keys that are fed": (
        "float[1,6,32] x, float[1,6,16] k, int32[1] l, int32 t",
        f"y = {MS}GroupQueryAttention<num_heads=4, kv_num_heads=2>(x, k, k, , , l, t)",
        "how many keys there are is told by 't'"),
    "pages": (
        "float[9,32] x, float[9,16] k, float[4,16,2,8] c, int32[3] n, int32[2] p, int32[2,4] b",
        f"y = {MS}PagedAttention<num_heads=4, kv_num_heads=2>(x, k, k, c, c, n, p, b)",
        "depends on the data"),
    "selected pages": (
        "float[9,64] x, float[4,16,2,8] c, int32[3] n, int32[9,4] b",
        f"y = {MS}SparsePagedAttention<num_heads=4, kv_num_heads=2>(x, , , c, c, n, n, b)",
        "depends on the data"),
    "blocks of keys": (
        "float[1,6,64] x, float[1,2,64,8] c, int32[1,5] n",
        f"y, p, q = {MS}SparseAttention<num_heads=4, kv_num_heads=2>(x, , , c, c, n, n, n, n)",
        "its block mask decides"),
    "flags that are fed": (
        "float[6,2,8] x, float[8,8] w, float[8,16] v, float[24] b, bool f",
        f"y = {MS}DecoderAttention<num_heads=4>(x, x, w, v, b, , , , f, f, f, f)",
        "truth values that are fed"),
    **{op: ("float[2,8,6] x, float[6,18] w, float[18] b, float[2,8] m, int32[2,8] g",
            f"y = {MS}{op}<num_heads=2, window=2>(x, w, b, m, w, b, g)",
            "how many tokens attend to all others")
       for op in ("LongformerAttention", "QOrderedLongformerAttention")},
    "a replayed state": (
        "float[100] s, float[50] c, float[100] d, int64[11] m",
        f"y = {MS}GatedDeltaNetStateReplay(s, c, d, m)", "tells how much it replays"),
    "a replayed history": (
        "float[100] s, float[50] c, float[100] d, int64[8] m",
        f"y = {MS}ConvStateReplay(s, c, d, m)", "tells how much it replays"),
    "halves of an odd width": (
        "float[2,7] x", f"y = {MS}SwiGLU(x)", "7 in 2 equal parts"),
    "more logits than columns": (
        "float16[2,8] x, float16[8,3] w", f"y, z = {MS}RouterGateUpProj<router_size=5>(x, w)",
        "its shapes contradict"),
    "tokens of strings": ("string[3] x", f"y = {MS}Tokenizer(x)", "no fixed size"),
    "padding": ("float[2,6,8] x, int32[2] n", f"y, o, c, m = {MS}RemovePadding(x, n)",
                "how many tokens are no padding"),
    "no heads": (FLAT, f"y = {MS}MultiHeadAttention(x, x, x)", "num_heads is None"),
    "heads that do not divide": (
        FLAT, f"y = {MS}MultiHeadAttention<num_heads=3>(x, x, x)", "8 in 3 equal parts"),
    "rows that do not fit": (
        "float[2,6,8] x, float[9,36] w", f"y = {MS}Attention<num_heads=4>(x, w)",
        "9 rows for 8 inputs"),
    "queries of rank 4": (
        "float[2,4,6,2] x", f"y = {MS}MultiHeadAttention<num_heads=4>(x, x, x)",
        "queries of rank 4"),
    "inner dims that differ": (
        "float[2,6,8] x, float[6,9] w", f"y = {MS}FusedMatMul<transB=1>(x, w)",
        "inner dims 8 and 9"),
    "another K": (
        "float[2,6,8] x, uint8[5,1,16] w, float[5] s",
        f"y = {MS}MatMulNBits<K=32, N=5, bits=4, block_size=32>(x, w, s)", "inner dims 8 and 32"),
    "3 bits": (
        "uint8[10,16] w, int64[2] i, float[10,1] s",
        f"y = {MS}GatherBlockQuantized<bits=3>(w, i, s)", "3 bits a number"),
    "channels of a weight": (
        "float[1,7,9,3] x, float[4,5,3,3] w", f"y = {MS}NhwcConv(x, w)", "channels"),
    "a map without axes": ("float[3] x", f"y = {NHWC}GlobalMaxPool(x)", "a map of rank"),
    "no channels": ("float[1,32,7,9] x", f"y = {BLOCKS}ReorderOutput(x)", "channels is None"),
    "windows backwards": (
        "float[3] x", f"y = {MS}UnfoldTensor<size=4, step=-2>(x)", "steps of -2"),
    "no dilation": (
        "float[2,4,9] x, float[4,1,3] w", f"y, s = {MS}CausalConvWithState<dilation=0>(x, w)",
        "a dilation of 0"),
}  # fmt: skip


@pytest.mark.parametrize("row", UNKNOWN)
def test_unknown_cost_has_a_reason(row: str) -> None:
    """What the data or something outside the model decides, and what contradicts itself."""
    inputs, node, why = UNKNOWN[row]
    table = table_of(inputs, "", node)
    assert table.cost(table.graph.nodes[0]) is None
    assert why in " ".join(cause.why for cause in table.uncosted[0])


def test_a_convolution_over_blocks_is_counted_however_large_they_are() -> None:
    """20 channels fill blocks of 8 or of 16; the weight tells that 24 are read."""
    nodes = f"r = {BLOCKS}ReorderInput(x) y = {BLOCKS}Conv(r, w)"
    table = table_of("float[1,20,7,9] x", "float[16,24,3,3] w", nodes)
    assert set(table.uncosted) == {0}
    cost = table.costs[1]
    assert cost.macs == 16 * 5 * 7 * 24 * 3 * 3
    assert (cost.bytes_read, cost.bytes_written) == (4 * 24 * 7 * 9, 4 * 16 * 5 * 7)
