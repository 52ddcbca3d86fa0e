"""What samples of times tell: medians, quantiles, and an interval of the ratio of two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_RESAMPLES = 2000
_KEPT = 0.96  # share of the cores' time that an undisturbed run has

Samples = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Nanoseconds that one run took: of wall time, and of CPU time over all threads."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number lies with CONFIDENCE."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of its width as a share of its middle."""
        return (self.high - self.low) / (self.high + self.low)


def quantile(samples: Samples, share: float) -> float:
    """The value below which this share of the samples lies, interpolated linearly."""
    return float(np.quantile(np.asarray(samples, np.float64), share))


def median(samples: Samples) -> float:
    """The middle of the samples."""
    return quantile(samples, 0.5)


def ratio_interval(before: Samples, after: Samples) -> Interval:
    """The interval of median(after) / median(before), of samples that were taken in pairs.

    The percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
    13) over the pairs: what disturbs a moment disturbs both of its samples. Seeded, so that equal
    samples give equal intervals.
    """
    pairs = np.stack([np.asarray(before, np.float64), np.asarray(after, np.float64)])
    chosen = np.random.default_rng(0).integers(0, pairs.shape[1], (_RESAMPLES, pairs.shape[1]))
    medians = np.median(pairs[:, chosen], axis=2)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(medians[1] / medians[0], [tail, 1 - tail])
    return Interval(float(low), float(high))


class Clock(StrEnum):
    """What time means: of a process on all its cores, or on the wall."""

    CPU = "CPU time"
    WALL = "wall time"


def is_undisturbed(sample: Sample, cores: int) -> bool:
    """Whether a run kept all the cores that its threads have, which spin while they wait."""
    return sample.cpu >= _KEPT * cores * sample.wall


def usable(
    before: Sequence[Sample], after: Sequence[Sample], cores: int, clock: str
) -> tuple[list[float], list[float]]:
    """The pairs of times to compare: all of CPU time, of wall time those that nothing disturbed.

    With no ``cores`` (0: a device works), nothing tells a disturbed run.
    """
    if clock == Clock.CPU:
        return [sample.cpu for sample in before], [sample.cpu for sample in after]
    pairs = [
        (one.wall, other.wall)
        for one, other in zip(before, after, strict=True)
        if not cores or (is_undisturbed(one, cores) and is_undisturbed(other, cores))
    ]
    return [one for one, _ in pairs], [other for _, other in pairs]
