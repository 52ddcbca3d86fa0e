"""The choice of options against trying all of them."""

from __future__ import annotations

from itertools import product
from math import inf, isclose

import numpy as np
import pytest

from archlint.analyzer.fix.search import Option, choose, saved


def cheapest(layers: list[list[Option]], target: float) -> float:
    """The least price by trying every combination."""
    best = inf
    for combination in product(*([None, *layer] for layer in layers)):
        taken = [option for option in combination if option is not None]
        if sum(option.saves for option in taken) >= target:
            best = min(best, sum(option.price for option in taken))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_choice_is_the_cheapest(seed: int) -> None:
    random = np.random.default_rng(seed)
    layers = [
        [Option(float(random.integers(1, 40)), float(random.random())) for _ in range(3)]
        for _ in range(6)
    ]
    most = sum(max(option.saves for option in layer) for layer in layers)
    for share in (0.2, 0.5, 0.8):
        target = int(share * most) - 0.5  # no sum of integers is within the rounding of it
        chosen = choose(layers, target)
        assert chosen is not None
        assert saved(layers, chosen) >= target
        pairs = zip(layers, chosen, strict=True)
        price = sum(layer[place].price for layer, place in pairs if place is not None)
        assert isclose(price, cheapest(layers, target))


def test_not_greedy_by_saving() -> None:
    """The layer that saves most is not taken where two others are cheaper together."""
    layers = [[Option(10, 5.0)], [Option(6, 1.0)], [Option(6, 1.0)]]
    assert choose(layers, 10) == [None, 0, 0]


def test_a_target_that_is_too_high_and_one_that_is_none() -> None:
    layers = [[Option(1, 0.1)], []]
    assert choose(layers, 2) is None
    assert choose(layers, 0) == [None, None]


def test_an_option_may_save_more_than_the_target() -> None:
    assert choose([[Option(100, 1.0)], [Option(3, 0.2)]], 2) == [None, 0]
    assert choose([[Option(100, 1.0)], [Option(3, 0.2)]], 5) == [0, None]
