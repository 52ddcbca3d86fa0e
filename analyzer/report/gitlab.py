"""The report as GitLab's code quality widget reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.context import Context
from archlint.analyzer.report.place import all_found, distinct, encodable, spot, witness
from archlint.analyzer.report.sentences import failed, in_words, title
from archlint.analyzer.text import to_json

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}
_FAILED = "archlint/input"


def render(report: Report, context: Context) -> str:
    """All findings: GitLab itself compares them with those of the target branch."""
    issues = list(_issues(report, context))
    numbered = distinct(issue["fingerprint"] for issue in issues)
    for issue, fingerprint in zip(issues, numbered, strict=True):
        issue["fingerprint"] = fingerprint
    return to_json(issues)


def _issues(report: Report, context: Context) -> Iterator[dict[str, Any]]:
    for failure in report.failures:
        path = encodable(context.path(failure.path))
        yield {
            "description": failed(failure.why),
            "check_name": _FAILED,
            "fingerprint": f"{_FAILED}:{path}",
            "severity": "critical",
            "location": {"path": path, "lines": {"begin": 1}},
        }
    for model, finding in all_found(report):
        yield _issue(model, finding, context)


def _issue(model: ModelReport, finding: FindingReport, context: Context) -> dict[str, Any]:
    at = spot(model, finding)
    state = {} if finding.state is None else {"state": str(finding.state)}
    return {
        "description": f"{title(finding)}: {in_words(finding)}",
        "check_name": f"archlint/{finding.code}",
        "fingerprint": witness(context.path(model.path), finding),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": encodable(context.path(at.file)),
            "lines": {"begin": at.number},
        },
        **state,
    }
