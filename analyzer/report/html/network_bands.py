"""Names of the parts of a network, beside the rows that are theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.layer_names import ending
from archlint.analyzer.report.html.layout import ROW_GAP, Layout
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Part
from archlint.analyzer.report.html.svg import Mark
from archlint.analyzer.text import safe

_SIZE = 12.0
_WIDEST = 132.0
_LONGEST = 60  # columns
_GAP = 14.0  # between a name and what stands beside it
_SEVERAL = -1  # parts of one box
_MOST = 0.75  # of the boxes: rows that have so many of one part are its own
_LINE = 17.0  # from the top of a row to the baseline of its first line


@dataclass(frozen=True, slots=True)
class Band:
    """Rows from ``top`` to ``bottom``; their name, if any, ends at ``right``, before what is drawn
    there."""

    name: str
    top: float
    bottom: float
    right: float = 0.0


def bands(
    parts: Sequence[Part], found: Sequence[Box], spans: Sequence[tuple[float, float]]
) -> tuple[Band, ...]:
    """The rows by the part that most of their boxes are of; none where these are one or nearly as
    many as boxes.

    ``spans`` are the upper and the lower sides of the boxes. Rows of several parts alike have no
    name, nor has a box that stands for several: it says itself what it is.
    """
    part_of = {place: number for number, part in enumerate(parts) for place in part.places}
    rows: list[tuple[float, float, Counter[int]]] = []
    for top, bottom, own in sorted(_ends(part_of, found, spans), key=lambda one: one[:2]):
        if rows and top < rows[-1][1]:
            first, last, counts = rows.pop()
            rows.append((first, max(last, bottom), counts + own))
        else:
            rows.append((top, bottom, own))
    named = [Band(_name(parts, counts), top, bottom) for top, bottom, counts in rows]
    fits = sum(bool(one.name) for one in named) > 1 and len(named) <= len(found) / 2
    return tuple(named) if fits else ()


def _ends(
    part_of: Mapping[int, int], found: Sequence[Box], spans: Sequence[tuple[float, float]]
) -> Iterator[tuple[float, float, Counter[int]]]:
    """From where to where each part reaches, and how many boxes are its own."""
    ends: dict[tuple[int, ...], tuple[float, float, int]] = {}
    for box, (top, bottom) in zip(found, spans, strict=True):
        places = box.places if box.repeats else box.places[:1]
        numbers = tuple(sorted({part_of[place] for place in places}))
        first, last, count = ends.get(numbers, (top, bottom, 0))
        ends[numbers] = min(first, top), max(last, bottom), count + 1
    for numbers, (top, bottom, count) in ends.items():
        yield top, bottom, Counter({numbers[0]: count} if len(numbers) == 1 else {_SEVERAL: count})


def _name(parts: Sequence[Part], counts: Counter[int]) -> str:
    ((number, count),) = counts.most_common(1)
    if number == _SEVERAL or count < _MOST * counts.total():
        return ""
    return safe(parts[number].name, _LONGEST)


def beside(
    found: Sequence[Band], placed: Layout, sizes: Sequence[tuple[float, float]]
) -> Iterator[Band]:
    """The bands with room for their names: left of all that stands or passes there."""
    drawn = [
        (left, top, top + size[1]) for (left, top), size in zip(placed.corners, sizes, strict=True)
    ]
    for route in placed.routes:
        drawn += [(min(a[0], b[0]), a[1], b[1]) for a, b in pairwise(route)]
    for one in found:
        begin, end = one.top + _LINE - _SIZE, one.top + _LINE + 4
        near = [left for left, top, bottom in drawn if top < end and begin < bottom]
        yield Band(one.name, one.top, one.bottom, min(near) - _GAP)


def room(found: Sequence[Band]) -> float:
    """How far names reach beyond the left side of a drawing."""
    return max([0.0, *(_width(one) - one.right for one in found if one.name)])


def drawn(found: Sequence[Band], left: float, right: float) -> Iterator[Mark]:
    """The names, and a faint line above each part but the first one."""
    for one in found:
        if one.top > 0:
            y = one.top - ROW_GAP / 2
            yield svg.line(left, y, right, y, Tone.FAINT)
        if one.name:
            name = svg.fitted(ending(one.name, _WIDEST, _SIZE), _WIDEST, _SIZE)
            yield svg.text(
                one.right, one.top + _LINE, name, tone=Tone.MUTED, size=_SIZE, anchor="end"
            )


def _width(one: Band) -> float:
    return min(svg.text_width(ending(one.name, _WIDEST, _SIZE), _SIZE), _WIDEST)
