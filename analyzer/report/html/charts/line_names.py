"""Where the name of a line can stand: beside it, clear of another line and of bars."""

from __future__ import annotations

from collections.abc import Sequence


def clear_of(
    shares: Sequence[float],
    other: Sequence[float],
    bars: Sequence[float],
    span: int,
    high: float,
    gap: float,
) -> tuple[int, float] | None:
    """The first bar above or below whose part of a line a text has room, and its lower edge.

    Lines and bars are heights from 0 to 1, one for each bar; the text covers ``span`` bars and is
    ``high``. Where the lines are as near each other as that, a name would belong to both.
    """
    for first in range(1, len(bars) - span):
        own, its = shares[first - 1 : first + span], other[first - 1 : first + span]
        if min(abs(a - b) for a, b in zip(own, its, strict=True)) <= high:
            continue
        tallest = max(bars[first - 1 : first + span])
        for low in (max(own) + gap, min(own) - gap - high):
            is_off = low > max(its) or low + high < min(its)
            if is_off and tallest < low and low + high <= 1:
                return first, low
    return None
