"""The findings as comma-separated values, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io

from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.place import all_found, spot
from archlint.analyzer.text import safe

_COLUMNS = (
    "path", "code", "name", "severity", "confidence", "state", "nodes", "operator", "module",
    "message", "macs", "share", "macs_in_base", "proposal", "kind", "macs_before", "macs_after",
    "parameters_before", "parameters_after", "advice", "file", "line", "fingerprint",
)  # fmt: skip
_LONGEST = 4096
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render(report: Report) -> str:
    """All findings, one a row, with a head."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for model, finding in all_found(report):
        writer.writerow([_cell(value) for value in _row(model, finding)])
    return stream.getvalue()


def _row(model: ModelReport, finding: FindingReport) -> list[str | int | float | None]:
    at = spot(model, finding)
    proposal = finding.proposal
    proposed: tuple[str | int | None, ...] = (None,) * 6
    if proposal is not None:
        proposed = (
            proposal.title, str(proposal.kind), proposal.before.macs, proposal.after.macs,
            proposal.parameters_before, proposal.parameters_after,
        )  # fmt: skip
    return [
        model.path, finding.code, finding.name, str(finding.severity),
        None if finding.confidence is None else str(finding.confidence),
        None if finding.state is None else str(finding.state),
        " ".join(node.label for node in finding.nodes),
        finding.nodes[0].operator if finding.nodes else None,
        "/".join(finding.nodes[0].scope) if finding.nodes else None,
        finding.message, finding.cost.macs,
        None if finding.share is None else round(finding.share, 6),
        finding.before, *proposed, finding.advice or None, at.file, at.number,
        finding.identity.fingerprint,
    ]  # fmt: skip


def _cell(value: str | float | None) -> str | int | float | None:
    """Text that a spreadsheet would compute stays text."""
    if not isinstance(value, str):
        return value
    shown = safe(value, _LONGEST)
    return f"'{shown}" if value.startswith(_FORMULA) else shown
