"""Times of a machine that never was, so that a page with all of its charts is always the same."""

from __future__ import annotations

from dataclasses import replace

from archlint.analyzer.cost import Cost
from archlint.analyzer.report import LatencyReport, ModelReport, Predicted
from archlint.analyzer.report.layers import Kernels, LayerReport

_LABEL, _RUNTIME = "cpu, 1 thread", "onnxruntime 1.20"
_MAC_NS, _BYTE_NS = 0.015, 0.08
_SLOW = 40  # times as long as predicted: what the prediction does not know


def timed(model: ModelReport) -> ModelReport:
    """The model with a prediction, a measurement and a latency.

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
    return replace(
        model,
        layers=layers,
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
