"""Operators of com.microsoft that archlint knows and cannot tell shapes of, and why."""

from __future__ import annotations

from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, shapes

_DECODES = "it decodes in a loop that the data ends; analyse its decoder as a model of its own"
_OPAQUE = "what it holds is compiled for one device; analyse the model that it was compiled from"
_SELECTS = "which keys it reads depends on the data"
_BLOCKS = "the form of block floating point is not public"

UNKNOWN_SHAPES: dict[str, str] = {
    "com.microsoft.AttnLSTM": "an attention wrapper decides the width of its states",
    "com.microsoft.BeamSearch": _DECODES,
    "com.microsoft.BifurcationDetector": "how many tokens it keeps depends on the data",
    "com.microsoft.DequantizeBFP": _BLOCKS,
    "com.microsoft.DynamicSparseAttention": _SELECTS,
    "com.microsoft.EPContext": _OPAQUE,
    "com.microsoft.GreedySearch": _DECODES,
    "com.microsoft.PackedSparseAttentionIndexer": _SELECTS,
    "com.microsoft.QuantizeBFP": _BLOCKS,
    "com.microsoft.Sampling": _DECODES,
    "com.microsoft.Snpe": _OPAQUE,
    "com.microsoft.SparseAttentionIndexer": _SELECTS,
    "com.microsoft.SparseToDenseMatMul": "how many elements of a sparse tensor are stored depends on the data",  # noqa: E501 - one reason a line
    "com.microsoft.WhisperBeamSearch": _DECODES,
}


@shapes(*UNKNOWN_SHAPES)
def unknown(context: Context) -> Outputs:
    """Unknown, with the reason."""
    raise Unresolved(context.because(UNKNOWN_SHAPES[context.node.operator]))
