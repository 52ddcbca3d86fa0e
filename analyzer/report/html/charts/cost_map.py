"""A map of the cost: each layer covers as much as it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf, nextafter

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts.map_cells import PAD, SIZE, Cell, frame, shape, texts
from archlint.analyzer.report.html.charts.map_colours import Colours, colours
from archlint.analyzer.report.html.charts.measures import (
    Group,
    Measure,
    groups,
    numbers,
    share,
    together,
    whole,
)
from archlint.analyzer.report.html.charts.measures import measures as known
from archlint.analyzer.report.html.charts.short_names import short_name, shorter
from archlint.analyzer.report.html.charts.treemap import Area, in_rows, row_ends, squarified
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layer_names import heading
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Sums, parts
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import plural, safe

__all__ = ["Measure", "draw", "measures"]

_WIDTH, _HEIGHT = 960.0, 420.0
_LOW, _MORE = 160.0, 16.0  # pixels of the height of a small model's map, and what a layer adds
_LEAST = 64.0  # square pixels of a cell
_MOST = 300  # cells
_HEADER = 15.0
_LOWEST = 40.0  # pixels of a part that has a header
_ROUNDS = 12
_BOLD = 1.12  # times as wide as usual letters
_SIZES = re.compile(r"^\d+×[\d×]+")  # of the window of a layer


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    cells: tuple[Cell, ...]
    value: float


def measures(model: ModelReport) -> tuple[Measure, ...]:
    """What areas can be; predicted times only where none were measured."""
    there = known(model)
    return tuple(m for m in there if m is not Measure.PREDICTED or Measure.TIME not in there)


def draw(model: ModelReport, ids: Ids, by: Measure) -> svg.Figure | None:
    """The map of a measure; the colour tells where time and arithmetic do not go together, or the
    share where no time was measured."""
    total = whole(model.layers)
    if not by.of(total):
        return None
    found = groups(model.layers)
    shown = [group for group in found if by.of(group.sums)]
    colour = colours(model, [group.sums for group in shown], total)
    arranged = _arranged(model, shown, by, total, colour, ids)
    placed: list[tuple[Cell, Area]] = []
    heads: list[svg.Mark] = []
    outer = []
    map_area = Area(0, 0, _WIDTH, min(_LOW + _MORE * len(found), _HEIGHT))
    for part, area in zip(arranged, _areas(arranged, map_area), strict=True):
        inner = _inner(part, area)
        outer.append(_outline(area))
        if inner.y > area.y:
            name = _header(part, area)
            heads.append(svg.text(area.x + PAD, area.y + 11, name, size=SIZE, bold=True))
        own = squarified([cell.value for cell in part.cells], inner)
        placed += zip(part.cells, own, strict=True)
    marks = (
        svg.gathered(shape(*one) for one in placed),
        svg.gathered(mark for one in placed for mark in frame(*one)),
        svg.path("".join(outer), Tone.SURFACE, width=3),
        svg.gathered([*heads, *(mark for one in placed for mark in texts(*one))]),
    )
    label = f"Map of the {by} of {plural(len(shown), 'layer')}"
    image = svg.picture(_WIDTH, map_area.height, *marks, label=label)
    drawn = {cell.tone for part in arranged for cell in part.cells}
    used = tuple((key, text) for key, text in colour.legend if key in drawn)
    return svg.Figure(image, _caption(by, colour.meaning, total, model), used)


def _arranged(
    model: ModelReport, shown: Sequence[Group], by: Measure, total: Sums,
    colour: Colours, ids: Ids,
) -> list[_Part]:  # fmt: skip
    """The parts in their order, each with its cells from the largest, and behind them in one what
    is too small for cells."""
    most = by.of(total) or 1.0
    of = {group.place: by.of(group.sums) or 0.0 for group in shown}
    least = max(_least(of.values()), most * _LEAST / (_WIDTH * _HEIGHT))
    named = parts(model.layers)
    at = {place: number for number, part in enumerate(named) for place in part.places}
    found = []
    ordered = sorted(shown, key=lambda group: at[group.place])
    for number, members in groupby(ordered, key=lambda group: at[group.place]):
        own = list(members)
        small = [group for group in own if of[group.place] < least]
        if len(small) == 1:
            small = []
        kept = [group for group in own if of[group.place] >= least] if small else own
        name = safe(named[number].name)
        tones = [colour.tone(group.sums) for group in kept]
        cells = [
            _cell(group, model.layers, by, total, tone, ids)
            for group, tone in zip(kept, tones, strict=True)
        ]
        cells.sort(key=lambda cell: -cell.value)
        if small:
            text = f"{len(small):,} smaller" if kept else plural(len(small), "layer")
            cells.append(_rest(small, text, name, by, total, colour))
        found.append(_Part(name, tuple(cells), sum(cell.value for cell in cells)))
    return found


def _cell(
    group: Group, layers: Sequence[LayerReport], by: Measure, total: Sums, tone: Tone, ids: Ids
) -> Cell:
    layer = layers[group.place]
    others = len(group.places) - 1
    fused = f", with {plural(others, 'other node')} of its kernel" if others else ""
    value = by.of(group.sums) or 0.0
    told_all = numbers(group.sums, total, (by, Measure.MACS))
    more = "\n".join([f"{safe(layer.described)}{fused}", *told_all])
    name = heading(layer)[0]
    says = layer.described if layer.described != layer.operator else name
    part = share(value, by.of(total) or 1.0)
    told = (f"{by.text(value)} · {part}", part)
    names = (*_shorter(safe(says)), safe(name), *_SIZES.findall(safe(says)), *shorter(safe(name)))
    return Cell(value, tone, names, told, safe(layer.label), more, ids.node(group.place))


def _shorter(name: str) -> tuple[str, ...]:
    """``5×5 conv 192→32, stride 2``, and the same without its stride, without its channels."""
    size = name.partition(", ")[0]
    return name, size, size.rpartition(" ")[0] if "→" in size else size


def _rest(
    small: Sequence[Group], text: str, name: str, by: Measure, total: Sums, colour: Colours
) -> Cell:
    """The cells that are too small for one each, as one."""
    sums = together([group.sums for group in small])
    value = by.of(sums) or 0.0
    more = "\n".join([text, *numbers(sums, total, (by, Measure.MACS))])
    tone = colour.of_several([group.sums for group in small])
    return Cell(value, tone, (text, f"+ {len(small):,}"), (by.text(value),), name, more)


def _least(values: Iterable[float]) -> float:
    """What the smallest cell stands for; of equal ones all are cells, or none where they are too
    many."""
    ranked = sorted(values, reverse=True)
    least = ranked[min(len(ranked), _MOST) - 1]
    return nextafter(least, inf) if ranked.count(least) > _MOST else least


def _areas(arranged: Sequence[_Part], whole_area: Area) -> list[Area]:
    """The areas of the parts: their cells cover what they stand for, the headers beside that.

    A header takes from its part's area what the others give it; which parts have room for one
    follows from the areas, so that these are made anew until they agree, or nearly.
    """
    values = [part.value for part in arranged]
    ends = row_ends(values, whole_area)
    best, error = in_rows(values, ends, whole_area), inf
    weights = list(values)
    for _ in range(_ROUNDS):
        areas = in_rows(weights, ends, whole_area)
        inner = [_inner(part, area).size for part, area in zip(arranged, areas, strict=True)]
        scale = sum(inner) / sum(values)
        off = max(abs(size / (v * scale) - 1) for size, v in zip(inner, values, strict=True))
        if off < error:
            best, error = areas, off
        weights = [
            value * scale + area.size - size
            for value, area, size in zip(values, areas, inner, strict=True)
        ]
    return best


def _inner(part: _Part, area: Area) -> Area:
    """What a header leaves of the area of a part; all where none fits."""
    if not _header(part, area) or area.height < _LOWEST:
        return area
    return Area(area.x, area.y + _HEADER, area.width, area.height - _HEADER)


def _header(part: _Part, area: Area) -> str:
    """The name of a part as it fits in bold."""
    return short_name(part.name, (area.width - 2 * PAD) / _BOLD, SIZE)


def _outline(area: Area) -> str:
    x, y, width, height = map(svg.number, area)
    return f"M{x} {y}h{width}v{height}h-{width}z"


def _caption(by: Measure, meaning: str, total: Sums, model: ModelReport) -> str:
    text = f"Each cell is a layer with all that its kernel does; its area is its {by}."
    text += f" Colour: {meaning}."
    if by is Measure.MACS and total.unknown:
        text += f" {plural(total.unknown, 'node')} of unknown cost cannot be drawn."
    if by is Measure.PREDICTED and model.predicted and model.predicted.unpredicted:
        text += f" {plural(model.predicted.unpredicted, 'node')} not predicted cannot be drawn."
    return text
