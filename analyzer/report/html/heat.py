"""Colours for shares of a cost, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.palette import HEAT, Tone
from archlint.analyzer.report.html.parts import Sums, is_predicted

_DEEPEST = 10.0  # percent that have the deepest colour at least: even shares are no hot spots
_LADDER = tuple(digit * 10.0**power for power in range(1, -5, -1) for digit in (5, 2, 1))


@dataclass(frozen=True, slots=True)
class Heat:
    """Shares of the ``total`` of what is ``measure``, in steps of percent, from the largest."""

    measure: str
    total: float
    steps: tuple[float, ...]

    def value(self, sums: Sums) -> float | None:
        """What of the measure layers take; None where that is unknown, or told elsewhere."""
        if self.measure == "measured time":
            return sums.measured
        return sums.predicted if self.measure == "predicted time" else sums.macs

    def share(self, sums: Sums) -> float | None:
        """The percentage of the total."""
        value = self.value(sums)
        return None if value is None or not self.total else 100 * value / self.total

    def tone(self, sums: Sums) -> Tone:
        """The colour of a share; plain where it is unknown, grey where it is told elsewhere."""
        share = self.share(sums)
        if share is None and (sums.unknown or self.value(sums) is None):
            return Tone.RAISED if sums.unknown else Tone.EVEN
        return HEAT[sum((share or 0.0) >= step for step in self.steps)]

    @property
    def legend(self) -> tuple[tuple[Tone, str], ...]:
        """What each colour means, from the palest."""
        if not self.steps:
            return ()
        rising = self.steps[::-1]
        between = pairwise(rising)
        texts = [f"under {rising[0]:g} %", *(f"{low:g}–{high:g} %" for low, high in between)]
        texts.append(f"{rising[-1]:g} % or more")
        return tuple(zip(HEAT, texts, strict=False))


def heat(model: ModelReport, boxes: Sequence[Sums], compared: Sequence[Sums] = ()) -> Heat:
    """The heat of boxes: by measured time where there is any, else by predicted time where most of
    that is known, else by MACs. Its steps are 1, 2 or 5 times a power of ten; the largest share is
    in the last one, but for a model whose cost is spread so evenly that none is large. Where
    only some are ``compared``, the largest of those counts."""
    total: float
    if any(box.measured for box in boxes):
        known = sum(box.measured or 0.0 for box in boxes)
        measure, total = "measured time", model.kernels.of_layers if model.kernels else known
    elif is_predicted(model.layers) and any(box.predicted for box in boxes):
        measure, total = "predicted time", sum(box.predicted or 0.0 for box in boxes)
    else:
        measure, total = "MACs", float(sum(box.macs or 0 for box in boxes))
    plain = Heat(measure, total, ())
    most = max((share for box in compared or boxes if (share := plain.share(box))), default=0.0)
    if not most:
        return plain
    steps = tuple(step for step in _LADDER if step <= max(most, _DEEPEST))[: len(HEAT) - 1]
    return Heat(measure, total, steps)
