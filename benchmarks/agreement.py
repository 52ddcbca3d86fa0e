"""How far what was measured agrees with another machine, with a prediction, with itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.timing.measurement import Comparison, Verdict
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval, quantile
from pairs import Case, Reference
from timed import Figures, Timed

_REFERENCE_ROUNDS = 40
_NEAR, _WIDER = 1.15, 1.25


@dataclass(frozen=True, slots=True)
class Row:
    """A case, its multiply-accumulates, and its times: predicted nanoseconds (before, after), on
    the CPU provider, there once more in another process, and on OpenVINO; None where there are
    none."""

    case: Case
    macs: tuple[int, int]
    predicted: tuple[float | None, float | None] = None, None
    cpu: Timed | None = None
    again: Timed | None = None
    openvino: Timed | None = None

    @property
    def mac_ratio(self) -> float:
        """MACs after over MACs before."""
        before, after = self.macs
        return after / before

    @property
    def predicted_ratio(self) -> float | None:
        """Predicted time after over before."""
        before, after = self.predicted
        return None if before is None or after is None else after / before


@dataclass(frozen=True, slots=True)
class Errors:
    """By what factors numbers differ from those that they stand for: 1 is none."""

    count: int
    median: float
    p90: float
    most: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Errors | None:
        """None of no pairs."""
        factors = [factor(one, other) for one, other in pairs]
        if not factors:
            return None
        at = [quantile(factors, share) for share in (0.5, 0.9, 1)]
        return cls(len(factors), at[0], at[1], at[2])


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of how many cases two ratios agree: their intervals overlap, as they are and ``widened`` by
    a factor, they are near, the verdict is the same."""

    count: int
    overlapping: int
    widened: int
    near: int
    wider: int
    same_verdict: int


def factor(one: float, other: float) -> float:
    """The larger over the smaller."""
    return max(one / other, other / one)


def figures(timed: Timed | None) -> Figures | None:
    """The figures, if there are any."""
    return None if timed is None else timed.figures


def with_reference(rows: Sequence[Row], noise: float) -> Agreement:
    """The CPU provider here against that of the other machine; ``noise`` is the factor by which a
    ratio of either differs from process to process, beyond its interval."""
    found = [(row.case.reference, made) for row in rows if (made := figures(row.cpu)) is not None]
    return Agreement(
        count=len(found),
        overlapping=sum(r.low <= m.high and m.low <= r.high for r, m in found),
        widened=sum(r.low <= m.high * noise**2 and m.low <= r.high * noise**2 for r, m in found),
        near=sum(factor(r.ratio, m.ratio) <= _NEAR for r, m in found),
        wider=sum(factor(r.ratio, m.ratio) <= _WIDER for r, m in found),
        same_verdict=sum(reference_verdict(r) == m.verdict for r, m in found),
    )


def reference_verdict(reference: Reference) -> Verdict:
    """What archlint would have said on the other machine."""
    (provider,) = parse_providers(["cpu"])
    before = reference.milliseconds * 1e6
    return Comparison(
        provider, 1, Clock.CPU, "1.31.1", before, before * reference.ratio, reference.ratio,
        Interval(reference.low, reference.high), _REFERENCE_ROUNDS, 0, {}, {}, 0,
    ).verdict  # fmt: skip


def again(rows: Sequence[Row]) -> tuple[Errors | None, int]:
    """The ratios of one process against those of another, and of how many intervals overlap."""
    pairs = [
        (one, other)
        for row in rows
        if (one := figures(row.cpu)) is not None and (other := figures(row.again)) is not None
    ]
    overlapping = sum(one.low <= other.high and other.low <= one.high for one, other in pairs)
    return Errors.of((one.ratio, other.ratio) for one, other in pairs), overlapping


def verdicts(rows: Iterable[Timed | None]) -> dict[str, int]:
    """How often each verdict was given, in the order of Verdict."""
    given = [made.verdict for timed in rows if (made := figures(timed)) is not None]
    return {verdict.value: given.count(verdict) for verdict in Verdict}
