"""The marks of a drawing of a network: boxes, the ends of the network, tags at corners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layout import Point
from archlint.analyzer.report.html.network_boxes import CARD, DETAIL_SIZE, NAME_SIZE, Drawn
from archlint.analyzer.report.html.network_values import Pill
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Mark

PILL_HEIGHT = 24.0
"""That of the ends of a drawing."""

_PILL_PAD, _WIDEST_PILL = 22, 320
_TAG_SIZE = 10.5
_BOLD = 1.12  # times as wide as usual letters


def marks(shown: Sequence[Drawn], corners: Sequence[Point], ids: Ids) -> Markup:
    """The boxes, each a link to the row of its first layer, with their texts and tags on them."""
    placed = list(zip(shown, corners, strict=True))
    below = (card for one, corner in placed for card in _cards(one, *corner))
    boxes = (_box(one, *corner, f"#{ids.node(one.place)}") for one, corner in placed)
    above = chain.from_iterable(_texts(one, *corner) for one, corner in placed)
    tags = (tag for one, corner in placed for tag in _tags(one, *corner))
    return Markup().join([*below, *_in_order(boxes), svg.gathered(above), *tags])


def pills(shown: Sequence[Pill], corners: Sequence[Point]) -> Markup:
    """The inputs and the outputs of the model."""
    placed = list(zip(shown, corners, strict=True))
    radius = PILL_HEIGHT / 2
    ends = [
        svg.rect(
            left, top, pill_width(one), PILL_HEIGHT, Tone.SURFACE,
            title=one.title, radius=radius, ring=Tone.MUTED,
        )
        for one, (left, top) in placed
    ]  # fmt: skip
    texts = [
        svg.text(
            left + pill_width(one) / 2, top + 16,
            svg.fitted(one.text, pill_width(one) - 16, DETAIL_SIZE),
            size=DETAIL_SIZE, anchor="middle",
        )
        for one, (left, top) in placed
    ]  # fmt: skip
    return svg.gathered(ends) + svg.gathered(texts)


def pill_width(one: Pill) -> float:
    """Enough for its text, an even number."""
    return min(2 * round((svg.text_width(one.text, DETAIL_SIZE) + _PILL_PAD) / 2), _WIDEST_PILL)


def _in_order(marks: Iterable[Mark]) -> Iterator[Markup]:
    """The marks, those of one look that follow each other as a group."""
    for _, alike in groupby(marks, key=lambda mark: mark.look):
        yield svg.gathered(alike)


def _box(one: Drawn, left: float, top: float, href: str) -> Mark:
    ring = Tone.BASE if one.is_low else Tone.RAISED if one.cards else None
    return svg.rect(
        left, top, one.width, one.body, one.tone,
        title=one.title, href=href.removeprefix("#"), radius=_radius(one), ring=ring,
    )  # fmt: skip


def _radius(one: Drawn) -> float:
    return one.body / 2 if one.is_low else 4.0


def _cards(one: Drawn, left: float, top: float) -> Iterator[Markup]:
    """What a stack has below its first card."""
    for step in range(one.cards, 0, -1):
        width, down = one.width - 2 * CARD * step, top + one.body - 8 + CARD * step
        yield svg.rect(left + CARD * step, down, width, 8, one.tone, radius=3, ring=Tone.RAISED)


def _texts(one: Drawn, left: float, top: float) -> Iterator[Mark]:
    middle, room = left + one.width / 2, one.width - 8
    first = top + (one.body / 2 + 4 if one.is_low else 17)
    for at, text in enumerate(one.lines):
        is_name = at == 0
        size = DETAIL_SIZE if at else NAME_SIZE
        fitted = svg.fitted(text, room / (_BOLD if is_name else 1), size)
        yield svg.text(
            middle, first + 15 * at, fitted, on=one.tone, size=size, anchor="middle", bold=is_name
        )
    if one.is_vague:
        yield svg.frame(
            left, top, one.width, one.body, Tone.MUTED, dashed=True, radius=_radius(one)
        )


def _tags(drawn: Drawn, left: float, top: float) -> Iterator[Markup]:
    """Findings at the right corner, what is new at the left one."""
    for tag in drawn.tags:
        wide = round(svg.text_width(tag.text, _TAG_SIZE)) + 22
        x = left - 6 if tag.is_left else left + drawn.width + 6 - wide
        yield svg.rect(x, top - 9, wide, 16, Tone.SURFACE, radius=8, ring=tag.tone)
        yield svg.group(svg.path(tag.shape, tag.tone, fill=True), x=x + 9, y=top - 1)
        yield svg.text(x + 15, top + 3, tag.text, size=_TAG_SIZE)
