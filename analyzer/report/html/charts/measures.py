"""What a picture of the cost counts, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.parts import Part, Sums, is_predicted, part_sums
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import milliseconds, short


class Measure(StrEnum):
    """What is counted."""

    TIME = "measured time"
    PREDICTED = "predicted time"
    MACS = "MACs"
    PARAMETERS = "parameters"

    def of(self, sums: Sums) -> float | None:
        """It, of layers together; None where it is unknown."""
        if self is Measure.TIME:
            return sums.measured
        if self is Measure.PREDICTED:
            return sums.predicted
        return sums.macs if self is Measure.MACS else sums.parameters

    def text(self, value: float) -> str:
        """A value with its unit, but for the word of what is counted."""
        is_time = self in (Measure.TIME, Measure.PREDICTED)
        return milliseconds(value) if is_time else short(value)

    def round(self, value: float, most: float) -> str:
        """A number of an axis that ends at ``most``, without digits that say nothing."""
        if self in (Measure.TIME, Measure.PREDICTED):
            return f"{value / 1e6:,g} ms" if value == most else f"{value / 1e6:,g}"
        digits, _, prefix = short(value).partition(" ")
        return f"{float(digits):g} {prefix}".rstrip()


@dataclass(frozen=True, slots=True)
class Group:
    """A layer with all whose work its kernel does; ``places`` has its own ``place`` too."""

    place: int
    places: tuple[int, ...]
    sums: Sums


def groups(layers: Sequence[LayerReport]) -> tuple[Group, ...]:
    """The layers that do work, in their order, each with those whose work it does too."""
    carried = {
        place: carrier
        for carrier, layer in enumerate(layers)
        if layer.measured is not None
        for place in layer.kernel
    }
    found: dict[int, list[int]] = {}
    for place in range(len(layers)):
        found.setdefault(_owner(place, layers, carried), []).append(place)
    return tuple(
        Group(place, tuple(found[place]), part_sums(Part("", tuple(found[place])), layers))
        for place in sorted(found)
    )


def whole(layers: Sequence[LayerReport]) -> Sums:
    """What all layers cost together."""
    return part_sums(Part("", tuple(range(len(layers)))), layers)


def together(sums: Sequence[Sums]) -> Sums:
    """What several cost together."""
    macs = [one.macs for one in sums if one.macs is not None]
    predicted = [one.predicted for one in sums if one.predicted is not None]
    measured = [one.measured for one in sums if one.measured is not None]
    return Sums(
        sum(macs) if macs else None,
        sum(one.unknown for one in sums),
        sum(one.parameters for one in sums),
        sum(predicted) if predicted else None,
        sum(measured) if measured else None,
    )


def measures(model: ModelReport) -> tuple[Measure, ...]:
    """What there is to be counted in a model."""
    sums = whole(model.layers)
    unsaid = () if is_predicted(model.layers) else (Measure.PREDICTED,)
    return tuple(measure for measure in Measure if measure.of(sums) and measure not in unsaid)


def first_of(wanted: Iterable[Measure], there: Sequence[Measure]) -> Measure | None:
    """The first that is there."""
    return next((measure for measure in wanted if measure in there), None)


def numbers(sums: Sums, total: Sums, of: Iterable[Measure] = Measure) -> list[str]:
    """Measures of layers with their shares of the whole, a line each."""
    lines = []
    for measure in dict.fromkeys(of):
        value, most = measure.of(sums), measure.of(total)
        if value is None and measure is Measure.MACS and sums.unknown:
            lines.append("MACs unknown")
        if value is not None and most:
            lines.append(f"{measure} {measure.text(value)} ({share(value, most)})")
    return lines


def share(part: float, most: float) -> str:
    """A percentage with three digits at most: ``26 %``, ``9.6 %``, ``0 %``."""
    percents = 100 * part / most
    if 0 < percents < 0.1:
        return "< 0.1 %"
    return f"{percents:.0f} %" if percents >= 9.95 or not percents else f"{percents:.1f} %"


def _owner(place: int, layers: Sequence[LayerReport], carried: dict[int, int]) -> int:
    """The layer whose kernel does the work of one."""
    seen = {place}
    while (after := carried.get(place, layers[place].within)) is not None and after not in seen:
        place = after
        seen.add(place)
    return place
