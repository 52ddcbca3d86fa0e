"""Shapes of the attention operators of com.microsoft."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape
from archlint.analyzer.shapes.context import Context, Outputs, shapes
from archlint.analyzer.shapes.contrib_heads import (
    Heads,
    grouped,
    multi_head,
    parts,
    positive,
    self_attention,
    widths,
)  # fmt: skip


@shapes("com.microsoft.Attention")
def attention(context: Context) -> Outputs:
    """The result, and keys and values in one tensor [2, batch, heads, positions, size]."""
    return _with_present(self_attention(context, past=4, used=6), context.dtype(0))


@shapes("com.microsoft.DecoderMaskedSelfAttention")
def decoder_masked_self_attention(context: Context) -> Outputs:
    """As Attention, of one query."""
    return attention(context)


@shapes("com.microsoft.QAttention")
def quantised_attention(context: Context) -> Outputs:
    """As Attention, in the data type of the scales."""
    return _with_present(self_attention(context, past=8), context.dtype(3))


def _with_present(heads: Heads, dtype: int) -> Outputs:
    return [(heads.result, dtype), ((2, *heads.present_key), dtype)]


@shapes("com.microsoft.QOrderedAttention")
def ordered_attention(context: Context) -> Outputs:
    """[batch, length, width of V's weight]."""
    return [((*context.shape(0)[:2], context.shape(7)[1]), context.dtype(0))]


@shapes("com.microsoft.MultiHeadAttention")
def multi_head_attention(context: Context) -> Outputs:
    """The result, present key and value, and the scores."""
    return _all_of(context, multi_head(context, past=6, used=8))


@shapes("com.microsoft.DecoderMaskedMultiHeadAttention")
def decoder_masked_multi_head_attention(context: Context) -> Outputs:
    """As MultiHeadAttention, of one query."""
    return _all_of(context, multi_head(context, past=5, used=7))


@shapes("com.microsoft.GroupQueryAttention")
def group_query_attention(context: Context) -> Outputs:
    """As MultiHeadAttention; the cache may hold packed integers."""
    heads = grouped(context)
    result, key, value, scores = _all_of(context, heads)
    if context.has(3):
        kept = (heads.batch, heads.kv_heads, heads.cached)
        key = ((*kept, context.shape(3)[3]), context.dtype(3))
        value = ((*kept, context.shape(4)[3]), context.dtype(4))
    return [result, key, value, scores]


def _all_of(context: Context, heads: Heads) -> list[tuple[Shape, int]]:
    every = (heads.result, heads.present_key, heads.present_value, heads.scores)
    return [(shape, context.dtype(0)) for shape in every]


@shapes("com.microsoft.SparseAttention")
def sparse_attention(context: Context) -> Outputs:
    """[batch, length, heads · size], and the caches as they came."""
    query, heads = context.shape(0), positive(context, "num_heads")
    every = heads + 2 * positive(context, "kv_num_heads")
    size = parts(query[2], heads if context.has(1) else every)
    return [((*query[:2], size * heads), context.dtype(0)), *_as_came(context)]


@shapes("com.microsoft.PagedAttention", "com.microsoft.SparsePagedAttention")
def paged_attention(context: Context) -> Outputs:
    """[tokens, heads · size of a value], and the caches as they came."""
    tokens, width = context.shape(0)
    heads = positive(context, "num_heads")
    latent = context.attribute("kv_cache_layout", "SEPARATE") == "LATENT"
    packed = not latent and not context.has(1)
    size = parts(width, heads + 2 * positive(context, "kv_num_heads") if packed else heads)
    size = context.attribute("v_head_size", 0) or size
    return [((tokens, size * heads), context.dtype(0)), *_as_came(context)]


def _as_came(context: Context) -> list[tuple[Shape, int]]:
    given = [index for index in (3, 4) if context.has(index)]
    return [(context.shape(index), context.dtype(index)) for index in given]


@shapes("com.microsoft.PackedAttention")
def packed_attention(context: Context) -> Outputs:
    """[tokens, width of the values]."""
    value = widths(context, context.shape(1)[1])[2]
    return [((context.shape(0)[0], value), context.dtype(0))]


@shapes("com.microsoft.PackedMultiHeadAttention")
def packed_multi_head_attention(context: Context) -> Outputs:
    """[tokens, width of the values]."""
    query = context.shape(0)
    width: Dim = query[1] * query[3] if len(query) == 4 else context.shape(2)[1]
    return [((query[0], width), context.dtype(0))]


@shapes("com.microsoft.DecoderAttention")
def decoder_attention(context: Context) -> Outputs:
    """As the query; truth values that are fed decide how long the caches are."""
    length, batch, width = context.shape(0)
    heads = positive(context, "num_heads")
    kept = context.fresh("cached", "how many keys are kept depends on the data")
    cache = (batch, heads, kept, parts(width, heads))
    return [(shape, context.dtype(0)) for shape in ((length, batch, width), cache, cache)]


@shapes("com.microsoft.RMSNormRotary")
def normalised_rotary(context: Context) -> Outputs:
    """[batch, length, heads · width], or [1, batch · length, heads · width], and the normalised
    numbers before they are rotated."""
    batch, length, heads, stride = context.shape(0)
    width: Dim = context.attribute("input_width", 0) or stride
    rows = (1, batch * length) if context.attribute("flatten_batch", 0) else (batch, length)
    half = context.attribute("output_fp16", 0)
    dtype = TensorProto.FLOAT16 if half else TensorProto.BFLOAT16
    normalised = (batch, length, heads, width)
    return [((*rows, heads * width), dtype), (normalised, TensorProto.FLOAT)]


@shapes("com.microsoft.PackedSparseAttentionIndexerMerge")
def merged_selections(context: Context) -> Outputs:
    """[queries, entries], and for each query how many are valid and whether all went well."""
    query, dtype = context.shape(2), context.dtype(0)
    entries = positive(context, "max_output_entries")
    return [(shape, dtype) for shape in ((*query, entries), query, query)]


@shapes("com.microsoft.RelativePositionBias")
def relative_position_bias(context: Context) -> Outputs:
    """[1, heads, queries, keys]."""
    queries, keys = context.elements(1)[0], context.elements(2)[0]
    return [((1, context.shape(0)[1], queries, keys), context.dtype(0))]


@shapes("com.microsoft.GatedRelativePositionBias")
def gated_relative_position_bias(context: Context) -> Outputs:
    """[batch, heads, length, length]."""
    batch, length = context.shape(6 if context.has(6) else 0)[:2]
    return [((batch, positive(context, "num_heads"), length, length), context.dtype(0))]
