"""Polynomials with exact coefficients, and the one through given values on a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import prod

Exponents = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A sum of terms: the exponent of every variable, and a coefficient that is not 0.

    The terms stand by total degree, smallest first.
    """

    terms: tuple[tuple[Exponents, Fraction], ...] = ()

    def __call__(self, point: Sequence[int]) -> Fraction:
        """The value at a point, a number for each variable."""
        return sum((factor * _power(point, powers) for powers, factor in self.terms), Fraction())

    def __add__(self, other: Polynomial) -> Polynomial:
        factors = dict(self.terms)
        for powers, factor in other.terms:
            factors[powers] = factors.get(powers, Fraction()) + factor
        return polynomial(factors.items())

    def __mul__(self, times: int) -> Polynomial:
        return polynomial((powers, factor * times) for powers, factor in self.terms)


def polynomial(terms: Iterable[tuple[Exponents, Fraction]]) -> Polynomial:
    """The polynomial of terms in any order, each exponents once."""
    kept = ((powers, factor) for powers, factor in terms if factor)
    return Polynomial(tuple(sorted(kept, key=lambda term: (sum(term[0]), [-e for e in term[0]]))))


def degree(places: Sequence[int], values: Sequence[int]) -> int | None:
    """The degree of the polynomial in one variable that the values follow.

    None if none of a degree that leaves a value over to confirm it does. By Newton's divided
    differences: those above the degree are 0.
    """
    differences = [Fraction(value) for value in values]
    found = 0
    for order in range(1, len(differences)):
        if not any(differences):
            break
        found = order - 1
        differences = [
            (after - before) / (places[start + order] - places[start])
            for start, (before, after) in enumerate(pairwise(differences))
        ]
    return None if any(differences) else found


class Interpolation:
    """Finds polynomials by their values on a grid: one place more on an axis than its degree."""

    def __init__(self, axes: Sequence[Sequence[int]]) -> None:
        self.points = list(product(*axes))
        grid = list(product(*(range(len(places)) for places in axes)))
        bases = [_basis(places) for places in axes]
        self._weights = [
            (powers, [
                prod((base[place][power]
                      for base, place, power in zip(bases, point, powers, strict=True)),
                     start=Fraction(1))
                for point in grid
            ])
            for powers in grid
        ]  # fmt: skip

    def __call__(self, values: Sequence[int]) -> Polynomial:
        """The polynomial that has these values at ``points``."""
        return polynomial(
            (powers, sum((w * v for w, v in zip(weights, values, strict=True) if v), Fraction()))
            for powers, weights in self._weights
        )


def _power(point: Sequence[int], powers: Exponents) -> int:
    return prod(place**power for place, power in zip(point, powers, strict=True))


def _basis(places: Sequence[int]) -> list[list[Fraction]]:
    """Lagrange's polynomials: the one that is 1 at a place and 0 at the others, by coefficients."""
    basis = []
    for own in places:
        factors = [Fraction(1)]
        for other in places:
            if other != own:  # times (x - other) / (own - other)
                shifted = [Fraction(), *factors]
                scaled = [*(other * factor for factor in factors), Fraction()]
                factors = [
                    (up - down) / (own - other) for up, down in zip(shifted, scaled, strict=True)
                ]
        basis.append(factors)
    return basis
