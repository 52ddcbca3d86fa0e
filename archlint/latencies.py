"""What whole models take, for budgets of latency, and whether the machine was quiet meanwhile."""

from __future__ import annotations

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader import Model
from archlint.analyzer.report import Failure, LatencyReport
from archlint.analyzer.text import plural
from archlint.analyzer.timing.nodes.latency import Latency
from archlint.analyzer.timing.nodes.measuring import measure
from archlint.analyzer.timing.statistics import Clock
from archlint.pipeline import Stopwatch

_KEPT = 0.9  # of the cores that a run uses; with less of them other programs had their part
_DISTURBED = 0.5  # of the runs, the others count alone
_PRECISE = 0.05  # half the width of the interval of a device's time, which nothing else tells


def measured_latencies(
    analysis: Analysis, model: Model, stopwatch: Stopwatch, failures: list[Failure]
) -> list[Latency]:
    """What the model takes on each provider; what fails to run is added to the failures."""
    found = []
    for provider in stopwatch.providers:
        stopwatch.progress(f"timing a run on {provider.name}")
        try:
            found.append(measure(model, analysis.costs, provider, stopwatch.effort))
        except ModelError as error:
            failures.append(Failure(model.path, error.why))
    return found


def latency_report(latency: Latency) -> LatencyReport:
    """A measured latency as a report has it."""
    interval = latency.spread.interval
    return LatencyReport(
        label=f"{latency.provider.label}, {plural(latency.threads, 'thread')}",
        milliseconds=latency.spread.median / 1e6,
        low=interval.low / 1e6,
        high=interval.high / 1e6,
        quiet=is_quiet(latency),
        tenth=latency.spread.low / 1e6,
        cores=latency.cores,
    )


def is_quiet(latency: Latency) -> bool:
    """Whether other programs left the machine to the runs that count.

    CPU time is told beside wall time, of which the process had nearly all. Wall time of several
    threads counts undisturbed runs alone, at least half of all. Of a device nothing tells but that
    its times lie close together.
    """
    if not latency.provider.host:
        return latency.spread.interval.half_width <= _PRECISE
    if latency.clock is Clock.CPU:
        return latency.cores >= _KEPT * latency.threads
    return latency.disturbed <= _DISTURBED * latency.runs
