"""The findings by model, the most severe first: for people who read a log."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import ModelReport, Report
from archlint.analyzer.report.full import closing
from archlint.analyzer.report.groups import FindingGroup, grouped, places
from archlint.analyzer.report.place import WORDS, urgency
from archlint.analyzer.report.savings import in_brief
from archlint.analyzer.text import Paint, paragraph, plural, safe

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}


def render(report: Report, paint: Paint, width: int | None) -> str:
    """The models with something to tell, then one line that counts."""
    blocks = ["\n".join(_model(model, paint, width)) for model in report.models if model.told]
    failed = ["\n".join(_failures(report, paint, width))] if report.failures else []
    return "\n\n".join([*blocks, *failed, closing(report, paint)]) + "\n"


def _model(model: ModelReport, paint: Paint, width: int | None) -> Iterator[str]:
    told = plural(len(model.told), "finding")
    yield f"{paint(safe(model.path), 'bold')}: {told}"
    for group in grouped(sorted(model.told, key=urgency)):
        yield from _group(group, paint, width)


def _group(group: FindingGroup, paint: Paint, width: int | None) -> Iterator[str]:
    finding = group.first
    title = f"{WORDS[finding.severity]} {finding.code} {finding.name} {group.times}".rstrip()
    state = "" if finding.state is None else f" ({finding.state})"
    text = f"{title}{state}: {in_brief(finding)}"
    first, *rest = paragraph(text, width and width - 2, "    ")
    yield f"  {paint(title, 'bold', _COLOURS[finding.severity])}{first.removeprefix(title)}"
    yield from (f"  {line}" for line in rest)
    for where in places(group):
        yield from (f"      {line}" for line in paragraph(where, width and width - 6, "  ") if line)


def _failures(report: Report, paint: Paint, width: int | None) -> Iterator[str]:
    yield paint("not analysed:", "bold", "red")
    for failure in report.failures:
        text = f"{safe(failure.path)}: {safe(failure.why, 600)}"
        yield from (f"  {line}" for line in paragraph(text, width and width - 2, "  "))
