"""The numbers of the table of nodes: in one unit a column, with bars for shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

BAR_STEPS = 20
"""The lengths that a bar can have."""

_UNITS = (  # from which number on, the factor, the sign, the words
    (1e12, 1e9, "G ", "billions of "),
    (1e7, 1e6, "M ", "millions of "),
    (1e3, 1e3, "k ", "thousands of "),
)
_POINTS = ((0, 99.95), (1, 9.995), (2, 0.9995))  # digits behind it, and from which number on


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: ``value`` is what it is sorted by where the text alone does not tell, ``kind`` how it
    looks, ``title`` why it is so."""

    text: str
    value: str = ""
    kind: str = ""
    title: str = ""


BLANK = Cell("")
ZERO = Cell("0", kind="z")
CellOf = Callable[[int], Cell]


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit of a column."""

    factor: float
    sign: str
    name: str

    @classmethod
    def of(cls, numbers: Sequence[int | None]) -> Scale:
        """The unit in which the largest number has some digits before its point."""
        most = max((number for number in numbers if number is not None), default=0)
        for least, factor, sign, name in _UNITS:
            if most >= least:
                return cls(factor, sign, name)
        return cls(1, "", "")

    def text(self, number: float) -> str:
        """The number in this unit."""
        if self.factor == 1:
            return f"{number:,.0f}"
        return _least(number / self.factor, 2 if self.factor > 1e3 else 1)


def _least(number: float, digits: int) -> str:
    """The number with so many digits behind its point, or less than the least that they tell."""
    text = f"{number:,.{digits}f}"
    return f"<{10**-digits:.{digits}f}" if number and not float(text.replace(",", "")) else text


def counts(numbers: Sequence[int | None], scale: Scale, whys: Sequence[str] = ()) -> CellOf:
    """Exact counts; one that is unknown says why."""

    def cell(place: int) -> Cell:
        number = numbers[place]
        if number is None:
            return Cell("unknown", kind="u", title=whys[place] if whys else "")
        return Cell(scale.text(number), str(number)) if number else ZERO

    return cell


def shares(numbers: Sequence[float | None], whole: float = 0.0) -> CellOf:
    """Percent of the whole, which is the sum if none is given, with bars beside the largest."""
    known = [number for number in numbers if number]
    total, most = whole or sum(known), max(known, default=0)

    def cell(place: int) -> Cell:
        number = numbers[place]
        if not number or not total:
            return BLANK
        length = max(1, round(BAR_STEPS * number / most))
        return Cell(_least(100 * number / total, 1), kind=f"b{length}")

    return cell


def times(numbers: Sequence[float | None], whole: float) -> tuple[CellOf, CellOf]:
    """Milliseconds of nanoseconds, and percent of the whole."""

    def cell(place: int) -> Cell:
        number = numbers[place]
        if not number:
            return BLANK if number is None else ZERO
        return Cell(_three_digits(number / 1e6), f"{number:.0f}")

    return cell, shares(numbers, whole)


def _three_digits(number: float) -> str:
    """The number in three digits, of which no more than three are behind its point."""
    return _least(number, next((d for d, least in _POINTS if number >= least), 3))
