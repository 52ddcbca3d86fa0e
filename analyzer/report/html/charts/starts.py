"""The parts of a model below a chart of its layers, each named where it begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts.measures import Group
from archlint.analyzer.report.html.charts.short_names import short_name
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import parts
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import safe

_SIZE = 11.0
_LONGEST = 40  # columns of a name
_GAP = 6.0  # pixels between a name and the next tick
_DENSE = 0.8  # of the layers from a part's first to its last: fewer, and it begins nowhere


def starts(
    layers: Sequence[LayerReport], found: Sequence[Group], left: float, right: float, top: float
) -> Iterator[svg.Mark]:
    """A tick where each part begins whose layers stand together, and its name as it fits before the
    next one; ``found`` are equally wide between ``left`` and ``right``."""
    at = {group.place: number for number, group in enumerate(found)}
    begun = []
    for part in parts(layers):
        own = [at[place] for place in part.places if place in at]
        if own and len(own) >= _DENSE * (max(own) + 1 - min(own)):
            begun.append((left + (right - left) * min(own) / len(found), part.name))
    begun.sort()
    ends = [*(x for x, _ in begun[1:]), right + _GAP]
    for (x, whole), end in zip(begun, ends, strict=True):
        name = short_name(safe(whole, _LONGEST), end - x - 4 - _GAP, _SIZE)
        yield svg.line(x, top, x, top + (14 if name else 5), Tone.BAR)
        if name:
            yield svg.text(x + 4, top + 14, name, tone=Tone.MUTED, size=_SIZE)
