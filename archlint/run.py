"""From the options of a command to what it looked at, and from there to text and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archlint import __version__, pipeline
from archlint.analyzer.analysis import Analyses
from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import ModelReport, Report, as_json, cost_table
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.text import safe
from archlint.choices import FailOn, TableFormat
from archlint.configuration import Configuration
from archlint.output import EXIT_FINDINGS, EXIT_INPUT, EXIT_USAGE, complain, remark, terminal
from archlint.paths import find_models
from archlint.pipeline import Manner
from archlint.progress import Progress

if TYPE_CHECKING:
    from archlint.analyzer.timing.prediction.machine import MachineProfile

Shown = tuple[By, SortKey, int | None, int | None]  # the rows of a table: by, sort, top, depth


def analyse(
    paths: Sequence[str], configuration: Configuration, *, execute: bool = False
) -> Analyses:
    """What the models that the paths name cost; failures are also told on stderr.

    No rule runs. With ``execute`` each model is run once for the shapes that depend on data.
    """
    models, missing = find_models(paths, configuration)
    chosen = {path: configuration.counted(path) for path in models}  # all, before any takes time
    manner = Manner(execute, profile=known_machine())
    with Progress(len(models)) as progress:
        found = pipeline.lint(models, chosen.__getitem__, configuration.bindings, progress, manner)
    failures = (*missing, *found.failures)
    for failure in failures:
        complain(failure.path, failure.why)
    return Analyses(found.models, failures)


def known_machine() -> MachineProfile | None:
    """What is known of this machine's speed; a profile that cannot be used is told on stderr."""
    from archlint.analyzer.timing.prediction.cache import stored

    found = stored()
    if found.problem:
        remark(found.problem)
    return found.profile


def costs_text(
    report: Analyses, shown: Shown, output_format: TableFormat, output_file: str | None
) -> str:
    """The costs as ``cost`` writes them."""
    rows = [cost_table.rows(model, *shown) for model in report.models]
    if output_format is TableFormat.JSON:
        return as_json.render(plain(report), rows)
    paint, width = terminal(output_file)
    tables = zip(report.models, rows, strict=True)
    return "\n".join(cost_table.render(m, groups, shown[0], paint, width) for m, groups in tables)


def plain(analyses: Analyses) -> Report:
    """The report of what was counted."""
    return Report(__version__, tuple(map(reported, analyses.models)), analyses.failures)


def growth_text(
    report: Analyses,
    dims: Sequence[str],
    configuration: Configuration,
    shown: Shown,
    output_format: TableFormat,
    output_file: str | None,
) -> str:
    """The growth with dims as ``cost --scaling`` writes it."""
    from archlint.analyzer.report import scaling  # late: few ask for it
    from archlint.scaling import scale_models

    with Progress(len(report.models)) as progress:
        scaled = scale_models(report, dims, configuration, progress)
    rows = [(one, scaling.rows(one, *shown)) for one in scaled]
    if output_format is TableFormat.JSON:
        return as_json.render(plain(report), (), [scaling.as_object(*pair) for pair in rows])
    paint, width = terminal(output_file)
    return "\n".join(scaling.render(*pair, shown[0], paint, width) for pair in rows)


def files_text(paths: Sequence[str], configuration: Configuration) -> tuple[str, int]:
    """The models that the paths name, one a line, and the exit code of ``files``."""
    models, missing = find_models(paths, configuration)
    for failure in missing:
        complain(failure.path, failure.why)
    return "".join(f"{safe(model)}\n" for model in models), EXIT_INPUT if missing else 0


def exit_code(report: Report, configuration: Configuration, max_warnings: int | None = None) -> int:
    """Of a run of ``check``: each model fails by its own settings, and all together by the number
    of their warnings."""
    if code := broken_code(report):
        return code
    outcomes = with_outcomes(report, configuration, max_warnings)
    return EXIT_FINDINGS if any(model.failed for model in outcomes.models) else 0


def with_outcomes(
    report: Report, configuration: Configuration, max_warnings: int | None = None
) -> Report:
    """The report, whose models know whether the run fails for them; nothing is judged where it
    never fails. With too many warnings it fails for each model that has one."""
    warnings = [_warnings(model) for model in report.models]
    is_over = max_warnings is not None and sum(warnings) > max_warnings
    models = []
    for model, count in zip(report.models, warnings, strict=True):
        level = configuration.fail_on(model.path)
        failed = None if level is FailOn.NEVER else _fails(model, level)
        models.append(replace(model, failed=True if is_over and count else failed))
    return replace(report, models=tuple(models))


def _warnings(model: ModelReport) -> int:
    return sum(finding.severity is Severity.WARNING for finding in model.told)


def broken_code(report: Report) -> int:
    """Of a run that was not whole: a rule has failed, or an input could not be analysed; else 0."""
    if any(finding.code == CRASH_CODE for finding in report.findings):
        return EXIT_USAGE
    return EXIT_INPUT if report.failures else 0


def _fails(model: ModelReport, fail_on: FailOn) -> bool:
    return any(finding.severity >= Severity[fail_on.name] for finding in model.told)
