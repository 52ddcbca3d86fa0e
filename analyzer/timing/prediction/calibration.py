"""In the child process: how long the models of the grid take, and which layout there is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archlint.analyzer.timing.harness import (
    Runner,
    Setup,
    fed,
    made_up_values,
    open_session,
)  # fmt: skip
from archlint.analyzer.timing.statistics import Clock, Sample, is_undisturbed

_LEAST_ROUNDS = 3
_LONG = 2_000_000  # nanoseconds of a run that fills the caches itself
_SHORTEST = 100_000  # nanoseconds of a sample: short ones fit between what disturbs them
_OPTIMISED = "optimised.onnx"
_SMALL_BLOCK, _LARGE_BLOCK = 8, 16


def calibrate(
    subjects: Sequence[Mapping[str, Any]],
    probe: Mapping[str, Any],
    setup: Mapping[str, Any],
    *,
    clock: str,
    cores: int,
    seconds: float,
) -> dict[str, Any]:
    """Nanoseconds of runs of each subject, in rounds through all of them.

    Before each sample a short model runs once, so that its weights lie where they would if it ran
    alone.
    """
    import onnxruntime

    chosen = Setup(**setup)
    runners = [_runner(subject, chosen) for subject in subjects]
    samples: list[list[Sample]] = [[] for _ in runners]
    random = np.random.default_rng(0)
    deadline = time.monotonic() + seconds
    while len(samples[-1]) < _LEAST_ROUNDS or time.monotonic() < deadline:
        for place in random.permutation(len(runners)):
            taken = samples[place]
            if not taken or taken[-1].wall < _LONG:
                runners[place].run()
            taken.append(runners[place].sample())
    return {
        "times": [_times(taken, clock, cores) for taken in samples],
        "block": _block(probe, chosen),
        "runtime": onnxruntime.__version__,
    }


def _runner(subject: Mapping[str, Any], setup: Setup) -> Runner:
    session = open_session(subject, setup, made_up_values(subject))
    runner = Runner(session, fed(subject), setup.device)
    runner.warm_up(2, _SHORTEST)
    return runner


def _times(samples: Sequence[Sample], clock: str, cores: int) -> list[float]:
    """CPU time, or the wall time of the runs that kept their cores, if there are any."""
    if clock == Clock.CPU:
        return [sample.cpu for sample in samples]
    calm = [sample for sample in samples if not cores or is_undisturbed(sample, cores)]
    return [sample.wall for sample in calm or samples]


def _block(probe: Mapping[str, Any], setup: Setup) -> int:
    """Channels of a block of the blocked layout, by what becomes of the probe; 0 if there is
    none."""

    def saved(options: Any) -> None:
        options.optimized_model_filepath = _OPTIMISED

    open_session(probe, setup, made_up_values(probe), saved)
    with open(_OPTIMISED, "rb") as stream:
        content = stream.read()
    if b"com.microsoft.nchwc" not in content:
        return 0
    return _SMALL_BLOCK if b"ReorderInput" in content else _LARGE_BLOCK
