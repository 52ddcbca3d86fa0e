"""What samples of times tell: medians, quantiles, and an interval of the ratio of two of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt
from statistics import NormalDist, fmean, stdev

import numpy as np

CONFIDENCE = 0.95
LEAST_BLOCKS = 6  # for an interval: of fewer, chance makes it too narrow or useless
_KEPT = 0.96  # share of the cores' time that an undisturbed run has


class Clock(StrEnum):
    """What time means: of a process on all its cores, or on the wall."""

    CPU = "CPU time"
    WALL = "wall time"


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


Round = tuple[Sample, Sample]  # of both sides, one after the other


def quantile(samples: Sequence[float], share: float) -> float:
    """The value below which this share of the samples lies, interpolated linearly."""
    return float(np.quantile(np.asarray(samples, np.float64), share))


def median(samples: Sequence[float]) -> float:
    """The middle of the samples."""
    return quantile(samples, 0.5)


def is_undisturbed(sample: Sample, cores: int) -> bool:
    """Whether a run kept all the cores that its threads have, which spin while they wait."""
    return sample.cpu >= _KEPT * cores * sample.wall


def times(rounds: Iterable[Round], clock: str, cores: int) -> list[tuple[float, float]]:
    """The nanoseconds of both sides: CPU time of all rounds, wall time of the undisturbed ones.

    With no ``cores`` (0: a device works) nothing tells a disturbed run.
    """
    if clock == Clock.CPU:
        return [(before.cpu, after.cpu) for before, after in rounds]
    return [
        (before.wall, after.wall)
        for before, after in rounds
        if not cores or (is_undisturbed(before, cores) and is_undisturbed(after, cores))
    ]


def block_ratio(block: Sequence[tuple[float, float]]) -> float:
    """The median of after / before over rounds that lie close together.

    What disturbs a moment (another program, a lower clock) disturbs both sides of its rounds.
    """
    return median([after / before for before, after in block])


def ratio_of(ratios: Sequence[float]) -> tuple[float, Interval]:
    """The geometric mean of the ratios of at least two blocks, and its interval.

    Student's t over the logarithms of the blocks: batch means (Law, Simulation Modeling and
    Analysis, 2015, section 9.5.3). Rounds in a row resemble each other, so that an interval over
    single rounds, a bootstrap's too, is narrower than what the next run of the program gives.
    """
    logs = [log(ratio) for ratio in ratios]
    middle = fmean(logs)
    reach = _student(len(logs) - 1) * stdev(logs) / sqrt(len(logs))
    return exp(middle), Interval(exp(middle - reach), exp(middle + reach))


def _student(freedom: int) -> float:
    """The two-sided quantile of Student's t at CONFIDENCE, within 0.2 % from 5 degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.5.
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))
