"""Two versions of a model, each a file or what a revision of git has."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace

from archlint import __version__
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import Failure, Report
from archlint.analyzer.report.changes import in_full
from archlint.analyzer.text import size
from archlint.bases import Counterpart
from archlint.choices import DiffFormat, Format
from archlint.comparing import beside
from archlint.git_models import parse_revision_path, revision_file
from archlint.lfs import Pointer
from archlint.output import terminal
from archlint.run import known_machine
from archlint.work import Answer, Prepared, Request, Task, answer


def compared(base: str, head: str, request: Request) -> Report:
    """The report of the head beside the base, with the settings of the head.

    Raises ConfigError for a side that names nothing.
    """
    request = replace(request, architectures=True)
    undrawn = replace(request, layers=False)
    with ExitStack() as stack:
        files = [_file(name, stack) for name in (base, head)]
        named = parse_revision_path(head)
        path = head if named is None else named[1]
        prepared = Prepared(request.configuration(), known_machine())
        before, after = (
            answer(wanted, Task(path, file), prepared)
            for wanted, file in zip((undrawn, request), files, strict=True)
        )
    failures = _named(base, before) + _named(head, after)
    if before.report is None or after.report is None:
        return Report(__version__, failures=failures, base=base, is_difference=True)
    report = beside(after.report, after.architecture, Counterpart(base), before)
    model = replace(report, path=head)
    return Report(__version__, (model,), failures, base=base, is_difference=True)


def _named(name: str, side: Answer) -> tuple[Failure, ...]:
    """The failures of a side, which both have one path."""
    return tuple(replace(failure, path=name) for failure in side.failures)


def _file(name: str, stack: ExitStack) -> str:
    """A file with what a side holds; raises ConfigError where there is none."""
    if os.path.lexists(name):
        return name
    there = revision_file(name)
    if there is None:
        why = "there is no such file; a model in a revision is named as in main:models/a.onnx"
        raise ConfigError(name, why)
    stored = stack.enter_context(there.stored())
    if isinstance(stored, Pointer):
        why = f"its object of Git LFS ({size(stored.size)}) is not here; fetch it by git lfs fetch"
        raise ConfigError(name, why)
    return stored.path


def difference_text(report: Report, output_format: DiffFormat, output_file: str | None) -> str:
    """The difference as ``diff`` writes it."""
    if output_format is DiffFormat.JSON:
        from archlint.analyzer.report import as_json  # late: one of three

        return as_json.render(report)
    if output_format is DiffFormat.MARKDOWN:
        from archlint.outputs import rendered

        return rendered(report, Format.MARKDOWN)
    paint, width = terminal(output_file)
    return "".join(f"{line}\n" for model in report.models for line in in_full(model, paint, width))
