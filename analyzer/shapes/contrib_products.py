"""Shapes of the matrix products of com.microsoft, those with packed and quantised weights too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, volume
from archlint.analyzer.shapes.context import Context, Outputs, normal_axis, shapes
from archlint.analyzer.shapes.contrib_heads import parts, positive
from archlint.analyzer.shapes.contrib_views import same, seen_as
from archlint.analyzer.shapes.products import multiplied

if TYPE_CHECKING:
    from archlint.analyzer.shapes.contrib_heads import Attending

same("Gemm", "com.microsoft.FusedGemm")
same("MatMul", "com.microsoft.DynamicQuantizeMatMul", "com.microsoft.GemmFastGelu")
same("MatMulInteger", "com.microsoft.MatMulInteger16")


@shapes(
    "com.microsoft.FusedMatMul", "com.microsoft.TransposeMatMul",
    "com.microsoft.FusedMatMulActivation",
)  # fmt: skip
def fused_matmul(context: Context) -> Outputs:
    """As MatMul of both operands, each turned first."""
    return [(multiplied(turned(context, "A"), turned(context, "B")), context.dtype(0))]


def turned(node: Attending, operand: str) -> Shape:
    """The shape of operand A or B as it is multiplied.

    ``transBatch`` moves the first axis behind the other batch axes, ``trans`` swaps the last two;
    a vector stays as it is.
    """
    shape = node.shape("AB".index(operand))
    if len(shape) < 2:
        return shape
    if node.attribute(f"transBatch{operand}", 0):
        shape = (*shape[1:-1], shape[0], shape[-1])
    if node.attribute(f"trans{operand}", 0):
        shape = (*shape[:-2], shape[-1], shape[-2])
    return shape


@shapes("com.microsoft.MatMulIntegerToFloat")
def matmul_integer_to_float(context: Context) -> Outputs:
    """As MatMul, in the data type of the scales."""
    return [(multiplied(context.shape(0), context.shape(1)), context.dtype(2))]


@shapes("com.microsoft.QOrderedMatMul")
def ordered_matmul(context: Context) -> Outputs:
    """As MatMul of the first and the third input."""
    return [(multiplied(context.shape(0), context.shape(2)), context.dtype(0))]


@shapes("com.microsoft.QGemm")
def quantised_gemm(context: Context) -> Outputs:
    """As Gemm, in the data type of the output's zero point, or of the scales without one."""
    return [(seen_as("Gemm", context, 0, 3), context.dtype(8) or context.dtype(1))]


@shapes("com.microsoft.GemmFloat8")
def gemm_float8(context: Context) -> Outputs:
    """As Gemm, in the data type ``dtype``."""
    dtype = int(context.attribute("dtype", TensorProto.FLOAT))
    return [(seen_as("Gemm", context, 0, 1), dtype)]


@shapes(
    "com.microsoft.MatMulNBits", "com.microsoft.MatMulBnb4", "com.microsoft.MatMulPacked",
    "com.microsoft.MatMulNBitsQLoRA",
)  # fmt: skip
def packed_matmul(context: Context) -> Outputs:
    """[…, K] to […, N], or back where the weight is not transposed."""
    features = positive(context, "K"), positive(context, "N")
    inner, outer = features if context.attribute("transB", 1) else features[::-1]
    return [(_projected(context.shape(0), inner, outer), context.dtype(0))]


@shapes("com.microsoft.MatMulFpQ4")
def blob_matmul(context: Context) -> Outputs:
    """[…, K] to […, N], which the third input tells."""
    inner, outer = context.elements(2)
    return [(_projected(context.shape(0), inner, outer), context.dtype(0))]


@shapes("com.microsoft.MatMulBlockQuantizedFp4Weight")
def fp4_matmul(context: Context) -> Outputs:
    """[…, K] to […, N] by a weight [N, K / 2]."""
    outer, packed = context.shape(1)
    return [(_projected(context.shape(0), packed * 2, outer), context.dtype(0))]


@shapes("com.microsoft.MatMulBlockQuantizedFp8Weight")
def fp8_matmul(context: Context) -> Outputs:
    """[…, K] to […, N] by a weight [N, K]."""
    outer, inner = context.shape(1)
    return [(_projected(context.shape(0), inner, outer), context.dtype(0))]


@shapes("com.microsoft.MatMulNBitsMlp")
def packed_mlp(context: Context) -> Outputs:
    """[…, K] to […, N], and the sum that was normalised."""
    x, inner = context.shape(0), positive(context, "K")
    dtype = context.dtype(0)
    return [(_projected(x, inner, positive(context, "N")), dtype), (x, dtype)]


@shapes("com.microsoft.MatMulNBitsQkv")
def packed_qkv(context: Context) -> Outputs:
    """[…, K] to queries, keys and values, and the sum that was normalised."""
    x, inner, dtype = context.shape(0), positive(context, "K"), context.dtype(0)
    query, other = positive(context, "Nq"), positive(context, "Nkv")
    return [*((_projected(x, inner, n), dtype) for n in (query, other, other)), (x, dtype)]


def _projected(x: Shape, inner: Dim, outer: Dim) -> Shape:
    """A matrix product by a weight [inner, outer] that is stored in another form."""
    return multiplied(x, (inner, outer))


@shapes("com.microsoft.RouterGateUpProj")
def router_gate_up(context: Context) -> Outputs:
    """[…, router], and […, inner] of a weight with router + 2 · inner columns."""
    x, (inner, columns), dtype = context.shape(0), context.shape(1), context.dtype(0)
    router = positive(context, "router_size")
    half = parts(columns - router, 2)
    return [(_projected(x, inner, outer), dtype) for outer in (router, half)]


@shapes("com.microsoft.MoEGroupRouter")
def expert_scores(context: Context) -> Outputs:
    """[tokens, experts] each: routed scores, or biased and unbiased ones."""
    *tokens, width = context.shape(0)
    experts = context.shape(2)[0] if context.has(2) else width
    shape = (volume(tokens), experts)
    dtypes = (context.dtype(0), TensorProto.FLOAT, TensorProto.FLOAT)
    return [(shape, dtype) for dtype in dtypes]


@shapes("com.microsoft.GatherPacked")
def gather_packed(context: Context) -> Outputs:
    """The shape of the indices, and the width of the table."""
    dtype = int(context.attribute("output_dtype", TensorProto.BFLOAT16))
    return [((*context.shape(1), positive(context, "K")), dtype)]


@shapes("com.microsoft.GatherBlockQuantized")
def gather_block_quantised(context: Context) -> Outputs:
    """As Gather of the unpacked numbers, in the data type of the scales."""
    data = context.shape(0)
    axis = normal_axis(context.attribute("gather_axis", 0), len(data))
    unpacked = (*data[:-1], data[-1] * per_element(context))
    shape = (*unpacked[:axis], *context.shape(1), *unpacked[axis + 1 :])
    return [(shape, context.dtype(2))]


def per_element(node: Attending) -> int:
    """How many numbers GatherBlockQuantized finds in an element of its data."""
    data, bits = node.inputs[0], node.attribute("bits", 4)
    if data is None or data.dtype != TensorProto.UINT8:
        return 1
    if bits not in (2, 4, 8):
        raise ValueError(f"{bits} bits a number")
    return 8 // int(bits)


@shapes("com.microsoft.CDist")
def distances(context: Context) -> Outputs:
    """[M, N] of [M, K] and [N, K]."""
    return [((context.shape(0)[0], context.shape(1)[0]), context.dtype(0))]


@shapes("com.microsoft.HyperConnectionPreMix")
def mixed_streams(context: Context) -> Outputs:
    """[…, branches, size], or […, branches · size], to […, size]."""
    x, branches = context.shape(0), context.attribute("num_branches", 0)
    shape = (*x[:-1], parts(x[-1], branches)) if branches else (*x[:-2], x[-1])
    return [(shape, context.dtype(0))]


@shapes("com.microsoft.HyperConnectionLowRankMix")
def low_rank_mix(context: Context) -> Outputs:
    """[…, size] and […, branches] of streams […, branches · size], and the streams."""
    x, branches, dtype = context.shape(0), positive(context, "num_branches"), context.dtype(0)
    every = ((*x[:-1], parts(x[-1], branches)), (*x[:-1], branches), x)
    return [(shape, dtype) for shape in every]


@shapes("com.microsoft.WordConvEmbedding")
def word_embedding(context: Context) -> Outputs:
    """[words, filters]."""
    return [((context.shape(0)[0], context.shape(1)[0]), context.dtype(1))]
