"""Marks of a picture as SVG: coloured by attributes, which need no style sheet, and by classes,
which follow the theme."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, what is said under it, and what its colours mean."""

    svg: Markup
    caption: str
    legend: tuple[tuple[Tone, str], ...] = ()


def element(name: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """An element: ``class_`` is written ``class``, ``stroke_width`` as ``stroke-width``; an
    attribute that is None is left out, a number has at most one decimal."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup(f"<{name}{written}/>")  # noqa: S704 - the values are escaped above
    inner = "".join(map(escape, children))
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - as above


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    tone: Tone,
    *,
    title: str = "",
    href: str = "",
    radius: float = 0,
) -> Markup:
    """A filled rectangle; ``title`` is its tooltip, ``href`` the id of what it leads to."""
    mark = element(
        "rect", *_tooltip(title, href), x=x, y=y, width=width, height=height, rx=radius or None,
        **_filled(tone),
    )  # fmt: skip
    return _linked(mark, title, href)


def circle(
    x: float, y: float, radius: float, tone: Tone, *, title: str = "", href: str = "",
    ring: Tone | None = None, opacity: float = 1,
) -> Markup:  # fmt: skip
    """A filled circle; a ``ring`` parts it from those that it covers."""
    colours = _filled(tone)
    if opacity != 1:
        colours["fill_opacity"] = number(opacity)
    if ring is not None:
        colours["class_"] += f" s-{ring}"
        colours["stroke"] = PALETTE[ring].light
    mark = element("circle", *_tooltip(title, href), cx=x, cy=y, r=radius, **colours)
    return _linked(mark, title, href)


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
) -> Markup:
    """A line of text on its baseline; ``on`` is the mark that it stands on, if any."""
    colour = _filled(tone)
    if on is not None and on in MARKS:
        colour = {"class_": f"on-{on}", "fill": PALETTE[on].on_light}
    return element(
        "text", safe(content, _LONGEST), x=x, y=y, font_size=size,
        text_anchor=None if anchor == "start" else anchor, font_weight=600 if bold else None,
        **colour,
    )  # fmt: skip


def line(
    x1: float, y1: float, x2: float, y2: float, tone: Tone, *, width: float = 1,
    dashed: bool = False,
) -> Markup:  # fmt: skip
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **_stroked(tone, width, dashed=dashed))


def path(
    d: str, tone: Tone, *, width: float = 1, dashed: bool = False, fill: bool = False
) -> Markup:
    """A path: its line, or what it encloses where ``fill``."""
    if fill:
        return element("path", d=d, **_filled(tone))
    return element("path", d=d, fill="none", **_stroked(tone, width, dashed=dashed))


def frame(
    x: float, y: float, width: float, height: float, tone: Tone, *, title: str = "",
    dashed: bool = False, radius: float = 0,
) -> Markup:  # fmt: skip
    """The outline of a rectangle."""
    return element(
        "rect", *_tooltip(title, ""), x=x, y=y, width=width, height=height, rx=radius or None,
        fill="none", **_stroked(tone, 1, dashed=dashed),
    )  # fmt: skip


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
        width=width, height=height, class_="picture", font_family=FONT,
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


def _value(value: str | float | None) -> str:
    return value if isinstance(value, str) else number(value or 0)


def _tooltip(title: str, href: str) -> tuple[Markup, ...]:
    """The title of a mark; that of a link is the link's, whose name it is."""
    if not title or href:
        return ()
    return (element("title", "\n".join(safe(part, _LONGEST) for part in title.split("\n"))),)


def _linked(mark: Markup, title: str, href: str) -> Markup:
    """The mark as a link. It is no stop of the Tab key: pictures have hundreds, and all that they
    lead to is in one table."""
    if not href:
        return mark
    return element("a", *_tooltip(title, ""), mark, href=f"#{href}", tabindex="-1")


def _filled(tone: Tone) -> dict[str, str]:
    return {"class_": f"f-{tone}", "fill": PALETTE[tone].light}


def _stroked(tone: Tone, width: float, *, dashed: bool) -> dict[str, str | float | None]:
    return {
        "class_": f"s-{tone}",
        "stroke": PALETTE[tone].light,
        "stroke_width": None if width == 1 else width,
        "stroke_dasharray": "4 3" if dashed else None,
    }
