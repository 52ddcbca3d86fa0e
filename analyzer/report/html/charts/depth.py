"""The cost along a network: a bar for each layer in its order, and what has come together so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
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
from archlint.analyzer.report.html.charts.steps import ticks
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layer_names import heading
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Sums, parts
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import plural, safe

_MOST = 300  # bars
_NAMED = 3  # of them
_WIDTH, _LEFT, _RIGHT = 960.0, 64.0, 48.0
_TOP, _PLOT, _BELOW = 62.0, 200.0, 26.0
_BASE = _TOP + _PLOT
_ROOM = _WIDTH - _LEFT - _RIGHT
_SIZE = 11.0


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
    ranked = sorted(range(len(bars)), key=lambda place: -values[place])[:_NAMED]
    named = {place for place in ranked if values[place]}
    total = whole(model.layers)
    marks = [*_grid(steps, by)]
    for place, bar in enumerate(bars):
        high = _PLOT * values[place] / top
        if high:
            tooltip = _tooltip(bar, model.layers, total)
            href = ids.node(bar.groups[0].place) if len(bar.groups) == 1 else ""
            tone = Tone.WARM_2 if place in named else Tone.NEUTRAL
            x, wide = _span(place, len(bars))
            marks.append(svg.rect(x, _BASE - high, wide, high, tone, title=tooltip, href=href))
    series = _series(bars, by, there)
    marks += _lines(series, len(bars))
    marks += _callouts(bars, sorted(named), values, top, model.layers, by, total)
    marks += _bands(model.layers, found, width, len(bars))
    marks += _direct(series, values, top)
    label = f"{by} along {plural(len(found), 'layer')}"
    image = svg.picture(_WIDTH, _BASE + _BELOW, *marks, label=label)
    return svg.Figure(image, _caption(by, width, total, model), _legend(by, series))


def _bar(own: Sequence[Group]) -> _Bar:
    return _Bar(tuple(own), together([group.sums for group in own]))


def _span(place: int, count: int) -> tuple[float, float]:
    """The left end of a bar, and its width."""
    wide = _ROOM / count
    gap = min(0.2 * wide, 2.0)
    return _LEFT + place * wide + gap / 2, min(wide - gap, 40.0)


def _middle(place: int, count: int) -> float:
    x, wide = _span(place, count)
    return x + wide / 2


def _grid(steps: Sequence[float], by: Measure) -> Iterator[Markup]:
    """Lines at round numbers, with the unit; and the share of the lines, at the right."""
    for step in steps:
        y = _BASE - _PLOT * step / steps[-1]
        yield svg.line(_LEFT, y, _WIDTH - _RIGHT, y, Tone.FAINT)
        text = by.round(step, steps[-1])
        yield svg.text(_LEFT - 8, y + 4, text, tone=Tone.MUTED, size=_SIZE, anchor="end")
    for percents in (0, 50, 100):
        y = _BASE - _PLOT * percents / 100
        x = _WIDTH - _RIGHT
        yield svg.line(x, y, x + 4, y, Tone.NEUTRAL)
        yield svg.text(x + 8, y + 4, f"{percents} %", tone=Tone.MUTED, size=_SIZE)


def _tooltip(bar: _Bar, layers: Sequence[LayerReport], total: Sums) -> str:
    first, last = (layers[bar.groups[end].place] for end in (0, -1))
    if first is last:
        return "\n".join([safe(first.label), safe(first.described), *numbers(bar.sums, total)])
    names = f"{safe(first.label)} … {safe(last.label)}"
    return "\n".join([names, plural(len(bar.groups), "layer"), *numbers(bar.sums, total)])


def _series(
    bars: Sequence[_Bar], by: Measure, there: Sequence[Measure]
) -> dict[Measure, list[float]]:
    """What has come together at the end of each bar, from 0 to 1."""
    found = {}
    for measure in dict.fromkeys((by, Measure.MACS)):
        if measure in there:
            sums = list(accumulate(measure.of(bar.sums) or 0.0 for bar in bars))
            found[measure] = [value / sums[-1] for value in sums]
    return found


def _lines(series: dict[Measure, list[float]], count: int) -> Iterator[Markup]:
    for measure, shares in series.items():
        points = [f"M{svg.number(_LEFT)} {svg.number(_BASE)}"]
        for place, value in enumerate(shares, 1):
            x, y = _LEFT + _ROOM * place / count, _BASE - _PLOT * value
            points.append(f"L{svg.number(x)} {svg.number(y)}")
        is_macs = measure is Measure.MACS
        yield svg.path("".join(points), _tone(measure), width=2, dashed=is_macs)


def _tone(measure: Measure) -> Tone:
    return Tone.SERIES_2 if measure is Measure.MACS else Tone.SERIES_1


def _callouts(
    bars: Sequence[_Bar], named: Sequence[int], values: Sequence[float], top: float,
    layers: Sequence[LayerReport], by: Measure, total: Sums,
) -> Iterator[Markup]:  # fmt: skip
    wanted = []
    for place in named:
        told = f"{by.text(values[place])}, {share(values[place], by.of(total) or 1.0)}"
        own = bars[place].groups
        name, what = heading(layers[own[0].place])
        first = name if len(own) == 1 else f"{name} and {plural(len(own) - 1, 'more layer')}"
        del what
        wanted.append(
            Callout(
                _middle(place, len(bars)), _BASE - _PLOT * values[place] / top, safe(first), told
            )
        )
    yield from callouts(wanted, 0, _WIDTH, _TOP - 6)


def _bands(
    layers: Sequence[LayerReport], found: Sequence[Group], width: int, count: int
) -> Iterator[Markup]:
    """The names of the parts below their bars, where these stand together and it fits."""
    at = {group.place: number // width for number, group in enumerate(found)}
    spans = []
    for part in parts(layers):
        own = [at[place] for place in part.places if place in at]
        if own:
            spans.append((min(own), max(own) + 1, safe(part.name)))
    for first, end, name in spans:
        if any(first < last and start < end for start, last, other in spans if other != name):
            continue
        left, right = (_LEFT + _ROOM * place / count for place in (first, end))
        yield svg.line(left + 1, _BASE + 5, right - 1, _BASE + 5, Tone.NEUTRAL)
        if svg.text_width(name, _SIZE) <= right - left - 4:
            x = (left + right) / 2
            yield svg.text(
                x, _BASE + 19, name, tone=Tone.MUTED, size=_SIZE, anchor="middle"
            )


def _direct(
    series: dict[Measure, list[float]], values: Sequence[float], top: float
) -> Iterator[Markup]:
    """The name of each line, beside it, where it is clear of the other and of the bars."""
    if len(series) < 2:
        return
    one, other = series.values()
    count = len(values)
    bars = [value / top for value in values]
    for measure, shares in series.items():
        text = f"{measure} so far"
        wide = svg.text_width(text, _SIZE) + 8
        other = next(own for key, own in series.items() if key is not measure)
        best = _clear(shares, other, bars, wide * count / _ROOM)
        if best is not None:
            first, y = best
            x = _LEFT + _ROOM * first / count + 4
            yield svg.text(x, _BASE - _PLOT * y, text, tone=_tone(measure), size=_SIZE)


def _clear(
    shares: Sequence[float], other: Sequence[float], bars: Sequence[float], wide: float
) -> tuple[int, float] | None:
    """The first bar and the height of the baseline of a text on the free side of a line."""
    high, gap = 13 / _PLOT, 5 / _PLOT
    span = ceil(wide) + 1
    for first in range(1, len(bars) - span):
        own, its = shares[first - 1 : first + span], other[first - 1 : first + span]
        above, below = max(own) + gap, min(own) - gap - 0.7 * high
        most = max(bars[first - 1 : first + span])
        if above + high < min(1.0, min(its)) or (above > max(its) and above + high < 1):
            if above > most and min(abs(a - b) for a, b in zip(own, its, strict=True)) > high:
                return first, above
        if below > max([most, *its, 0]) and min(own) - max(its) > high:
            return first, below
    return None


def _legend(
    by: Measure, series: dict[Measure, list[float]]
) -> tuple[tuple[Tone, str], ...]:
    shown = [(Tone.WARM_2, f"largest {by}"), (Tone.NEUTRAL, f"{by} of a layer")]
    for measure in series:
        dashed = ", dashed" if measure is Measure.MACS else ""
        shown.append((_tone(measure), f"{measure} so far{dashed}, right axis"))
    return tuple(shown)


def _caption(by: Measure, width: int, total: Sums, model: ModelReport) -> str:
    text = f"The {by} of the layers in the order in which they run."
    if width > 1:
        text += f" Each bar is the sum of {width} layers."
    if total.unknown:
        text += f" {plural(total.unknown, 'node')} of unknown cost add nothing to the MACs."
    if by is Measure.PREDICTED and model.predicted and model.predicted.unpredicted:
        text += f" {plural(model.predicted.unpredicted, 'node')} not predicted add nothing."
    return text
