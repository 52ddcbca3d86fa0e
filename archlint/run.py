"""From the options of a command to a report, and from there to text and an exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archlint import pipeline
from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import ModelReport, Report, as_json, concise, cost_table, full
from archlint.analyzer.text import safe
from archlint.choices import FailOn, Format, TableFormat
from archlint.config import Chosen
from archlint.configuration import Configuration
from archlint.output import EXIT_FINDINGS, EXIT_INPUT, EXIT_USAGE, complain, remark, terminal
from archlint.paths import find_models
from archlint.pipeline import Stopwatch
from archlint.progress import Progress

if TYPE_CHECKING:
    from archlint.analyzer.timing.prediction.machine import MachineProfile

Shown = tuple[By, SortKey, int | None, int | None]  # the rows of a table: by, sort, top, depth


def analyse(
    paths: Sequence[str],
    configuration: Configuration,
    *,
    find: bool = True,
    execute: bool = False,
    clock: Stopwatch | None = None,
) -> Report:
    """The report of what the paths name; failures are also told on stderr.

    Without ``find`` no rule runs. With ``execute`` each model is run once for the shapes that
    depend on data; with a ``clock`` its findings are timed.
    """
    models, missing = find_models(paths, configuration)
    choose = configuration.chosen if find else configuration.counted
    chosen = {path: choose(path) for path in models}  # all, before any takes time
    with Progress(len(models)) as progress:
        if clock is not None:
            clock = replace(clock, progress=progress.step)
        report = pipeline.lint(
            models, chosen.__getitem__, configuration.bindings, progress,
            execute=execute, stopwatch=clock, profile=_profile(),
        )  # fmt: skip
    remarked = _with_remarks(report.models, chosen, configuration)
    report = replace(report, models=remarked, failures=(*missing, *report.failures))
    for failure in report.failures:
        complain(failure.path, failure.why)
    return report


def _with_remarks(
    reports: Sequence[ModelReport], chosen: Mapping[str, Chosen], configuration: Configuration
) -> tuple[ModelReport, ...]:
    """The reports, with findings on entries of configurations that serve no more."""
    if not any(chosen[report.path].ignores for report in reports):
        return tuple(reports)
    from archlint.ignore_remarks import with_remarks  # late: few configurations accept findings

    def models_in(folder: str) -> Sequence[str]:
        return find_models([folder], configuration)[0]

    return with_remarks(reports, chosen.__getitem__, models_in)


def _profile() -> MachineProfile | None:
    """What is known of this machine's speed; a profile that cannot be used is told on stderr."""
    from archlint.analyzer.timing.prediction.cache import stored

    found = stored()
    if found.problem:
        remark(found.problem)
    return found.profile


def findings_text(report: Report, output_format: Format, output_file: str | None) -> str:
    """The findings as ``check`` writes them."""
    if output_format is Format.JSON:
        return as_json.render(report)
    paint, width = terminal(output_file)
    if output_format is Format.CONCISE:
        return concise.render(report, paint)
    return full.render(report, paint, width)


def costs_text(
    report: Report, shown: Shown, output_format: TableFormat, output_file: str | None
) -> str:
    """The costs as ``cost`` writes them."""
    rows = [cost_table.rows(model, *shown) for model in report.models]
    if output_format is TableFormat.JSON:
        return as_json.render(report, rows)
    paint, width = terminal(output_file)
    tables = zip(report.models, rows, strict=True)
    return "\n".join(cost_table.render(m, groups, shown[0], paint, width) for m, groups in tables)


def growth_text(
    report: Report,
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
        return as_json.render(report, (), [scaling.as_object(*pair) for pair in rows])
    paint, width = terminal(output_file)
    return "\n".join(scaling.render(*pair, shown[0], paint, width) for pair in rows)


def files_text(paths: Sequence[str], configuration: Configuration) -> tuple[str, int]:
    """The models that the paths name, one a line, and the exit code of ``files``."""
    models, missing = find_models(paths, configuration)
    for failure in missing:
        complain(failure.path, failure.why)
    return "".join(f"{safe(model)}\n" for model in models), EXIT_INPUT if missing else 0


def exit_code(report: Report, configuration: Configuration) -> int:
    """Of a run of ``check``: each model fails by its own settings."""
    if code := broken_code(report):
        return code
    failed = any(_fails(model, configuration.fail_on(model.path)) for model in report.models)
    return EXIT_FINDINGS if failed else 0


def broken_code(report: Report) -> int:
    """Of a run that was not whole: a rule has failed, or an input could not be analysed; else 0."""
    if any(finding.code == CRASH_CODE for finding in report.findings):
        return EXIT_USAGE
    return EXIT_INPUT if report.failures else 0


def _fails(model: ModelReport, fail_on: FailOn) -> bool:
    if fail_on is FailOn.NEVER:
        return False
    return any(finding.severity >= Severity[fail_on.name] for finding in model.findings)
