"""The network as a drawing: boxes from its inputs to its outputs, the dearest ones deepest."""

from __future__ import annotations

from collections.abc import Sequence

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.heat import Heat
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layout import Layout, layout
from archlint.analyzer.report.html.network_bands import bands, drawn, room
from archlint.analyzer.report.html.network_boxes import Drawn, drawn_boxes
from archlint.analyzer.report.html.network_edges import edges
from archlint.analyzer.report.html.network_graph import Box, boxes
from archlint.analyzer.report.html.network_marks import PILL_HEIGHT, mark, pill, pill_width
from archlint.analyzer.report.html.network_values import Pill, given, returned
from archlint.analyzer.report.html.parts import parts
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.text import plural

_MARGIN = 12.0  # around the drawing, so that what sticks out of a box is seen


def draw(model: ModelReport, ids: Ids) -> Figure | None:
    """The drawing of a model's layers, or of its parts where they are many; None without layers."""
    if not model.layers:
        return None
    found = boxes(model.layers)
    shown, scale = drawn_boxes(model, found)
    pills = [*given(model, found), *returned(model, found)]
    placed = _placed(found, shown, pills)
    spans = [(top, top + one.height) for one, (_, top) in zip(shown, placed.corners, strict=False)]
    named = bands(parts(model.layers), found, spans)
    left = room(named)
    width, height = left + placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    marks = [edges(placed.routes)]
    for one, corner in zip(shown, placed.corners, strict=False):
        marks.append(mark(one, ids, *corner))
    for end, corner in zip(pills, placed.corners[len(shown) :], strict=True):
        marks.append(pill(end, *corner))
    names = svg.group(*drawn(named, width - 2 * _MARGIN), x=_MARGIN, y=_MARGIN)
    inner = svg.group(*marks, x=left + _MARGIN, y=_MARGIN)
    label = f"The network: {_counted(found)}, from its inputs at the top to its outputs"
    picture = svg.picture(width, height, names, inner, label=label)
    return Figure(picture, _caption(model, found, scale), scale.legend)


def _placed(found: Sequence[Box], shown: Sequence[Drawn], pills: Sequence[Pill]) -> Layout:
    sizes = [(one.width, one.height) for one in shown]
    sizes += [(pill_width(one), PILL_HEIGHT) for one in pills]
    links = [(source, target) for target, box in enumerate(found) for source in box.inputs]
    for at, one in enumerate(pills, start=len(found)):
        links += [(at, box) if one.is_input else (box, at) for box in one.boxes]
    return layout(sizes, links)


def _counted(found: Sequence[Box]) -> str:
    shown = sum(box.shown for box in found)
    if any(box.name for box in found):
        return f"{plural(shown, 'layer')} in {plural(len(found), 'part')}"
    return plural(shown, "layer")


def _caption(model: ModelReport, found: Sequence[Box], scale: Heat) -> str:
    links = sum(len(box.inputs) for box in found)
    fused = len(model.layers) - sum(box.shown for box in found)
    told = [f"{_counted(found)}, {plural(links, 'connection')}"]
    if fused:
        verb = "runs" if fused == 1 else "run"
        told.append(f"{plural(fused, 'more node')} {verb} within their kernels")
    if scale.steps:
        told.append(f"the deeper the colour, the more of the {scale.measure}")
    if any(layer.cost is None for layer in model.layers):
        told.append("a dashed border: something of the cost is unknown")
    return f"{'; '.join(told)}."
