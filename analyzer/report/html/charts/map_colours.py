"""The colours of a map of the cost, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.charts.measures import Measure, together
from archlint.analyzer.report.html.heat import Heat, heat
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Sums

UNKNOWN = Tone.NEUTRAL
"""What is not known has this colour and a dashed frame."""

_RATIOS = ((0.3, Tone.COOL_2), (0.6, Tone.COOL_1), (1.6, Tone.EVEN), (4.0, Tone.WARM_1))
_LITTLE = 0.01  # of the time and of the MACs: a layer with less is no matter, whatever its ratio
_MEANINGS = (
    (Tone.COOL_2, "under 0.3: quick for its MACs"),
    (Tone.COOL_1, "0.3 to 0.6"),
    (Tone.EVEN, "0.6 to 1.6: in proportion, or under 1 % of both"),
    (Tone.WARM_1, "1.6 to 4"),
    (Tone.WARM_2, "4 or more, or no MACs"),
    (UNKNOWN, "MACs unknown, dashed"),
)


@dataclass(frozen=True, slots=True)
class Colours:
    """The tone of a layer, what the tones mean, what they show, and the tone of several layers: no
    share of these together, which is no hot spot."""

    tone: Callable[[Sums], Tone]
    legend: tuple[tuple[Tone, str], ...]
    meaning: str
    of_several: Callable[[Sequence[Sums]], Tone]


def colours(model: ModelReport, shown: Sequence[Sums], total: Sums) -> Colours:
    """Where time was measured, whether time and MACs go together; else the share of what is known:
    predicted time, MACs, or parameters."""
    if total.measured and total.macs:
        meaning = "share of the measured time ÷ share of the MACs"

        def ratio(sums: Sums) -> Tone:
            return _ratio(sums, total)

        return Colours(ratio, _MEANINGS, meaning, lambda several: ratio(together(several)))
    scale = heat(model, shown)
    if scale.steps:
        return _shares(scale, scale.measure, lambda sums: sums)
    return _shares(heat(model, list(map(_as_macs, shown))), Measure.PARAMETERS, _as_macs)


def _shares(scale: Heat, measure: str, taken: Callable[[Sums], Sums]) -> Colours:
    """The colours of shares of what is taken of a layer."""

    def share(sums: Sums) -> float:
        return scale.share(taken(sums)) or 0.0

    def tone(sums: Sums) -> Tone:
        return UNKNOWN if scale.share(taken(sums)) is None else scale.tone(taken(sums))

    legend = (*scale.legend, (UNKNOWN, f"{measure} unknown, dashed"))
    meaning = f"share of the {measure}"
    return Colours(tone, legend, meaning, lambda several: tone(max(several, key=share)))


def _ratio(sums: Sums, total: Sums) -> Tone:
    """By the share of time divided by the share of MACs."""
    time = (sums.measured or 0.0) / (total.measured or 1.0)
    macs = (sums.macs or 0) / (total.macs or 1)
    if sums.unknown:
        return UNKNOWN
    if max(time, macs) < _LITTLE:
        return Tone.EVEN
    ratio = time / macs if macs else inf
    return next((tone for most, tone in _RATIOS if ratio < most), Tone.WARM_2)


def _as_macs(sums: Sums) -> Sums:
    """Parameters where MACs stand."""
    return replace(sums, macs=sums.parameters)
