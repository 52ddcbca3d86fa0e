"""How the numbers of a cost table grow with dims, and the counts that this was found by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from archlint.analyzer.cost import Row
from archlint.analyzer.dims import Cause
from archlint.analyzer.polynomial import Polynomial

QUANTITIES = ("macs", "ops", "bytes_read", "bytes_written", "weight_bytes")  # of a Cost

Sizes = tuple[int, ...]  # one for each dim that grows
Growth = Mapping[str, Polynomial | None]  # of QUANTITIES; None for one that follows no polynomial


@dataclass(frozen=True, slots=True)
class Sample:
    """What was counted at some sizes."""

    sizes: Sizes
    rows: tuple[Row, ...]
    parameters: int
    causes: frozenset[Cause]

    @property
    def macs(self) -> int:
        """Of all rows that could be counted."""
        return sum(row.cost.macs for row in self.rows if row.cost is not None)

    @property
    def unknown(self) -> frozenset[str]:
        """The labels of the rows that could not be counted."""
        return frozenset(row.label for row in self.rows if row.cost is None)

    def resembles(self, other: Sample) -> bool:
        """Whether it has the same rows, those unknown in the other one perhaps counted."""
        return (
            len(self.rows) == len(other.rows)
            and all(a.label == b.label for a, b in zip(self.rows, other.rows, strict=True))
            and self.unknown <= other.unknown
        )


@dataclass(frozen=True, slots=True)
class Scaling:
    """The growth of every row of the cost table; None for one whose cost is unknown.

    It holds for sizes that are multiples of ``steps`` (1: for every size), and was fitted and
    confirmed at ``samples``; ``limit`` is a larger one at which it does not hold. Nothing was
    found where the samples are not ``complete``: too few sizes give the same rows.
    """

    steps: Sizes
    rows: tuple[Row, ...]
    growths: tuple[Growth | None, ...]
    parameters: Polynomial | None
    samples: tuple[Sample, ...]
    complete: bool
    limit: Sample | None = None

    @property
    def irregular(self) -> list[Row]:
        """The rows of which some number follows no polynomial."""
        return [
            row
            for row, growth in zip(self.rows, self.growths, strict=True)
            if growth is not None and None in growth.values()
        ]

    @property
    def unknown(self) -> int:
        """How many rows could not be counted."""
        return self.growths.count(None)

    @property
    def gaps(self) -> tuple[int, int]:
        """How many rows have no number, and how many no polynomial."""
        return self.unknown, len(self.irregular) + (self.parameters is None)

    def total(self, places: Iterable[int] | None = None) -> Growth:
        """The sum over the rows at these places, by default all, that could be counted."""
        wanted = range(len(self.rows)) if places is None else places
        growths = [growth for place in wanted if (growth := self.growths[place]) is not None]
        return {name: _sum(growth[name] for growth in growths) for name in QUANTITIES}

    def predicts(self, sample: Sample) -> bool:
        """Whether the sample has the numbers that the polynomials give."""
        if not sample.resembles(self.samples[0]):
            return False
        pairs = [(self.parameters, sample.parameters)]
        for row, growth in zip(sample.rows, self.growths, strict=True):
            if growth is not None:
                pairs += zip(growth.values(), numbers_of(row), strict=True)
        value = cache(lambda polynomial: polynomial(sample.sizes))
        return all(found is not None and value(found) == number for found, number in pairs)


def numbers_of(row: Row) -> Sizes:
    """As ``QUANTITIES``; zeros for what is unknown."""
    return tuple([0 if row.cost is None else getattr(row.cost, name) for name in QUANTITIES])


def _sum(polynomials: Iterable[Polynomial | None]) -> Polynomial | None:
    total = Polynomial()
    for found, times in Counter(polynomials).items():
        if found is None:
            return None
        total += found * times
    return total
