"""The only place where the stages meet: path, model, graph, costs, findings, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archlint.analyzer.algorithms import critical_path, peak_memory
from archlint.analyzer.analysis import Analyses, Analysis, Effect
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.dims import Shape
from archlint.analyzer.engine import accepted, run
from archlint.analyzer.errors import ModelError
from archlint.analyzer.finding import Finding, Ignored, Severity
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings, dim_names
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.report import Failure
from archlint.analyzer.rule import RuleContext
from archlint.analyzer.splicing import splice
from archlint.config import Choose, Chosen, check_used
from archlint.plugins import load_plugins_for
from archlint.snapshot_files import has_snapshot

if TYPE_CHECKING:  # a static run of files does without
    from archlint.analyzer.reader.memory import InMemory
    from archlint.analyzer.timing.effort import Effort
    from archlint.analyzer.timing.prediction.machine import MachineProfile
    from archlint.analyzer.timing.prediction.times import Prediction
    from archlint.analyzer.timing.providers import Provider


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """On which providers findings are timed, and how; ``progress`` is told each step."""

    providers: tuple[Provider, ...]
    effort: Effort
    progress: Callable[[str], None] = lambda _step: None


@dataclass(frozen=True, slots=True)
class Manner:
    """How the models of a run are looked at.

    With ``execute`` each is run, and the shapes that occur stand where inference cannot tell them.
    With a ``stopwatch`` the findings are timed, with the ``profile`` of a machine times are
    predicted. ``progress`` is told which weights are read.
    """

    execute: bool = False
    stopwatch: Stopwatch | None = None
    profile: MachineProfile | None = None
    progress: Callable[[str], None] = lambda _step: None


STATIC = Manner()


@dataclass(frozen=True, slots=True)
class Examined:
    """One model: what it is, what was made of it, and what failed.

    ``dims`` and ``inputs`` are the names that bindings could mean.
    """

    model: Model | None = None
    analysis: Analysis | None = None
    failures: tuple[Failure, ...] = ()
    dims: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()


def lint(
    paths: Iterable[str],
    choose: Choose,
    bindings: Bindings = Bindings(),  # noqa: B008 - it is frozen
    progress: Callable[[str], None] = lambda _path: None,
    manner: Manner = STATIC,
) -> Analyses:
    """Analyse models in order; one that cannot be analysed is a failure.

    ``choose`` says of each path what it is checked with; ``bindings`` are those that some model
    must have. ``progress`` is called with each path before its turn. Raises ConfigError for
    bindings that fit no model, or that contradict one, and for a plugin that cannot be used.
    """
    analyses: list[Analysis] = []
    failures: list[Failure] = []
    dims: set[str] = set()
    inputs: set[str] = set()
    for path in paths:
        progress(path)
        examined = examine(path, choose(path), manner)
        failures += examined.failures
        dims |= examined.dims
        inputs |= examined.inputs
        if examined.analysis is not None:
            analyses.append(examined.analysis)
    if analyses:
        check_used(bindings, dims, inputs)
    return Analyses(tuple(analyses), tuple(failures))


def examine(
    path: str,
    chosen: Chosen,
    manner: Manner = STATIC,
    *,
    content: str | None = None,
    memory: InMemory | None = None,
) -> Examined:
    """Analyse one model, whose file is ``content`` where it is not the path itself, or which is in
    ``memory``.

    One that fails to run is a failure, and is analysed without. Raises ConfigError as ``lint``
    does.
    """
    failures: list[Failure] = []
    try:
        model = _held(path, memory) if memory else read(path if content is None else content)
        load_plugins_for(model.proto)
        dims = dim_names(model.proto.graph)
        inputs = frozenset(info.name for info in model.proto.graph.input)
        observed = None
        if manner.execute:
            observed = _observed(model, chosen.bindings, failures)
        analysis = lint_model(model, chosen, observed, manner.profile, manner.progress)
        if unread := analysis.costs.graph.unread_weights:
            failures.append(Failure(path, unread))
        if manner.stopwatch is not None:
            watch = manner.stopwatch
            analysis = _timed(analysis, model, chosen.bindings, observed, watch, failures)
    except ModelError as error:
        return Examined(failures=(*failures, Failure(path, error.why)))
    told = tuple(replace(failure, path=path) for failure in failures)
    analysis = replace(analysis, path=path)
    return Examined(model, analysis, told, frozenset(dims), inputs)


def _held(path: str, memory: InMemory) -> Model:
    from archlint.analyzer.reader.memory import hold  # late: most models are in files

    return hold(path, memory)


def _observed(
    model: Model, bindings: Bindings, failures: list[Failure]
) -> Mapping[str, Shape] | None:
    """The shapes of one run in a child process; one that fails is added to the failures."""
    from archlint.analyzer.runtime import execute as runtime  # late: nothing else runs a model
    from archlint.analyzer.runtime.inputs import ExecutionError

    try:
        return runtime.execute(model, load(model, bindings)).shapes
    except ExecutionError as error:
        failures.append(Failure(model.path, error.why))
        return None


def _timed(
    analysis: Analysis,
    model: Model,
    bindings: Bindings,
    observed: Mapping[str, Shape] | None,
    stopwatch: Stopwatch,
    failures: list[Failure],
) -> Analysis:
    """It with its findings timed; what fails to run is added to the failures, once each."""
    from archlint.analyzer.timing.verification import Verifier, verify  # late: few ask for it

    def reload(spliced: Model) -> Graph:
        return load(spliced, bindings, observed)

    verifier = Verifier(model, analysis.costs.graph, reload, stopwatch.effort, stopwatch.progress)
    findings, wholes = verify(verifier, analysis.findings, stopwatch.providers)
    failures += [Failure(model.path, why) for why in verifier.failures]
    return replace(analysis, findings=findings, measured=wholes)


def lint_model(
    model: Model,
    chosen: Chosen,
    observed: Mapping[str, Shape] | None = None,
    profile: MachineProfile | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Analysis:
    """Count one model and run the rules over it; ``observed`` are shapes that occurred in a run."""
    costs = count(load(model, chosen.bindings, observed))
    if chosen.weights:
        from archlint.analyzer.report.weighing import weigh  # late: few runs read weights

        weigh(costs, progress)
    found = run(chosen.rules, RuleContext(costs.graph, costs, chosen.target), chosen.alternatives)
    judged = [_with_severity(finding, chosen.severities) for finding in found]
    findings, ignored = _split(judged, model, costs, chosen)
    if profile is not None and findings:
        from archlint.analyzer.timing.forecast import forecasts  # late: where it is calibrated

        findings = forecasts(findings, costs.graph, profile)
    return Analysis(
        path=model.path,
        file_bytes=model.file_bytes,
        external_bytes=model.external_bytes,
        costs=costs,
        peak=peak_memory(costs.graph),
        critical=critical_path(costs),
        findings=findings,
        ignored=ignored,
        effect=_effect(model, chosen.bindings, observed, costs, findings, profile),
        prediction=_predicted(costs, profile),
    )


def _split(
    findings: Sequence[Finding], model: Model, costs: CostTable, chosen: Chosen
) -> tuple[tuple[Finding, ...], tuple[Ignored, ...]]:
    """The findings that stay, and those that the configuration or what comes with the model
    accepts."""
    own = chosen.model_ignores and (model.may_ignore or has_snapshot(model.path))
    if not chosen.ignores and not own:
        return tuple(findings), ()
    from archlint.ignoring import accept  # late: few findings are accepted

    return accept(findings, chosen, model, costs)


def _with_severity(finding: Finding, severities: Mapping[str, Severity]) -> Finding:
    severity = severities.get(finding.code)
    return finding if severity is None else replace(finding, severity=severity)


def _predicted(costs: CostTable, profile: MachineProfile | None) -> Prediction | None:
    if profile is None:
        return None
    from archlint.analyzer.timing.prediction.times import predict  # late: where it is calibrated

    return predict(costs, profile)


def _effect(
    model: Model,
    bindings: Bindings,
    observed: Mapping[str, Shape] | None,
    before: CostTable,
    findings: Sequence[Finding],
    profile: MachineProfile | None,
) -> Effect | None:
    proposals = accepted(findings)
    if not proposals:
        return None
    after = count(load(splice(model, proposals), bindings, observed))
    return Effect(
        before.total().macs,
        after.total().macs,
        before.parameter_count,
        after.parameter_count,
        _predicted(after, profile),
    )
