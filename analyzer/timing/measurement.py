"""What timing found, in the terms in which it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.statistics import Clock, Interval

# The ratio of times that divides what is worth following from what is not: a twentieth is about
# what the placement of memory moves a model's time by from one process to the next.
WORTHWHILE = 0.95
TOO_SMALL = 100_000  # nanoseconds of what is replaced, below which nobody notices


class Verdict(StrEnum):
    """What timing says about a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    TOO_SMALL = "too small to matter"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians in nanoseconds a run; the ratio (after / before) of adjacent runs, and its interval.

    ``rounds`` are the pairs of runs that count, ``disturbed`` those that do not. ``kernels_before``
    and ``kernels_after`` are how many each provider ran, ``copies`` the nodes that only copy
    between devices. ``together`` are the nanoseconds of all that the same rule would replace in the
    model, where that is more.
    """

    provider: Provider
    threads: int
    clock: Clock
    runtime: str
    before: float
    after: float
    ratio: float
    interval: Interval
    rounds: int
    disturbed: int
    kernels_before: Mapping[str, int]
    kernels_after: Mapping[str, int]
    copies: int
    together: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """Confirmed where the whole interval says that at least a twentieth of the time is saved,
        refuted where the whole interval says that less is."""
        if max(self.before, self.together) < TOO_SMALL:
            return Verdict.TOO_SMALL
        if self.interval.high < WORTHWHILE:
            return Verdict.CONFIRMED
        if self.interval.low > WORTHWHILE:
            return Verdict.REFUTED
        return Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Measured:
    """A claim on one provider: the comparison, or why there is none."""

    provider: Provider
    comparison: Comparison | None = None
    why: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """What the comparison says; None where there is none."""
        return None if self.comparison is None else self.comparison.verdict

    def in_company(self, together: float) -> Measured:
        """It among all that its rule would replace, which take so many nanoseconds together."""
        if self.comparison is None:
            return self
        return replace(self, comparison=replace(self.comparison, together=together))


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole model as it is against it with the proposals that were confirmed on one provider."""

    measured: Measured
    proposals: int
