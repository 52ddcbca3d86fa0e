"""A drawing of flagged nodes as they are, and of what is suggested for them, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from archlint.analyzer.report import FindingReport, ModelReport, ProposalReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.layout import Layout, layout
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.sketch import Box, Kind, Sketch, sketches

WIDTH = 960.0
"""That of a drawing at most."""

_LABEL = 92.0  # the width of what stands before a drawing
_TALLEST = 420.0
_WIDEST = 196.0  # of a box
_NARROWEST = 48.0
_PAD = 12.0
_HEIGHT, _LINE = 24.0, 16.0  # of a box of one line, and what a second line adds
_SIZE, _SMALL = 12.5, 11.5
_BOLD = 1.12  # times the width of other text
_BAR, _BAR_ROOM = 12.0, 540.0
_GAP = 22.0
_HEAT = (Tone.HEAT_1, Tone.HEAT_2, Tone.HEAT_3, Tone.HEAT_4)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A quantity now and then, in a unit."""

    before: int
    after: int
    unit: str


@dataclass(frozen=True, slots=True)
class _Placed:
    """A sketch and where its boxes stand; the layout leads from top to bottom and is drawn from
    left to right, so that its x is our y."""

    sketch: Sketch
    layout: Layout

    @property
    def width(self) -> float:
        return self.layout.height

    @property
    def height(self) -> float:
        return self.layout.width


def draw(model: ModelReport, finding: FindingReport, proposal: ProposalReport) -> Markup:
    """The drawing; empty where it would be too large to be read."""
    found = [_placed(sketch) for sketch in sketches(model, finding, proposal)]
    placed = [one for one in found if one is not None]
    if len(placed) < 2:
        return Markup()
    bar = _bar(proposal)
    rows: list[Markup] = []
    top = 0.0
    for name, one, quantity in zip(
        ("Now", "Suggested"), placed, (bar.before, bar.after), strict=True
    ):
        middle = top + one.height / 2
        rows.append(svg.text(0, middle + 4, name, bold=True, size=13))
        rows.append(svg.group(_graph(one, bar), x=_LABEL, y=top))
        top += one.height + 10
        rows.append(svg.group(_quantity(one.sketch, bar, quantity), x=_LABEL, y=top))
        top += _BAR + _GAP
    width = _LABEL + max(_BAR_ROOM + 300, *(one.width for one in placed))
    label = f"Now {_numbers(bar.before, bar)}, suggested {_numbers(bar.after, bar)}"
    return svg.picture(width, top - _GAP + 6, *rows, label=label)


def _placed(sketch: Sketch) -> _Placed | None:
    """The sketch with its layout, shortened until it fits; None where it never does."""
    count = sum(box.kind is Kind.OPERATOR for box in sketch.boxes)
    for kept in (None, *range(min(count - 1, 12), 0, -1)):
        shown = sketch if kept is None else sketch.shortened(kept)
        if len(shown.boxes) > 60:
            continue
        sizes = [_size(box) for box in shown.boxes]
        placed = _Placed(shown, layout([(height, width) for width, height in sizes], shown.edges))
        if placed.width <= WIDTH - _LABEL and placed.height <= _TALLEST:
            return placed
    return None


def _size(box: Box) -> tuple[float, float]:
    """Width and height; all heights are equal so that chains look like chains."""
    wide = max(
        svg.text_width(box.text, _SIZE, bold=True), svg.text_width(box.detail, _SMALL), _NARROWEST
    )
    return min(round(wide) + _PAD, _WIDEST), _HEIGHT + _LINE


def _graph(placed: _Placed, bar: _Bar) -> Markup:
    marks = [_edge(route) for route in placed.layout.routes]
    for box, (top, left) in zip(placed.sketch.boxes, placed.layout.corners, strict=True):
        marks.append(_box(box, left, top, bar))
    return svg.group(*marks)


def _box(box: Box, left: float, top: float, bar: _Bar) -> Markup:
    width, height = _size(box)
    tone = _tone(box, bar)
    radius = height / 2 if box.kind is Kind.VALUE else 4
    shape = svg.rect(left, top, width, height, tone, title=_title(box), radius=radius)
    middle, base = left + width / 2, top + height / 2 + (-3 if box.detail else 4)
    texts = [_line(box.text, width, middle, base, tone, is_first=True)]
    if box.detail:
        texts.append(_line(box.detail, width, middle, base + _LINE, tone))
    return svg.group(shape, *texts)


def _line(
    text: str, width: float, x: float, y: float, tone: Tone, *, is_first: bool = False
) -> Markup:
    size = _SIZE if is_first else _SMALL
    shown = svg.fitted(text, (width - 6) / (_BOLD if is_first else 1), size)
    return svg.text(x, y, shown, on=tone, size=size, anchor="middle", bold=is_first)


def _title(box: Box) -> str:
    told = " ".join(filter(None, (box.text, box.detail)))
    if box.kind in {Kind.VALUE, Kind.NOTHING}:
        return told
    return f"{told}: unknown MACs" if box.macs is None else f"{told}: {box.macs:,} MACs"


def _tone(box: Box, bar: _Bar) -> Tone:
    """Deep where much of the MACs is."""
    most = max(bar.before, bar.after)
    if not box.macs or bar.unit != "MACs" or not most:
        return Tone.EVEN
    return _HEAT[min(3, round(3 * box.macs / most))]


def _edge(route: Sequence[tuple[float, float]]) -> Markup:
    """A line with a head, in curves where it changes its height."""
    points = [(x, y) for y, x in route]
    (x, y), (end, last) = points[0], points[-1]
    commands = [_command("M", x, y)]
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (x1 + x2) / 2
        level = y1 == y2
        commands.append(
            _command("L", x2, y2) if level else _command("C", middle, y1, middle, y2, x2, y2)
        )
    tip = (_command("M", end - 7, last - 4), _command("L", end, last, end - 7, last + 4), "Z")
    line = svg.path("".join(commands), Tone.MUTED, width=1.4)
    return svg.group(line, svg.path("".join(tip), Tone.MUTED, fill=True))


def _command(letter: str, *numbers: float) -> str:
    return letter + " ".join(map(svg.number, numbers))


def _bar(proposal: ProposalReport) -> _Bar:
    """What following the proposal changes: MACs, or else bytes, other operations, parameters."""
    old, new = proposal.before, proposal.after
    for before, after, unit in (
        (old.macs, new.macs, "MACs"),
        (old.bytes, new.bytes, "bytes moved"),
        (old.ops, new.ops, "other operations"),
        (proposal.parameters_before, proposal.parameters_after, "parameters"),
    ):
        if after < before or (unit == "MACs" and after != before):
            return _Bar(before, after, unit)
    return _Bar(old.macs, new.macs, "MACs")


def _quantity(sketch: Sketch, bar: _Bar, quantity: int) -> Markup:
    """The bar of one side, in the colours of its boxes where it counts MACs."""
    most = max(bar.before, bar.after, 1)
    scale = _BAR_ROOM / most
    parts = [(box, box.macs) for box in sketch.boxes if box.macs] if bar.unit == "MACs" else []
    marks, x = [], 0.0
    if sum(macs for _, macs in parts) == quantity:
        for box, macs in parts:
            width = macs * scale
            marks.append(
                svg.rect(x, 0, max(width - 1, 0.5), _BAR, _tone(box, bar), title=_title(box))
            )
            x += width
    elif quantity:
        x = max(quantity * scale, 1)
        marks.append(svg.rect(0, 0, x, _BAR, Tone.SERIES_1))
    told = _numbers(quantity, bar)
    marks.append(svg.text(x + 8, _BAR - 1, told, size=13, bold=True))
    if quantity == bar.after and (ratio := _ratio(bar)):
        tone = Tone.GOOD if bar.after < bar.before else Tone.BAD
        at = x + 8 + svg.text_width(told, 13, bold=True) + 14
        marks.append(svg.text(at, _BAR - 1, ratio, size=13, tone=tone))
    return svg.group(*marks)


def _numbers(quantity: int, bar: _Bar) -> str:
    return f"{quantity:,} {bar.unit}"


def _ratio(bar: _Bar) -> str:
    """``9.7× fewer``."""
    if bar.before == bar.after:
        return ""
    if not bar.after or not bar.before:
        return "none left" if not bar.after else ""
    low, high = sorted((bar.before, bar.after))
    return f"{high / low:.1f}× {'fewer' if bar.after < bar.before else 'more'}"
