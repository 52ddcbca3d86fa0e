"""Where the cost of a model is: its parts as strips, its layers as maps and along the network."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.charts import cost_map, depth, strips
from archlint.analyzer.report.html.charts.measures import share
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.text import safe

_NOTABLE = 0.05  # of a cost
_STANDS_OUT = 1.05  # times what the second node has


@dataclass(frozen=True, slots=True)
class Costs:
    """Where the cost is: strips, maps by what their areas are, and the cost along the network."""

    id: str
    lead: str
    strips: Figure | None
    maps: tuple[tuple[str, Figure], ...]
    depth: Figure | None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All its pictures."""
        found = (self.strips, *(one for _, one in self.maps), self.depth)
        return tuple(one for one in found if one is not None)


def section(model: ModelReport, ids: Ids) -> Costs | None:
    """The section; None where there is nothing to draw."""
    drawn = strips.draw(model), depth.draw(model, ids)
    maps = tuple(
        (str(measure), figure)
        for measure in cost_map.measures(model)
        if (figure := cost_map.draw(model, ids, measure)) is not None
    )
    if not (maps or any(drawn)):
        return None
    return Costs(ids.section("cost"), _dearest(model), drawn[0], maps, drawn[1])


def _dearest(model: ModelReport) -> str:
    """Which nodes have most of the time, or of the MACs."""
    measured = [layer.measured or 0.0 for layer in model.layers]
    macs = [float(layer.cost.macs) if layer.cost else 0.0 for layer in model.layers]
    if not any((*measured, *macs)):
        return ""
    values, what = (measured, "measured time of kernels") if any(measured) else (macs, "MACs")
    whole = sum(values)
    first, *more = sorted(range(len(values)), key=lambda place: -values[place])[:3]
    alone = share(values[first], whole)
    is_like_others = any(values[first] <= _STANDS_OUT * values[place] for place in more[:1])
    if is_like_others or values[first] < _NOTABLE * whole:
        return f"No node alone has more than {alone} of the {what}."
    text = f"{safe(model.layers[first].label)} alone has {alone} of the {what}"
    if more and any(measured) and sum(macs):
        text += f" and {share(macs[first], sum(macs))} of the MACs"
    elif more:
        three = sum(values[place] for place in (first, *more))
        text += f", the {len(more) + 1} dearest nodes together {share(three, whole)}"
    return f"{text}."
