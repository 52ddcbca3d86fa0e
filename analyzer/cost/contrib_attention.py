"""Attention operators of com.microsoft. Masks, windows and padding do not lower the counts."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from archlint.analyzer.cost.base import UnknownCost, View, Work, elementwise, handles
from archlint.analyzer.dims import Dim
from archlint.analyzer.shapes.contrib_heads import (
    Heads,
    grouped,
    multi_head,
    positive,
    self_attention,
    widths,
)  # fmt: skip


@handles("com.microsoft.Attention", roles="xwwsxxs")
def attention(view: View) -> Work:
    """L·I·(q + k + v) MACs a sequence to project, heads·L·S·(d_qk + d_v) to attend to S keys, past
    ones included; a bias is an operation a projected number, the softmax 5 a score, a mask and an
    addend one each."""
    return _projected(view, self_attention(view, past=4, used=6), masks=(3, 5))


@handles("com.microsoft.DecoderMaskedSelfAttention", roles="xwwsxxsss")
def decoder_masked_self_attention(view: View) -> Work:
    """As com.microsoft.Attention, of one query."""
    return attention(view)


@handles("com.microsoft.QAttention", roles="xwwsssssx")
def quantised_attention(view: View) -> Work:
    """As com.microsoft.Attention; its projection is on integers."""
    work = _projected(view, self_attention(view, past=8), masks=(5,))
    return replace(work, integer_macs=view.elements(0) * view.shape(1)[1])


def _projected(view: View, heads: Heads, masks: tuple[int, ...]) -> Work:
    numbers = prod(view.shape(0)[:2]) * view.shape(1)[1]
    work = _attended(view, heads, masks)
    ops = {**work.ops, "bias": numbers * view.has(2)}
    return Work(work.macs + numbers * view.shape(0)[2], ops)


def _attended(view: View, heads: Heads, masks: tuple[int, ...]) -> Work:
    """Of every score; ``masks`` are the inputs that are applied to all of them."""
    scores = known(view, *heads.scores)
    sizes = known(view, heads.size + heads.value_size)
    masked = sum(view.has(index) for index in masks)
    return Work(scores * sizes, {"softmax": 5 * scores, "elementwise": masked * scores})


def known(view: View, *dims: Dim) -> int:
    """The product of dims; raises UnknownCost if one of them is no number."""
    for dim in dims:
        if not isinstance(dim, int):
            raise UnknownCost(dim.causes or view.because(f"its dim {dim} is unknown"))
    return prod(dim for dim in dims if isinstance(dim, int))


@handles("com.microsoft.QOrderedAttention", roles="xsssswwwssswwwssssxx")
def ordered_attention(view: View) -> Work:
    """As com.microsoft.Attention, on integers, with a weight each for queries, keys and values."""
    batch, length, _ = view.shape(0)
    query, _, value = (view.shape(index)[1] for index in (5, 6, 7))
    weights = sum(view.elements(index) for index in (5, 6, 7))
    past = view.shape(18)[3] if view.has(18) else 0
    pairs = batch * length * (length + past)
    numbers = batch * length * (2 * query + value)
    ops = {"bias": numbers, "softmax": 5 * pairs * positive(view, "num_heads")}
    return Work(batch * length * weights + pairs * (query + value), ops)


@handles("com.microsoft.MultiHeadAttention", roles="xxxwsxxxss")
def multi_head_attention(view: View) -> Work:
    """heads·L·S·(d_qk + d_v) MACs a sequence: scores, then the weighted sum over S keys, past ones
    included; a bias is an operation a number that is fed, the softmax 5 a score, a mask and an
    addend one each."""
    return _biased(view, multi_head(view, past=6, used=8), bias=3, masks=(4, 5))


@handles("com.microsoft.DecoderMaskedMultiHeadAttention", roles="xxxsxxxsssw")
def decoder_masked_multi_head_attention(view: View) -> Work:
    """As com.microsoft.MultiHeadAttention, of one query."""
    return _biased(view, multi_head(view, past=5, used=7), bias=10, masks=(3, 4))


def _biased(view: View, heads: Heads, bias: int, masks: tuple[int, ...]) -> Work:
    work = _attended(view, heads, masks)
    fed = sum(view.elements(index) for index in range(3) if view.has(index))
    return Work(work.macs, {**work.ops, "bias": fed if view.has(bias) else 0})


@handles("com.microsoft.GroupQueryAttention", roles="xxxxxssbbsxwsswws")
def group_query_attention(view: View) -> Work:
    """heads·L·S·2·d MACs a sequence over S keys, past ones included; the softmax is 5 operations a
    score, an addend one, a softcap 3; a rotation is 3 a number of queries and keys, their
    normalisation 4."""
    heads = grouped(view)
    work = _attended(view, heads, masks=(10,))
    query, key = heads.heads, heads.kv_heads
    numbers = known(view, heads.batch, heads.length, heads.size) * (query + key)
    rotated = numbers if view.attribute("do_rotary", 0) else 0
    capped = known(view, *heads.scores) if view.attribute("softcap", 0.0) else 0
    ops = {
        **work.ops,
        "activation": 3 * capped,
        "elementwise": work.ops["elementwise"] + 3 * rotated,
        "normalization": 4 * numbers * view.has(14),
    }
    return Work(work.macs, ops, reads=dict.fromkeys((7, 8), rotated // (2 * (query + key))))


@handles("com.microsoft.PackedAttention", roles="xwwssx")
def packed_attention(view: View) -> Work:
    """As com.microsoft.Attention: the projection is of the tokens alone, the attention of sequences
    that are all as long as the longest one may be."""
    tokens, inputs = view.shape(0)
    query, _, value = widths(view, view.shape(1)[1])
    numbers = tokens * view.shape(1)[1]
    work = _padded(view, 3, known(view, query + value))
    return Work(work.macs + numbers * inputs, {**work.ops, "bias": numbers})


@handles("com.microsoft.PackedMultiHeadAttention", roles="xxxwssx")
def packed_multi_head_attention(view: View) -> Work:
    """As com.microsoft.MultiHeadAttention, of sequences that are all as long as the longest one may
    be."""
    query = view.shape(0)
    sizes = 2 * query[1] * query[3] if len(query) == 4 else query[1] + view.shape(2)[1]
    work = _padded(view, 4, sizes)
    fed = sum(view.elements(index) for index in range(3) if view.has(index))
    return Work(work.macs, {**work.ops, "bias": fed if view.has(3) else 0})


def _padded(view: View, offsets: int, sizes: int) -> Work:
    batch, length = view.shape(offsets)
    pairs = batch * length * length
    return Work(pairs * sizes, {"softmax": 5 * pairs * positive(view, "num_heads")})


@handles("com.microsoft.GatedRelativePositionBias", roles="xwxwwws")
def gated_relative_position_bias(view: View) -> Work:
    """numbers·D MACs, D the columns of its weight; 2 biases, half the sums, 2 gates a query and
    head, 4 operations to gate each bias."""
    numbers, size, gates = view.elements(0), *view.shape(3)
    rows = numbers // size
    ops = {
        "bias": numbers + rows * gates,
        "reduction": rows * gates,
        "activation": 2 * rows,
        "elementwise": 3 * rows + view.out_elements(),
    }
    return Work(numbers * gates, ops)


@handles("com.microsoft.RelativePositionBias", roles="ws")
def relative_position_bias(view: View) -> Work:
    """No operations: numbers are picked from a table."""
    return Work(reads={0: view.elements(0)})


@handles("com.microsoft.RotaryEmbedding", "com.microsoft.MRotaryEmbedding", roles="xsbb")
def rotary(view: View) -> Work:
    """3 operations a rotated number: two products and a sum. Of the tables only the rows of the
    positions are read."""
    x = view.shape(0)
    rotated = int(view.attribute("rotary_embedding_dim", 0))
    if len(x) == 4:
        heads, size = x[1], rotated or x[3]
    elif rotated:
        heads, size = positive(view, "num_heads"), rotated
    else:  # the tables tell the size of a head
        size = 2 * view.shape(2)[1]
        heads = x[2] // size
    positions = x[0] * x[-2]
    rows = positions * size // 2
    return Work(ops={"elementwise": 3 * positions * heads * size}, reads={2: rows, 3: rows})


@handles("com.microsoft.RMSNormRotary", roles="xwsbbs")
def normalised_rotary(view: View) -> Work:
    """4 operations to normalise a number, 3 to rotate one. Of the tables only the rows of the
    positions are read."""
    batch, length, heads, _ = view.shape(0)
    positions, size = batch * length, positive(view, "rotary_embedding_dim")
    numbers, rows = view.out_elements(), positions * size // 2
    ops = {"normalization": 4 * numbers, "elementwise": 3 * positions * heads * size}
    return Work(ops=ops, reads={0: numbers, 3: rows, 4: rows})


@handles("com.microsoft.GemmaRotaryEmbedding")
def gemma_rotary(view: View) -> Work:
    """3 operations a number of queries and keys, 2 an angle."""
    angles, numbers = view.elements(0), view.elements(1) + view.elements(3)
    return Work(ops={"elementwise": 2 * angles + 3 * numbers})


handles("com.microsoft.BiasSoftmax")(elementwise("softmax", 6))
