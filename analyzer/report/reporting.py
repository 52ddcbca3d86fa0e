"""From an analysis, with its graph and its cost table, to the plain report of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archlint.analyzer.analysis import Analysis, Effect
from archlint.analyzer.finding import Alternative, Finding
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import Priced
from archlint.analyzer.report import (
    AlternativeReport,
    BlockReport,
    EffectReport,
    FindingReport,
    IgnoredReport,
    ModelReport,
    NodeReport,
    Predicted,
    ProposalReport,
    Unknown,
    ValueReport,
)

if TYPE_CHECKING:  # a report without predictions does without, and one without findings
    from archlint.analyzer.blocks import Block
    from archlint.analyzer.timing.prediction.times import Prediction


def reported(analysis: Analysis) -> ModelReport:
    """All that any output may say of a model."""
    costs = analysis.costs
    graph = costs.graph
    found = [*analysis.findings, *(one.finding for one in analysis.ignored)]
    findings = _findings(found, graph)
    stay, accepted = findings[: len(analysis.findings)], findings[len(analysis.findings) :]
    return ModelReport(
        path=analysis.path,
        file_bytes=analysis.file_bytes,
        external_bytes=analysis.external_bytes,
        opset=graph.opset,
        inputs=_values(graph, graph.inputs),
        outputs=_values(graph, graph.outputs),
        nodes=costs.node_count,
        cost=costs.total(),
        least_macs=costs.least.macs,
        parameters=analysis.parameters,
        buffers=analysis.buffers,
        folded_macs=costs.folded_macs,
        peak_bytes=analysis.peak.bytes,
        peak_node=analysis.peak.node.label if analysis.peak.node else None,
        peak_unknown=analysis.peak.unknown,
        critical_macs=analysis.critical.macs,
        unknown=tuple(
            Unknown(cause, tuple(node.label for node in nodes)) for cause, nodes in analysis.unknown
        ),
        unknown_nodes=len(costs.unknown),
        notes=graph.notes,
        findings=tuple(stay),
        ignored=tuple(
            IgnoredReport(finding, one.by, one.reason, one.in_model)
            for finding, one in zip(accepted, analysis.ignored, strict=True)
        ),
        effect=_effect(analysis.effect),
        predicted=_predicted(analysis.prediction),
        measured=analysis.measured,
    )


def _findings(findings: list[Finding], graph: Graph) -> list[FindingReport]:
    if not findings:
        return []
    from archlint.analyzer.compare.building import places  # late: what is only counted needs none
    from archlint.analyzer.compare.identities import identities

    at = places(graph)
    pairs = zip(findings, identities(graph, findings), strict=True)
    return [
        FindingReport(
            code=finding.code,
            name=finding.name,
            severity=finding.severity,
            confidence=finding.confidence,
            nodes=_nodes(finding.nodes, at),
            described=finding.described,
            message=finding.message,
            identity=identity,
            evidence=finding.evidence,
            cost=finding.cost,
            share=finding.share,
            block=_block(finding.block),
            proposal=_proposal(finding.priced),
            alternatives=tuple(map(_alternative, finding.alternatives)),
            advice=finding.advice,
            forecast=finding.forecast,
            measured=finding.measured,
        )
        for finding, identity in pairs
    ]


def _nodes(nodes: Iterable[Node], at: Mapping[int, int]) -> tuple[NodeReport, ...]:
    return tuple(
        NodeReport(node.label, node.operator, node.scope, at.get(node.id)) for node in nodes
    )


def _values(graph: Graph, names: Iterable[str]) -> tuple[ValueReport, ...]:
    shapes = ((name, graph.value(name).shape) for name in names)
    return tuple(
        ValueReport(name, None if shape is None else tuple(_dim(dim) for dim in shape))
        for name, shape in shapes
    )


def _dim(dim: object) -> int | str:
    return dim if isinstance(dim, int) else str(dim)


def _block(block: Block | None) -> BlockReport | None:
    if block is None:
        return None
    return BlockReport(str(block.kind), block.number, block.count, str(block))


def _proposal(priced: Priced | None) -> ProposalReport | None:
    return None if priced is None else _priced(priced)


def _priced(priced: Priced) -> ProposalReport:
    return ProposalReport(
        title=priced.proposal.title,
        kind=priced.proposal.kind,
        caveat=priced.proposal.caveat,
        before=priced.before,
        after=priced.after,
        parameters_before=priced.parameters_before,
        parameters_after=priced.parameters_after,
        steps=priced.steps,
        snippet=priced.snippet,
    )


def _alternative(other: Alternative) -> AlternativeReport:
    return AlternativeReport(other.code, other.name, other.confidence, _priced(other.priced))


def _effect(effect: Effect | None) -> EffectReport | None:
    if effect is None:
        return None
    return EffectReport(
        effect.macs_before,
        effect.macs_after,
        effect.parameters_before,
        effect.parameters_after,
        _predicted(effect.prediction),
    )


def _predicted(prediction: Prediction | None) -> Predicted | None:
    if prediction is None:
        return None
    profile = prediction.profile
    return Predicted(
        label=profile.label,
        provider=profile.provider,
        threads=profile.threads,
        clock=profile.clock,
        runtime=profile.runtime,
        ns=prediction.total_ns,
        unpredicted=len(prediction.unpredicted),
        mac_ns=profile.mac_ns,
        byte_ns=profile.memory.points[-1][1],
    )
