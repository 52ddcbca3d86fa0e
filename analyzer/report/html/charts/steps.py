"""Round numbers for a linear axis."""

from __future__ import annotations

from math import ceil, floor, log10

_COUNT = 4  # steps that an axis has about


def ticks(most: float) -> list[float]:
    """Numbers from 0 to what is not below the largest: 1, 2 or 5 times a power of ten apart."""
    rough = most / _COUNT
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.8)
    return [step * number for number in range(ceil(most / step - 1e-9) + 1)]
