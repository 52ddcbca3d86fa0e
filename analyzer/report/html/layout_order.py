"""The order of boxes within the rows of a layered graph."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

_SWEEPS = 8

Rows = list[list[int]]
Neighbours = Sequence[Sequence[int]]


def ordered(rows: Rows, above: Neighbours, below: Neighbours) -> Rows:
    """The rows in the order, of those that were tried, in which the fewest edges cross.

    It starts with that of a depth-first walk; then rows are sorted by the mean place of what they
    are connected with in the row before, downwards and upwards in turn.
    """
    current = _walked(rows, above, below)
    best, fewest = current, _crossings(current, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        current = _swept(current, below if sweep % 2 else above, upwards=bool(sweep % 2))
        if (count := _crossings(current, below)) < fewest:
            best, fewest = current, count
    return best


def _walked(rows: Rows, above: Neighbours, below: Neighbours) -> Rows:
    """The rows in the order in which a depth-first walk from the top meets their boxes."""
    row_of = {box: number for number, row in enumerate(rows) for box in row}
    found: Rows = [[] for _ in rows]
    met: set[int] = set()
    for start in (box for row in rows for box in row if not above[box]):
        stack = [start]
        while stack:
            box = stack.pop()
            if box not in met:
                met.add(box)
                found[row_of[box]].append(box)
                stack.extend(reversed(below[box]))
    return found


def _swept(rows: Rows, neighbours: Neighbours, *, upwards: bool) -> Rows:
    """Every row sorted by the mean place of its neighbours; what has none keeps its place."""
    place: dict[int, float] = {}
    found: Rows = []
    for row in reversed(rows) if upwards else rows:
        means = {
            box: sum(place[other] for other in neighbours[box]) / len(neighbours[box])
            if neighbours[box]
            else float(at)
            for at, box in enumerate(row)
        }
        found.append(sorted(row, key=means.__getitem__))
        place.update((box, float(at)) for at, box in enumerate(found[-1]))
    return found[::-1] if upwards else found


def _crossings(rows: Rows, below: Neighbours) -> int:
    """How many pairs of edges cross: those of one row whose ends stand the other way round."""
    count = 0
    for upper, lower in pairwise(rows):
        if len(upper) < 2 or len(lower) < 2:
            continue
        place = {box: at for at, box in enumerate(lower)}
        ends: list[int] = []  # sorted, of the edges of boxes further left
        for box in upper:
            own = sorted(place[other] for other in below[box])
            count += sum(len(ends) - bisect_right(ends, end) for end in own)
            ends = sorted(ends + own)
    return count
