"""The report as JSON, by the schema that stands beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archlint.analyzer.cost import Cost, Group
from archlint.analyzer.report import (
    AlternativeReport,
    BlockReport,
    FindingReport,
    IgnoredReport,
    LatencyReport,
    Line,
    ModelReport,
    NodeReport,
    ProposalReport,
    Report,
    ValueReport,
    base_json,
    measured,
    predicted,
    weights_json,
)
from archlint.analyzer.report.groups import group_numbers
from archlint.analyzer.text import to_json

SCHEMA_VERSION = 1


def schema() -> str:
    """The JSON Schema of the report."""
    return (Path(__file__).parent / "report.schema.json").read_text(encoding="utf-8")


def render(
    report: Report,
    rows: Sequence[Sequence[Group]] = (),
    scalings: Sequence[dict[str, Any]] = (),
) -> str:
    """The report; ``rows`` are a cost table for each model, ``scalings`` the growth of each."""
    models = [_model(model) for model in report.models]
    for model, groups in zip(models, rows, strict=False):
        model["rows"] = [_group(group) for group in groups]
    for model, scaling in zip(models, scalings, strict=False):
        model["scaling"] = scaling
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "archlint", "version": report.version},
        "models": models,
        "failures": [{"path": failure.path, "why": failure.why} for failure in report.failures],
        "base": report.base or None,
        "removed": list(report.removed),
        "skipped": list(report.skipped),
    }
    return to_json(document)


def _model(model: ModelReport) -> dict[str, Any]:
    effect = model.effect
    return {
        "path": model.path,
        "file_bytes": model.file_bytes,
        "opset": model.opset,
        "inputs": [_value(value) for value in model.inputs],
        "outputs": [_value(value) for value in model.outputs],
        "nodes": model.nodes,
        "cost": _cost(model.cost),
        "least_macs": model.least_macs,
        "parameters": model.parameters,
        "buffers": model.buffers,
        "folded_macs": model.folded_macs,
        "peak_activation_bytes": model.peak_bytes,
        "peak_activation_node": model.peak_node,
        "critical_path_macs": model.critical_macs,
        "unknown": [
            {"why": one.cause.why, "remedy": one.cause.remedy, "nodes": list(one.nodes)}
            for one in model.unknown
        ],
        "notes": list(model.notes),
        "findings": [
            {**finding_object(finding), "group": number}
            for finding, number in zip(
                model.findings, group_numbers(model.findings), strict=True
            )
        ],
        "ignored": [_ignored(one) for one in model.ignored],
        "effect": None if effect is None else {
            "macs": {"before": effect.macs_before, "after": effect.macs_after},
            "parameters": {"before": effect.parameters_before, "after": effect.parameters_after},
        },
        "base": base_json.as_object(model.change, finding_object),
        "checked": model.was_checked,
        "predicted": predicted.model_as_object(model),
        "measured": [measured.whole_as_object(one) for one in model.measured],
        "latencies": [_latency(one) for one in model.latencies],
        "weights": weights_json.as_object(model.weights),
    }  # fmt: skip


def _latency(latency: LatencyReport) -> dict[str, Any]:
    return {
        "where": latency.label,
        "ms": round(latency.milliseconds, 6),
        "interval_ms": [round(latency.low, 6), round(latency.high, 6)],
        "quiet": latency.quiet,
    }


def _value(value: ValueReport) -> dict[str, Any]:
    return {"name": value.name, "shape": None if value.shape is None else list(value.shape)}


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "macs": cost.macs,
        "integer_macs": {str(bits): macs for bits, macs in cost.integer_macs},
        "ops": dict(cost.ops_by_family),
        "flops": cost.flops,
        "bytes_read": cost.bytes_read,
        "bytes_written": cost.bytes_written,
        "weight_bytes": cost.weight_bytes,
        "intensity": None if cost.intensity is None else round(cost.intensity, 4),
    }


def _node(node: NodeReport) -> dict[str, Any]:
    return {"name": node.label, "operator": node.operator, "scope": list(node.scope)}


def finding_object(finding: FindingReport) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "confidence": None if finding.confidence is None else str(finding.confidence),
        "message": finding.message,
        "nodes": [_node(node) for node in finding.nodes],
        "description": finding.described,
        "advice": finding.advice or None,
        "evidence": dict(finding.evidence),
        "cost": _cost(finding.cost),
        "share": None if finding.share is None else round(finding.share, 6),
        "block": _block(finding.block),
        "proposal": None if finding.proposal is None else _proposal(finding.proposal),
        "alternatives": [_alternative(other) for other in finding.alternatives],
        "predicted": predicted.forecast_as_object(finding.forecast),
        "measured": [measured.as_object(one) for one in finding.measured],
        "fingerprint": finding.identity.fingerprint,
        "state": None if finding.state is None else str(finding.state),
        "macs_before": finding.before,
        "anchor": _anchor(finding.anchor),
    }


def _anchor(anchor: Line | None) -> dict[str, Any] | None:
    return None if anchor is None else {"path": anchor.file, "line": anchor.number}


def _ignored(one: IgnoredReport) -> dict[str, Any]:
    return {
        "code": one.finding.code,
        "name": one.finding.name,
        "severity": str(one.finding.severity),
        "message": one.finding.message,
        "nodes": [_node(node) for node in one.finding.nodes],
        "by": one.by,
        "in_model": one.in_model,
        "reason": one.reason,
    }


def _block(block: BlockReport | None) -> dict[str, Any] | None:
    if block is None:
        return None
    return {"kind": block.kind, "number": block.number, "count": block.count}


def _proposal(proposal: ProposalReport) -> dict[str, Any]:
    return {
        "title": proposal.title,
        "kind": str(proposal.kind),
        "caveat": proposal.caveat,
        "macs": {"before": proposal.before.macs, "after": proposal.after.macs},
        "parameters": {"before": proposal.parameters_before, "after": proposal.parameters_after},
        "cost": _cost(proposal.after),
        "steps": [{"text": step.text, "macs": step.macs} for step in proposal.steps],
        "pytorch": proposal.snippet,
    }


def _alternative(other: AlternativeReport) -> dict[str, Any]:
    return {
        "code": other.code,
        "name": other.name,
        "confidence": str(other.confidence),
        "proposal": _proposal(other.proposal),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "nodes": len(group.rows),
        "cost": _cost(group.cost),
        "parameters": group.parameters,
        "unknown": group.unknown,
    }
