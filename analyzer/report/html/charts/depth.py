"""The cost along a network: a bar for each layer, and below what has come together so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.charts.called import called
from archlint.analyzer.report.html.charts.callouts import Callout, callouts
from archlint.analyzer.report.html.charts.measures import (
    Group,
    Measure,
    first_of,
    groups,
    measures,
    numbers,
    share,
    together,
    whole,
)
from archlint.analyzer.report.html.charts.starts import starts
from archlint.analyzer.report.html.charts.steps import ticks
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Sums
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import plural, safe

_MOST = 300  # bars
_NAMED = 3  # of them
_WIDTH, _LEFT, _RIGHT = 960.0, 72.0, 1.0
_TOP, _PLOT, _BELOW = 62.0, 170.0, 22.0
_BASE = _TOP + _PLOT
_SUMS, _END = _BASE + 22.0, _BASE + 112.0  # from 100 to 0 % of what has come together
_WIDEST = 40.0  # pixels of a bar
_VAGUE = 14.0  # pixels of the frame of a bar whose height is unknown
_ROOM = _WIDTH - _LEFT - _RIGHT
_SIZE = 11.0
_STANDS_OUT = 1.05  # times the largest bar without a name
_ALIKE = 0.02  # of the whole: lines that are never as far apart are one


@dataclass(frozen=True, slots=True)
class _Bar:
    """A layer, or several adjacent ones, with all that their kernels do."""

    groups: tuple[Group, ...]
    sums: Sums


def draw(model: ModelReport, ids: Ids) -> svg.Figure | None:
    """The cost of the layers in their order: measured time, else predicted time, else MACs."""
    there = measures(model)
    by = first_of((Measure.TIME, Measure.PREDICTED, Measure.MACS), there)
    if by is None:
        return None
    found = groups(model.layers)
    width = ceil(len(found) / _MOST)
    bars = [_bar(found[first : first + width]) for first in range(0, len(found), width)]
    values = [by.of(bar.sums) or 0.0 for bar in bars]
    steps = ticks(max(values))
    top = steps[-1]
    named = _standing_out(values)
    total = whole(model.layers)
    series = _series(bars, by, there)
    marks = [
        svg.gathered(_grid(steps, by)),
        svg.gathered(_bars(bars, named, top, model.layers, by, total, ids)),
        *_lines(series, len(bars)),
        *_callouts(bars, named, values, top, model.layers, by, total),
        svg.gathered(starts(model.layers, found, _LEFT, _WIDTH - _RIGHT, _END + 4)),
    ]
    label = f"{by} along {plural(len(found), 'layer')}"
    unused = 0.0 if named else _TOP - _SIZE
    moved = svg.group(*marks, y=-unused)
    image = svg.picture(_WIDTH, _END + _BELOW - unused, moved, label=label)
    caption = _caption(by, width, total, model)
    if Measure.MACS in there and Measure.MACS not in series:
        caption += f" The MACs come together as the {by} does, within {100 * _ALIKE:g} %."
    return svg.Figure(image, caption, _legend(by, series, stands_out=bool(named)))


def _standing_out(values: Sequence[float]) -> list[int]:
    """The largest few, from left to right; none where others are as large."""
    ranked = sorted(range(len(values)), key=lambda place: -values[place])
    rest = values[ranked[_NAMED]] if len(ranked) > _NAMED else 0.0
    return sorted(place for place in ranked[:_NAMED] if values[place] > _STANDS_OUT * rest)


def _bars(
    bars: Sequence[_Bar], named: Sequence[int], top: float,
    layers: Sequence[LayerReport], by: Measure, total: Sums, ids: Ids,
) -> Iterator[svg.Mark]:  # fmt: skip
    """The bars; a frame stands where the height of one is unknown."""
    for place, bar in enumerate(bars):
        x, wide = _span(place, len(bars))
        title, more = _told(bar, layers, total, by)
        value = by.of(bar.sums)
        if value:
            high = _PLOT * value / top
            href = ids.node(bar.groups[0].place) if len(bar.groups) == 1 else ""
            tone = Tone.WARM_2 if place in named else Tone.BAR
            yield svg.rect(x, _BASE - high, wide, high, tone, title=title, more=more, href=href)
        elif value is None and by is not Measure.TIME:
            y = _BASE - _VAGUE
            told = f"{title}\n{more}"
            yield svg.frame(x, y, wide, _VAGUE, Tone.MUTED, title=told, dashed=True)


def _bar(own: Sequence[Group]) -> _Bar:
    return _Bar(tuple(own), together([group.sums for group in own]))


def _span(place: int, count: int) -> tuple[float, float]:
    """The left end of a bar, and its width."""
    wide = _ROOM / count
    own = min(wide - min(0.2 * wide, 2.0), _WIDEST)
    return _LEFT + place * wide + (wide - own) / 2, own


def _middle(place: int, count: int) -> float:
    x, wide = _span(place, count)
    return x + wide / 2


def _grid(steps: Sequence[float], by: Measure) -> Iterator[svg.Mark]:
    """Lines at round numbers, with the unit, and below at shares."""
    heights = [(_BASE - _PLOT * step / steps[-1], by.round(step, steps[-1])) for step in steps]
    heights += [(_END - (_END - _SUMS) * n / 100, f"{n} %") for n in (0, 50, 100)]
    for y, told in heights:
        yield svg.line(_LEFT, y, _WIDTH - _RIGHT, y, Tone.FAINT)
        yield svg.text(_LEFT - 8, y + 4, told, tone=Tone.MUTED, size=_SIZE, anchor="end")


def _told(bar: _Bar, layers: Sequence[LayerReport], total: Sums, by: Measure) -> tuple[str, str]:
    """The name of a bar, and what else its tooltip says."""
    first, last = (layers[bar.groups[end].place] for end in (0, -1))
    told = numbers(bar.sums, total, (by, Measure.MACS))
    if first is last:
        return safe(first.label), "\n".join([safe(first.described), *told])
    count = plural(len(bar.groups), "layer")
    return f"{safe(first.label)} … {safe(last.label)}", "\n".join([count, *told])


def _series(
    bars: Sequence[_Bar], by: Measure, there: Sequence[Measure]
) -> dict[Measure, list[float]]:
    """What has come together at the end of each bar, from 0 to 1; the MACs only where they do
    otherwise."""
    found = {}
    for measure in dict.fromkeys((by, Measure.MACS)):
        if measure in there:
            sums = list(accumulate(measure.of(bar.sums) or 0.0 for bar in bars))
            found[measure] = [value / sums[-1] for value in sums]
    first, *others = found.values()
    if others and max(abs(a - b) for a, b in zip(first, *others, strict=True)) < _ALIKE:
        del found[Measure.MACS]
    return found


def _lines(series: dict[Measure, list[float]], count: int) -> Iterator[Markup]:
    for measure, shares in series.items():
        points = [f"M{svg.number(_LEFT)} {svg.number(_END)}"]
        for place, value in enumerate(shares, 1):
            x, y = _LEFT + _ROOM * place / count, _END - (_END - _SUMS) * value
            points.append(f"L{svg.number(x)} {svg.number(y)}")
        is_macs = measure is Measure.MACS
        yield svg.path("".join(points), _tone(measure), width=2, dashed=is_macs)


def _tone(measure: Measure) -> Tone:
    return Tone.SERIES_2 if measure is Measure.MACS else Tone.SERIES_1


def _callouts(
    bars: Sequence[_Bar], named: Sequence[int], values: Sequence[float], top: float,
    layers: Sequence[LayerReport], by: Measure, total: Sums,
) -> Iterator[Markup]:  # fmt: skip
    names = called({one.place: layers[one.place] for bar in bars for one in bar.groups})
    wanted = []
    for place in named:
        told = f"{by.text(values[place])}, {share(values[place], by.of(total) or 1.0)}"
        own = bars[place].groups
        name = names[own[0].place].whole
        first = name if len(own) == 1 else f"{name} and {plural(len(own) - 1, 'more layer')}"
        wanted.append(
            Callout(
                _middle(place, len(bars)), _BASE - _PLOT * values[place] / top, safe(first), told
            )
        )
    yield from callouts(wanted, 0, _WIDTH - 1, _TOP - 6)


def _legend(
    by: Measure, series: dict[Measure, list[float]], *, stands_out: bool
) -> tuple[tuple[Tone, str], ...]:
    largest = [(Tone.WARM_2, f"largest {by}")] if stands_out else []
    shown = [*largest, (Tone.BAR, f"{by} of a layer")]
    for measure in series:
        dashed = ", dashed" if measure is Measure.MACS else ""
        shown.append((_tone(measure), f"{measure} so far{dashed}"))
    return tuple(shown)


def _caption(by: Measure, width: int, total: Sums, model: ModelReport) -> str:
    text = f"The {by} of the layers in the order in which they run."
    if width > 1:
        text += f" Each bar is the sum of {width} layers."
    if total.unknown:
        text += f" The MACs of {plural(total.unknown, 'node')} are unknown and not in the sum."
    if by is Measure.PREDICTED and model.predicted and model.predicted.unpredicted:
        text += f" {plural(model.predicted.unpredicted, 'node')} not predicted: dashed."
    elif by is Measure.MACS and total.unknown:
        text += " They are dashed."
    return text
