"""Names above a chart, each with a line down to what it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.palette import Tone

_SIZE = 11.0
_LINE = 13.0
_GAP = 16.0
_BEND = 12.0  # pixels in which a line goes sideways


@dataclass(frozen=True, slots=True)
class Callout:
    """A point, its name and its number."""

    x: float
    y: float
    name: str
    told: str


def callouts(
    wanted: Sequence[Callout], left: float, right: float, bottom: float
) -> Iterator[Markup]:
    """The names of points, which stand from left to right: two lines of text each, above
    ``bottom``, next to each other, as near their points as they can be."""
    if not wanted:
        return
    most = (right - left) / len(wanted) - _GAP
    cut = [svg.fitted(one.name, most, _SIZE, bold=True) for one in wanted]
    wide = [
        max(svg.text_width(text, _SIZE, bold=True) for text in (name, one.told))
        for name, one in zip(cut, wanted, strict=True)
    ]
    for one, name, width, start in zip(
        wanted, cut, wide, _starts([one.x for one in wanted], wide, left, right), strict=True
    ):
        foot = min(max(one.x, start + 6), start + width - 6)
        y = bottom - _BEND
        d = f"M{svg.number(foot)} {svg.number(y)}L{svg.number(one.x)} {svg.number(bottom)}"
        yield svg.path(f"{d}V{svg.number(one.y)}", Tone.MUTED)
        yield svg.text(start, y - 5 - _LINE, name, size=_SIZE, bold=True)
        yield svg.text(start, y - 5, one.told, tone=Tone.MUTED, size=_SIZE)


def _starts(
    points: Sequence[float], wide: Sequence[float], left: float, right: float
) -> list[float]:
    """Where the texts begin: each around its point, moved as far as the others need."""
    found: list[float] = []
    least = left
    for x, width in zip(points, wide, strict=True):
        found.append(max(least, x - width / 2))
        least = found[-1] + width + _GAP
    most = right
    for place in reversed(range(len(found))):
        found[place] = min(found[place], most - wide[place])
        most = found[place] - _GAP
    return found
