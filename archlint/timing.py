"""Time the models of a report on execution providers, and write what they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archlint import __version__
from archlint.analyzer.analysis import Analyses
from archlint.analyzer.choices import By, TimeKey
from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader import STANDARD_INPUT, Model, read
from archlint.analyzer.report import Failure, time_json, timing
from archlint.analyzer.report.time_rows import Timed, TimeRow, rows
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.nodes.latency import Latency
from archlint.analyzer.timing.nodes.measuring import measure
from archlint.analyzer.timing.providers import Provider
from archlint.choices import TableFormat
from archlint.output import complain, terminal
from archlint.pipeline import Stopwatch
from archlint.progress import Progress

Shown = tuple[By, TimeKey, int | None, int | None]  # the rows of a table: by, sort, top, depth


def time_models(
    report: Analyses, providers: Sequence[Provider], effort: Effort, runs: int | None
) -> tuple[Analyses, list[Timed]]:
    """What the models of a report take on each provider; those that none could run are left out.

    What fails is added to the failures of the report, and told on stderr.
    """
    timed: list[Timed] = []
    failures: list[Failure] = []
    with Progress(len(report.models)) as progress:
        for model in report.models:
            progress(model.path)
            latencies: list[Latency] = []
            for provider in providers:
                progress.step(f"timing on {provider.name}")
                try:
                    latency = measure(_again(model.path), model.costs, provider, effort, runs)
                    latencies.append(latency)
                except ModelError as error:
                    failures.append(Failure(model.path, error.why))
            if latencies:
                timed.append(Timed(model, tuple(latencies)))
    for failure in failures:
        complain(failure.path, failure.why)
    return replace(report, failures=(*report.failures, *failures)), timed


def _again(path: str) -> Model:
    """The model of a report once more; raises ModelError where it cannot be read again."""
    if path == STANDARD_INPUT:
        raise ExecutionError(path, "cannot be timed: it cannot be read again; give a path")
    return read(path)


def times_text(
    report: Analyses,
    timed: Sequence[Timed],
    shown: Shown,
    output_format: TableFormat,
    output_file: str | None,
) -> str:
    """The times as ``time`` writes them."""
    tables = [[_rows(latency, *shown) for latency in one.latencies] for one in timed]
    if output_format is TableFormat.JSON:
        return time_json.render(__version__, timed, tables, report.failures)
    paint, width = terminal(output_file)
    pairs = zip(timed, tables, strict=True)
    return "\n".join(timing.render(one, found, shown[0], paint, width) for one, found in pairs)


def _rows(
    latency: Latency, by: By, sort: TimeKey, top: int | None, depth: int | None
) -> list[TimeRow]:
    return [] if latency.profile is None else rows(latency.profile, by, sort, top, depth)


def stopwatch(
    ep: Sequence[str],
    threads: int,
    budget: float,
    timeout: float,
    memory: float | None,
    *,
    cpu_fallback: bool,
) -> Stopwatch:
    """What times findings on the providers that the options name."""
    from archlint.providers import working_providers

    effort = Effort(threads, budget, timeout, memory, cpu_fallback)
    return Stopwatch(working_providers(ep), effort)
