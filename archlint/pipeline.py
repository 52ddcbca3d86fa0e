"""The only place where the stages meet: path, model, graph, costs, findings, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archlint import __version__
from archlint.analyzer.algorithms import critical_path, peak_memory
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.dims import Shape
from archlint.analyzer.engine import accepted, run
from archlint.analyzer.errors import ModelError
from archlint.analyzer.finding import Finding, Ignored, Severity
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings, dim_names
from archlint.analyzer.load import load
from archlint.analyzer.proposal import splice
from archlint.analyzer.reader import Model, read
from archlint.analyzer.report import Effect, Failure, ModelReport, Report
from archlint.analyzer.rule import RuleContext
from archlint.config import Choose, Chosen, check_used
from archlint.plugins import load_plugins_for

if TYPE_CHECKING:  # a static run does without what starts processes
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


def lint(
    paths: Iterable[str],
    choose: Choose,
    bindings: Bindings = Bindings(),  # noqa: B008 - it is frozen
    progress: Callable[[str], None] = lambda _path: None,
    *,
    execute: bool = False,
    stopwatch: Stopwatch | None = None,
    profile: MachineProfile | None = None,
) -> Report:
    """Lint models in order; one that cannot be analysed is a failure of the report.

    ``choose`` says of each path what it is checked with; ``bindings`` are those that some model
    must have. ``progress`` is called with each path before its turn. With ``execute`` each model is
    run, and the shapes that occur stand where inference cannot tell them; one that fails to run is
    a failure and is reported without. With a ``stopwatch`` the findings are timed, with the
    ``profile`` of a machine times are predicted. Raises ConfigError for bindings that fit no model,
    or that contradict one, and for a plugin that cannot be used.
    """
    reports: list[ModelReport] = []
    failures: list[Failure] = []
    dims: set[str] = set()
    inputs: set[str] = set()
    for path in paths:
        progress(path)
        chosen = choose(path)
        try:
            model = read(path)
            load_plugins_for(model.proto)
            dims |= dim_names(model.proto.graph)
            inputs |= {info.name for info in model.proto.graph.input}
            observed = None
            if execute:
                observed = _observed(model, chosen.bindings, failures)
            report = lint_model(model, chosen, observed, profile)
            if unread := report.costs.graph.unread_weights:
                failures.append(Failure(path, unread))
            if stopwatch is not None:
                report = _timed(report, model, chosen.bindings, observed, stopwatch, failures)
            reports.append(report)
        except ModelError as error:
            failures.append(Failure(path, error.why))
    if reports:
        check_used(bindings, dims, inputs)
    return Report(__version__, tuple(reports), tuple(failures))


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
    report: ModelReport,
    model: Model,
    bindings: Bindings,
    observed: Mapping[str, Shape] | None,
    stopwatch: Stopwatch,
    failures: list[Failure],
) -> ModelReport:
    """The report with its findings timed; what fails to run is added to the failures, once each."""
    from archlint.analyzer.timing.verification import Verifier, verify  # late: few ask for it

    def reload(spliced: Model) -> Graph:
        return load(spliced, bindings, observed)

    verifier = Verifier(model, report.costs.graph, reload, stopwatch.effort, stopwatch.progress)
    findings, wholes = verify(verifier, report.findings, stopwatch.providers)
    failures += [Failure(model.path, why) for why in verifier.failures]
    return replace(report, findings=findings, measured=wholes)


def lint_model(
    model: Model,
    chosen: Chosen,
    observed: Mapping[str, Shape] | None = None,
    profile: MachineProfile | None = None,
) -> ModelReport:
    """Count one model and run the rules over it; ``observed`` are shapes that occurred in a run."""
    costs = count(load(model, chosen.bindings, observed))
    found = run(chosen.rules, RuleContext(costs.graph, costs, chosen.target), chosen.alternatives)
    judged = [_with_severity(finding, chosen.severities) for finding in found]
    findings, ignored = _split(judged, model, costs.graph, chosen)
    if profile is not None:
        from archlint.analyzer.timing.forecast import forecasts  # late: where it is calibrated

        findings = forecasts(findings, costs.graph, profile)
    return ModelReport(
        path=model.path,
        file_bytes=model.file_bytes,
        costs=costs,
        peak=peak_memory(costs.graph),
        critical=critical_path(costs),
        findings=findings,
        ignored=ignored,
        effect=_effect(model, chosen.bindings, observed, costs, findings, profile),
        prediction=_predicted(costs, profile),
    )


def _split(
    findings: Sequence[Finding], model: Model, graph: Graph, chosen: Chosen
) -> tuple[tuple[Finding, ...], tuple[Ignored, ...]]:
    """The findings that stay, and those that the configuration or the model accepts."""
    if not chosen.ignores and not (chosen.model_ignores and model.may_ignore):
        return tuple(findings), ()
    from archlint.ignoring import accept  # late: few findings are accepted

    return accept(findings, chosen, model, graph)


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
