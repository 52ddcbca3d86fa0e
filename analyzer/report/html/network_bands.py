"""Names of the parts of a network, beside the rows that are theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.layout import ROW_GAP
from archlint.analyzer.report.html.network_graph import Box
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Part
from archlint.analyzer.text import safe

_SIZE = 11.0
_WIDEST = 108.0
_LONGEST = 60  # columns
_GAP = 16.0  # between names and boxes


@dataclass(frozen=True, slots=True)
class Band:
    """Rows from ``top`` to ``bottom`` in which only boxes of one part stand."""

    name: str
    top: float
    bottom: float


def bands(
    parts: Sequence[Part], found: Sequence[Box], spans: Sequence[tuple[float, float]]
) -> tuple[Band, ...]:
    """The parts that have rows of their own; none where these are one or nearly as many as boxes.

    ``spans`` are the upper and the lower sides of the boxes.
    """
    part_of = {place: number for number, part in enumerate(parts) for place in part.places}
    ends: dict[int, tuple[float, float]] = {}
    for box, (top, bottom) in zip(found, spans, strict=True):
        number = part_of[box.places[0]]
        first, last = ends.get(number, (top, bottom))
        ends[number] = min(first, top), max(last, bottom)
    rising = sorted(ends.items(), key=lambda item: item[1])
    kept = [
        Band(safe(parts[number].name, _LONGEST), top, bottom)
        for at, (number, (top, bottom)) in enumerate(rising)
        if all(bottom <= other[0] or other[1] <= top for _, other in rising[:at] + rising[at + 1 :])
    ]
    return tuple(kept) if 1 < len(kept) <= len(found) / 2 else ()


def room(found: Sequence[Band]) -> float:
    """The width that names take, with a gap behind them."""
    if not found:
        return 0.0
    return round(min(max(svg.text_width(one.name, _SIZE) for one in found), _WIDEST)) + _GAP


def drawn(found: Sequence[Band], width: float) -> Iterator[Markup]:
    """The names, and a faint line above each part but the first one."""
    for one in found:
        if one.top > 0:
            y = one.top - ROW_GAP / 2
            yield svg.line(0, y, width, y, Tone.FAINT)
        yield svg.text(
            0, one.top + 12, svg.fitted(one.name, _WIDEST, _SIZE), tone=Tone.MUTED, size=_SIZE
        )
