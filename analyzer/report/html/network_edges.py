"""The edges of a drawing as two marks: all lines, and all heads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.layout import Point
from archlint.analyzer.report.html.palette import Tone

_HEAD = 5  # pixels that a head is long, and wide


def edges(routes: Sequence[Sequence[Point]]) -> Markup:
    """All routes; what several share is drawn once."""
    if not routes:
        return Markup()
    return svg.path(_lines(routes), Tone.MUTED, width=1.2) + svg.path(
        _heads(route[-1] for route in routes), Tone.MUTED, fill=True
    )


def _lines(routes: Iterable[Sequence[Point]]) -> str:
    drawn: set[tuple[Point, Point]] = set()
    commands: list[str] = []
    pen: Point | None = None
    for route in routes:
        for start, end in pairwise(route):
            if (start, end) in drawn:
                continue
            drawn.add((start, end))
            if pen != start:
                commands.append(f"M{_at(start)}")
            commands.append(_line(start, end))
            pen = end
    return "".join(commands)


def _line(start: Point, end: Point) -> str:
    if start[0] == end[0]:
        return f"V{end[1]:g}"
    middle = (start[1] + end[1]) / 2
    return f"C{start[0]:g} {middle:g} {end[0]:g} {middle:g} {_at(end)}"


def _heads(ends: Iterable[Point]) -> str:
    half = _HEAD / 2
    distinct = dict.fromkeys(ends)
    return "".join(f"M{_at((x, y))}l{-half:g} {-_HEAD}h{_HEAD}z" for x, y in distinct)


def _at(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"
