"""A run of ``check``: from what paths name to one report, beside its base and its baseline."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from archlint import __version__
from archlint.analyzer.report import ModelReport, Report
from archlint.batch import Effort, answers
from archlint.choices import AnchorChoice, OnPointer
from archlint.config import Chosen, check_used
from archlint.configuration import Configuration
from archlint.exclusion import is_excluded_below
from archlint.paths import find_models
from archlint.pointers import answered
from archlint.progress import Progress
from archlint.snapshot_files import snapshot_of
from archlint.work import Answer, Prepared, Request, Task

if TYPE_CHECKING:  # most runs have no base, and most models are in files
    from archlint.analyzer.reader.memory import InMemory
    from archlint.bases import Base


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is asked for beside what it wants of each model.

    ``base`` is what the models are compared with; ``effort`` says in how many processes, and what
    is kept from run to run. ``held`` are models in memory, by what they are called; a run that is
    not ``shown`` shows no progress.
    """

    base: str | InMemory | None = None
    on_pointer: OnPointer = OnPointer.ERROR
    anchor: AnchorChoice = AnchorChoice.AUTO
    effort: Effort = field(default_factory=Effort)
    held: Mapping[str, InMemory] = field(default_factory=dict)
    shown: bool = True


def check(paths: Sequence[str], request: Request, prepared: Prepared, wanted: Wanted) -> Report:
    """The report of what the paths name and of what is held, before a baseline has its say.

    Raises ConfigError for settings or a base that cannot be used.
    """
    configuration = prepared.configuration
    models, missing = find_models(paths, configuration)
    models += wanted.held
    chosen = {path: configuration.chosen(path) for path in models}  # all, before any takes time
    base, failures = None, [*missing]
    if wanted.base is not None:
        from archlint.bases import open_base  # late: most runs have none

        base = open_base(wanted.base, models, wanted.held)
        request = replace(request, architectures=True)
    with Progress(len(models), shown=wanted.shown) as progress:
        prepared = replace(prepared, progress=progress.step)
        if prepared.stopwatch is not None:
            watch = replace(prepared.stopwatch, progress=progress.step)
            prepared = replace(prepared, stopwatch=watch)
        found, skipped = _answers(models, request, prepared, wanted, progress)
    failures += (failure for one in found.values() for failure in one.failures)
    reports = {path: one.report for path, one in found.items() if one.report is not None}
    if reports:
        dims = frozenset(name for one in found.values() for name in one.dims)
        inputs = frozenset(name for one in found.values() for name in one.inputs)
        check_used(configuration.bindings, dims, inputs)
    if base is not None:
        from archlint.base_run import compared  # late: as above

        effort, held = wanted.effort, wanted.held
        reports, unknown = compared(base, found, chosen, request, prepared, effort, held)
        failures += unknown
    report = Report(
        __version__,
        tuple(reports.values()),
        tuple(failures),
        base="" if base is None else base.label,
        removed=() if base is None else _removed(base, paths, models, configuration),
        skipped=skipped,
    )
    return _finished(report, chosen, configuration, wanted)


def _answers(
    models: Sequence[str],
    request: Request,
    prepared: Prepared,
    wanted: Wanted,
    progress: Progress,
) -> tuple[dict[str, Answer], tuple[str, ...]]:
    """The answers by path, and the pointers to files that are not there which are left out."""
    found: dict[str, Answer] = {}
    skipped: list[str] = []
    tasks: list[Task] = []
    for path in models:
        if path in wanted.held:
            tasks.append(Task(path, memory=wanted.held[path]))
            continue
        known = answered(path, request, prepared, wanted.on_pointer, wanted.effort)
        if known is None:
            tasks.append(Task(path))
        elif known.report is None and not known.failures:
            skipped.append(path)
        else:
            found[path] = known
    made = answers(request, tasks, prepared, wanted.effort, progress)
    found |= dict(zip((task.path for task in tasks), made, strict=True))
    return {path: found[path] for path in models if path in found}, tuple(skipped)


def _removed(
    base: Base, paths: Sequence[str], models: Sequence[str], configuration: Configuration
) -> tuple[str, ...]:
    """The models that only the base has, but for those that a search would leave out."""
    found: list[str] = []
    for top in filter(os.path.isdir, paths):
        gone = base.removed([top], models)
        found += (one for one in gone if not is_excluded_below(configuration, top, one))
    return tuple(dict.fromkeys(found))


def _may_be_anchored(model: ModelReport) -> bool:
    """Whether there can be lines of text that findings are told at."""
    if not model.findings:
        return False
    return os.path.lexists(snapshot_of(model.path)) or any(one.source for one in model.findings)


def _finished(
    report: Report,
    chosen: Mapping[str, Chosen],
    configuration: Configuration,
    wanted: Wanted,
) -> Report:
    """With what is said of entries that serve no more, and the lines that findings are told at."""
    models = report.models
    if any(chosen[model.path].ignores for model in models):
        from archlint.ignore_remarks import with_remarks  # late: few configurations accept findings

        def models_in(folder: str) -> Sequence[str]:
            return find_models([folder], configuration)[0]

        models = with_remarks(models, chosen.__getitem__, models_in)
    if any(_may_be_anchored(model) for model in models):
        from archlint.anchors import Sources, anchored  # late: few models have lines of text

        known: dict[str, Sources | None] = {}
        models = tuple(anchored(model, wanted.anchor, known) for model in models)
    return replace(report, models=models)
