"""Treemaps: squarified ones, and ones in rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple


class Area(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def size(self) -> float:
        """What it covers."""
        return self.width * self.height


def squarified(values: Sequence[float], area: Area) -> list[Area]:
    """The area divided among values above zero, in their order, in parts as near squares as can be
    if the values fall.

    Rows fill the shorter side of what is left, each as long as the worst of its ratios of sides
    falls (Bruls, Huizing and van Wijk 2000, "Squarified Treemaps", section 3).
    """
    scale = area.size / sum(values) if values else 0.0
    sizes = [value * scale for value in values]
    found: list[Area] = []
    while len(found) < len(sizes):
        begun = len(found)
        side = min(area.width, area.height)
        count, worst = 1, _worst(sizes[begun : begun + 1], side)
        while begun + count < len(sizes):
            longer = _worst(sizes[begun : begun + count + 1], side)
            if longer > worst:
                break
            count, worst = count + 1, longer
        row, area = _row(sizes[begun : begun + count], area)
        found += row
    return found


def row_ends(values: Sequence[float], area: Area) -> tuple[int, ...]:
    """Where the rows end that an area is best divided into among values above zero, which stay in
    their order.

    Of all divisions the one whose ratios of sides are least, each weighed by its value, so that
    equal values make a regular grid ("strips" of Bederson, Shneiderman and Wattenberg 2002,
    "Ordered and Quantum Treemaps", section 3.3, with the best breaks instead of the first good).
    """
    whole = sum(values)

    def ratios(first: int, last: int) -> float:
        row = values[first:last]
        high = area.height * sum(row) / whole
        sides = ((value, area.width * value / sum(row)) for value in row)
        return sum(value * max(wide / high, high / wide) for value, wide in sides)

    @cache
    def best(first: int) -> tuple[float, tuple[int, ...]]:
        if first == len(values):
            return 0.0, ()
        options = []
        for last in range(first + 1, len(values) + 1):
            rest, ends = best(last)
            options.append((ratios(first, last) + rest, (last, *ends)))
        return min(options)

    return best(0)[1]


def in_rows(values: Sequence[float], ends: Sequence[int], area: Area) -> list[Area]:
    """The area divided among values above zero, which stay in their order, in rows from the top."""
    found: list[Area] = []
    y, first, whole = area.y, 0, sum(values)
    for last in ends:
        row = values[first:last]
        high, x = area.height * sum(row) / whole, area.x
        for value in row:
            wide = area.width * value / sum(row)
            found.append(Area(x, y, wide, high))
            x += wide
        y, first = y + high, last
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """The greatest ratio of sides in a row along a side."""
    if not side:
        return 0.0
    total = sum(row)
    return max(side**2 * max(row) / total**2, total**2 / (side**2 * min(row)))


def _row(row: Sequence[float], area: Area) -> tuple[list[Area], Area]:
    """A row along the shorter side, and what it leaves."""
    x, y, width, height = area
    total = sum(row)
    found = []
    if width >= height:
        thick = min(total / height, width) if height else 0.0
        for size in row:
            long = height * size / total
            found.append(Area(x, y, thick, long))
            y += long
        return found, Area(area.x + thick, area.y, width - thick, height)
    thick = min(total / width, height) if width else 0.0
    for size in row:
        long = width * size / total
        found.append(Area(x, y, long, thick))
        x += long
    return found, Area(area.x, area.y + thick, width, height - thick)
