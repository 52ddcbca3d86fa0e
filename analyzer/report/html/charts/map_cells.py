"""The cells of a map of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts.map_colours import UNKNOWN
from archlint.analyzer.report.html.charts.treemap import Area
from archlint.analyzer.report.html.palette import Tone

PAD, SIZE = 4.0, 11.0
"""Pixels beside text, and the size of text."""

_LINE = 13.0
_INSET = 2.0  # pixels between an edge and a frame


@dataclass(frozen=True, slots=True)
class Cell:
    """What a rectangle of the map stands for; one of several layers leads to no row. ``names`` and
    ``numbers`` are what it may say, from the longest."""

    value: float
    tone: Tone
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    title: str
    more: str
    href: str = ""


def shape(cell: Cell, area: Area) -> svg.Mark:
    """The rectangle."""
    return svg.rect(
        *area, cell.tone, title=cell.title, more=cell.more, href=cell.href, ring=Tone.SURFACE
    )


def frame(cell: Cell, area: Area) -> Iterator[svg.Mark]:
    """The frame of a cell of unknown cost, where there is room for one."""
    if cell.tone is UNKNOWN and min(area.width, area.height) > 3 * _INSET:
        width, height = area.width - 2 * _INSET, area.height - 2 * _INSET
        yield svg.frame(area.x + _INSET, area.y + _INSET, width, height, Tone.MUTED, dashed=True)


def texts(cell: Cell, area: Area) -> Iterator[svg.Mark]:
    """A name, and a number below it, as long as there is room."""
    y = area.y
    for lines in (cell.names, cell.numbers):
        fitting = [one for one in lines if svg.text_width(one, SIZE) + 2 * PAD <= area.width]
        if not fitting or y + _LINE + PAD > area.y + area.height:
            return
        y += _LINE
        yield svg.text(area.x + PAD, y, fitting[0], size=SIZE, on=cell.tone)
