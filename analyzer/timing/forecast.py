"""What a claim would save on a machine that has been measured: predicted, never called measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onnx import ModelProto

from archlint.analyzer.cost import count
from archlint.analyzer.errors import TimingError
from archlint.analyzer.finding import Finding, Forecast
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.timing.part import sides
from archlint.analyzer.timing.prediction.machine import MachineProfile
from archlint.analyzer.timing.prediction.times import predict
from archlint.analyzer.timing.subject import Subject


def forecasts(
    findings: Sequence[Finding], graph: Graph, profile: MachineProfile
) -> tuple[Finding, ...]:
    """The findings, with what their nodes and their proposals are predicted to take."""
    return tuple(replace(f, forecast=_forecast(f, graph, profile)) for f in findings)


def _forecast(finding: Finding, graph: Graph, profile: MachineProfile) -> Forecast | None:
    """Of the two small models that a stopwatch would compare; None where one is unpredictable."""
    if finding.priced is None or not finding.priced.proposal.graph.node:
        return None
    try:
        times = [_predicted(s, profile) for s in sides("", graph, finding.priced.proposal)]
    except TimingError:
        return None
    before, after = times
    return None if before is None or after is None else Forecast(profile.label, before, after)


def _predicted(subject: Subject, profile: MachineProfile) -> float | None:
    graph = load(Model("part", ModelProto.FromString(subject.model), 0))
    prediction = predict(count(graph), profile)
    return None if prediction.unpredicted else prediction.total_ns
