"""How samples of one time lie: where their median is, and what a kernel takes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, sqrt
from statistics import fmean

from archlint.analyzer.timing.statistics import Interval

_NORMAL = 1.96  # standard deviations to either side that hold 95 %


def median_interval(samples: Sequence[float]) -> Interval:
    """The 95 % interval of the median, between two of the samples themselves.

    Half of the samples lie below it, give or take what a binomial distribution does (Conover,
    Practical Nonparametric Statistics, 1999, section 3.2): no distribution of times is assumed.
    """
    ordered = sorted(samples)
    apart = _NORMAL * sqrt(len(ordered)) / 2
    low, high = floor(len(ordered) / 2 - apart), ceil(len(ordered) / 2 + apart)
    return Interval(ordered[max(low, 0)], ordered[min(high, len(ordered) - 1)])


def middle_mean(samples: Sequence[float]) -> float:
    """The mean of the middle half of the samples: as robust as their median against those that were
    disturbed, and finer than a clock's ticks."""
    ordered = sorted(samples)
    apart = len(ordered) // 4
    return fmean(ordered[apart : len(ordered) - apart])
