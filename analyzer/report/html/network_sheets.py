"""A tall drawing in pieces, which are printed one below the other."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from archlint.analyzer.report.html import svg

_LEAST = 130.0  # height of a piece
_WIDE = 1_000.0  # for paper that stands upright
_GAP = 16.0  # between rows that may come apart


def sheets(width: float, height: float, spans: Iterable[tuple[float, float]], whole: str) -> Markup:
    """Pieces of the drawing whose id is ``whole``, cut between rows: no page breaks a box.

    ``spans`` are the upper and the lower sides of what must not be cut.
    """
    pieces, start = [], 0.0
    for cut in _cuts(spans):
        if cut - start >= _LEAST and height - cut >= _LEAST:
            pieces.append((start, cut))
            start = cut
    pieces.append((start, height))
    use = svg.element("use", href=f"#{whole}")
    drawn = [
        svg.element(
            "svg", use, viewBox=f"0 {svg.number(top)} {svg.number(width)} {svg.number(end - top)}",
            width=width, height=end - top,
        )
        for top, end in pieces
    ]  # fmt: skip
    css = "sheets wide" if width > _WIDE else "sheets"
    return svg.element("div", *drawn, class_=css, hidden="")


def _cuts(spans: Iterable[tuple[float, float]]) -> list[float]:
    """The middles of the gaps, from the top."""
    found: list[float] = []
    end: float | None = None
    for top, bottom in sorted(spans):
        if end is not None and top - end >= _GAP:
            found.append((end + top) / 2)
        end = bottom if end is None else max(end, bottom)
    return found
