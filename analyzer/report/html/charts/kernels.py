"""The kernels of a model, each with all that it does, as pictures place them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.cost import Cost
from archlint.analyzer.cost.base import total
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import milliseconds, plural, short


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel, called by the layer at ``place``.

    ``cost`` is that of all its layers, and None where that of one is unknown; so is ``predicted``.
    Times are nanoseconds of a run.
    """

    place: int
    layers: tuple[LayerReport, ...]
    cost: Cost | None
    predicted: float | None
    measured: float | None

    @property
    def lead(self) -> LayerReport:
        """The layer that it is called by."""
        return self.layers[0]

    @property
    def macs(self) -> int | None:
        """Its MACs, None where they are unknown."""
        return None if self.cost is None else self.cost.macs

    @property
    def told(self) -> str:
        """What it is, as a tooltip says it below its name."""
        others = len(self.layers) - 1
        fused = f", with {plural(others, 'other node')} of its kernel" if others else ""
        macs = "MACs unknown" if self.macs is None else f"{short(self.macs)} MACs"
        times = (
            "not measured" if self.measured is None else f"measured {milliseconds(self.measured)}",
            "not predicted"
            if self.predicted is None
            else f"predicted {milliseconds(self.predicted)}",
        )
        return f"{self.lead.described}{fused}\n{', '.join(times)}\n{macs}"


def measured(layers: Sequence[LayerReport]) -> tuple[Kernel, ...]:
    """The kernels that took measurable time, in the order of their layers."""
    return tuple(
        _kernel(layers, place, layer.kernel, layer.measured)
        for place, layer in enumerate(layers)
        if layer.measured
    )


def predicted(layers: Sequence[LayerReport]) -> tuple[Kernel, ...]:
    """The kernels that a runtime is expected to run, with the layers that it fuses."""
    carried: dict[int, list[int]] = {}
    for place, layer in enumerate(layers):
        if layer.within is not None and layer.within != place:
            carried.setdefault(layer.within, []).append(place)
    return tuple(
        _kernel(layers, place, carried.get(place, ()), None)
        for place, layer in enumerate(layers)
        if layer.within is None
    )


def _kernel(
    layers: Sequence[LayerReport], place: int, places: Iterable[int], time: float | None
) -> Kernel:
    """The layer at a place with the others of its kernel."""
    own = (layers[place], *(layers[other] for other in places if other != place))
    costs = [layer.cost for layer in own if layer.cost is not None]
    times = [layer.predicted for layer in own if layer.predicted is not None]
    return Kernel(
        place,
        own,
        total(costs) if len(costs) == len(own) else None,
        sum(times) if len(times) == len(own) else None,
        time,
    )
