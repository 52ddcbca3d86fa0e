"""Matrix products of com.microsoft, those with packed and quantised weights too.

How often packed weights are unpacked depends on the kernel, and is not counted.
"""

from __future__ import annotations

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
    """Π(out) · K MACs, K the last dim of A; a bias adds Π(out) operations. A weight without
    elements is no product."""
    macs = 0 if _is_empty(view, 1) else matmul(view).macs
    return Work(macs, {"bias": view.out_elements() * view.has(5)})


def _is_empty(view: View, index: int) -> bool:
    weight = view.inputs[index]
    return weight is not None and weight.elements == 0


@handles("com.microsoft.MatMulPacked", roles="xws")
def format_matmul(view: View) -> Work:
    """Π(out) · K MACs, K the last dim of A; a scale and an activation are operations of an output
    element."""
    outputs = view.out_elements()
    active = view.attribute("activation_type", "none") != "none"
    ops = {"quantization": outputs * view.has(2), "activation": outputs * active}
    return Work(matmul(view).macs, ops)


@handles("com.microsoft.MatMulNBitsQLoRA", roles="xwswsws")
def packed_matmul_with_adapter(view: View) -> Work:
    """Π(out) · K MACs, rows · R · (K + N) for an adapter of rank R, and Π(out) operations to add
    it."""
    macs, outputs = matmul(view).macs, view.out_elements()
    if _is_empty(view, 5):
        return Work(macs)
    numbers, rank = view.elements(0), view.shape(4)[0]
    down = 0 if _is_empty(view, 3) else numbers * rank
    return Work(macs + down + outputs * rank, {"elementwise": outputs})


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


@handles("com.microsoft.GatherPacked", roles="ws")
def gather_packed(view: View) -> Work:
    """2 operations a picked number: shift, scale."""
    picked = view.elements(1)
    ops = {"quantization": 2 * view.out_elements()}
    return Work(ops=ops, reads={0: picked * view.shape(0)[1]})


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


@handles("com.microsoft.HyperConnectionLowRankMix", roles="xwwwwxx")
def low_rank_mix(view: View) -> Work:
    """rows · D · (2·R + C + 1) MACs, D the C streams of a row together and R the rank of their
    gates, one more a number where a block is mixed in; 4 operations to normalise a number, an
    activation each for R, D and C, 2 operations for each of C and one a number of the result."""
    numbers, (size, rank) = view.elements(0), view.shape(2)
    rows, branches = numbers // size, positive(view, "num_branches")
    ops = {
        "normalization": 4 * numbers,
        "activation": rows * (rank + size + branches),
        "elementwise": 2 * rows * branches + view.out_elements(),
    }
    return Work(numbers * (2 * rank + branches + 1 + view.has(5)), ops)


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
