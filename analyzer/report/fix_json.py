"""What fixing models did as JSON, by the schema that stands beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archlint.analyzer.report import Failure
from archlint.analyzer.report.fixes import FixGroup, FixReport, Size
from archlint.analyzer.report.measured import change_as_object
from archlint.analyzer.text import to_json

if TYPE_CHECKING:  # a renderer is given what was compared
    from archlint.analyzer.fix.probes import Probe
    from archlint.analyzer.proof.drift import Drift

SCHEMA_VERSION = 1


def schema() -> str:
    """The JSON Schema of what was fixed."""
    return (Path(__file__).parent / "fix.schema.json").read_text(encoding="utf-8")


def render(version: str, reports: Sequence[FixReport], failures: Sequence[Failure]) -> str:
    """The models of a run."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "archlint", "version": version},
        "models": [_model(report) for report in reports],
        "failures": [{"path": failure.path, "why": failure.why} for failure in failures],
    }
    return to_json(document)


def _model(report: FixReport) -> dict[str, Any]:
    return {
        "path": report.path,
        "output": report.output,
        "applied": [_group(group) for group in report.applied],
        "not_applied": [_group(group) for group in report.rejected],
        "refused": [{"code": code, "node": node, "why": why} for code, node, why in report.refused],
        "before": _size(report.before),
        "after": _size(report.after),
        "samples": {"count": report.samples, "file": report.samples_file},
        "placeholders": report.placeholders,
        "errors": [_error(drift, report.probes) for drift in report.drifts],
        "times": None if report.measured is None else change_as_object(report.measured),
        "diff": report.diff or None,
        "notes": list(report.notes),
    }


def _group(group: FixGroup) -> dict[str, Any]:
    return {
        "code": group.code,
        "name": group.name,
        "kind": group.kind,
        "places": [
            {"node": place, "title": title}
            for place, title in zip(group.places, group.titles, strict=True)
        ],
        "why": group.why or None,
        "times": None if group.measured is None else change_as_object(group.measured),
    }


def _size(size: Size) -> dict[str, Any]:
    return {
        "macs": size.macs,
        "uncosted_nodes": size.uncosted,
        "parameters": size.parameters,
        "nodes": size.nodes,
        "bytes": size.bytes,
    }


def _error(drift: Drift, probes: Sequence[Probe]) -> dict[str, Any]:
    known = not drift.skipped and drift.finite
    return {
        "value": drift.name,
        "is_output": drift.is_output,
        "probe_of": [probe.output for probe in probes if probe.value == drift.name],
        "relative": float(f"{drift.relative:.6g}") if known and isfinite(drift.relative) else None,
        "largest": float(f"{drift.largest:.6g}") if known and isfinite(drift.largest) else None,
        "finite": drift.finite if not drift.skipped else None,
        "elements": drift.elements,
        "skipped": drift.skipped or None,
    }
