"""Marks of a picture as SVG: coloured by attributes, which need no style sheet, and by classes,
which follow the theme."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from markupsafe import Markup, escape

from archlint.analyzer.report.html.palette import MARKS, PALETTE, Tone
from archlint.analyzer.text import safe

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

# Widths in em of DejaVu Sans, the widest of these fonts.
_WIDTHS = {
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 0.74),
    **dict.fromkeys("acekosvxyz", 0.59),
    **dict.fromkeys("ijlI.,:;|!'· ", 0.33),
    **dict.fromkeys("ft()[]/\\-r", 0.41),
    **dict.fromkeys("+=<>~^#±×÷→−≥≤wM", 0.87),
    **dict.fromkeys("mW@%—…", 1.0),
}
_WIDTH, _WIDE = 0.64, 1.2  # of other characters
_LONGEST = 300  # columns of a line of text
_FEWEST = 6  # characters that still tell names apart

_Attributes = dict[str, str | float | None]
_Shape = Mapping[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, what is said under it, and what its colours mean; ``sheets`` are its pieces for
    who prints it, ``start`` is what of its width is in the middle at first where not all is seen.
    """

    svg: Markup
    caption: str
    legend: tuple[tuple[Tone, str], ...] = ()
    sheets: str = ""
    start: int = 0


class Mark(Markup):
    """A mark; ``plain`` is the same without its ``look``: attributes that a group can have."""

    __slots__ = ("look", "plain")
    look: str
    plain: str

    def __new__(cls, whole: str, plain: str = "", look: str = "") -> Self:
        """The mark as it is written alone."""
        self = super().__new__(cls, whole)
        self.look, self.plain = look, plain or whole
        return self


def element(name: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """An element: ``class_`` is written ``class``, ``stroke_width`` as ``stroke-width``; an
    attribute that is None is left out, a number has at most one decimal."""
    written = _written(attributes)
    if not children:
        return Markup(f"<{name}{written}/>")  # noqa: S704 - the values are escaped above
    inner = "".join(map(escape, children))
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - as above


def rect(
    x: float, y: float, width: float, height: float, tone: Tone, *, title: str = "",
    more: str = "", href: str = "", radius: float = 0, ring: Tone | None = None,
) -> Mark:  # fmt: skip
    """A filled rectangle; ``title`` is its tooltip, ``href`` the id of the row that it leads to.
    ``more`` of the tooltip is for marks that lead nowhere; else a script has it from the row."""
    shape = {"x": x, "y": y, "width": width, "height": height, "rx": radius or None}
    return _mark("rect", shape, _filled(tone, ring), title, more, href)


def circle(
    x: float, y: float, radius: float, tone: Tone, *, title: str = "", more: str = "",
    href: str = "", ring: Tone | None = None, opacity: float = 1,
) -> Mark:  # fmt: skip
    """A filled circle, as ``rect`` is; a ``ring`` parts it from those that it covers."""
    look = {**_filled(tone, ring), "fill_opacity": None if opacity == 1 else opacity}
    return _mark("circle", {"cx": x, "cy": y, "r": radius}, look, title, more, href)


def text(
    x: float,
    y: float,
    content: str,
    *,
    tone: Tone = Tone.INK,
    size: float = 12,
    anchor: str = "start",
    bold: bool = False,
    on: Tone | None = None,
) -> Mark:
    """A line of text on its baseline; ``on`` is the mark that it stands on, if any."""
    colour = _filled(tone, None)
    if on is not None and on in MARKS:
        colour = {"class_": f"on-{on}", "fill": PALETTE[on].on_light}
    look = {
        "font_size": size, "text_anchor": None if anchor == "start" else anchor,
        "font_weight": 600 if bold else None, **colour,
    }  # fmt: skip
    return _looking("text", {"x": x, "y": y}, look, safe(content, _LONGEST))


def line(
    x1: float, y1: float, x2: float, y2: float, tone: Tone, *, width: float = 1,
    dashed: bool = False,
) -> Mark:  # fmt: skip
    """A straight line."""
    shape = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return _looking("line", shape, _stroked(tone, width, dashed=dashed))


def path(d: str, tone: Tone, *, width: float = 1, dashed: bool = False, fill: bool = False) -> Mark:
    """A path: its line, or what it encloses where ``fill``."""
    if fill:
        return _looking("path", {"d": d}, _filled(tone, None))
    return _looking("path", {"d": d}, {"fill": "none", **_stroked(tone, width, dashed=dashed)})


def frame(
    x: float, y: float, width: float, height: float, tone: Tone, *, title: str = "",
    dashed: bool = False, radius: float = 0,
) -> Mark:  # fmt: skip
    """The outline of a rectangle."""
    shape = {"x": x, "y": y, "width": width, "height": height, "rx": radius or None}
    look = {"fill": "none", **_stroked(tone, 1, dashed=dashed)}
    return _mark("rect", shape, look, title)


def gathered(marks: Iterable[Mark]) -> Markup:
    """Marks that cover no others but of their own look; those of one look are a group, which
    stands where the first of them stood."""
    found: dict[str, list[Mark]] = {}
    for mark in marks:
        found.setdefault(mark.look, []).append(mark)
    return Markup("").join(_alike(look, own) for look, own in found.items())


def group(*children: Markup, x: float = 0, y: float = 0) -> Markup:
    """Marks that are moved together."""
    moved = f"translate({number(x)} {number(y)})" if x or y else None
    return element("g", *children, transform=moved) if children else Markup()


def picture(width: float, height: float, *children: Markup, label: str) -> Markup:
    """The whole picture in real pixels; ``label`` says what it shows to those who do not see it."""
    linked = any("<a " in child for child in children)
    return element(
        "svg", *children, xmlns="http://www.w3.org/2000/svg", role="group" if linked else "img",
        aria_label=safe(label, _LONGEST), viewBox=f"0 0 {number(width)} {number(height)}",
        width=width, height=height, font_family=FONT,
    )  # fmt: skip


def number(value: float) -> str:
    """A number with at most one decimal: ``12.5``, ``12``."""
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def text_width(content: str, size: float, bold: bool = False) -> float:
    """About how wide a line of text is, rather too wide; wide characters count two."""
    return sum(map(_em, safe(content, _LONGEST))) * size * (1.12 if bold else 1)


def fitted(content: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text as it fits, cut in its middle, or nothing where little would be left."""
    if text_width(content, size, bold) <= width:
        return content
    for kept in range(len(content) - 1, _FEWEST - 1, -1):
        tail = kept // 2
        cut = f"{content[: kept - tail]}…{content[-tail:]}"
        if text_width(cut, size, bold) <= width:
            return cut
    return ""


def _em(character: str) -> float:
    if (known := _WIDTHS.get(character)) is not None:
        return known
    if character < "\u0300":
        return _WIDTH
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _WIDTH


def _written(attributes: _Attributes) -> str:
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return "".join(
        f' {key}="{escape(value if isinstance(value, str) else number(value))}"'
        for key, value in named
        if value is not None
    )


def _looking(name: str, shape: _Shape, look: _Attributes, *children: Markup | str) -> Mark:
    plain = element(name, *children, **shape)
    return Mark(element(name, *children, **shape, **look), plain, _written(look))


def _mark(
    name: str, shape: _Shape, look: _Attributes, title: str, more: str = "", href: str = ""
) -> Mark:
    """A mark with its tooltip. That of a link is the link's, whose name it is. A link is no stop of
    the Tab key: pictures have hundreds, and all that they lead to is in one table."""
    if not href:
        return _looking(name, shape, look, *_tooltip(f"{title}\n{more}".strip("\n")))
    mark = _looking(name, shape, look)
    begun = f'<a href="{escape(f"#{href}")}" tabindex="-1">{"".join(_tooltip(title))}'
    whole, plain = (f"{begun}{one}</a>" for one in (mark, mark.plain))
    return Mark(whole, plain, mark.look)


def _tooltip(title: str) -> tuple[Markup, ...]:
    lines = [safe(line, _LONGEST) for line in title.split("\n")]
    return (element("title", "\n".join(lines)),) if title else ()


def _alike(look: str, marks: Sequence[Mark]) -> Markup:
    if len(marks) == 1:
        return marks[0]
    inner = "".join(mark.plain for mark in marks)
    return Markup(f"<g{look}>{inner}</g>")  # noqa: S704 - of marks, which are escaped


def _filled(tone: Tone, ring: Tone | None) -> _Attributes:
    look: _Attributes = {"class_": f"f-{tone}", "fill": PALETTE[tone].light}
    return (
        look
        if ring is None
        else {**look, "class_": f"f-{tone} s-{ring}", "stroke": PALETTE[ring].light}
    )


def _stroked(tone: Tone, width: float, *, dashed: bool) -> _Attributes:
    return {
        "class_": f"s-{tone}",
        "stroke": PALETTE[tone].light,
        "stroke_width": None if width == 1 else width,
        "stroke_dasharray": "4 3" if dashed else None,
    }
