"""The report as the diagnostics of reviewdog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.context import Context
from archlint.analyzer.report.place import all_told, encodable, spot
from archlint.analyzer.report.sentences import failed, in_words
from archlint.analyzer.text import to_json

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTE: "INFO"}


def render(report: Report, context: Context) -> str:
    """The findings that are told, one diagnostic each."""
    source = {"name": "archlint", **({"url": context.site} if context.site else {})}
    return to_json({"source": source, "diagnostics": list(_diagnostics(report, context))})


def _diagnostics(report: Report, context: Context) -> Iterator[dict[str, Any]]:
    for failure in report.failures:
        yield {
            "message": failed(failure.why),
            "location": {"path": encodable(context.path(failure.path))},
            "severity": "ERROR",
        }
    for model, finding in all_told(report):
        yield _diagnostic(model, finding, context)


def _diagnostic(model: ModelReport, finding: FindingReport, context: Context) -> dict[str, Any]:
    at = spot(model, finding)
    address = context.page(finding.code)
    return {
        "message": in_words(finding),
        "location": {
            "path": encodable(context.path(at.file)),
            "range": {"start": {"line": at.number}},
        },
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.code, **({"url": address} if address else {})},
    }
