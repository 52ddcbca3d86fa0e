"""How the cost of a model grows with its dims: the polynomials that counts at some sizes follow.

A cost is a sum of products of dims, so it is a polynomial in every dim that the nodes hand on as it
is; a stride or a patch rounds, and leaves a polynomial for the multiples of some step. Either is
found by counting at a few sizes, and confirmed at others that took no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

from archlint.analyzer.cost import CostTable, Row
from archlint.analyzer.growth import QUANTITIES, Growth, Sample, Scaling, Sizes, numbers_of
from archlint.analyzer.polynomial import Interpolation, Polynomial, degree

MOST_DIMS = 3

Measure = Callable[[Sizes], CostTable]

_HIGHEST = 3  # degree in one dim
_ENOUGH = 80  # counts after which no other kind of sizes is tried
_FAR = 1030  # above the usual tables of positions


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Multiples of ``step``: sizes to fit at, preferred ones first, and others to confirm at."""

    step: int
    sizes: Sizes
    checks: Sizes


_LADDERS = (
    # 11 apart: neighbours differ modulo any other stride.
    _Ladder(1, (24, 35, 46, 57, 68, 13, 18, 9, 7, 5, 3), (131, 29, 15, 10, 4)),
    _Ladder(64, (128, 192, 256, 320, 384, 64), (832, 576, 448)),  # strides
    _Ladder(224, (224, 448, 672, 896, 1120), (2016, 1344)),  # patches and windows of 7, 14, 16
    _Ladder(512, (512, 1024, 1536, 2048, 2560), (5632, 4608)),  # larger strides
    _Ladder(48_000, (48_000, 96_000, 144_000, 192_000, 240_000), (528_000, 288_000)),  # sound
)


def scaling(dims: int, measure: Measure) -> Scaling:
    """How the numbers of a model grow in this many dims; ``measure`` counts it at sizes of them."""
    search = _Search(dims, measure)
    best: Scaling | None = None
    for ladder in _LADDERS:
        base = search.base(ladder)
        if best is None or (len(base.unknown), 0) < best.gaps:
            found = search.fit(ladder, base)
            best = found if best is None or found.gaps < best.gaps else best
        if best.gaps == (0, 0) or search.counts > _ENOUGH:
            break
    assert best is not None  # noqa: S101 - the first ladder gives one
    return best if best.gaps[1] else search.bounded(search.refined(best))


class _Search:
    """Counts at sizes, each once, and fits polynomials through the counts."""

    def __init__(self, dims: int, measure: Measure) -> None:
        self._dims = dims
        self._sample = cache(lambda sizes: _sample(sizes, measure(sizes)))

    @property
    def counts(self) -> int:
        """How often the model was counted."""
        return self._sample.cache_info().currsize

    def base(self, ladder: _Ladder) -> Sample:
        """At the first sizes of a ladder, or at its smallest where fewer rows are unknown."""
        first, least = (
            self._sample((size,) * self._dims) for size in (ladder.sizes[0], min(ladder.sizes))
        )
        return least if len(least.unknown) < len(first.unknown) else first

    def fit(self, ladder: _Ladder, base: Sample) -> Scaling:
        """The polynomials through counts at sizes of a ladder."""
        grid = Interpolation([self._axis(ladder.sizes, base, dim) for dim in range(self._dims)])
        fitted = [self._sample(point) for point in grid.points]
        checks = list(islice(self._checks(ladder, base), 2))
        samples = [sample for sample in (*fitted, *checks) if sample.resembles(base)]
        complete = bool(checks) and len(samples) == len(fitted) + len(checks)

        @cache
        def through(numbers: Sizes) -> Polynomial | None:
            if not complete:
                return None
            found = grid(numbers[: len(fitted)])
            others = zip(checks, numbers[len(fitted) :], strict=True)
            return found if all(found(check.sizes) == number for check, number in others) else None

        columns = zip(*(sample.rows for sample in samples), strict=True)
        return Scaling(
            steps=(ladder.step,) * self._dims,
            rows=base.rows,
            growths=tuple(_growth(column, through) for column in columns),
            parameters=through(tuple(sample.parameters for sample in samples)),
            samples=tuple(samples),
            complete=complete,
        )

    def _axis(self, sizes: Sizes, base: Sample, dim: int) -> list[int]:
        """As many sizes of a dim, the others staying, as fit every polynomial in it."""
        places: list[int] = []
        series: list[Sizes] = []
        for size in dict.fromkeys((base.sizes[dim], *sizes)):
            sample = self._sample(_with(base.sizes, dim, size))
            if not sample.resembles(base):
                continue
            places.append(size)
            numbers = (number for row in sample.rows for number in numbers_of(row))
            series.append((*numbers, sample.parameters))
            if len(places) < 3:
                continue
            degrees = {degree(places, values) for values in set(zip(*series, strict=True))}
            if None not in degrees or len(places) == _HIGHEST + 2:
                return places[: max(found or 0 for found in degrees) + 1]
        return places[:1]

    def _checks(self, ladder: _Ladder, base: Sample) -> Iterator[Sample]:
        sizes = ladder.checks
        for start in range(len(sizes)):
            point = tuple(sizes[(start + dim) % len(sizes)] for dim in range(self._dims))
            sample = self._sample(point)
            if sample.resembles(base):
                yield sample

    def refined(self, found: Scaling) -> Scaling:
        """With the smallest steps for which it holds."""
        base = found.samples[0].sizes
        finer = found
        for dim in range(self._dims):
            for prime in (2, 3, 5, 7):
                while (step := finer.steps[dim]) % prime == 0:
                    between = (step // prime, 2 * step - step // prime)
                    points = [_with(base, dim, base[dim] + offset) for offset in between]
                    if not all(found.predicts(self._sample(point)) for point in points):
                        break
                    finer = replace(finer, steps=_with(finer.steps, dim, step // prime))
        joint = tuple(size + step for size, step in zip(base, finer.steps, strict=True))
        return finer if found.predicts(self._sample(joint)) else found

    def bounded(self, found: Scaling) -> Scaling:
        """With one more sample, far larger, or with that as the limit where it does not agree."""
        largest = map(max, zip(*(sample.sizes for sample in found.samples), strict=True))
        sizes = tuple(
            (max(_FAR, 2 * size) // step + 1) * step
            for size, step in zip(largest, found.steps, strict=True)
        )
        sample = self._sample(sizes)
        if found.predicts(sample):
            return replace(found, samples=(*found.samples, sample))
        return replace(found, limit=sample)


def _sample(sizes: Sizes, table: CostTable) -> Sample:
    causes = frozenset().union(*(causes for _, causes in table.unknown))
    return Sample(sizes, tuple(table.rows()), table.parameter_count, causes)


def _growth(
    column: tuple[Row, ...], through: Callable[[Sizes], Polynomial | None]
) -> Growth | None:
    """Of one row, as it was counted in every sample."""
    if any(row.cost is None for row in column):
        return None
    return dict(
        zip(QUANTITIES, map(through, zip(*map(numbers_of, column), strict=True)), strict=True)
    )


def _with(sizes: Sizes, dim: int, size: int) -> Sizes:
    return (*sizes[:dim], size, *sizes[dim + 1 :])
