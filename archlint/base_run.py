"""The models of a run beside those of its base, of which those that differ are analysed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from archlint.analyzer.report import Failure, ModelReport
from archlint.bases import Base
from archlint.batch import Effort, answers
from archlint.comparing import beside, same, without_base
from archlint.config import Chosen
from archlint.work import Answer, Prepared, Request, Task

_AT_ONCE = 16  # files of a base that are there at a time; they may be large


def compared(
    base: Base,
    found: Mapping[str, Answer],
    chosen: Mapping[str, Chosen],
    request: Request,
    prepared: Prepared,
    effort: Effort,
) -> tuple[dict[str, ModelReport], list[Failure]]:
    """The reports of the answers, by path, with what has changed, and what nobody can compare: a
    model whose base is not here.

    The base is checked with the settings of the head, and never run.
    """
    failures: list[Failure] = []
    request, prepared = replace(request, execute=False), replace(prepared, stopwatch=None)
    reports = {path: one.report for path, one in found.items() if one.report is not None}
    every = list(reports)
    for start in range(0, len(every), _AT_ONCE):
        paths = every[start : start + _AT_ONCE]
        with ExitStack() as stack:
            counterparts = {path: base.find(path, stack) for path in paths}
            tasks = [
                Task(path, one.content)
                for path, one in counterparts.items()
                if one is not None and one.content is not None and not one.is_same
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
                reports[path] = beside(report, after, counterpart, before, unread)
    return reports, failures


def _unread(chosen: Chosen) -> frozenset[str]:
    """The rules that say nothing of a base whose weights are not there."""
    return frozenset(rule.code for rule in chosen.rules if rule.reads_weights)
