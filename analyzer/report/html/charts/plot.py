"""One picture of a model as a file of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts import cost_map, depth, roofline
from archlint.analyzer.report.html.charts.measures import Measure
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.palette import Tone, palette_css
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.text import plural, safe, short

_MARGIN = 24.0
_HEAD = 72.0
_TITLE, _SIZE, _LINE = 16.0, 12.0, 18.0
_SWATCH, _GAP = 12.0, 16.0
_LONGEST = 200  # columns of a file's name
_MEASURED = re.compile(r'viewBox="0 0 (\S+) (\S+)"')


class _Nowhere(Ids):
    """No anchors: a picture alone has no rows to lead to."""

    __slots__ = ()

    def node(self, place: int) -> str:  # noqa: ARG002 - as the base takes it
        """No row."""
        return ""


def plot(model: ModelReport, kind: str) -> str:
    """The file of a picture: ``cost-map``, ``depth`` or ``roofline``.

    Raises ValueError, which says why, where there is nothing to draw.
    """
    figure = _figure(model, kind)
    if figure is None:
        raise ValueError(_why(model, kind))
    width, height = _size(figure)
    legend, below = _legend(figure, width, _HEAD + height + _GAP)
    caption = list(_wrapped(figure.caption, width))
    whole = below + len(caption) * _LINE + _MARGIN / 2
    name = safe(os.path.basename(model.path), _LONGEST)
    marks = (
        svg.element("style", f"{palette_css()}text{{pointer-events:none}}"),
        svg.rect(0, 0, width + 2 * _MARGIN, whole, Tone.SURFACE),
        svg.text(_MARGIN, 34, svg.fitted(name, width, _TITLE, bold=True), size=_TITLE, bold=True),
        svg.text(_MARGIN, 53, _totals(model), tone=Tone.MUTED, size=_SIZE),
        svg.group(figure.svg, x=_MARGIN, y=_HEAD),
        *legend,
        *(
            svg.text(_MARGIN, below + number * _LINE, one, tone=Tone.MUTED, size=_SIZE)
            for number, one in enumerate(caption)
        ),
    )
    return f"{svg.picture(width + 2 * _MARGIN, whole, *marks, label=f'{kind} of {name}')}\n"


def _figure(model: ModelReport, kind: str) -> Figure | None:
    ids = _Nowhere()
    if kind == "depth":
        return depth.draw(model, ids)
    if kind == "roofline":
        return roofline.draw(model, ids)
    there = cost_map.measures(model)
    by = Measure.MACS if Measure.MACS in there else next(iter(there), Measure.MACS)
    return cost_map.draw(model, ids, by)


def _why(model: ModelReport, kind: str) -> str:
    if kind != "roofline":
        return "there is nothing to draw: no node has a known cost"
    if model.predicted is None or not model.predicted.mac_ns:
        return "needs the profile of this machine: run archlint calibrate"
    return "there is nothing to draw: no node has both operations and a predicted time"


def _totals(model: ModelReport) -> str:
    parameters = f"{short(model.parameters)} parameters"
    macs = f"{short(model.cost.macs)} MACs"
    if not model.unknown_nodes:
        return f"{macs}, {parameters}"
    least = f"at least {macs}" if model.cost.macs else "unknown MACs"
    return f"{least}, {parameters}; the cost of {plural(model.unknown_nodes, 'node')} is unknown"


def _size(figure: Figure) -> tuple[float, float]:
    """The width and height of the figure, as its picture says them."""
    found = _MEASURED.search(figure.svg)
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def _legend(figure: Figure, width: float, top: float) -> tuple[list[svg.Mark], float]:
    """What the colours mean, in rows, and where the text below them has its baseline."""
    marks = []
    x, y = 0.0, top
    for tone, text in figure.legend:
        wide = _SWATCH + 6 + svg.text_width(text, _SIZE)
        if x and x + wide > width:
            x, y = 0.0, y + _LINE
        swatch = svg.rect(_MARGIN + x, y, _SWATCH, _SWATCH, tone, radius=2)
        marks += [swatch, svg.text(_MARGIN + x + _SWATCH + 6, y + 10, text, size=_SIZE)]
        x += wide + _GAP
    return marks, y + (2 * _LINE if marks else _SIZE)


def _wrapped(text: str, width: float) -> Iterator[str]:
    """Lines that are not wider than that."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and svg.text_width(longer, _SIZE) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line
