"""The other operators of com.microsoft: fused element-wise work, normalisations, moves."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import View, Work, elementwise, handles
from archlint.analyzer.cost.movement import move, pick, place, rename, shape_arithmetic
from archlint.analyzer.cost.normalization import mean_variance, root_mean_square
from archlint.analyzer.shapes.contrib_heads import positive

handles("com.microsoft.ComplexMul", "com.microsoft.ComplexMulConj")(elementwise("elementwise", 3))
handles("com.microsoft.ScaledSiLU", roles="xs")(elementwise("activation"))
handles("com.microsoft.LayerNormalization", roles="xww")(mean_variance)
handles("com.microsoft.SimplifiedLayerNormalization", roles="xw")(root_mean_square)
handles("com.microsoft.BitmaskDropout", "com.microsoft.ExpandDims", roles="xs")(rename)
handles("com.microsoft.SampleOp")(move)
handles("com.microsoft.Range", roles="s")(shape_arithmetic)
handles("com.microsoft.TorchEmbedding", roles="xs")(pick)
handles(
    "com.microsoft.RemovePadding", "com.microsoft.RestorePadding", "com.microsoft.Tokenizer",
    "com.microsoft.Trilu", "com.microsoft.UnfoldTensor", "com.microsoft.Unique",
    "com.microsoft.PackedSparseAttentionIndexerMerge", roles="xs",
)(place)  # fmt: skip
handles("com.microsoft.NGramRepeatBlock", roles="sx")(place)


@handles("com.microsoft.GatedAdd", roles="xxxw")
def gated_add(view: View) -> Work:
    """2 operations an element; a gate that is projected first is as many MACs as it is made of, and
    an activation a row."""
    projected = view.elements(2) if view.has(3) else 0
    rows = prod(view.shape(2)[:-1]) if view.has(3) else 0
    return Work(projected, {"elementwise": 2 * view.out_elements(), "activation": rows})


@handles("com.microsoft.BiasGelu", roles="xw")
def bias_gelu(view: View) -> Work:
    """2 operations an element: bias, activation."""
    return Work(ops={"bias": view.out_elements(), "activation": view.out_elements()})


@handles("com.microsoft.BiasAdd", roles="xwx")
def bias_add(view: View) -> Work:
    """2 operations an element: bias, residual."""
    return Work(ops={"bias": view.out_elements(), "elementwise": view.out_elements()})


@handles("com.microsoft.BiasDropout", "com.microsoft.BitmaskBiasDropout", roles="xwxss")
def bias_dropout(view: View) -> Work:
    """An operation an element for the bias, one for a residual: at inference nothing is dropped."""
    numbers = view.out_elements()
    return Work(ops={"bias": numbers, "elementwise": numbers * view.has(2)})


@handles("com.microsoft.BiasSplitGelu", roles="xw")
def bias_split_gelu(view: View) -> Work:
    """A bias an input element; an activation and a product an output element."""
    halves = view.out_elements()
    return Work(ops={"bias": view.elements(0), "activation": halves, "elementwise": halves})


@handles("com.microsoft.SkipLayerNormalization", roles="xxwww")
def skip_layer_normalization(view: View) -> Work:
    """As LayerNormalization; a residual and a bias before it are operations of an element."""
    numbers = view.elements(0)
    ops = {
        "elementwise": numbers,
        "bias": numbers * view.has(4),
        "normalization": (6 + view.has(3)) * numbers,
    }
    return Work(ops=ops)


@handles("com.microsoft.SkipSimplifiedLayerNormalization", roles="xxww")
def skip_root_mean_square(view: View) -> Work:
    """As RMSNormalization; a residual and a bias before it are operations of an element."""
    numbers = view.elements(0)
    ops = {"elementwise": numbers, "bias": numbers * view.has(3), "normalization": 4 * numbers}
    return Work(ops=ops)


@handles("com.microsoft.GroupNorm", roles="xww")
def group_norm(view: View) -> Work:
    """7 operations an element, and one for an activation."""
    numbers = view.elements(0)
    active = bool(view.attribute("activation", 0))
    return Work(ops={"normalization": 7 * numbers, "activation": numbers * active})


@handles("com.microsoft.SkipGroupNorm", roles="xwwxw")
def skip_group_norm(view: View) -> Work:
    """As com.microsoft.GroupNorm; a residual and a bias are operations of an element."""
    numbers = view.elements(0)
    ops = {**group_norm(view).ops, "elementwise": numbers, "bias": numbers * view.has(4)}
    return Work(ops=ops)


@handles("com.microsoft.BranchwiseRMSNorm", roles="xw")
def branchwise_root_mean_square(view: View) -> Work:
    """3 operations an element (square, mean, divide), one more to scale."""
    return Work(ops={"normalization": (3 + view.has(1)) * view.elements(0)})


@handles("com.microsoft.GatedRMSNorm", roles="xwx")
def gated_root_mean_square(view: View) -> Work:
    """6 operations an element: square, mean, divide, scale; the gate's activation and product."""
    numbers = view.elements(0)
    ops = {"normalization": 4 * numbers, "activation": numbers, "elementwise": numbers}
    return Work(ops=ops)


@handles("com.microsoft.EmbedLayerNormalization", roles="sswwwwwss")
def embed_layer_normalization(view: View) -> Work:
    """As LayerNormalization of the sum of two or three embeddings; only rows that are picked are
    read."""
    numbers = view.out_elements()
    added = 1 + view.has(4)
    ops = {"elementwise": added * numbers, "normalization": 7 * numbers}
    return Work(ops=ops, reads=dict.fromkeys((2, 3, 4), numbers))


@handles("com.microsoft.NGramHashMapping", "com.microsoft.VarlenNGramHashMapping", roles="s")
def ngram_hashes(view: View) -> Work:
    """2·n - 1 operations an order n from 2 on and position, one more a hash."""
    positions, orders = view.elements(0), positive(view, "max_ngram_size")
    mixes = orders**2 - 1  # 3 + 5 + … + (2·orders - 1)
    return Work(ops={"elementwise": positions * mixes + view.out_elements()})


@handles("com.microsoft.MurmurHash3")
def murmur_hash(view: View) -> Work:
    """11 operations an element to finish, 6 for each 32 bits of it (MurmurHash3_x86_32)."""
    value = view.inputs[0]
    width = (value.bytes_of(1) if value else None) or 4
    return Work(ops={"elementwise": view.elements(0) * (11 + 6 * max(width // 4, 1))})


@handles("com.microsoft.Inverse")
def inverse(view: View) -> Work:
    """n³ operations a matrix by elimination, n its side."""
    *batch, n, _ = view.shape(0)
    return Work(ops={"elementwise": prod(batch) * n**3})


@handles("com.microsoft.IsAllFinite")
def all_finite(view: View) -> Work:
    """One operation an input element."""
    return Work(ops={"reduction": sum(view.elements(place) for place in range(len(view.inputs)))})


@handles("com.microsoft.DynamicTimeWarping")
def time_warping(view: View) -> Work:
    """3 operations an element: the least of three, and a sum."""
    return Work(ops={"elementwise": 3 * view.elements(0)})


@handles("com.microsoft.Rfft")
def real_fourier(view: View) -> Work:
    """As DFT of a real signal of n: 5·n·⌈log₂ n⌉ / 2 operations."""
    return _fourier(view.shape(0))


@handles("com.microsoft.Irfft")
def inverse_real_fourier(view: View) -> Work:
    """As com.microsoft.Rfft of what it gives."""
    return _fourier(view.out())


def _fourier(signals: tuple[int, ...]) -> Work:
    return Work(ops={"signal": 5 * prod(signals) * (signals[-1] - 1).bit_length() // 2})
