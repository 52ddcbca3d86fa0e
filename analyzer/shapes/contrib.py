"""Shapes of the other operators of com.microsoft: fused element-wise work, normalisations, moves.

Source: the operators' schemas, https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from __future__ import annotations

from math import ceil

from onnx import TensorProto

from archlint.analyzer.dims import Shape, apply, broadcast, volume
from archlint.analyzer.shapes.context import Context, Outputs, normal_axis, shapes
from archlint.analyzer.shapes.contrib_heads import parts, positive
from archlint.analyzer.shapes.contrib_views import rule_of, same
from archlint.analyzer.shapes.elementwise import same_as_first

shapes(
    "com.microsoft.BiasAdd", "com.microsoft.BiasSoftmax", "com.microsoft.BranchwiseRMSNorm",
    "com.microsoft.GatedAdd", "com.microsoft.GatedRMSNorm", "com.microsoft.GroupNorm",
    "com.microsoft.HyperConnectionPostMix", "com.microsoft.Inverse",
    "com.microsoft.LongformerAttention", "com.microsoft.MRotaryEmbedding", "com.microsoft.MoE",
    "com.microsoft.MoEPacked", "com.microsoft.QMoE", "com.microsoft.QOrderedGelu",
    "com.microsoft.QOrderedLayerNormalization",
    "com.microsoft.QOrderedLongformerAttention", "com.microsoft.RotaryEmbedding",
    "com.microsoft.SampleOp", "com.microsoft.ScaledSiLU", "com.microsoft.Trilu",
    "com.ms.internal.nhwc.BatchNormalization", "com.ms.internal.nhwc.InstanceNormalization",
    "com.ms.internal.nhwc.LRN",
)(same_as_first)  # fmt: skip
same(
    "LayerNormalization", "com.microsoft.LayerNormalization",
    "com.microsoft.SimplifiedLayerNormalization",
)  # fmt: skip


@shapes("com.microsoft.ComplexMul", "com.microsoft.ComplexMulConj")
def complex_product(context: Context) -> Outputs:
    """Both inputs broadcast."""
    return [(broadcast(context.shape(0), context.shape(1)), context.dtype(0))]


@shapes("com.microsoft.SkipLayerNormalization", "com.microsoft.SkipSimplifiedLayerNormalization")
def skip_layer_normalization(context: Context) -> Outputs:
    """The result, mean and inverse deviation, and the sum that was normalised."""
    x, dtype = context.shape(0), context.dtype(0)
    statistics = (*x[:-1], 1)
    return [(x, dtype), *[(statistics, TensorProto.FLOAT)] * 2, (x, dtype)]


@shapes("com.microsoft.SkipGroupNorm", "com.microsoft.EngramGate")
def twice(context: Context) -> Outputs:
    """The result, and one more tensor of its shape."""
    return [(context.shape(0), context.dtype(0))] * 2


@shapes("com.microsoft.GemmaRotaryEmbedding")
def gemma_rotary(context: Context) -> Outputs:
    """Queries and keys, rotated."""
    return [(context.shape(index), context.dtype(index)) for index in (1, 3)]


@shapes("com.microsoft.BiasSplitGelu")
def bias_split_gelu(context: Context) -> Outputs:
    """Half of the last axis."""
    *rest, width = context.shape(0)
    return [((*rest, parts(width, 2)), context.dtype(0))]


@shapes("com.microsoft.SwiGLU")
def clamped_swiglu(context: Context) -> Outputs:
    """As the gate, or half of the last axis where the gate carries both halves."""
    gate = context.shape(0)
    half = gate if context.has(1) else (*gate[:-1], parts(gate[-1], 2))
    return [(half, context.dtype(0))]


@shapes("com.microsoft.BiasDropout")
def bias_dropout(context: Context) -> Outputs:
    """The tensor, and the mask of what was kept."""
    return [(context.shape(0), context.dtype(0)), (context.shape(0), TensorProto.BOOL)]


@shapes("com.microsoft.BitmaskDropout", "com.microsoft.BitmaskBiasDropout")
def bitmask_dropout(context: Context) -> Outputs:
    """The tensor, and the mask of what was kept, 32 elements a number."""
    x = context.shape(0)
    words = apply(lambda n: -(-n // 32), "ceil({}/32)", volume(x))
    return [(x, context.dtype(0)), ((words,), TensorProto.UINT32)]


@shapes("com.microsoft.EmbedLayerNormalization", "com.microsoft.QEmbedLayerNormalization")
def embed_layer_normalization(context: Context) -> Outputs:
    """[batch, length, width], the length of each mask, and the sum that was normalised."""
    ids, width = context.shape(0), context.shape(2)[1]
    dtype = context.dtype(8 if context.node.op_type.startswith("Q") else 2)
    every = (*ids, width)
    return [(every, dtype), (ids[:1], TensorProto.INT32), (every, dtype)]


@shapes("com.microsoft.RemovePadding")
def remove_padding(context: Context) -> Outputs:
    """[tokens, width], where each stood, and the lengths of the sequences."""
    batch, length, width = context.shape(0)
    tokens = context.fresh("tokens", "how many tokens are no padding depends on the data")
    told: list[Shape] = [(batch, length), (batch + 1,), (1,)]
    return [((tokens, width), context.dtype(0)), *((shape, TensorProto.INT32) for shape in told)]


@shapes("com.microsoft.RestorePadding")
def restore_padding(context: Context) -> Outputs:
    """[batch, length, width]."""
    return [((*context.shape(1), context.shape(0)[1]), context.dtype(0))]


@shapes("com.microsoft.ExpandDims")
def expand_dims(context: Context) -> Outputs:
    """With a 1 at the axis of the result."""
    x = context.shape(0)
    axis = normal_axis(context.elements(1)[0], len(x) + 1)
    return [((*x[:axis], 1, *x[axis:]), context.dtype(0))]


@shapes("com.microsoft.UnfoldTensor")
def unfold(context: Context) -> Outputs:
    """Each window along the axis, its elements as a last axis."""
    x, size = context.shape(0), positive(context, "size")
    step = context.attribute("step", 1)
    axis = normal_axis(context.attribute("dim", -1), len(x))
    if step < 1:
        raise ValueError(f"windows in steps of {step}")
    windows = apply(lambda n: (n - size) // step + 1, f"(({{}}-{size})//{step}+1)", x[axis])
    return [((*x[:axis], windows, *x[axis + 1 :], size), context.dtype(0))]


@shapes("com.microsoft.Range")
def number_range(context: Context) -> Outputs:
    """As Range; the step is 1 by default."""
    if context.has(2):
        return rule_of("Range")(context)
    start, limit = context.elements(0)[0], context.elements(1)[0]
    length = limit - start
    known = isinstance(length, (int, float))
    return [((max(0, ceil(length)) if known else length,), context.dtype(0))]


@shapes("com.microsoft.Unique")
def unique(context: Context) -> Outputs:
    """What is left of a vector without repetitions, its place for each element, and counts."""
    found = context.fresh("unique", "how many elements are unique depends on the data")
    return [
        ((found,), context.dtype(0)),
        (context.shape(0), TensorProto.INT64),
        ((found,), TensorProto.INT64),
    ]


@shapes("com.microsoft.TorchEmbedding")
def embedding(context: Context) -> Outputs:
    """The shape of the indices, and the width of the table."""
    return [((*context.shape(1), context.shape(0)[1]), context.dtype(0))]


@shapes("com.microsoft.NGramRepeatBlock")
def scores(context: Context) -> Outputs:
    """As the scores."""
    return [(context.shape(1), context.dtype(1))]


@shapes("com.microsoft.NGramHashMapping")
def ngram_hashes(context: Context) -> Outputs:
    """A number for each head of each order from 2 on, and the ids to go on with."""
    ids, orders = context.shape(0), positive(context, "max_ngram_size") - 1
    heads = orders * positive(context, "n_head_per_ngram")
    return [((*ids, heads), context.dtype(0)), ((ids[0], orders), context.dtype(0))]


@shapes("com.microsoft.VarlenNGramHashMapping")
def packed_ngram_hashes(context: Context) -> Outputs:
    """As NGramHashMapping of packed sequences; segments and compact updates besides."""
    orders = positive(context, "max_ngram_size") - 1
    heads = orders * positive(context, "n_head_per_ngram")
    batch, dtype = context.shape(3)[0] - 1, context.dtype(0)
    captured = context.attribute("state_update_capacity", 0)
    return [
        ((context.shape(0)[0], heads), dtype),
        ((batch, orders), dtype),
        ((batch, orders), context.dtype(3)),
        ((batch, captured, orders), dtype),
    ]


@shapes("com.microsoft.MurmurHash3")
def murmur_hash(context: Context) -> Outputs:
    """A hash for each element."""
    dtype = TensorProto.UINT32 if context.attribute("positive", 1) else TensorProto.INT32
    return [(context.shape(0), dtype)]


@shapes("com.microsoft.Tokenizer")
def tokens(context: Context) -> Outputs:
    """As many tokens for each string as the longest one has."""
    most = context.fresh("tokens", "how many tokens a string has depends on the data")
    return [((*context.shape(0), most), TensorProto.STRING)]


@shapes("com.microsoft.IsAllFinite")
def all_finite(_context: Context) -> Outputs:
    """One truth value."""
    return [((), TensorProto.BOOL)]


@shapes("com.microsoft.DynamicTimeWarping")
def time_warping(context: Context) -> Outputs:
    """[2, steps of the path]."""
    steps = context.fresh("steps", "how long the path is depends on the data")
    return [((2, steps), TensorProto.INT32)]


@shapes("com.microsoft.Rfft")
def real_fourier(context: Context) -> Outputs:
    """[…, n] to […, n // 2 + 1, 2]."""
    *rest, n = context.shape(0)
    return [((*rest, n // 2 + 1, 2), context.dtype(0))]


@shapes("com.microsoft.Irfft")
def inverse_real_fourier(context: Context) -> Outputs:
    """[…, n // 2 + 1, 2] to […, n]."""
    *rest, half, _ = context.shape(0)
    return [((*rest, (half - 1) * 2), context.dtype(0))]
