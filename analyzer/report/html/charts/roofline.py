"""The rates that kernels reach, below what the machine could do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.charts.called import called
from archlint.analyzer.report.html.charts.dots import MOST, SIZE, Area, Dot, beside, drawn, radius
from archlint.analyzer.report.html.charts.kernels import Kernel, measured, predicted
from archlint.analyzer.report.html.charts.scales import Log, Plane, domain
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Figure, path, picture, text, text_width
from archlint.analyzer.report.html.svg import number as pixel
from archlint.analyzer.text import plural, safe

_WIDTH, _HEIGHT = 472, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 456, 30, 334
_LITTLE = 0.25  # of what its roof allows: a kernel that reaches less is told apart
_NAMED = 0.02  # of the time: and has its name if it takes as much,
_TOLD = 3  # or is one of so many that take most; where none is told apart those of all
_HEAD = 1.5  # times above the roof that an axis ends at least, for its name
_SLOPE = 30.0  # times left of the ridge and below the roof that the axes begin at least

_NEAR, _FAR = Tone.SERIES_2, Tone.SERIES_1


@dataclass(frozen=True, slots=True)
class Roofs:
    """GFLOP/s and GB/s that the machine reaches at best."""

    compute: float
    memory: float

    @property
    def ridge(self) -> float:
        """The FLOP a byte at which the two meet."""
        return self.compute / self.memory

    def over(self, intensity: float) -> float:
        """The GFLOP/s that so many FLOP a byte allow."""
        return min(self.compute, intensity * self.memory)


@dataclass(frozen=True, slots=True)
class Point:
    """A kernel by its FLOP a byte, its GFLOP/s and its nanoseconds."""

    kernel: Kernel
    intensity: float
    rate: float
    time: float


def draw(model: ModelReport, ids: Ids) -> Figure | None:
    """FLOP a byte against GFLOP/s; None without a machine's numbers, or kernels with all."""
    if (machine := model.predicted) is None or machine.mac_ns <= 0 or machine.byte_ns <= 0:
        return None
    kernels = measured(model.layers)
    was_measured = bool(kernels)
    kernels = kernels or predicted(model.layers)
    points = _points(kernels)
    if not points:
        return None
    roofs = Roofs(2 / machine.mac_ns, 1 / machine.byte_ns)
    shown = sorted(points, key=lambda point: (-point.time, point.kernel.place))[:MOST]
    plane = _plane(shown, roofs)
    whole = model.kernels.of_layers if model.kernels else sum(point.time for point in points)
    dots = list(_dots(shown, plane, roofs, whole, ids))
    names = _names(plane, roofs, dots)
    marks = (
        plane.grid(),
        _line(plane, roofs),
        *(text(at.left, at.bottom - 3, name, tone=Tone.MUTED, size=SIZE) for name, at in names),
        *drawn(dots, Area(_LEFT + 2, _TOP, _RIGHT, _BOTTOM), [at for _, at in names]),
    )
    svg = picture(_WIDTH, _HEIGHT, *marks, label=_label(shown, roofs, was_measured=was_measured))
    legend = [(_NEAR, "a quarter of its roof or more")]
    if any(_is_far(point, roofs) for point in shown):
        legend.append((_FAR, "less than a quarter"))
    said = [_basis(safe(machine.label), was_measured=was_measured), *_left_out(kernels, points)]
    return Figure(svg, " ".join(said), tuple(legend))


def _points(kernels: Sequence[Kernel]) -> list[Point]:
    """The kernels with a time, of which FLOPs and bytes are known and not nothing."""
    found = []
    for kernel in kernels:
        time = kernel.measured or kernel.predicted
        if time and kernel.cost is not None and kernel.cost.flops and kernel.cost.intensity:
            rate = kernel.cost.flops / time
            found.append(Point(kernel, kernel.cost.intensity, rate, time))
    return found


def _plane(points: Sequence[Point], roofs: Roofs) -> Plane:
    x = domain([*(point.intensity for point in points), roofs.ridge, roofs.ridge / _SLOPE])
    y = domain([*(point.rate for point in points), _HEAD * roofs.compute, roofs.compute / _SLOPE])
    return Plane(Log(*x, _LEFT, _RIGHT), Log(*y, _BOTTOM, _TOP), "FLOP per byte", "GFLOP/s")


def _line(plane: Plane, roofs: Roofs) -> Markup:
    """Both roofs, from where the memory's enters the picture."""
    ends = (f"{pixel(x)} {pixel(y)}" for x, y in _corners(plane, roofs))
    return path(f"M{' L'.join(ends)}", Tone.MUTED, width=1.5)


def _corners(plane: Plane, roofs: Roofs) -> list[tuple[float, float]]:
    """The ends of the roofs, and between them the ridge, in pixels."""
    first = max(plane.x.low, plane.y.low / roofs.memory)
    return [
        (plane.x.at(at), plane.y.at(roofs.over(at))) for at in (first, roofs.ridge, plane.x.high)
    ]


def _names(plane: Plane, roofs: Roofs, dots: Sequence[Dot]) -> list[tuple[str, Area]]:
    """What the roofs are called, and where: above the line, the memory's left of its slope."""
    compute = f"compute roof {_rate(roofs.compute)} GFLOP/s"
    memory = f"memory roof {_rate(roofs.memory)} GB/s"
    begin, ridge, end = _corners(plane, roofs)
    frame = Area(_LEFT + 6, _TOP - SIZE, _RIGHT, _BOTTOM)
    across = beside(ridge, end, text_width(compute, SIZE), frame, dots, is_above=True)
    below = Area(frame.left, across.bottom + SIZE, _RIGHT, _BOTTOM)
    slope = beside(begin, ridge, text_width(memory, SIZE), below, dots, is_above=True)
    return [(compute, across), (memory, slope)]


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _is_far(point: Point, roofs: Roofs) -> bool:
    return point.rate < _LITTLE * roofs.over(point.intensity)


def _dots(
    points: Sequence[Point], plane: Plane, roofs: Roofs, whole: float, ids: Ids
) -> Iterator[Dot]:
    most = max(point.time for point in points)
    names = called({point.kernel.place: point.kernel.lead for point in points})
    far = [point for point in points if _is_far(point, roofs)]
    dearest = {point.kernel.place for point in (far or points)[:_TOLD]}
    for point in points:
        is_far = _is_far(point, roofs)
        is_told = point.kernel.place in dearest or (is_far and point.time >= _NAMED * whole)
        rate = f"{point.rate:,.3g} GFLOP/s at {point.intensity:,.3g} FLOP per byte"
        yield Dot(
            plane.x.at(point.intensity),
            plane.y.at(point.rate),
            radius(point.time, most),
            _FAR if is_far else _NEAR,
            f"{safe(point.kernel.lead.label)}\n{rate}",
            point.kernel.told,
            ids.node(point.kernel.place),
            names[point.kernel.place],
            is_told=is_told,
        )


def _label(points: Sequence[Point], roofs: Roofs, *, was_measured: bool) -> str:
    how = "measured" if was_measured else "predicted"
    return (
        f"Roofline: FLOP per byte and {how} GFLOP/s of {plural(len(points), 'kernel')}; compute "
        f"roof {_rate(roofs.compute)} GFLOP/s, memory roof {_rate(roofs.memory)} GB/s."
    )


def _basis(machine: str, *, was_measured: bool) -> str:
    said = "Rates are those of measured times."
    if not was_measured:
        said = "Nothing was measured: rates are those of predicted times."
    return (
        f"{said} Each dot is a kernel, or several at one place, larger the longer it takes; the "
        f"roofs are those of 32-bit floats on {machine}, and bytes count as if each node wrote its "
        "output to memory."
    )


def _left_out(kernels: Sequence[Kernel], points: Sequence[Point]) -> Iterator[str]:
    """What is not drawn, and why."""
    drawn_ = {point.kernel.place for point in points}
    left = [kernel for kernel in kernels if kernel.place not in drawn_]
    unknown = sum(kernel.cost is None for kernel in left)
    idle = sum(kernel.cost is not None and not kernel.cost.flops for kernel in left)
    for count, why in (
        (len(points) - MOST, "smaller"),
        (idle, "without FLOPs"),
        (unknown, "of unknown cost"),
        (len(left) - idle - unknown, "without a time or bytes"),
    ):
        if count > 0:
            before, after = (f"{why} ", "") if why == "smaller" else ("", f" {why}")
            noun, verb = ("kernel", "is") if count == 1 else ("kernels", "are")
            yield f"{count:,} {before}{noun}{after} {verb} not drawn."
