"""Dots of a picture, and labels that cover neither dots nor each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import hypot, sqrt

from markupsafe import Markup

from archlint.analyzer.report.html.charts.called import Called
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Mark, circle, fitted, gathered, text, text_width

MOST = 400
"""Dots of a picture."""

SIZE = 11
"""The size of a label's text."""

_LEAST, _LARGEST = 2.5, 8.0  # pixels of a radius
_WIDEST = 190  # pixels of a label
_GAP = 4
_STEPS = 24  # places along a line that its name may have
_OPACITY = 0.8  # so that dots behind others are seen


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of a picture."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area) -> bool:
        """Whether they share more than an edge."""
        return (
            self.left < other.right and other.left < self.right
            and self.top < other.bottom and other.top < self.bottom
        )  # fmt: skip

    def holds(self, other: Area) -> bool:
        """Whether the other lies within it."""
        return (
            self.left <= other.left and other.right <= self.right
            and self.top <= other.top and other.bottom <= self.bottom
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dot:
    """A dot; one that ``is_told`` is named where there is room, ``gap`` from it."""

    x: float
    y: float
    radius: float
    tone: Tone
    title: str
    more: str
    href: str
    called: Called
    is_told: bool = False
    gap: float = _GAP

    @property
    def area(self) -> Area:
        """What it covers."""
        return Area(
            self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius
        )

    def draw(self, hidden: int) -> Mark:
        """The dot, with a rim that parts it from those behind it; it covers some wholly."""
        title = f"{self.title}\nand {hidden:,} more here" if hidden else self.title
        return circle(
            self.x, self.y, self.radius, self.tone, title=title, more=self.more,
            href=self.href, ring=Tone.RAISED, opacity=_OPACITY,
        )  # fmt: skip


def radius(part: float, whole: float) -> float:
    """A radius whose disc grows with a share, in readable bounds."""
    share = part / whole if whole else 0.0
    return _LEAST + (_LARGEST - _LEAST) * sqrt(share)


def drawn(dots: Iterable[Dot], frame: Area, taken: Iterable[Area] = ()) -> Iterator[Markup]:
    """The dots, those of the tone that comes last in front, and of these the small ones; and their
    labels within the frame, off what is taken."""
    listed = list(dots)
    order = list(dict.fromkeys(dot.tone for dot in listed))
    shown: dict[tuple[int, ...], list[Dot]] = {}
    for dot in sorted(listed, key=lambda dot: (order.index(dot.tone), -dot.radius)):
        seen = tuple(map(round, (2 * dot.x, 2 * dot.y, 2 * dot.radius)))
        shown.setdefault(seen, []).append(dot)
    yield gathered(own[0].draw(len(own) - 1) for own in shown.values())
    texts = named(listed, frame, taken)
    yield gathered(text(area.left, area.bottom - 3, name, size=SIZE) for name, area in texts)


def named(
    dots: Iterable[Dot], frame: Area, taken: Iterable[Area] = ()
) -> Iterator[tuple[str, Area]]:
    """The labels of those that are told, in their order, each where it first has room; dots at one
    place have one."""
    listed = list(dots)
    kept = [*taken, *(dot.area for dot in listed)]
    for own in _together([dot for dot in listed if dot.is_told]):
        widest = max(own, key=lambda dot: dot.radius)
        name = fitted(_names(own, listed), _WIDEST, SIZE)
        for area in _around(widest, text_width(name, SIZE)) if name else ():
            if frame.holds(area) and not any(map(area.overlaps, kept)):
                kept.append(area)
                yield name, area
                break


def _together(dots: Sequence[Dot]) -> list[list[Dot]]:
    """The dots, with those whose middles lie within the first of them."""
    found: list[list[Dot]] = []
    for dot in dots:
        for own in found:
            if _is_at(own[0], dot):
                own.append(dot)
                break
        else:
            found.append([dot])
    return found


def _is_at(first: Dot, other: Dot) -> bool:
    return hypot(first.x - other.x, first.y - other.y) <= first.radius


def _names(told: Sequence[Dot], dots: Iterable[Dot]) -> str:
    """``2 × LRN, block3 pool``: the names of those that are told, and how many dots there have
    each."""
    counts = Counter(dot.called.name for dot in dots if _is_at(told[0], dot))
    names = {dot.called.name: dot.called.whole for dot in told}
    return ", ".join(f"{counts[n]} × {n}" if counts[n] > 1 else whole for n, whole in names.items())


def beside(
    begin: tuple[float, float], end: tuple[float, float], width: float, frame: Area,
    dots: Iterable[Dot], *, is_above: bool,
) -> Area:  # fmt: skip
    """Where the name of a rising line covers no dot, as near the line and its end as can be."""
    covered = [dot.area for dot in dots]
    found = []
    for away, step in product((0, SIZE, 2 * SIZE), range(1, _STEPS)):
        share = 1 - step / _STEPS
        x = begin[0] + share * (end[0] - begin[0])
        y = begin[1] + share * (end[1] - begin[1])
        left, top = (x - width - 6, y - SIZE - 4 - away) if is_above else (x + 6, y + 2 + away)
        area = Area(left, top, left + width, top + SIZE + 2)
        if frame.holds(area):
            found.append(area)
    free = (area for area in found if not any(map(area.overlaps, covered)))
    corner = Area(frame.left, frame.top, frame.left + width, frame.top + SIZE + 2)
    return next(free, found[0] if found else corner)


def _around(dot: Dot, width: float) -> Iterator[Area]:
    """Where a label may stand, the best place first: beside its dot, above, below, farther."""
    half = (SIZE + 2) / 2
    out = dot.radius + dot.gap
    for x, y in (
        (out, -half), (-out - width, -half), (-width / 2, -out - 2 * half), (-width / 2, out),
        (out, -out - half), (out, out - half), (-out - width, -out - half),
        (-out - width, out - half), (out, -2 * out - half), (-out - width, 2 * out - half),
    ):  # fmt: skip
        left, top = dot.x + x, dot.y + y
        yield Area(left, top, left + width, top + 2 * half)
