"""One line a finding: ``path: node: code name: message``."""

from __future__ import annotations

from collections.abc import Iterable

from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.changes import headline
from archlint.analyzer.report.full import closing
from archlint.analyzer.report.groups import names
from archlint.analyzer.report.savings import in_brief
from archlint.analyzer.text import Paint, plural, safe


def render(report: Report, paint: Paint) -> str:
    """All findings, then one line that counts them."""
    lines = [line for model in report.models for line in _lines(model, paint)]
    return "\n".join([*lines, closing(report, paint)]) + "\n"


def _lines(model: ModelReport, paint: Paint) -> Iterable[str]:
    path = safe(model.path)
    for finding in model.told:
        yield one_line(finding, path, paint)
    if changed := headline(model):
        yield f"{path}: {changed}"
    if model.unknown_nodes:
        nodes = f"the cost of {plural(model.unknown_nodes, 'node')} is unknown"
        yield f"{path}: {nodes}: {safe(str(model.unknown[0].cause))}"


def one_line(finding: FindingReport, path: str = "", paint: Paint = Paint()) -> str:  # noqa: B008 - it is frozen
    """A finding in one line, with the path of its model where it is given."""
    where = [path, names(finding) if finding.nodes else ""]
    code = paint(finding.code, "bold")
    return ": ".join([*filter(None, where), f"{code} {finding.name}", in_brief(finding)])
