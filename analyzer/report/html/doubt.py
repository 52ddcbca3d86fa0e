"""How far the measured times of a model can be believed."""

from __future__ import annotations

from archlint.analyzer.report import LatencyReport, ModelReport
from archlint.analyzer.report.layers import Kernels
from archlint.analyzer.text import milliseconds

_KEPT = 0.9  # of the cores, with less of which other programs had their part
_WIDE = 0.1  # half an interval as a share of its middle, beyond which a time says little
_APART = 0.15  # between the sum of the kernels and a run without a profiler


def disturbance(model: ModelReport) -> str:
    """Which times other programs had a part in, or vary too much; empty where none did."""
    kernels = model.kernels
    share = "" if kernels is None else _share(kernels)
    if not all(one.quiet for one in model.latencies):
        return f"The machine was busy while it was measured{share}."
    if reach := max(map(_spread, model.latencies), default=0.0):
        return f"The measured times vary by ±{100 * reach:.0f} %."
    if kernels is not None and kernels.disturbed:
        return f"The machine was busy while the times of nodes were measured{share}."
    return ""


def _share(kernels: Kernels) -> str:
    """What the runs had of the cores, where that is too little."""
    share = kernels.cores / kernels.threads
    if not kernels.disturbed or share >= _KEPT:
        return ""
    of = "a core" if kernels.threads == 1 else f"{kernels.threads:,} cores"
    return f": the profiled runs had {100 * share:.0f} % of {of}"


def is_wide(half_width: float) -> bool:
    """Whether an interval is so wide that its middle decides nothing."""
    return half_width > _WIDE


def _spread(latency: LatencyReport) -> float:
    """Half the width of its interval as a share of its middle; nothing where that is narrow."""
    reach = (latency.high - latency.low) / (latency.high + latency.low)
    return reach if is_wide(reach) else 0.0


def sum_of_kernels(model: ModelReport) -> str:
    """The sum of the kernels beside a run without a profiler; empty without the two."""
    kernels = model.kernels
    ratio = _quotient(model)
    if kernels is None or not ratio:
        return ""
    total, alone = milliseconds(kernels.total), milliseconds(kernels.total / ratio)
    beside = f"the {alone} of a run without a profiler"
    if total == alone:
        return f"The kernels sum to {beside}."
    word = "above" if ratio > 1 else "below"
    apart = f"{100 * abs(ratio - 1):.1f} %"
    return f"The kernels sum to {total}, {apart} {word} {beside}."


def is_apart(model: ModelReport) -> bool:
    """Whether the times of nodes are to be read as shares alone."""
    ratio = _quotient(model)
    return bool(ratio) and abs(ratio - 1) > _APART


def _quotient(model: ModelReport) -> float:
    """How many times as long as a run all kernels take; nothing where one is not known."""
    kernels = model.kernels
    if kernels is None:
        return 0.0
    runs = [one.milliseconds for one in model.latencies if one.label == kernels.label]
    return kernels.total / (1e6 * runs[0]) if runs and runs[0] else 0.0
