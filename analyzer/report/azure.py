"""The report as logging commands of Azure Pipelines."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.context import Context
from archlint.analyzer.report.place import all_told, spot
from archlint.analyzer.report.sentences import failed, in_words, title
from archlint.analyzer.text import safe

_LONGEST_PATH = 4096


def render(report: Report, context: Context) -> str:
    """An issue of the step for each finding; notes are lines of the log, for there is no such
    issue."""
    return "".join(f"{line}\n" for line in _lines(report, context))


def _lines(report: Report, context: Context) -> Iterator[str]:
    for failure in report.failures:
        path = safe(context.path(failure.path), _LONGEST_PATH)
        yield _issue("error", {"sourcepath": path}, failed(failure.why))
    for model, finding in all_told(report):
        yield _line(model, finding, context)


def _line(model: ModelReport, finding: FindingReport, context: Context) -> str:
    at = spot(model, finding)
    path = safe(context.path(at.file), _LONGEST_PATH)
    text = f"{title(finding)}: {in_words(finding)}"
    if finding.severity is Severity.NOTE:
        return f"{path}: {text}"
    level = "error" if finding.severity is Severity.ERROR else "warning"
    properties = {"sourcepath": path, "linenumber": str(at.number), "code": finding.code}
    return _issue(level, properties, text)


def _issue(level: str, properties: dict[str, str], text: str) -> str:
    listed = {"type": level, **properties}.items()
    told = ";".join(f"{name}={_property(value)}" for name, value in listed)
    return f"##vso[task.logissue {told}]{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace("]", "%5D").replace(";", "%3B")
