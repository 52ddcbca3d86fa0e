"""The models of a run beside those of its base, of which those that differ are analysed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from archlint.analyzer.inputs import Bindings
from archlint.analyzer.report import Failure, ModelReport
from archlint.bases import Base, Counterpart
from archlint.batch import Effort, answers
from archlint.comparing import beside, same, without_base
from archlint.config import Chosen
from archlint.work import Answer, Prepared, Request, Task

if TYPE_CHECKING:  # most runs time nothing, and most models are in files
    from archlint.analyzer.reader.memory import InMemory
    from archlint.pipeline import Stopwatch

_AT_ONCE = 16  # files of a base that are there at a time; they may be large


def compared(
    base: Base,
    found: Mapping[str, Answer],
    chosen: Mapping[str, Chosen],
    request: Request,
    prepared: Prepared,
    effort: Effort,
    held: Mapping[str, InMemory],
) -> tuple[dict[str, ModelReport], list[Failure]]:
    """The reports of the answers, by path, with what has changed, and what nobody can compare: a
    model whose base is not here.

    The base is checked with the settings of the head. It only runs beside the head, where findings
    are timed. ``held`` are the models of the run that are in memory.
    """
    failures: list[Failure] = []
    stopwatch = prepared.stopwatch
    request = replace(request, execute=False, layers=False)
    prepared = replace(prepared, stopwatch=None)
    reports = {path: one.report for path, one in found.items() if one.report is not None}
    every = list(reports)
    for start in range(0, len(every), _AT_ONCE):
        paths = every[start : start + _AT_ONCE]
        with ExitStack() as stack:
            counterparts = {path: base.find(path, stack) for path in paths}
            tasks = [
                Task(path, one.content, one.memory)
                for path, one in counterparts.items()
                if one is not None and (one.content or one.memory) and not one.is_same
            ]
            made = answers(request, tasks, prepared, effort)
        known = dict(zip((task.path for task in tasks), made, strict=True))
        for path, counterpart in counterparts.items():
            report, after = reports[path], found[path].architecture
            if counterpart is None:
                reports[path] = without_base(report)
            elif counterpart.is_same:
                reports[path] = same(report, counterpart)
            else:
                before = known.get(path) or counterpart.known
                failures += counterpart.known.failures
                unread = _unread(chosen[path]) if counterpart.has_holes else frozenset()
                compared_with = beside(report, after, counterpart, before, unread)
                if stopwatch is not None and before.report is not None:
                    bindings = chosen[path].bindings
                    watch = stopwatch, failures
                    there = held.get(path)
                    compared_with = _timed(compared_with, there, counterpart, bindings, *watch)
                reports[path] = compared_with
    return reports, failures


def _timed(
    report: ModelReport,
    memory: InMemory | None,
    base: Counterpart,
    bindings: Bindings,
    stopwatch: Stopwatch,
    failures: list[Failure],
) -> ModelReport:
    """The report of a model with its times beside those of its base."""
    from archlint.base_timing import timed_beside  # late: few runs time

    if report.change is None:
        return report
    measured = timed_beside(report.path, base, bindings, stopwatch, failures, memory)
    return replace(report, change=replace(report.change, measured=measured))


def _unread(chosen: Chosen) -> frozenset[str]:
    """The rules that say nothing of a base whose weights are not there."""
    return frozenset(rule.code for rule in chosen.rules if rule.reads_weights)
