"""The same parts of a model by what each takes of the MACs, of the time and of the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts.measures import (
    Measure,
    first_of,
    measures,
    numbers,
    share,
    whole,
)
from archlint.analyzer.report.html.charts.short_names import short_name
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Sums, part_sums, parts
from archlint.analyzer.text import plural, safe

_WIDTH, _NAMES = 960.0, 128.0
_STRIP = _WIDTH - _NAMES
_HIGH, _ROW = 42.0, 56.0
_CALM = Tone.EVEN
_WARM = (Tone.WARM_2, Tone.WARM_1, Tone.WARM_1)  # the dearest parts, from the first
_PAD, _SIZE = 5.0, 11.0
_MORE = 1.5  # times what each part would have if all had the same
_FEW = 3  # one of so many parts at most stands out
_STANDS_OUT = 1.05  # times the dearest part that is not among them


@dataclass(frozen=True, slots=True)
class _Part:
    """A part as every strip shows it."""

    name: str
    sums: Sums
    tone: Tone
    tooltip: str  # but for what a strip counts


def draw(model: ModelReport) -> svg.Figure | None:
    """A strip for each of the MACs, the time and the parameters that the model has."""
    there = measures(model)
    time = first_of((Measure.TIME, Measure.PREDICTED), there)
    rows = [m for m in (Measure.MACS, time, Measure.PARAMETERS) if m is not None and m in there]
    if not rows:
        return None
    dearest = first_of((Measure.TIME, Measure.PREDICTED, *rows), there) or rows[0]
    total = whole(model.layers)
    found = _parts(model, dearest)
    marks = [
        svg.group(*_strip(row, found, total, _missing(row, model, total)), y=_ROW * place)
        for place, row in enumerate(rows)
    ]
    label = f"{_and(rows)} of {plural(len(found), 'part')} of the model, as strips"
    image = svg.picture(_WIDTH, _ROW * (len(rows) - 1) + _HIGH, *marks, label=label)
    return svg.Figure(image, _caption(rows, found, dearest, total), ())


def _parts(model: ModelReport, dearest: Measure) -> list[_Part]:
    named = parts(model.layers)
    sums = [part_sums(part, model.layers) for part in named]
    values = [dearest.of(own) or 0.0 for own in sums]
    ranked = sorted(range(len(sums)), key=lambda place: -values[place])
    most = min(len(_WARM), max(len(sums) // _FEW, 1))
    rest = [values[place] for place in ranked[most:]]
    least = max([_MORE * sum(values) / len(values), *(_STANDS_OUT * value for value in rest)])
    warm = {p: tone for p, tone in zip(ranked[:most], _WARM, strict=False) if values[p] > least}
    found = []
    for place, (part, own) in enumerate(zip(named, sums, strict=True)):
        name = safe(part.name)
        told = f"{name}\n{plural(len(part.places), 'node')}"
        found.append(_Part(name, own, warm.get(place, _CALM), told))
    return found


def _missing(row: Measure, model: ModelReport, total: Sums) -> str:
    """What is in no total, in words."""
    if row is Measure.MACS and total.unknown:
        return f"+ {plural(total.unknown, 'node')} unknown"
    if row is Measure.PREDICTED and model.predicted and model.predicted.unpredicted:
        return f"+ {plural(model.predicted.unpredicted, 'node')} unknown"
    return ""


def _strip(row: Measure, found: Sequence[_Part], total: Sums, missing: str) -> Iterator[Markup]:
    """The marks of a strip from y = 0: what it counts and how much that is, and the parts."""
    most, x = row.of(total) or 0.0, _NAMES
    first = 13 if missing else 18
    yield svg.text(0, first, _title(row), tone=Tone.MUTED)
    yield svg.text(0, first + 16, row.text(most), size=13, bold=True)
    if missing:
        yield svg.text(0, first + 29, missing, tone=Tone.MUTED, size=11)
    shapes: list[svg.Mark] = []
    labels: list[svg.Mark] = []
    for part in found:
        value = row.of(part.sums) or 0.0
        wide = _STRIP * value / most
        if wide:
            told = "\n".join([part.tooltip, *numbers(part.sums, total, [row])])
            shapes.append(svg.rect(x, 0, wide, _HIGH, part.tone, title=told, ring=Tone.SURFACE))
            labels += _label(x, wide, part, share(value, most))
        x += wide
    yield svg.gathered(shapes)
    yield svg.gathered(labels)


def _label(x: float, wide: float, part: _Part, told: str) -> Iterator[svg.Mark]:
    """The name of a part, shortened if need be, and its share, where both fit."""
    room = wide - 2 * _PAD
    name = short_name(part.name, room, _SIZE)
    if not name:
        return
    number = svg.text_width(told, _SIZE) <= room
    yield svg.text(x + _PAD, 18 if number else 25, name, size=_SIZE, on=part.tone)
    if number:
        yield svg.text(x + _PAD, 32, told, size=_SIZE, on=part.tone)


def _title(row: Measure) -> str:
    return row[:1].upper() + row[1:]


def _caption(rows: Sequence[Measure], found: Sequence[_Part], dearest: Measure, total: Sums) -> str:
    most = dearest.of(total) or 0.0
    warm = [part for part in found if part.tone in _WARM]
    warm.sort(key=lambda part: -(dearest.of(part.sums) or 0))
    named = [f"{part.name} {share(dearest.of(part.sums) or 0, most)}" for part in warm]
    orange = f" Orange has most of the {dearest}: {_and(named)}." if named else ""
    vague = ""
    if Measure.MACS not in rows and total.unknown:
        vague = f" The MACs of {plural(total.unknown, 'node')} are unknown."
    return (
        "Each strip is the whole model: its parts in their order, as wide as their shares."
        f"{orange}{vague}"
    )


def _and(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
