"""Times of a machine that never was, so that a page with all of its charts is always the same."""

from __future__ import annotations

from dataclasses import replace

from archlint.analyzer.cost import Cost
from archlint.analyzer.report import LatencyReport, ModelReport, Predicted
from archlint.analyzer.report.layers import Kernels, LayerReport
from archlint.analyzer.timing.measurement import Comparison, Measured, Whole
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval

_LABEL, _RUNTIME = "cpu, 1 thread", "onnxruntime 1.20"
_MAC_NS, _BYTE_NS = 0.015, 0.08
_SLOW = 40  # times as long as predicted: what the prediction does not know
_VERDICTS = ((4e6, 0.20), (4e6, 0.45), (4e6, 1.15), (4e6, 0.98), (2e4, 0.50), (0.0, 0.0))
"""Nanoseconds before and the ratio: confirmed, confirmed, refuted, inconclusive, too small, and one
that was not measured."""


def timed(model: ModelReport) -> ModelReport:
    """The model as if it had been calibrated for, and verified: layers, findings, what they are
    together, and the change.

    A layer is predicted to take as long as its MACs or its bytes, whichever is more; measured are
    half to one and a half times that by its place, and far more for a normalisation.
    """
    kernels: dict[int, list[int]] = {}
    for place, layer in enumerate(model.layers):
        kernels.setdefault(place if layer.within is None else layer.within, []).append(place)
    layers = tuple(
        _timed(place, layer, tuple(kernels.get(place, ())))
        for place, layer in enumerate(model.layers)
    )
    predicted = sum(layer.predicted or 0.0 for layer in layers)
    total = sum(layer.measured or 0.0 for layer in layers)
    unpredicted = sum(layer.predicted is None for layer in layers)
    milliseconds = 1.1 * total / 1e6
    findings = tuple(
        replace(found, measured=(_against(*_VERDICTS[place % len(_VERDICTS)]),))
        for place, found in enumerate(model.findings)
    )
    whole = _against(1e6 * milliseconds, 0.75)
    change = model.change and replace(model.change, measured=(_against(5e7, 1.4),))
    return replace(
        model,
        layers=layers,
        findings=findings,
        measured=(Whole(whole, len(findings)),) if findings else (),
        change=change,
        predicted=Predicted(
            _LABEL, "cpu", 1, "CPU time", _RUNTIME, predicted, unpredicted, _MAC_NS, _BYTE_NS
        ),
        kernels=Kernels(_LABEL, _RUNTIME, 1.02 * total, 0.02 * total, 40, 1.0, disturbed=False),
        latencies=(
            LatencyReport(
                _LABEL, milliseconds, 0.98 * milliseconds, 1.02 * milliseconds, quiet=True
            ),
        ),
    )


def _timed(place: int, layer: LayerReport, kernel: tuple[int, ...]) -> LayerReport:
    cost: Cost | None = layer.cost
    if cost is None:
        return layer
    if layer.within is not None:
        return replace(layer, predicted=0.0)
    predicted = max(_MAC_NS * cost.macs, _BYTE_NS * (cost.bytes_read + cost.bytes_written)) + 900
    factor = _SLOW if layer.operator == "LRN" else 0.5 + (37 * place % 101) / 100
    return replace(layer, predicted=predicted, measured=factor * predicted, kernel=kernel)


def _against(before: float, ratio: float) -> Measured:
    """What takes so many times as long as what it replaces; not measured where that takes none."""
    (cpu,) = parse_providers([])
    if not before:
        return Measured(cpu, why="onnxruntime does not run it")
    kernels = {cpu.full_name: 1}
    return Measured(
        cpu,
        Comparison(
            cpu, 1, Clock.CPU, _RUNTIME, before, before * ratio, ratio,
            Interval(0.97 * ratio, 1.03 * ratio), 30, 0, kernels, kernels, 0,
        ),
    )  # fmt: skip
