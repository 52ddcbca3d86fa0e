"""In the child process: sessions of onnxruntime, what they run on, and what a run takes."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archlint.analyzer.runtime.arrays import arrays
from archlint.analyzer.timing.plugins import load_libraries, use_plugin
from archlint.analyzer.timing.statistics import Sample

CPU = "CPUExecutionProvider"
_FATAL = 4  # of the severities of onnxruntime's log
_SHORT = 1_000_000  # nanoseconds: a shorter run is repeated, so that the clock's own time is small
_MOST_REPEATS = 50
_MOST_DRAWN = 1 << 20  # random numbers


@dataclass(frozen=True, slots=True)
class Setup:
    """How a session runs: on which provider, with which of its options, on how many threads.

    ``device`` is where inputs and outputs lie, as onnxruntime names it, with a number as in cuda:1;
    ``library`` is the plugin that brings the provider, or the module that knows where it is.
    Without ``fallback`` a node that the provider does not take is an error. ``synthetic`` says that
    weights are made up: then denormal numbers, which real weights seldom hold, must not slow it
    down.
    """

    provider: str = CPU
    options: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    device: str = "cpu"
    library: str | None = None
    fallback: bool = True
    synthetic: bool = False


class CpuClock:
    """Nanoseconds of CPU time over all threads that this process had when the clock was made.

    Linux rounds the time of a process to scheduler ticks while its CPU time is limited
    (kernel/time/posix-cpu-timers.c, cpu_clock_sample_group), but never that of a thread.
    """

    def __init__(self) -> None:
        self._clocks: list[int] = []
        with suppress(OSError):  # no Linux
            # The id of a thread's clock, as glibc makes it for pthread_getcpuclockid.
            self._clocks = [~int(thread) << 3 | 6 for thread in os.listdir("/proc/self/task")]

    def __call__(self) -> int:
        """The time by now; a thread that has ended counts no more."""
        if not self._clocks:
            return time.process_time_ns()
        if len(self._clocks) == 1:
            return time.thread_time_ns()
        return sum(map(_thread_time, self._clocks))


def _thread_time(clock: int) -> int:
    try:
        return time.clock_gettime_ns(clock)
    except OSError:
        return 0


class Runner:
    """A session with its inputs and outputs bound where its provider works."""

    def __init__(self, session: Any, inputs: Mapping[str, Any], device: str) -> None:
        self._session = session
        self._device = device
        self._binding = session.io_binding()
        # Held here: a binding refers to the array of an input, and keeps it only in newer releases.
        self._inputs = {name: _ort_value(value, device) for name, value in inputs.items()}
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for output in session.get_outputs():
            self._binding.bind_output(output.name, *_placed(device))
        self._repeats = 1
        self._cpu_time = CpuClock()

    def run(self) -> None:
        """One run to its end."""
        self._session.run_with_iobinding(self._binding)
        if self._device != "cpu":
            self._binding.synchronize_outputs()

    def warm_up(self, runs: int, shortest: int = _SHORT) -> None:
        """Run until kernels and caches have settled; samples take ``shortest`` nanoseconds or more,
        if few runs do."""
        sample = self.sample()
        self._cpu_time = CpuClock()  # the first run has started threads
        for _ in range(runs - 1):
            sample = self.sample()
        self._repeats = max(1, min(_MOST_REPEATS, int(shortest / sample.wall)))

    def sample(self) -> Sample:
        """What a run takes, the mean of some where it is short."""
        wall, cpu = time.perf_counter_ns(), self._cpu_time()
        for _ in range(self._repeats):
            self.run()
        cpu, wall = self._cpu_time() - cpu, time.perf_counter_ns() - wall
        return Sample(max(wall, 1) / self._repeats, max(cpu, 1) / self._repeats)


def made_up_values(subject: Mapping[str, Any]) -> dict[str, Any]:
    """The made-up weights of a subject as onnxruntime's values, by name."""
    import onnxruntime

    return {
        weight["name"]: onnxruntime.OrtValue.ortvalue_from_numpy(made_up(weight))
        for weight in subject["weights"]
    }


def open_session(
    subject: Mapping[str, Any],
    setup: Setup,
    values: Mapping[str, Any],
    adjust: Callable[[Any], None] = lambda _options: None,
) -> Any:
    """A session of a subject (see Subject.as_json) with its made-up weights; ``adjust`` may change
    its options before."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(_FATAL)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = setup.threads
    options.inter_op_num_threads = 1
    entries = {"session.model_external_initializers_file_folder_path": subject["folder"]}
    if setup.threads > 1:  # or the threads of one session take the cores of the other's
        entries["session.force_spinning_stop"] = "1"
    if setup.synthetic:
        entries["session.set_denormal_as_zero"] = "1"
    if not setup.fallback:
        entries["session.disable_cpu_ep_fallback"] = "1"
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    if values:
        options.add_external_initializers(list(values), list(values.values()))
    adjust(options)
    with open(subject["model"], "rb") as stream:
        content = stream.read()
    return onnxruntime.InferenceSession(content, options, **chosen(setup, options))


def chosen(setup: Setup, options: Any) -> dict[str, Any]:
    """The arguments that make a session use the provider of the setup, or none at all."""
    load_libraries(setup.device)
    if setup.library is not None:
        use_plugin(setup.provider, setup.library, options, setup.options)
        return {}
    providers: list[Any] = [(setup.provider, dict(setup.options))]
    if setup.provider != CPU and setup.fallback:
        providers.append(CPU)
    # Or onnxruntime's Python would print why a provider fails, and go on with the CPU's.
    return {"providers": providers, "enable_fallback": 0}


def made_up(weight: Mapping[str, Any]) -> Any:
    """Numbers for a weight: normal ones of its scale, or even ones between its bounds.

    A large one repeats itself, which no kernel sees.
    """
    random = np.random.default_rng([ord(character) for character in weight["name"]])
    shape = tuple(weight["shape"])
    size = min(math.prod(shape), _MOST_DRAWN)
    if weight["scale"] is None:
        numbers = random.uniform(weight["low"], weight["high"], size)
    else:
        numbers = random.standard_normal(size) * weight["scale"]
    return np.resize(numbers.astype(weight["dtype"]), shape)


def fed(subject: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a subject."""
    return {name: _contiguous(value) for name, value in arrays(subject["inputs"]).items()}


def _contiguous(value: Any) -> Any:
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) and value.ndim else value


def _ort_value(value: Any, device: str) -> Any:
    import onnxruntime

    if not isinstance(value, np.ndarray):  # of a type that numpy lacks
        return value
    return onnxruntime.OrtValue.ortvalue_from_numpy(value, *_placed(device))


def _placed(device: str) -> tuple[str, int]:
    """A kind of device, and which one of them."""
    kind, _, number = device.partition(":")
    return kind, int(number or 0)


@dataclass(frozen=True, slots=True)
class Placement:
    """What a profile proves: how many kernels of a run each provider ran, and copies between
    devices."""

    kernels: Mapping[str, int]
    copies: int = 0


def end_profiling(session: Any) -> list[Any]:
    """The events of the runs so far; those that follow are not recorded and cost nothing."""
    with open(session.end_profiling(), encoding="utf-8", errors="replace") as stream:
        events: list[Any] = json.load(stream)
    return events


def placement(events: Sequence[Mapping[str, Any]]) -> Placement:
    """Where kernels ran, each node counted once."""
    seen: dict[str, set[str]] = {}
    copies = set()
    for event in events:
        if event["cat"] != "Node" or not event["name"].endswith("_kernel_time"):
            continue
        seen.setdefault(event["args"].get("provider", ""), set()).add(event["name"])
        if event["args"].get("op_name", "").startswith("Memcpy"):
            copies.add(event["name"])
    return Placement(
        {provider: len(names) for provider, names in sorted(seen.items())}, len(copies)
    )
