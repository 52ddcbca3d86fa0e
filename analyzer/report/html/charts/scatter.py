"""Predicted against measured times, kernel by kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.charts.called import called
from archlint.analyzer.report.html.charts.dots import MOST, SIZE, Area, Dot, beside, drawn, radius
from archlint.analyzer.report.html.charts.kernels import Kernel, measured
from archlint.analyzer.report.html.charts.scales import Log, Plane, domain
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Figure, line, picture, text, text_width
from archlint.analyzer.text import plural, safe

_WIDTH, _HEIGHT = 472, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 456, 30, 334
_RUG = 26  # pixels for the kernels without a prediction
_FACTOR = 2.0  # by which a prediction is off that is called wrong
_NAMED = 0.02  # of the time: a kernel that is farther off and takes as much is named,
_TOLD = 3  # and so many that are off by the most
_NS = 1e6  # nanoseconds of a millisecond
_LONG = 0.05  # milliseconds: kernels that take more are counted
_OPERATORS = 3  # that a sentence names

_CLOSE, _OFF, _UNKNOWN = Tone.SERIES_2, Tone.SERIES_1, Tone.BAR


def draw(model: ModelReport, ids: Ids) -> Figure | None:
    """Predicted against measured milliseconds; None where nothing was measured or predicted."""
    kernels = measured(model.layers)
    if not any(kernel.predicted for kernel in kernels):
        return None
    shown = sorted(kernels, key=lambda kernel: (-_time(kernel), kernel.place))[:MOST]
    plane, rug = _plane(shown)
    whole = _whole(model, kernels)
    dots = list(_dots(shown, plane, rug, whole, ids))
    factors = list(_factors(plane, dots))
    frame = Area(plane.x.start + 2, _TOP, _RIGHT, _BOTTOM)
    marks = (
        plane.grid(),
        *_edge(shown, rug),
        line(plane.x.start, plane.y.start, plane.x.end, plane.y.end, Tone.MUTED),
        *(mark for mark, _ in factors),
        *drawn(dots, frame, [area for _, areas in factors for area in areas]),
    )
    label = "Predicted against measured milliseconds of each kernel. " + coverage(model)
    svg = picture(_WIDTH, _HEIGHT, *marks, label=label)
    return Figure(svg, _caption(model, len(kernels) - len(shown)), tuple(_legend(kernels)))


def coverage(model: ModelReport) -> str:
    """How many kernels were predicted well, and what was not predicted."""
    kernels = measured(model.layers)
    if not any(kernel.predicted for kernel in kernels):
        return ""
    long = [kernel for kernel in kernels if _time(kernel) > _LONG * _NS]
    counted = long or kernels
    close = sum(map(_is_close, counted))
    which = f" that take more than {_LONG:g} ms" if long else ""
    said = f"{_of(close, len(counted), which)} predicted within a factor of two."
    whole = _whole(model, kernels)
    unknown = [kernel for kernel in kernels if kernel.predicted is None]
    fused = [kernel for kernel in kernels if kernel.predicted == 0]
    others = (
        _others(unknown, "not predicted", whole),
        _others(fused, "predicted to be fused or removed", whole),
    )
    return " ".join([said, *filter(None, others)])


def _others(kernels: Sequence[Kernel], what: str, whole: float) -> str:
    """Kernels of which no time was predicted, and what they take."""
    if not kernels:
        return ""
    were, they = ("was", "it takes") if len(kernels) == 1 else ("were", "they take")
    share = 100 * sum(map(_time, kernels)) / whole
    return (
        f"{plural(len(kernels), 'kernel')} {were} {what} ({_operators(kernels)}): "
        f"{they} {share:.1f} % of the measured time."
    )


def _of(close: int, count: int, which: str) -> str:
    if count == 1:
        return f"The one kernel{which.replace('take', 'takes')} was{'' if close else ' not'}"
    if close == count:
        return f"All {count:,} kernels{which} were"
    some = f"{close:,}" if close else "None"
    return f"{some} of the {count:,} kernels{which} {'was' if close == 1 else 'were'}"


def _operators(kernels: Sequence[Kernel]) -> str:
    """Operators of kernels, the slowest first."""
    slow = sorted(kernels, key=lambda kernel: (-_time(kernel), kernel.place))
    found = list(dict.fromkeys(safe(kernel.lead.operator, 40) for kernel in slow))
    more = ["…"] if len(found) > _OPERATORS else []
    return ", ".join([*islice(found, _OPERATORS), *more])


def _time(kernel: Kernel) -> float:
    return kernel.measured or 0.0


def _whole(model: ModelReport, kernels: Sequence[Kernel]) -> float:
    """The measured time of a run in nanoseconds."""
    return model.kernels.of_layers if model.kernels is not None else sum(map(_time, kernels))


def _is_close(kernel: Kernel) -> bool:
    if not kernel.predicted:
        return False
    ratio = _time(kernel) / kernel.predicted
    return 1 / _FACTOR <= ratio <= _FACTOR


def _error(kernel: Kernel) -> float:
    """By how many nanoseconds its prediction is off."""
    return abs(_time(kernel) - (kernel.predicted or 0.0))


def _tone(kernel: Kernel) -> Tone:
    if kernel.predicted is None:
        return _UNKNOWN
    return _CLOSE if _is_close(kernel) else _OFF


def _plane(kernels: Sequence[Kernel]) -> tuple[Plane, float | None]:
    """Axes of one domain; and the middle of the rug, where one is needed."""
    has_rug = any(not kernel.predicted for kernel in kernels)
    times = [time / _NS for k in kernels for time in (k.measured, k.predicted) if time]
    low, high = domain(times)
    left = _LEFT + (_RUG if has_rug else 0)
    plane = Plane(
        Log(low, high, left, _RIGHT), Log(low, high, _BOTTOM, _TOP), "predicted ms",
        "measured ms", left - _LEFT,
    )  # fmt: skip
    return plane, _LEFT + _RUG / 2 if has_rug else None


def _dots(
    kernels: Sequence[Kernel], plane: Plane, rug: float | None, whole: float, ids: Ids
) -> Iterator[Dot]:
    most = max(kernel.macs or 0 for kernel in kernels)
    wrong = sorted((kernel for kernel in kernels if _tone(kernel) != _CLOSE), key=_error)
    names = called({kernel.place: kernel.lead for kernel in kernels})
    worst = {kernel.place for kernel in wrong[-_TOLD:]}
    for kernel in kernels:
        x = plane.x.at(kernel.predicted / _NS) if kernel.predicted else rug or 0.0
        tone = _tone(kernel)
        is_long = tone != _CLOSE and _time(kernel) >= _NAMED * whole
        dot = Dot(
            x,
            plane.y.at(_time(kernel) / _NS),
            radius(kernel.macs or 0, most),
            tone,
            safe(kernel.lead.label),
            kernel.told,
            ids.node(kernel.place),
            names[kernel.place],
            is_told=is_long or kernel.place in worst,
        )
        yield dot if kernel.predicted else replace(dot, gap=plane.x.start + 6 - x - dot.radius)


def _factors(plane: Plane, dots: Sequence[Dot]) -> Iterator[tuple[Markup, tuple[Area, ...]]]:
    """The dashed lines of predictions that are twice too short or too long, each with its name."""
    x, y = plane.x, plane.y
    for factor, name in ((_FACTOR, "2× slower"), (1 / _FACTOR, "2× faster")):
        begin, end = max(x.low, x.low / factor), min(x.high, x.high / factor)
        x1, y1, x2, y2 = x.at(begin), y.at(begin * factor), x.at(end), y.at(end * factor)
        yield line(x1, y1, x2, y2, Tone.MUTED, dashed=True), ()
        frame = Area(x.start, _TOP, _RIGHT, _BOTTOM)
        width = text_width(name, SIZE)
        at = beside((x1, y1), (x2, y2), width, frame, dots, is_above=factor > 1)
        yield text(at.left, at.bottom - 3, name, tone=Tone.MUTED, size=SIZE), (at,)


def _edge(kernels: Sequence[Kernel], rug: float | None) -> Iterator[Markup]:
    """The edge where the kernels stand of which no time is predicted."""
    if rug is None:
        return
    are_unknown = all(kernel.predicted is None for kernel in kernels if not kernel.predicted)
    name = "not predicted" if are_unknown else "no time predicted"
    yield line(_LEFT + _RUG, _TOP, _LEFT + _RUG, _BOTTOM, Tone.BAR)
    yield line(rug, _BOTTOM + 2, rug, _BOTTOM + 22, Tone.BAR)
    yield text(_LEFT, _BOTTOM + 34, name, tone=Tone.MUTED)


def _legend(kernels: Sequence[Kernel]) -> Iterator[tuple[Tone, str]]:
    yield _CLOSE, "within a factor of two"
    tones = set(map(_tone, kernels))
    if _OFF in tones:
        yield _OFF, "farther off"
    if _UNKNOWN in tones:
        yield _UNKNOWN, "not predicted"


def _caption(model: ModelReport, left_out: int) -> str:
    dots = "Each dot is a kernel, or several at one place, larger the more MACs it has"
    said = [f"{dots}; on the line it takes its prediction."]
    if left_out:
        verb = "is" if left_out == 1 else "are"
        said.append(f"{left_out:,} smaller {'kernel' if left_out == 1 else 'kernels'} {verb} "
                    "not drawn.")  # fmt: skip
    if model.kernels is not None and model.kernels.disturbed:
        said.append("The machine was busy while it was measured.")
    return " ".join(said)
