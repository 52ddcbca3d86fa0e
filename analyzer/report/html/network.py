"""The network as a drawing: boxes from its inputs to its outputs, the dearest ones deepest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.heat import Heat
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layout import layout
from archlint.analyzer.report.html.network_bands import bands, beside, drawn, room
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.network_boxes import Drawn, drawn_boxes
from archlint.analyzer.report.html.network_edges import edges
from archlint.analyzer.report.html.network_graph import boxes
from archlint.analyzer.report.html.network_marks import PILL_HEIGHT, marks, pill_width, pills
from archlint.analyzer.report.html.network_sheets import sheets
from archlint.analyzer.report.html.network_tags import remarks
from archlint.analyzer.report.html.network_values import Pill, given, returned
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import parts
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.text import plural

_MARGIN = 12.0  # around the drawing, so that what sticks out of a box is seen


def draw(model: ModelReport, ids: Ids) -> Figure | None:
    """The drawing of a model's layers, or of its parts where they are many; None without layers."""
    if not model.layers:
        return None
    found = boxes(model.layers, remarks(model))
    shown, scale = drawn_boxes(model, found)
    ends = [*given(model, found), *returned(model, found)]
    sizes = [(one.width, one.height) for one in shown]
    sizes += [(pill_width(one), PILL_HEIGHT) for one in ends]
    placed = layout(sizes, _links(found, ends))
    spans = [(top, top + size[1]) for (_, top), size in zip(placed.corners, sizes, strict=True)]
    named = bands(parts(model.layers), found, spans[: len(found)])
    named = tuple(beside(named, placed, sizes))
    left = room(named) + _MARGIN
    width, height = left + placed.width + _MARGIN, placed.height + 2 * _MARGIN
    drawing = svg.group(
        svg.gathered(drawn(named, _MARGIN - left, placed.width)),
        edges(placed.routes),
        marks(shown, placed.corners[: len(shown)], ids),
        pills(ends, placed.corners[len(shown) :]),
        x=left,
        y=_MARGIN,
    )
    whole = ids.section("drawing")
    label = f"The network: {_counted(found)}, from its inputs at the top to its outputs"
    first = min(range(len(sizes)), key=lambda at: (spans[at][0], at not in range(len(found))))
    return Figure(
        svg.picture(width, height, svg.element("g", drawing, id=whole), label=label),
        _caption(model, found, scale),
        (*scale.legend, *_elsewhere(shown)),
        sheets(width, height, [(top + _MARGIN, end + _MARGIN) for top, end in spans], whole),
        round(left + placed.corners[first][0] + sizes[first][0] / 2),
    )


def _elsewhere(shown: Sequence[Drawn]) -> Iterator[tuple[Tone, str]]:
    if any(one.tone is Tone.EVEN for one in shown):
        yield Tone.EVEN, "timed with another layer"


def _links(found: Sequence[Box], ends: Sequence[Pill]) -> list[tuple[int, int]]:
    links = [(source, target) for target, box in enumerate(found) for source in box.inputs]
    for at, one in enumerate(ends, start=len(found)):
        links += [(at, box) if one.is_input else (box, at) for box in one.boxes]
    return links


def _counted(found: Sequence[Box]) -> str:
    shown = sum(box.shown for box in found)
    if any(box.name and not box.repeats for box in found):
        return f"{plural(shown, 'layer')} in {plural(len(found), 'part')}"
    return plural(shown, "layer")


def _caption(model: ModelReport, found: Sequence[Box], scale: Heat) -> str:
    fused = len(model.layers) - sum(box.shown for box in found)
    stacks = [box for box in found if box.repeats]
    told = [_counted(found)]
    if fused:
        verb = "runs" if fused == 1 else "run"
        told.append(f"{plural(fused, 'more node')} {verb} within their kernels")
    if stacks:
        others = sum(box.repeats for box in stacks)
        rest = "a stack stands for the others"
        told.append(f"of equal blocks in a row the first is drawn, {rest} ({others:,})")
    if scale.steps:
        told.append(f"the deeper the colour, the more of the {scale.measure}")
    if any(layer.cost is None for layer in model.layers):
        told.append("a dashed border: something of the cost is unknown")
    return f"{'; '.join(told)}."
