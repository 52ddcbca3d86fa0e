"""The cheapest way to save enough: of several options each for many layers, at most one each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

_STEPS = 4_000  # into which the target is divided


@dataclass(frozen=True, slots=True)
class Option:
    """What an option saves, and what it is paid with: numbers that add up over the layers."""

    saves: float
    price: float


def choose(layers: Sequence[Sequence[Option]], target: float) -> list[int | None] | None:
    """The option of each layer, or None for none, that together save the target for the least
    price; None where all together cannot.

    Parameters
    ----------
    layers
        The options of each layer; those that save nothing are never taken.
    target
        What must be saved, in the unit of the options.

    Returns
    -------
    list of int or None
        One entry a layer.

    Notes
    -----
    This is the multiple-choice knapsack problem (Kellerer, Pferschy and Pisinger, Knapsack
    Problems, 2004, chapter 11), solved by dynamic programming over the target in 4,000 steps:
    O(options · steps). Savings are rounded down to a step, so that the target is always met; the
    price is the least for savings so rounded.

    """
    if target <= 0:
        return [None for _ in layers]
    step = target / _STEPS
    best = np.full(_STEPS + 1, inf)
    best[0] = 0.0
    tables: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for options in layers:
        best, taken, source = _with_layer(best, options, step)
        tables.append((taken, source))
    if best[_STEPS] == inf:
        return None
    chosen: list[int | None] = []
    place = _STEPS
    for taken, source in reversed(tables):
        option = int(taken[place])
        chosen.append(None if option < 0 else option)
        place = int(source[place])
    return chosen[::-1]


def _with_layer(
    before: NDArray[np.float64], options: Sequence[Option], step: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The least price for each number of steps with one more layer, the option taken there (-1 for
    none), and the number of steps before it."""
    steps = np.arange(before.size)
    best = before.copy()
    taken = np.full(before.size, -1)
    source = steps.copy()
    for number, option in enumerate(options):
        saved = min(int(option.saves / step + 1e-9), before.size - 1)
        if saved <= 0:
            continue
        reached = before[: before.size - saved] + option.price
        better = np.flatnonzero(reached < best[saved:])
        best[better + saved] = reached[better]
        taken[better + saved] = number
        source[better + saved] = better
        # The last step stands for all that is at least the target.
        first = before.size - saved
        beyond = first + int(np.argmin(before[first:]))
        if before[beyond] + option.price < best[-1]:
            best[-1] = before[beyond] + option.price
            taken[-1], source[-1] = number, beyond
    return best, taken, source


def saved(layers: Sequence[Sequence[Option]], chosen: Sequence[int | None]) -> float:
    """What a choice saves in all."""
    pairs = zip(layers, chosen, strict=True)
    return sum(options[place].saves for options, place in pairs if place is not None)
