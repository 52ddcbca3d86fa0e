"""In the child process: how long a model takes, and apart from that what its kernels do."""

from __future__ import annotations

import base64
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archlint.analyzer.timing.attribution.matching import Key
from archlint.analyzer.timing.harness import (
    CpuClock,
    Runner,
    Setup,
    fed,
    made_up_values,
    open_session,
)  # fmt: skip
from archlint.analyzer.timing.nodes.spread import median_interval
from archlint.analyzer.timing.statistics import Clock, Sample

_OPTIMISED = "optimised.onnx"
_WEIGHTS = "weights"  # of the optimised model, which nobody reads: /dev/null
_MOST_STRUCTURE = 64 << 20  # bytes of the optimised model without weights
_MOST_EVENTS = 900_000  # onnxruntime's profiler drops what follows its millionth
_LEAST_PROFILED = 3
_MOST_PROFILED = 60
_PROFILED = 0.3  # share of the budget that profiled runs may take
_PROFILED_SECONDS = 3.0  # a kernel and its event take 5 µs: hardly more events than are recorded
_LEAST_RUNS = 20
_MOST_RUNS = 1000
_PRECISION = 0.01  # to either side of the median, as a share of it
_GROWTH = 1.25  # of the runs after which the interval is looked at
_RUN_BODIES = frozenset({
    "If", "Loop", "Scan", "BeamSearch", "GreedySearch", "Sampling", "WhisperBeamSearch",
})  # fmt: skip


@dataclass(slots=True)
class Totals:
    """What a kernel took in all of a run: nanoseconds without what its bodies took."""

    operator: str
    provider: str
    events: int = 0
    runs: dict[int, int] = field(default_factory=dict)

    def last(self, count: int, runs: int) -> list[int]:
        """Those of the last of so many runs."""
        return [self.runs.get(place, 0) for place in range(max(0, runs - count), runs)]


@dataclass(slots=True)
class _Profile:
    """Kernels over all ``runs`` that were recorded; it is not ``complete`` if some were not."""

    kernels: dict[Key, Totals] = field(default_factory=dict)
    runs: int = 0
    complete: bool = True

    def as_json(self, count: int) -> list[Any]:
        """Each kernel with its events in a run, and its nanoseconds in the last of so many runs."""
        return [
            [
                key,
                kernel.operator,
                kernel.provider,
                kernel.events / max(1, self.runs),
                kernel.last(count, self.runs),
            ]
            for key, kernel in self.kernels.items()
        ]


def profile(
    subject: Mapping[str, Any],
    setup: Mapping[str, Any],
    *,
    warm_ups: int,
    kernels: bool,
    runs: int | None,
    clock: str,
    budget: float,
) -> dict[str, Any]:
    """Samples of unprofiled runs, and before them, of the same session, profiled ones.

    There are ``runs`` of the former; without a number they go on until the median is known to
    _PRECISION or ``budget`` seconds have passed. With ``kernels`` the optimised graph is told too.
    """
    import onnxruntime

    chosen = Setup(**setup)
    session, lacking = _open(subject, chosen, kernels=kernels)
    runner = Runner(session, fed(subject), chosen.device)
    runner.warm_up(warm_ups)
    cpu_time = CpuClock()
    profiled = list(_profiled(runner, cpu_time, budget))
    found = _totals(session.end_profiling())
    samples = _samples(runner, cpu_time, runs, clock, time.monotonic() + budget)
    optimised, lacking = (None, lacking) if lacking else _structure()
    return {
        "runtime": onnxruntime.__version__,
        "samples": [[sample.wall, sample.cpu] for sample in samples],
        "profiled": [[sample.wall, sample.cpu] for sample in profiled],
        "kernels": found.as_json(len(profiled)),
        "complete": found.complete,
        "optimised": optimised,
        "lacking": lacking,
    }


def _open(subject: Mapping[str, Any], setup: Setup, *, kernels: bool) -> tuple[Any, str]:
    """A session that records a profile, and why it writes no optimised model."""
    values = made_up_values(subject)

    def profiled(options: Any) -> None:
        options.enable_profiling = True
        options.profile_file_prefix = "profile"

    def written(options: Any) -> None:
        profiled(options)
        options.optimized_model_filepath = _OPTIMISED
        entry = "session.optimized_model_external_initializers_file_name"
        options.add_session_config_entry(entry, _WEIGHTS)

    if not kernels:
        return open_session(subject, setup, values, profiled), "nodes have no times"
    if not _discards_weights():
        return open_session(subject, setup, values, profiled), "its weights would be written too"
    try:
        return open_session(subject, setup, values, written), ""
    except Exception as error:  # noqa: BLE001 - of what cannot be written, some may run all the same
        return open_session(subject, setup, values, profiled), str(error)


def _discards_weights() -> bool:
    """Whether there is a file that takes the weights of the optimised model and keeps none."""
    try:
        os.symlink(os.devnull, _WEIGHTS)
    except OSError:
        return False
    return True


def _structure() -> tuple[str | None, str]:
    """The optimised model without its large weights, or why it is not told."""
    if os.path.getsize(_OPTIMISED) > _MOST_STRUCTURE:
        return None, f"it takes more than {_MOST_STRUCTURE:,} bytes without its weights"
    with open(_OPTIMISED, "rb") as stream:
        return base64.b64encode(stream.read()).decode(), ""


def _timed(runner: Runner, cpu_time: CpuClock) -> Sample:
    wall, cpu = time.perf_counter_ns(), cpu_time()
    runner.run()
    cpu, wall = cpu_time() - cpu, time.perf_counter_ns() - wall
    return Sample(max(wall, 1), max(cpu, 1))


def _profiled(runner: Runner, cpu_time: CpuClock, budget: float) -> Iterator[Sample]:
    deadline = time.monotonic() + min(_PROFILED * budget, _PROFILED_SECONDS)
    for count in range(_MOST_PROFILED):
        if count >= _LEAST_PROFILED and time.monotonic() > deadline:
            break
        yield _timed(runner, cpu_time)


def _samples(
    runner: Runner, cpu_time: CpuClock, runs: int | None, clock: str, deadline: float
) -> list[Sample]:
    if runs is not None:
        return [_timed(runner, cpu_time) for _ in range(runs)]
    samples: list[Sample] = []
    look = _LEAST_RUNS
    while len(samples) < _MOST_RUNS:
        samples.append(_timed(runner, cpu_time))
        if len(samples) >= look:
            look = math.ceil(look * _GROWTH)
            times = [s.cpu if clock == Clock.CPU else s.wall for s in samples]
            if median_interval(times).half_width <= _PRECISION:
                break
        if len(samples) > 1 and time.monotonic() > deadline:
            break
    return samples


def _totals(path: str) -> _Profile:
    """What the kernels took in each run of a profile; a run that was not recorded whole is none."""
    profile = _Profile()
    events: list[_Event] = []
    for count, event in enumerate(_events(path)):
        if count > _MOST_EVENTS:
            profile.complete = False
            break
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            _record(events, event)
        elif event["name"] == "model_run":
            _add(profile, events, ())
            profile.runs += 1
            events.clear()
    return profile


def _events(path: str) -> Iterator[dict[str, Any]]:
    """The events of a profile, which has one in every line."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if line.startswith("{"):
                yield json.loads(line.rstrip().removesuffix(","))


@dataclass(frozen=True, slots=True)
class _Event:
    """A kernel that ran, in microseconds, and those of its bodies."""

    name: str
    operator: str
    provider: str
    start: int
    took: int
    inner: tuple[_Event, ...]


def _record(events: list[_Event], event: Mapping[str, Any]) -> None:
    """Add an event; what ran during a node with bodies, which ends last, ran in these."""
    start, arguments = event["ts"], event["args"]
    inner: list[_Event] = []
    if arguments["op_name"] in _RUN_BODIES:
        while events and events[-1].start >= start:
            inner.append(events.pop())
    name = event["name"].removesuffix("_kernel_time")
    operator, provider = arguments["op_name"], arguments.get("provider", "")
    events.append(_Event(name, operator, provider, start, event["dur"], tuple(inner)))


def _add(profile: _Profile, events: Sequence[_Event], outer: Key) -> None:
    for event in events:
        key = (*outer, event.name)
        total = profile.kernels.setdefault(key, Totals(event.operator, event.provider))
        total.events += 1
        own = event.took - sum(inner.took for inner in event.inner)
        total.runs[profile.runs] = total.runs.get(profile.runs, 0) + 1000 * max(0, own)
        _add(profile, event.inner, key)
