"""The report as workflow commands, which GitHub shows as annotations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.context import Context
from archlint.analyzer.report.place import all_told, spot, urgency
from archlint.analyzer.report.sentences import failed, in_words, title
from archlint.analyzer.text import plural, safe

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_MOST = 9  # of a level: a step shows ten, and the last notice is one of them
_LONGEST_PATH = 4096


def render(report: Report, context: Context) -> str:
    """The annotations that matter most, as many as a step shows, and how many more there are."""
    told = [
        *((Severity.ERROR, _failure(one.path, one.why, context)) for one in report.failures),
        *(
            (finding.severity, _annotation(model, finding, context))
            for model, finding in sorted(all_told(report), key=lambda pair: urgency(pair[1]))
        ),
    ]
    told.sort(key=lambda pair: -pair[0])
    shown = list(_shown(told))
    if more := len(told) - len(shown):
        text = f"{plural(more, 'more annotation')} in the report: a step shows ten of a kind."
        shown.append(_command("notice", {"title": "archlint"}, text))
    return "".join(f"{line}\n" for line in shown)


def _shown(told: list[tuple[Severity, str]]) -> Iterator[str]:
    for _, lines in groupby(told, key=lambda pair: pair[0]):
        for _, (_, line) in zip(range(_MOST), lines, strict=False):
            yield line


def _annotation(model: ModelReport, finding: FindingReport, context: Context) -> str:
    at = spot(model, finding)
    properties = {
        "file": safe(context.path(at.file), _LONGEST_PATH),
        "line": str(at.number),
        "endLine": str(at.number),
        "title": title(finding),
    }
    return _command(_LEVELS[finding.severity], properties, in_words(finding))


def _failure(path: str, why: str, context: Context) -> str:
    properties = {"file": safe(context.path(path), _LONGEST_PATH), "title": "archlint"}
    return _command("error", properties, failed(why))


def _command(level: str, properties: dict[str, str], text: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
