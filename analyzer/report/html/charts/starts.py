"""The parts of a model below a chart of its layers, each named where it begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts.measures import Group
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import parts
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import safe

_SIZE = 11.0
_LONGEST = 40  # columns of a name
_DENSE = 0.8  # of the layers from a part's first to its last: fewer, and it begins nowhere


def starts(
    layers: Sequence[LayerReport], found: Sequence[Group], left: float, right: float, top: float
) -> Iterator[Markup]:
    """A tick where each part begins whose layers stand together, and its name where that covers
    no other; ``found`` are equally wide between ``left`` and ``right``."""
    at = {group.place: number for number, group in enumerate(found)}
    free = 0.0
    for part in parts(layers):
        own = [at[place] for place in part.places if place in at]
        if not own or len(own) < _DENSE * (max(own) + 1 - min(own)):
            continue
        x = left + (right - left) * min(own) / len(found)
        name = safe(part.name, _LONGEST)
        end = x + 4 + svg.text_width(name, _SIZE)
        is_named = x >= free and end <= right
        yield svg.line(x, top, x, top + (14 if is_named else 5), Tone.BAR)
        if is_named:
            yield svg.text(x + 4, top + 14, name, tone=Tone.MUTED, size=_SIZE)
            free = end + 8
