"""Whether a drawing of a graph can be read: what overlaps in it, and what runs through what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from archlint.analyzer.report.html.layout import Layout, Size

Rectangle = tuple[float, float, float, float]


def rectangles(laid: Layout, sizes: Sequence[Size]) -> list[Rectangle]:
    """Left, top, right and bottom of each box."""
    return [
        (left, top, left + width, top + height)
        for (left, top), (width, height) in zip(laid.corners, sizes, strict=True)
    ]


def overlaps(laid: Layout, sizes: Sequence[Size]) -> list[tuple[int, int]]:
    """The pairs of boxes that cover a common area."""
    boxes = rectangles(laid, sizes)
    return [(a, b) for a, b in combinations(range(len(boxes)), 2) if _meet(boxes[a], boxes[b])]


def pierced(
    laid: Layout, sizes: Sequence[Size], edges: Sequence[tuple[int, int]]
) -> list[tuple[tuple[int, int], int]]:
    """The edges with the boxes that they run through, their own ones left out.

    A curve stays within the rectangle of its ends, as its control points do (Farin 2002, "Curves
    and Surfaces for CAGD", section 4.3: the convex hull property).
    """
    boxes = rectangles(laid, sizes)
    return [
        (edge, box)
        for edge, route in zip(edges, laid.routes, strict=True)
        for (x1, y1), (x2, y2) in pairwise(route)
        for box in range(len(boxes))
        if box not in edge
        and _meet((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), boxes[box])
    ]


def _meet(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
