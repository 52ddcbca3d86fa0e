"""The findings as JSON, one a line."""

from __future__ import annotations

import json

from archlint.analyzer.report import Report
from archlint.analyzer.report.as_json import finding_object
from archlint.analyzer.report.place import all_found


def render(report: Report) -> str:
    """All findings: each as the JSON report has it, behind the path of its model."""
    return "".join(
        _line({"path": model.path, **finding_object(finding)})
        for model, finding in all_found(report)
    )


def _line(document: object) -> str:
    """In ASCII that no log of a build service takes for a command."""
    return json.dumps(document).replace("##", "#\\u0023") + "\n"
