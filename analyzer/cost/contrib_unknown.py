"""Operators of com.microsoft whose cost the data or something outside the model decides."""

from __future__ import annotations

from archlint.analyzer.cost.base import Formula, UnknownCost, View, Work, handles
from archlint.analyzer.shapes.contrib_unknown import UNKNOWN_SHAPES

_CACHED = "how many keys it reads of its cache depends on the data"
_REPLAYED = "its metadata, which is fed, tells how much it replays"
_GLOBAL = "how many tokens attend to all others depends on the data"

UNKNOWN_COSTS: dict[str, str] = {
    **UNKNOWN_SHAPES,
    "com.microsoft.ConvStateReplay": _REPLAYED,
    "com.microsoft.DecoderAttention": "truth values that are fed decide what it computes",
    "com.microsoft.GatedDeltaNetStateReplay": _REPLAYED,
    "com.microsoft.LongformerAttention": _GLOBAL,
    "com.microsoft.PagedAttention": _CACHED,
    "com.microsoft.QOrderedLongformerAttention": _GLOBAL,
    "com.microsoft.SparseAttention": "its block mask decides which keys are read",
    "com.microsoft.SparsePagedAttention": _CACHED,
}


def _unknown(why: str) -> Formula:
    def formula(view: View) -> Work:
        raise UnknownCost(view.because(why))

    formula.__doc__ = f"Unknown: {why}."
    return formula


for _operator, _why in UNKNOWN_COSTS.items():
    handles(_operator)(_unknown(_why))
