"""In the child process: two models side by side, in random order, until their ratio is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from archlint.analyzer.timing.harness import (
    Placement,
    Runner,
    Setup,
    end_profiling,
    fed,
    open_session,
    placement,
)  # fmt: skip
from archlint.analyzer.timing.statistics import Interval, Sample, ratio_interval, usable

_LEAST_ROUNDS = 12
_MOST_ROUNDS = 400
_GROWTH = 1.25  # of the rounds after which the interval is looked at


def compare(
    subjects: Sequence[Mapping[str, Any]],
    setup: Mapping[str, Any],
    *,
    warm_ups: int,
    clock: str,
    precision: float,
    threshold: float,
    budget: float,
) -> dict[str, Any]:
    """Samples of two subjects in pairs: wall and CPU nanoseconds of each run, by round.

    Rounds go on until the interval of the ratio is ``precision`` wide to either side, as a share of
    the ratio (a third of that while the ``threshold`` lies in it), or ``budget`` seconds have
    passed. The profile of the warm-up runs proves which
    provider ran the kernels.
    """
    import onnxruntime

    chosen = Setup(**setup)
    deadline = time.monotonic() + budget
    runners, placements = [], []
    for number, subject in enumerate(subjects):
        runner, placed = _prepared(subject, chosen, number, warm_ups, deadline)
        runners.append(runner)
        placements.append(placed)
    cores = chosen.threads if chosen.device == "cpu" else 0

    def is_enough(samples: Sequence[Sequence[Sample]]) -> bool:
        before, after = usable(samples[0], samples[1], cores, clock)
        return len(before) >= _LEAST_ROUNDS and is_precise(
            ratio_interval(before, after), precision, threshold
        )

    samples = _rounds(runners, is_enough, time.monotonic() + budget)
    return {
        "samples": [[[sample.wall, sample.cpu] for sample in side] for side in samples],
        "placements": [dict(placed.kernels) for placed in placements],
        "copies": [placed.copies for placed in placements],
        "runtime": onnxruntime.__version__,
    }


def _prepared(
    subject: Mapping[str, Any], setup: Setup, number: int, warm_ups: int, deadline: float
) -> tuple[Runner, Placement]:
    """A warm runner, and where its kernels ran."""

    def profiled(options: Any) -> None:
        options.enable_profiling = True
        options.profile_file_prefix = f"profile{number}"

    session = open_session(subject, setup, profiled)
    runner = Runner(session, fed(subject), setup.device)
    runner.warm_up(warm_ups, deadline)
    return runner, placement(end_profiling(session))


def _rounds(
    runners: Sequence[Runner],
    is_enough: Callable[[Sequence[Sequence[Sample]]], bool],
    deadline: float,
) -> list[list[Sample]]:
    """A run of each in every round, until there are enough or it is late."""
    random = np.random.default_rng(0)
    samples: list[list[Sample]] = [[] for _ in runners]
    look = _LEAST_ROUNDS
    while len(samples[0]) < _MOST_ROUNDS:
        for side in random.permutation(len(runners)):
            samples[side].append(runners[side].sample())
        count = len(samples[0])
        if time.monotonic() > deadline:
            break
        if count >= look:
            if is_enough(samples):
                break
            look = max(look + 1, int(look * _GROWTH))
    return samples


def is_precise(interval: Interval, precision: float, threshold: float) -> bool:
    """Whether a ratio is known well enough to be told, and to be told from the threshold."""
    decided = not interval.low <= threshold <= interval.high
    return interval.half_width <= (precision if decided else precision / 3)
