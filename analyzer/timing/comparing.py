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
    made_up_values,
    open_session,
    placement,
)  # fmt: skip
from archlint.analyzer.timing.statistics import (
    LEAST_BLOCKS,
    Interval,
    Round,
    block_ratio,
    ratio_of,
    times,
)  # fmt: skip

_MOST_BLOCKS = 100
_BLOCK_SECONDS = 0.1  # of runs, if they are short enough for that
_MOST_ROUNDS = 5  # of a block
_CHEAP_SECONDS = 0.1  # of making both sessions and warming them up


def compare(
    subjects: Sequence[Mapping[str, Any]],
    setup: Mapping[str, Any],
    *,
    warm_ups: int,
    clock: str,
    cores: int,
    precision: float,
    threshold: float,
    budget: float,
) -> dict[str, Any]:
    """Blocks of rounds of two subjects: wall and CPU nanoseconds of each run.

    Blocks go on until the interval of the ratio is ``precision`` wide to either side, as a share of
    the ratio (a third of that while the ``threshold`` lies in it), or ``budget`` seconds have
    passed; ``cores`` tell disturbed wall times, which do not count (see ``times``). Where that is
    cheap each block has sessions of its own: where weights and buffers come to lie in memory moves
    the times of one pair of sessions, and of all its rounds. The profile of the first warm-up runs
    proves which provider ran the kernels.
    """
    import onnxruntime

    chosen = Setup(**setup)
    pair = _Pair(subjects, chosen, warm_ups)
    deadline = time.monotonic() + budget

    def is_enough(blocks: Sequence[Sequence[Round]]) -> bool:
        counted = [times(block, clock, cores) for block in blocks]
        ratios = [block_ratio(block) for block in counted if block]
        if len(ratios) < LEAST_BLOCKS:
            return False
        return is_precise(ratio_of(ratios)[1], precision, threshold)

    blocks = _blocks(pair, is_enough, deadline)
    return {
        "blocks": [
            [[[sample.wall, sample.cpu] for sample in both] for both in block] for block in blocks
        ],
        "placements": [dict(placed.kernels) for placed in pair.placements],
        "copies": [placed.copies for placed in pair.placements],
        "runtime": onnxruntime.__version__,
    }


class _Pair:
    """Warm sessions of both subjects, made anew where that is cheap."""

    def __init__(self, subjects: Sequence[Mapping[str, Any]], setup: Setup, warm_ups: int) -> None:
        self._subjects = subjects
        self._setup = setup
        self._warm_ups = warm_ups
        self._values = [made_up_values(subject) for subject in subjects]
        self._random = np.random.default_rng(0)
        self.placements: list[Placement] = []
        began = time.monotonic()
        self.runners = [self._runner(side, profiled=True) for side in (0, 1)]
        self._is_cheap = time.monotonic() - began < _CHEAP_SECONDS

    def renew(self) -> None:
        """New sessions in random order, unless that takes long."""
        if self._is_cheap:
            for side in self._random.permutation(2):
                self.runners[side] = self._runner(side, profiled=False)

    def round(self) -> Round:
        """A run of each, in random order."""
        first = int(self._random.integers(2))
        one, other = self.runners[first].sample(), self.runners[1 - first].sample()
        return (one, other) if first == 0 else (other, one)

    def _runner(self, side: int, *, profiled: bool) -> Runner:
        def profiling(options: Any) -> None:
            options.enable_profiling = profiled
            options.profile_file_prefix = f"profile{side}"

        subject = self._subjects[side]
        session = open_session(subject, self._setup, self._values[side], profiling)
        runner = Runner(session, fed(subject), self._setup.device)
        runner.warm_up(self._warm_ups)
        if profiled:
            self.placements.append(placement(end_profiling(session)))
        return runner


def _blocks(
    pair: _Pair, is_enough: Callable[[Sequence[Sequence[Round]]], bool], deadline: float
) -> list[list[Round]]:
    """Blocks of rounds until there are enough, or it is late: at least LEAST_BLOCKS of them."""
    blocks: list[list[Round]] = []
    rounds = _MOST_ROUNDS
    while len(blocks) < _MOST_BLOCKS:
        if blocks:
            pair.renew()
        began = time.monotonic()
        block = [pair.round()]
        once = time.monotonic() - began
        rounds = min(rounds, max(1, int(_BLOCK_SECONDS / once)))
        block += [pair.round() for _ in range(rounds - 1)]
        blocks.append(block)
        if len(blocks) >= LEAST_BLOCKS and (time.monotonic() > deadline or is_enough(blocks)):
            break
    return blocks


def is_precise(interval: Interval, precision: float, threshold: float) -> bool:
    """Whether a ratio is known well enough to be told, and to be told from the threshold."""
    decided = not interval.low <= threshold <= interval.high
    return interval.half_width <= (precision if decided else precision / 3)
