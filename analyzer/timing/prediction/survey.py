"""Measure a machine: the grid in child processes, then the constants that explain its times."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from onnx import ModelProto

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.runtime.messages import plain
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.prediction import calibration
from archlint.analyzer.timing.prediction.cache import cpu_name
from archlint.analyzer.timing.prediction.fitting import fit
from archlint.analyzer.timing.prediction.grid import block_probe, kernels
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.refusals import GARBLED, refused
from archlint.analyzer.timing.statistics import quantile
from archlint.analyzer.timing.subject import Subject, whole

_PROCESSES = 3  # at most: where weights come to lie in memory differs from one to the next
_LATEST = 4.8  # seconds after which none is started any more
_SECONDS = 1.3  # of rounds in each
_LOW = 0.05  # of the samples of a model are below what it is said to take
_PROBE = "probe.onnx"
_SUBJECT = "calibration"  # what an error is about


@dataclass(frozen=True, slots=True)
class Survey:
    """A profile, and the times of the grid (nanoseconds, by its names) that it was made from.

    They are a low quantile over ``rounds`` in some ``processes``: whatever else a machine does only
    makes runs slower, be it another process on the other half of a core. The runs that it disturbed
    least tell what the machine can do.
    """

    profile: MachineProfile
    times: Mapping[str, float]
    tables: Mapping[str, CostTable]
    processes: int
    rounds: int


def survey(provider: Provider, threads: int) -> Survey:
    """Measure a provider on this machine; raises TimingError where it cannot run the grid."""
    tables: dict[str, CostTable] = {}
    subjects: dict[str, Subject] = {}
    for kernel in kernels():
        subjects[kernel.name], tables[kernel.name] = _prepared(kernel.model)
    probe, _ = _prepared(block_probe())
    effort = Effort(threads, fallback=True)
    began = time.monotonic()
    answers = [_measure(provider, effort, list(subjects.values()), probe)]
    while len(answers) < _PROCESSES and time.monotonic() - began < _LATEST:
        answers.append(_measure(provider, effort, list(subjects.values()), probe))
    times = {
        name: quantile([time for answer in answers for time in answer["times"][place]], _LOW)
        for place, name in enumerate(subjects)
    }
    empty = MachineProfile(
        cpu=cpu_name(),
        provider=provider.full_name,
        threads=threads,
        clock=str(effort.clock(provider)),
        runtime=answers[0]["runtime"],
        run=0.0, node=0.0, call=0.0, product=0.0, integer=0.0, activation=0.0,
        expand=Curve(()), strided=0.0, memory=Curve(()), tiles=None,
    )  # fmt: skip
    profile = fit(empty, answers[0]["block"], tables, times)
    rounds = sum(len(answer["times"][0]) for answer in answers)
    return Survey(profile, times, tables, len(answers), rounds)


def _prepared(proto: ModelProto) -> tuple[Subject, CostTable]:
    model = Model(proto.graph.name, proto, 0)
    graph = load(model)
    return whole(model, graph), count(graph)


def _measure(
    provider: Provider, effort: Effort, subjects: Sequence[Subject], probe: Subject
) -> Mapping[str, Any]:
    names = [f"{place}.onnx" for place in range(len(subjects))]
    files = {name: subject.model for name, subject in zip(names, subjects, strict=True)}
    outcome = run_job(
        calibration.calibrate,
        {
            "subjects": [s.as_json(name) for name, s in zip(names, subjects, strict=True)],
            "probe": probe.as_json(_PROBE),
            "setup": asdict(provider.setup(threads=effort.threads, synthetic=True)),
            "clock": effort.clock(provider),
            "cores": effort.cores(provider),
            "seconds": _SECONDS,
        },
        files | {_PROBE: probe.model},
        effort.limits(provider, sum(subject.tensor_bytes for subject in subjects)),
    )
    if isinstance(outcome, Failure):
        raise refused(_SUBJECT, provider, plain(outcome.why))
    answer: dict[str, Any] = outcome.value
    times = answer.get("times") if isinstance(answer, dict) else None
    if not isinstance(times, list) or len(times) != len(subjects):
        raise refused(_SUBJECT, provider, GARBLED)
    return answer
