"""The marks of a drawing of a network: boxes, the ends of the network, tags at corners."""

from __future__ import annotations

from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.network_boxes import DETAIL_SIZE, NAME_SIZE, Drawn
from archlint.analyzer.report.html.network_values import Pill
from archlint.analyzer.report.html.palette import Tone

PILL_HEIGHT = 24.0
"""That of the ends of a drawing."""

_PILL_PAD, _WIDEST_PILL = 22, 320
_TAG_SIZE = 10.5
_BOLD = 1.12  # times as wide as usual letters


def mark(drawn: Drawn, ids: Ids, left: float, top: float) -> Markup:
    """The box with its text, as one link to the row of its first layer."""
    width, height = drawn.width, drawn.height
    middle, room = left + width / 2, width - 8
    lines = [(drawn.name, NAME_SIZE, True), (drawn.detail, DETAIL_SIZE, False)]
    first = top + (17 if drawn.detail else height / 2 + 4)
    texts = [
        svg.text(
            middle, first + 15 * at, svg.fitted(text, room / (_BOLD if bold else 1), size),
            on=drawn.tone, size=size, anchor="middle", bold=bold,
        )
        for at, (text, size, bold) in enumerate(lines) if text
    ]  # fmt: skip
    radius = 4.0 if drawn.detail else height / 2
    inside = [
        svg.element("title", drawn.title),
        svg.rect(left, top, width, height, drawn.tone, radius=radius),
        *texts,
    ]
    if drawn.vague:
        inside.append(svg.frame(left, top, width, height, Tone.MUTED, dashed=True, radius=radius))
    if not drawn.detail:
        inside.append(svg.frame(left, top, width, height, Tone.BASE, radius=radius))
    link = svg.element("a", *inside, href=f"#{ids.node(drawn.place)}")
    return svg.group(link, *_tags(drawn, left, top))


def pill(one: Pill, left: float, top: float) -> Markup:
    """The inputs or the outputs of the model."""
    width, radius = pill_width(one), PILL_HEIGHT / 2
    text = svg.fitted(one.text, width - 16, DETAIL_SIZE)
    return svg.group(
        svg.element("title", one.title),
        svg.rect(left, top, width, PILL_HEIGHT, Tone.SURFACE, radius=radius),
        svg.frame(left, top, width, PILL_HEIGHT, Tone.MUTED, radius=radius),
        svg.text(left + width / 2, top + 16, text, size=DETAIL_SIZE, anchor="middle"),
    )


def pill_width(one: Pill) -> float:
    """Enough for its text, an even number."""
    return min(2 * round((svg.text_width(one.text, DETAIL_SIZE) + _PILL_PAD) / 2), _WIDEST_PILL)


def _tags(drawn: Drawn, left: float, top: float) -> list[Markup]:
    """Findings at the right corner, what is new at the left one."""
    found = []
    for tag in drawn.tags:
        wide = round(svg.text_width(tag.text, _TAG_SIZE)) + 22
        x = left - 6 if tag.is_left else left + drawn.width + 6 - wide
        found.append(
            svg.group(
                svg.rect(x, top - 9, wide, 16, Tone.SURFACE, radius=8),
                svg.frame(x, top - 9, wide, 16, tag.tone, radius=8),
                svg.group(svg.path(tag.shape, tag.tone, fill=True), x=x + 9, y=top - 1),
                svg.text(x + 15, top + 3, tag.text, size=_TAG_SIZE),
            )
        )
    return found
