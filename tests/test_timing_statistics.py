"""Intervals of ratios: against tables, by hand, and by how often they hold the truth."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest

from archlint.analyzer.timing import statistics
from archlint.analyzer.timing.comparing import is_precise
from archlint.analyzer.timing.statistics import (
    Clock,
    Interval,
    Sample,
    block_ratio,
    median,
    quantile,
    ratio_of,
    times,
)


@pytest.mark.parametrize(
    ("freedom", "quantile_of_t"),
    # Any table of Student's t, two-sided 95 %, as in NIST's handbook of statistics, 1.3.6.7.2.
    [(5, 2.571), (6, 2.447), (10, 2.228), (20, 2.086), (30, 2.042), (100, 1.984)],
)
def test_student(freedom: int, quantile_of_t: float) -> None:
    assert statistics._student(freedom) == pytest.approx(quantile_of_t, rel=0.002)


def test_ratio_of_blocks_by_hand() -> None:
    ratios = [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]  # logarithms: their mean ± ln(2) / 2
    spread = sqrt(6 * (log(2) / 2) ** 2 / 5)  # the standard deviation of a sample of 6
    reach = 2.571 * spread / sqrt(6)
    ratio, interval = ratio_of(ratios)
    assert ratio == pytest.approx(sqrt(0.5 * 0.25))
    assert interval.low == pytest.approx(sqrt(0.125) * exp(-reach), rel=2e-3)
    assert interval.high == pytest.approx(sqrt(0.125) * exp(reach), rel=2e-3)


def test_equal_blocks_leave_no_doubt() -> None:
    ratio, interval = ratio_of([0.4] * 6)
    assert (ratio, interval.low, interval.high) == pytest.approx((0.4, 0.4, 0.4))


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        blocks = 0.3 * np.exp(random.normal(0, 0.05, 8))
        _, interval = ratio_of(blocks.tolist())
        held += interval.low <= 0.3 <= interval.high
    assert 0.93 < held / 1000 < 0.97  # 0.95 ± 3 standard errors of 0.007


def test_a_block_is_told_by_its_pairs() -> None:
    # Both sides take twice as long in the second and third round: the ratio is the same.
    assert block_ratio([(10.0, 5.0), (20.0, 10.0), (20.0, 10.0)]) == 0.5


def test_quantiles() -> None:
    samples = [4.0, 1.0, 3.0, 2.0]
    assert median(samples) == 2.5
    assert quantile(samples, 0.1) == pytest.approx(1.3)  # a tenth of the way from 1 over 3 gaps


KEPT, LOST = Sample(wall=10, cpu=20), Sample(wall=30, cpu=20)  # of two cores


@pytest.mark.parametrize(
    ("clock", "cores", "expected"),
    [
        (Clock.CPU, 2, [(20, 20), (20, 20), (20, 20)]),
        (Clock.WALL, 2, [(10, 10)]),
        (Clock.WALL, 0, [(10, 10), (10, 30), (30, 10)]),  # a device: nothing tells
    ],
)
def test_wall_time_counts_where_no_core_was_taken(
    clock: Clock, cores: int, expected: list[tuple[float, float]]
) -> None:
    rounds = [(KEPT, KEPT), (KEPT, LOST), (LOST, KEPT)]
    assert times(rounds, clock, cores) == expected


@pytest.mark.parametrize(
    ("interval", "threshold", "enough"),
    [
        (Interval(0.49, 0.51), 0.95, True),  # 2 % to either side, of 3 %
        (Interval(0.47, 0.53), 0.95, False),  # 6 %
        (Interval(0.93, 0.97), 0.95, False),  # 2.1 %, but on both sides of the threshold
        (Interval(0.945, 0.955), 0.95, True),  # 0.5 %: it will not be told apart
    ],
)
def test_what_is_precise_enough(interval: Interval, threshold: float, *, enough: bool) -> None:
    assert is_precise(interval, 0.03, threshold) is enough
