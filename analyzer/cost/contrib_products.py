"""Matrix products of com.microsoft, those with packed and quantised weights too.

How often packed weights are unpacked depends on the kernel, and is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archlint.analyzer.cost.base import View, Work, handles
from archlint.analyzer.cost.contrib_attention import known
from archlint.analyzer.cost.matmul import gemm, matmul
from archlint.analyzer.shapes.contrib_heads import positive
from archlint.analyzer.shapes.contrib_products import per_element, turned


@handles("com.microsoft.FusedMatMul", "com.microsoft.TransposeMatMul")
def fused_matmul(view: View) -> Work:
    """Π(out) · K MACs, K the inner dim of the operands as they are turned."""
    return Work(view.out_elements() * known(view, turned(view, "A")[-1]))


@handles("com.microsoft.FusedMatMulActivation")
def fused_matmul_activation(view: View) -> Work:
    """As com.microsoft.FusedMatMul, and an operation an output element."""
    return Work(fused_matmul(view).macs, {"activation": view.out_elements()})


@handles("com.microsoft.FusedGemm", roles="xww")
def fused_gemm(view: View) -> Work:
    """As Gemm; an activation is an operation an output element."""
    work = gemm(view)
    return Work(work.macs, {**work.ops, "activation": view.out_elements()})


@handles("com.microsoft.GemmFastGelu", roles="xww")
def gemm_fast_gelu(view: View) -> Work:
    """As MatMul; bias and activation are operations of an output element."""
    outputs = view.out_elements()
    return Work(matmul(view).macs, {"bias": outputs * view.has(2), "activation": outputs})


@handles("com.microsoft.GemmFloat8", roles="xwws")
def gemm_float8(view: View) -> Work:
    """As Gemm; an activation is an operation an output element."""
    work = gemm(view)
    active = str(view.attribute("activation", "NONE")) not in ("", "NONE")
    return Work(work.macs, {**work.ops, "activation": view.out_elements() * active})


@handles("com.microsoft.MatMulInteger16", roles="ww")
def matmul_integer16(view: View) -> Work:
    """As MatMul, on integers."""
    return matmul(view)


@handles("com.microsoft.MatMulIntegerToFloat", roles="wwssssw")
def matmul_integer_to_float(view: View) -> Work:
    """As MatMul, on integers; scaling and bias are operations of an output element."""
    outputs = view.out_elements()
    return Work(matmul(view).macs, {"quantization": outputs, "bias": outputs * view.has(6)})


@handles("com.microsoft.DynamicQuantizeMatMul", roles="xwssw")
def dynamic_quantize_matmul(view: View) -> Work:
    """As MatMul, on integers; 5 operations to quantise each number of A, one to scale each output
    element, one more for a bias."""
    outputs = view.out_elements()
    ops = {"quantization": 5 * view.elements(0) + outputs, "bias": outputs * view.has(4)}
    return Work(matmul(view).macs, ops, bits=8)


@handles("com.microsoft.QGemm", roles="wsswsswss")
def quantised_gemm(view: View) -> Work:
    """As Gemm, on integers."""
    a, outputs = view.shape(0), view.out_elements()
    inner = a[0] if view.attribute("transA", 0) else a[1]
    return Work(outputs * inner, {"bias": outputs * view.has(6)})


@handles("com.microsoft.QOrderedMatMul", roles="wswsswxs")
def ordered_matmul(view: View) -> Work:
    """As MatMul, on integers; bias and addend are operations of an output element."""
    outputs = view.out_elements()
    ops = {"bias": outputs * view.has(5), "elementwise": outputs * view.has(6)}
    return Work(matmul(view).macs, ops)


@handles(
    "com.microsoft.MatMulNBits", "com.microsoft.MatMulBnb4", "com.microsoft.MatMulFpQ4",
    "com.microsoft.MatMulBlockQuantizedFp4Weight", roles="xwsssw",
)  # fmt: skip
def packed_matmul(view: View) -> Work:
    """Π(out) · K MACs, K the last dim of A; a bias adds Π(out) operations."""
    return Work(matmul(view).macs, {"bias": view.out_elements() * view.has(5)})


@handles("com.microsoft.MatMulBlockQuantizedFp8Weight", roles="xwssw")
def fp8_matmul(view: View) -> Work:
    """Π(out) · K MACs, K the last dim of A; a bias adds Π(out) operations."""
    return Work(matmul(view).macs, {"bias": view.out_elements() * view.has(4)})


@handles("com.microsoft.MatMulNBitsMlp", roles="xxwwswwsw")
def packed_mlp(view: View) -> Work:
    """Two products by K·N weights; an activation and a product an output element; the
    normalisation before them is 4 operations a number, a residual one more."""
    outputs = view.out_elements()
    ops = {
        "activation": outputs,
        "elementwise": outputs + view.elements(0) * view.has(1),
        "bias": outputs * (view.has(5) + view.has(8)),
        "normalization": 4 * view.elements(0) * view.has(2),
    }
    return Work(2 * matmul(view).macs, ops)


@handles("com.microsoft.MatMulNBitsQkv", roles="xxwwswwswwsw")
def packed_qkv(view: View) -> Work:
    """Three products by K·(N_q + 2·N_kv) weights; the normalisation before them is 4 operations a
    number, a residual one more."""
    rows, query, other = prod(view.shape(0)[:-1]), positive(view, "Nq"), positive(view, "Nkv")
    biased = query * view.has(5) + other * (view.has(8) + view.has(11))
    ops = {
        "elementwise": view.elements(0) * view.has(1),
        "bias": rows * biased,
        "normalization": 4 * view.elements(0),
    }
    return Work(view.elements(0) * (query + 2 * other), ops)


@handles("com.microsoft.GatherBlockQuantized", roles="wsss")
def gather_block_quantised(view: View) -> Work:
    """2 operations a picked number: shift, scale."""
    numbers = view.out_elements()
    return Work(ops={"quantization": 2 * numbers}, reads={0: numbers // per_element(view)})


@handles("com.microsoft.MoE", roles="xxwwwwww")
def mixture_of_experts(view: View) -> Work:
    """tokens · k experts, each as many MACs as it has weights; the router's softmax is 5 operations
    an expert and token."""
    return _experts(view, [view.shape(index) for index in (2, 4, 6) if view.has(index)])


@handles("com.microsoft.QMoE", roles="xxwswwswwswsssxs")
def quantised_mixture_of_experts(view: View) -> Work:
    """As com.microsoft.MoE, with packed weights."""
    width, inner = view.shape(0)[-1], view.shape(2)[1]
    fused = view.attribute("activation_type") == "swiglu" and view.attribute("swiglu_fusion", 0)
    weights = [(1, inner, width), (1, width, inner // (2 if fused else 1))]
    return _experts(view, weights + [(1, inner, width)] * view.has(8))


def _experts(view: View, weights: Sequence[tuple[int, ...]]) -> Work:
    tokens = prod(view.shape(0)[:-1])
    active = tokens * positive(view, "k")
    ops = {"activation": active * weights[1][2], "softmax": 5 * view.elements(1)}
    return Work(active * sum(prod(weight[1:]) for weight in weights), ops)


@handles("com.microsoft.CDist")
def distances(view: View) -> Work:
    """M·N·K MACs: the square of a difference of K numbers for each pair."""
    return Work(view.out_elements() * view.shape(0)[1])


@handles("com.microsoft.WordConvEmbedding", roles="swww")
def word_embedding(view: View) -> Work:
    """words·positions·filters·window·width MACs: a convolution over the characters of each word."""
    words, characters = view.shape(0)[0], view.shape(0)[-1]
    filters, taps, window = view.shape(1)[0], prod(view.shape(1)[1:]), view.shape(1)[2]
    positions = max(characters - window + 1, 0)
    macs = words * positions * filters * taps
    return Work(macs, {"bias": words * positions * filters})


@handles("com.microsoft.HyperConnectionPreMix")
def mixed_streams(view: View) -> Work:
    """One MAC an element of the streams: they are summed with weights."""
    return Work(view.elements(0))


@handles("com.microsoft.HyperConnectionPostMix")
def stream_mix(view: View) -> Work:
    """branches MACs an element where the streams are mixed by a matrix, one more to inject."""
    branches = view.shape(3)[-1] if view.has(3) else 0
    return Work(view.elements(0) * (branches + 1))


@handles("com.microsoft.EngramGate", roles="xxxwww")
def engram_gate(view: View) -> Work:
    """One MAC a number of the keys, and 4 operations to normalise each of them and of the queries;
    a gate is 4 operations and a product a number."""
    numbers = view.elements(0)
    norms = 2 + (len(view.outputs) > 1)
    ops = {
        "normalization": 4 * norms * numbers,
        "activation": 4 * (numbers // view.shape(0)[-1]),
        "elementwise": numbers,
    }
    return Work(numbers, ops)
