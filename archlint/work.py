"""What is done for one model of a check: plain values in, plain values out.

So it can be done in any process, on any machine that sees the same files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.reader import Model
from archlint.analyzer.report import Failure, ModelReport
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.stack_trace import STACK_TRACE, source_lines
from archlint.analyzer.timing.prediction.cache import stored
from archlint.config import Chosen
from archlint.configuration import Configuration, configure
from archlint.pipeline import Manner, Stopwatch, examine
from archlint.snapshot_files import has_snapshot

if TYPE_CHECKING:  # a machine that was never measured does without, and a run of files
    from archlint.analyzer.reader.memory import InMemory
    from archlint.analyzer.timing.nodes.latency import Latency
    from archlint.analyzer.timing.prediction.machine import MachineProfile


@dataclass(frozen=True, slots=True)
class Request:
    """What a run wants of each of its models.

    ``options`` are those of ``configure``, as pairs. With ``architectures`` those are answered too;
    with ``layers`` reports have what a page draws.
    """

    options: tuple[tuple[str, Any], ...] = ()
    execute: bool = False
    architectures: bool = False
    layers: bool = False

    @staticmethod
    def of(options: dict[str, Any], *, execute: bool = False, layers: bool = False) -> Request:
        """The request of a command with these options."""
        plain = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in options.items()
        }
        return Request(tuple(plain.items()), execute, layers=layers)

    def configuration(self) -> Configuration:
        """The configuration of the options; raises ConfigError as ``configure`` does."""
        return configure(**dict(self.options))


@dataclass(frozen=True, slots=True)
class Task:
    """A model by its path, whose file is ``content`` where it is not the path itself; one in
    ``memory`` is only called by the path."""

    path: str
    content: str | None = None
    memory: InMemory | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say of one model; no report where it could not be analysed.

    ``dims`` and ``inputs`` are the names that bindings could mean.
    """

    report: ModelReport | None = None
    failures: tuple[Failure, ...] = ()
    dims: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    architecture: Architecture | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What all models of a run share: settings, what is known of the machine, the stopwatch.

    ``progress`` is told what takes time of a model.
    """

    configuration: Configuration
    profile: MachineProfile | None = None
    stopwatch: Stopwatch | None = None
    progress: Callable[[str], None] = lambda _step: None


def work(request: Request, task: Task) -> Answer:
    """The answer to a request for one model; raises ConfigError for settings that cannot be used.

    A process keeps what it has prepared from one model to the next.
    """
    return answer(request, task, _prepared(request))


@lru_cache(maxsize=1)
def _prepared(request: Request) -> Prepared:
    return Prepared(request.configuration(), stored().profile)


def answer(request: Request, task: Task, prepared: Prepared) -> Answer:
    """As ``work``, with what is prepared."""
    configuration = prepared.configuration
    chosen = configuration.chosen(task.path)
    manner = Manner(request.execute, prepared.stopwatch, prepared.profile, prepared.progress)
    examined = examine(task.path, chosen, manner, content=task.content, memory=task.memory)
    if examined.analysis is None or examined.model is None:
        return Answer(failures=examined.failures, dims=examined.dims, inputs=examined.inputs)
    failures = list(examined.failures)
    report = _with_sources(reported(examined.analysis), examined.analysis, examined.model)
    if chosen.weights:
        report = _with_weights(report, examined.analysis, chosen, prepared)
    latencies: list[Latency] = []
    if prepared.stopwatch is not None and _times_runs(request, configuration, task.path):
        from archlint.latencies import latency_report, measured_latencies  # late: few are timed

        watch = prepared.stopwatch
        latencies = measured_latencies(examined.analysis, examined.model, watch, failures)
        report = replace(report, latencies=tuple(map(latency_report, latencies)))
    shown = task.content is None and has_snapshot(task.path)
    wanted = request.architectures or request.layers or shown
    built = architecture_of(examined.analysis) if wanted else None
    if request.layers and built is not None:
        report = _with_layers(report, examined.analysis, built, latencies)
        report = replace(report, rules=tuple(sorted(rule.code for rule in chosen.rules)))
    if shown and built is not None and not _is_bound(configuration.bindings):
        report = _with_staleness(report, built, chosen)
    kept = built if request.architectures else None
    return Answer(report, tuple(failures), examined.dims, examined.inputs, kept)


def _with_weights(
    report: ModelReport, analysis: Analysis, chosen: Chosen, prepared: Prepared
) -> ModelReport:
    """The report with what the weights use, at the energy that the rule about it keeps."""
    from archlint.analyzer.report.weighing import weight_report  # late: few runs read weights
    from archlint.analyzer.targets import default_target
    from archlint.rules.low_rank_weights import LowRankWeights

    rules = [rule for rule in chosen.rules if isinstance(rule, LowRankWeights)]
    energy = (rules or [LowRankWeights()])[0].energy
    target = chosen.target or default_target()
    flagged = [node for finding in analysis.findings for node in finding.nodes]
    made = weight_report(analysis.costs, flagged, energy, target, prepared.progress)
    return replace(report, weights=made)


def _times_runs(request: Request, configuration: Configuration, path: str) -> bool:
    """Whether runs of the whole model are timed: for what is drawn, or for a budget."""
    if request.layers:
        return True
    if not (budgets := configuration.budgets(path)):
        return False
    from archlint.budgets import limits_latency  # late: few models have a budget

    return limits_latency(budgets)


def _with_layers(
    report: ModelReport, analysis: Analysis, built: Architecture, latencies: list[Latency]
) -> ModelReport:
    """The report with what a page draws; the times are those of the first provider that has some
    for nodes."""
    from archlint.analyzer.report.layering import layers, timed  # late: few runs draw

    drawn = layers(analysis, built)
    profiled = next((one for one in latencies if one.profile is not None), None)
    if profiled is None:
        return replace(report, layers=drawn)
    drawn, kernels = timed(drawn, analysis, profiled)
    return replace(report, layers=drawn, kernels=kernels)


def _is_bound(bindings: Bindings) -> bool:
    """Whether the command line gives sizes that a snapshot need not have."""
    return bool(bindings.dims or bindings.shapes)


def _with_staleness(report: ModelReport, built: Architecture, chosen: Chosen) -> ModelReport:
    """The report, with a finding where the snapshot beside the model shows another one."""
    from archlint.remarks import StaleSnapshot, remark_report  # late: few models have a snapshot
    from archlint.snapshot_difference import staleness

    why = staleness(report.path, built)
    if not why or StaleSnapshot.code in chosen.silent:
        return report
    remark = remark_report(StaleSnapshot, chosen.severity_of(StaleSnapshot), why)
    return replace(report, findings=(*report.findings, remark))


def _with_sources(report: ModelReport, analysis: Analysis, model: Model) -> ModelReport:
    """The report with the lines of Python that made what is flagged, as far as the model tells."""
    nodes = model.proto.graph.node
    findings = []
    for finding, found in zip(report.findings, analysis.findings, strict=True):
        first = nodes[found.nodes[0].position] if found.nodes else None
        entries = () if first is None else first.metadata_props
        lines = [line for e in entries if e.key == STACK_TRACE for line in source_lines(e.value)]
        findings.append(replace(finding, source=tuple(lines)) if lines else finding)
    return replace(report, findings=tuple(findings))


def architecture_of(analysis: Analysis, digest: str = "") -> Architecture:
    """The architecture of a model with its external data; ``digest`` is the SHA-256 of its file."""
    from archlint.analyzer.compare.building import architecture  # late: few runs compare or show

    file_bytes = analysis.file_bytes + analysis.external_bytes
    return architecture(analysis.costs, analysis.peak, file_bytes, digest)
