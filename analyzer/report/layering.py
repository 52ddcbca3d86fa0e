"""From an analysis to its layers: the nodes of a model as a page draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.order import in_walk, places
from archlint.analyzer.describe import describe
from archlint.analyzer.report.layers import Kernels, LayerReport
from archlint.analyzer.text import plural
from archlint.analyzer.timing.prediction.lowering import lower

if TYPE_CHECKING:  # a static run times nothing
    from archlint.analyzer.timing.nodes.latency import Latency, Profile

_KEPT = 0.9  # of the cores that profiled runs use; with less of them other programs had their part


def layers(analysis: Analysis, built: Architecture) -> tuple[LayerReport, ...]:
    """The layers of a model, in the order of the operations of its architecture."""
    costs, prediction = analysis.costs, analysis.prediction
    graph = costs.graph
    at = places(graph)
    within = (prediction.lowered if prediction else lower(graph, 0)).within
    outputs = {name: place for place, name in enumerate(graph.outputs)}
    kinds: dict[object, int] = {}
    found = []
    for node, operation in zip(in_walk(graph), built.operations, strict=True):
        kind = operation.operator, operation.attributes, operation.weights, operation.shapes
        whose = within.get(node.id)
        inputs = dict.fromkeys(operation.inputs)
        found.append(
            LayerReport(
                label=operation.label,
                operator=operation.operator,
                described=describe(graph, node),
                output=operation.shapes[0] if operation.shapes else "",
                inputs=tuple(place for place in inputs if place >= 0),
                reads=tuple(-1 - place for place in inputs if place < 0),
                gives=tuple(outputs[name] for name in node.outputs if name in outputs),
                scope=operation.scope,
                block=operation.block,
                kind=kinds.setdefault((*kind, operation.bodies), len(kinds)),
                cost=costs.costs.get(node.id),
                why="; ".join(sorted(map(str, costs.uncosted.get(node.id, ())))),
                parameters=operation.parameters,
                within=None if whose is None else at.get(whose),
                predicted=None if prediction is None else prediction.at((node.id,)),
            )
        )
    return tuple(found)


def timed(
    drawn: tuple[LayerReport, ...], analysis: Analysis, latency: Latency
) -> tuple[tuple[LayerReport, ...], Kernels | None]:
    """The layers with the times that a profile of the model tells, where there is one."""
    if latency.profile is None:
        return drawn, None
    at = places(analysis.costs.graph)
    times, kernels, apart = _by_place(latency.profile, at)
    measured = tuple(
        replace(layer, measured=times[place], kernel=tuple(sorted(kernels[place])))
        if place in times
        else layer
        for place, layer in enumerate(drawn)
    )
    profile = latency.profile
    return measured, Kernels(
        label=f"{latency.provider.label}, {plural(latency.threads, 'thread')}",
        runtime=latency.runtime,
        total=profile.time,
        apart=apart,
        runs=profile.runs,
        cores=profile.cores,
        disturbed=profile.disturbed or _is_crowded(latency, profile),
        threads=latency.threads,
    )


def _is_crowded(latency: Latency, profile: Profile) -> bool:
    """Whether other programs took part of the cores; of a device nothing tells that."""
    return latency.provider.host and profile.cores < _KEPT * latency.threads


def _by_place(
    profile: Profile, at: Mapping[int, int]
) -> tuple[dict[int, float], dict[int, set[int]], float]:
    """Nanoseconds by the place of the layer that leads a kernel, the layers that the kernel works
    for, and the nanoseconds that belong to none."""
    times: dict[int, float] = {}
    kernels: dict[int, set[int]] = {}
    apart = 0.0
    for part in profile.nodes:
        found = [at[id_] for id_ in part.ids if id_ in at]
        if not found:
            apart += part.time
            continue
        first = found[0]
        times[first] = times.get(first, 0.0) + part.time
        kernels.setdefault(first, set()).update(found)
    return times, kernels, apart
