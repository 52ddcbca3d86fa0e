"""Where the boxes of a layered graph stand in their rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

BOX_GAP = 24.0
"""Between two boxes of a row."""

_BEND_GAP = 12.0  # between a bend and what stands beside it
_PASSES = 4
_LIGHT = 1e-6  # the weight of what makes way

Neighbours = Sequence[Sequence[int]]


def positions(
    rows: Sequence[Sequence[int]],
    widths: Sequence[float],
    above: Neighbours,
    below: Neighbours,
    light: Sequence[bool],
) -> list[float]:
    """The middle of each box and bend, in whose rows the order is as given.

    Each row comes as near to the medians of its neighbours as its gaps allow, upwards and
    downwards in turn; downwards last, so that chains are straight and forks symmetric.
    """
    gaps = [_gaps(row, widths) for row in rows]
    found = [0.0] * len(widths)
    for row, offsets in zip(rows, gaps, strict=True):
        for box, offset in zip(row, offsets, strict=True):
            found[box] = offset - offsets[-1] / 2
    upper, numbers = _led(rows, above, light), range(len(rows))
    for _ in range(_PASSES):
        for neighbours, order in ((upper, numbers), (below, reversed(numbers)), (upper, numbers)):
            for number in order:
                _place(rows[number], gaps[number], neighbours, light, found)
    lanes = [
        [other for other in below[box] if not widths[other]] if is_light and not widths[box] else []
        for box, is_light in enumerate(light)
    ]
    for number in reversed(numbers):  # what only passes by does so in one line
        _place(rows[number], gaps[number], lanes, light, found)
    return found


def _led(
    rows: Sequence[Sequence[int]], above: Neighbours, light: Sequence[bool]
) -> list[Sequence[int]]:
    """What each box stands below: where all branches meet, that from which they came, so that the
    axis stays where it is."""
    found = list(above)
    axis: int | None = None
    for row in rows:
        alone = [box for box in row if not light[box]]
        if len(alone) == 1:
            if axis is not None and sum(not light[other] for other in above[alone[0]]) > 1:
                found[alone[0]] = (axis,)
            axis = alone[0]
    return found


def _gaps(row: Sequence[int], widths: Sequence[float]) -> list[float]:
    """The least distance of each middle from the first one."""
    offsets = [0.0]
    for left, right in pairwise(row):
        gap = BOX_GAP if widths[left] and widths[right] else _BEND_GAP
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + gap)
    return offsets


def _place(
    row: Sequence[int],
    offsets: Sequence[float],
    neighbours: Neighbours,
    light: Sequence[bool],
    found: list[float],
) -> None:
    """The row is where the weighted squares of its distances from where it should be are least.

    That is isotonic regression, which pooling adjacent violators solves exactly.
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for box, offset in zip(row, offsets, strict=True):
        mean, weight, count = _wanted(box, neighbours, light, found) - offset, 1.0, 1
        if light[box]:
            weight = _LIGHT
        while pools and pools[-1][0] >= mean:
            other, more, members = pools.pop()
            mean = (mean * weight + other * more) / (weight + more)
            weight, count = weight + more, count + members
        pools.append((mean, weight, count))
    at = 0
    for mean, _, count in pools:
        for box, offset in zip(row[at : at + count], offsets[at : at + count], strict=True):
            found[box] = mean + offset
        at += count


def _wanted(
    box: int, neighbours: Neighbours, light: Sequence[bool], found: Sequence[float]
) -> float:
    """The median of its neighbours, but for those that make way where there are others."""
    near = neighbours[box]
    if len(near) == 1:
        return found[near[0]]
    heavy = [found[other] for other in near if not light[other]] or [found[o] for o in near]
    return median(heavy) if heavy else found[box]
