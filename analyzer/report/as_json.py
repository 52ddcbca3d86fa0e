"""The report as JSON, by the schema that stands beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archlint.analyzer.blocks import Block
from archlint.analyzer.cost import Cost, Group
from archlint.analyzer.finding import Alternative, Finding, Ignored
from archlint.analyzer.graph import Node
from archlint.analyzer.proposal import Priced
from archlint.analyzer.report import ModelReport, Report, measured, predicted
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
    }
    return to_json(document)


def _model(model: ModelReport) -> dict[str, Any]:
    graph = model.costs.graph
    effect = model.effect
    return {
        "path": model.path,
        "file_bytes": model.file_bytes,
        "opset": graph.opset,
        "inputs": [_value(model, name) for name in graph.inputs],
        "outputs": [_value(model, name) for name in graph.outputs],
        "nodes": model.costs.node_count,
        "cost": _cost(model.costs.total()),
        "least_macs": model.costs.least.macs,
        "parameters": model.parameters,
        "buffers": model.buffers,
        "folded_macs": model.costs.folded_macs,
        "peak_activation_bytes": model.peak.bytes,
        "peak_activation_node": model.peak.node.label if model.peak.node else None,
        "critical_path_macs": model.critical.macs,
        "unknown": [
            {"why": cause.why, "remedy": cause.remedy, "nodes": [node.label for node in nodes]}
            for cause, nodes in model.unknown
        ],
        "notes": list(graph.notes),
        "findings": [
            {**_finding(finding), "group": number}
            for finding, number in zip(
                model.findings, group_numbers(model.findings), strict=True
            )
        ],
        "ignored": [_ignored(one) for one in model.ignored],
        "effect": None if effect is None else {
            "macs": {"before": effect.macs_before, "after": effect.macs_after},
            "parameters": {"before": effect.parameters_before, "after": effect.parameters_after},
        },
        "predicted": predicted.model_as_object(model),
        "measured": [measured.whole_as_object(one) for one in model.measured],
    }  # fmt: skip


def _value(model: ModelReport, name: str) -> dict[str, Any]:
    value = model.costs.graph.value(name)
    shape = value.shape
    dims = None if shape is None else [d if isinstance(d, int) else str(d) for d in shape]
    return {"name": name, "shape": dims}


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


def _node(node: Node) -> dict[str, Any]:
    return {"name": node.label, "operator": node.operator, "scope": list(node.scope)}


def _finding(finding: Finding) -> dict[str, Any]:
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
        "proposal": None if finding.priced is None else _priced(finding.priced),
        "alternatives": [_alternative(other) for other in finding.alternatives],
        "predicted": predicted.forecast_as_object(finding.forecast),
        "measured": [measured.as_object(one) for one in finding.measured],
    }


def _ignored(one: Ignored) -> dict[str, Any]:
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


def _block(block: Block | None) -> dict[str, Any] | None:
    if block is None:
        return None
    return {"kind": str(block.kind), "number": block.number, "count": block.count}


def _priced(priced: Priced) -> dict[str, Any]:
    return {
        "title": priced.proposal.title,
        "kind": str(priced.proposal.kind),
        "caveat": priced.proposal.caveat,
        "macs": {"before": priced.before.macs, "after": priced.after.macs},
        "parameters": {"before": priced.parameters_before, "after": priced.parameters_after},
        "cost": _cost(priced.after),
        "steps": [{"text": step.text, "macs": step.macs} for step in priced.steps],
        "pytorch": priced.snippet,
    }


def _alternative(other: Alternative) -> dict[str, Any]:
    return {
        "code": other.code,
        "name": other.name,
        "confidence": str(other.confidence),
        "proposal": _priced(other.priced),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "nodes": len(group.rows),
        "cost": _cost(group.cost),
        "parameters": group.parameters,
        "unknown": group.unknown,
    }
