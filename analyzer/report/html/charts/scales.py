"""Logarithmic axes: domains that leave room, ticks at powers of ten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Mark, gathered, line, text

LETTERS = 11
"""The size of text on an axis."""

_ROOM = 1.4  # times beyond the first and the last number
_TICKS = 8  # that have room on an axis
_EXACT = 1e-9  # of a decade: a power of ten is one in spite of rounding


@dataclass(frozen=True, slots=True)
class Log:
    """An axis from the number ``low`` at the pixel ``start`` to ``high`` at ``end``."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a positive number: linear in its logarithm."""
        share = log10(value / self.low) / log10(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def powers(self) -> range:
        """The powers of ten on the axis that have room for their numbers."""
        found = _powers(self.low, self.high)
        return found[:: ceil(len(found) / _TICKS)]


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes, and what each shows; ``edge`` are pixels left of them where no number is."""

    x: Log
    y: Log
    across: str
    up: str
    edge: float = 0.0

    def grid(self) -> Markup:
        """Lines and numbers at powers of ten, and the names of the axes."""
        return gathered(self._grid())

    def _grid(self) -> Iterator[Mark]:
        left, right, bottom, top = self.x.start - self.edge, self.x.end, self.y.start, self.y.end
        for power in self.x.powers():
            at = self.x.at(10.0**power)
            yield line(at, top, at, bottom, Tone.FAINT)
            yield text(at, bottom + 16, tick(power), tone=Tone.MUTED, size=LETTERS, anchor="middle")
        for power in self.y.powers():
            at = self.y.at(10.0**power)
            yield line(left, at, right, at, Tone.FAINT)
            yield text(left - 8, at + 4, tick(power), tone=Tone.MUTED, size=LETTERS, anchor="end")
        yield line(left, bottom, right, bottom, Tone.BAR)
        yield line(left, top, left, bottom, Tone.BAR)
        yield text(right, bottom + 34, self.across, tone=Tone.MUTED, size=12, anchor="end")
        yield text(2, top - 10, self.up, tone=Tone.MUTED, size=12)


def domain(values: Iterable[float]) -> tuple[float, float]:
    """From below the least of the positive numbers to above the largest, with two powers of ten
    at least."""
    known = list(values)
    low, high = min(known) / _ROOM, max(known) * _ROOM
    while len(_powers(low, high)) < 2:
        below, above = 10.0 ** (ceil(log10(low)) - 1), 10.0 ** (floor(log10(high)) + 1)
        if low / below < above / high:
            low = below
        else:
            high = above
    return low, high


def tick(power: int) -> str:
    """A power of ten as an axis says it: ``0.01``, ``1,000``, ``1e-9``."""
    is_short = -4 <= power <= 5
    return f"{10.0**power:,.{max(-power, 0)}f}" if is_short else f"1e{power}"


def _powers(low: float, high: float) -> range:
    return range(ceil(log10(low) - _EXACT), floor(log10(high) + _EXACT) + 1)
