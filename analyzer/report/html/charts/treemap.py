"""Squarified treemaps."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The area divided among falling values above zero, in their order, in parts as near squares
    as can be.

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
