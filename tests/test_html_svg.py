"""The marks of pictures, and the colours that they have."""

from __future__ import annotations

import re
from itertools import pairwise, product

import pytest
from markupsafe import Markup

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.palette import (
    HEAT,
    MARKS,
    PALETTE,
    SERIES,
    TEXTS,
    Shade,
    Tone,
    palette_css,
)

_ENOUGH = 4.5  # WCAG 2.2, 1.4.3: text
_GRAPHICAL = 3.0  # WCAG 2.2, 1.4.11: what is needed to understand a graphic
# Pale by design: each such mark has text beside or on it, or an outline of the ground around it.
_PALE = {*HEAT[:4], Tone.COOL_2, Tone.COOL_1, Tone.EVEN, Tone.WARM_1, Tone.NEUTRAL}


def _luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _in(shade: Shade, theme: str) -> tuple[str, str]:
    """The colour of a mark in a theme, and that of text on it."""
    return (shade.dark, shade.on_dark) if theme == "dark" else (shade.light, shade.on_light)


def test_contrast_is_that_of_wcag() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WebAIM's checker


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("tone", "ground"), [*product(TEXTS, (Tone.SURFACE, Tone.RAISED))])
def test_text_is_legible_on_the_page(theme: str, tone: Tone, ground: Tone) -> None:
    assert _contrast(_in(PALETTE[tone], theme)[0], _in(PALETTE[ground], theme)[0]) >= _ENOUGH


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tone", sorted(MARKS))
def test_text_is_legible_on_marks(theme: str, tone: Tone) -> None:
    assert _contrast(*_in(PALETTE[tone], theme)) >= _ENOUGH


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tone", sorted((MARKS | {Tone.BASE, Tone.BAR}) - _PALE))
def test_marks_are_seen_on_the_page(theme: str, tone: Tone) -> None:
    for ground in (Tone.SURFACE, Tone.RAISED):
        assert _contrast(_in(PALETTE[tone], theme)[0], _in(PALETTE[ground], theme)[0]) >= _GRAPHICAL


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_heat_rises(theme: str) -> None:
    """Each step is farther from the page than the one before: the ramp is read without hue."""
    ground = _in(PALETTE[Tone.SURFACE], theme)[0]
    steps = [_contrast(_in(PALETTE[tone], theme)[0], ground) for tone in HEAT]
    assert steps == sorted(steps)
    assert all(after / before > 1.08 for before, after in pairwise(steps))


def test_every_tone_has_a_shade() -> None:
    assert set(PALETTE) == set(Tone)
    assert set(SERIES) <= MARKS


def test_the_style_has_every_property_in_each_theme() -> None:
    css = palette_css()
    for block in re.findall(r"color-scheme:\w+;([^}]*)", css):
        named = dict(entry.split(":") for entry in block.strip(";").split(";"))
        assert set(named) == {f"--{tone}" for tone in Tone} | {f"--on-{tone}" for tone in MARKS}
    used = set(re.findall(r"var\((--[\w-]+)\)", css))
    assert used <= set(re.findall(r"(--[\w-]+):", css))
    assert css.count("{color-scheme:dark") == 2
    assert css.count("{color-scheme:light") == 2  # the first rule, and print


@pytest.mark.parametrize(
    ("number", "text"),
    [(12.5, "12.5"), (12.0, "12"), (0.04, "0"), (-0.04, "0"), (1 / 3, "0.3"), (-2.26, "-2.3")],
)
def test_numbers_have_one_decimal_at_most(number: float, text: str) -> None:
    assert svg.number(number) == text


def test_attributes_are_written_as_svg_calls_them() -> None:
    mark = svg.element("rect", class_="a", stroke_width=2.0, rx=None, fill="none")
    assert mark == '<rect class="a" stroke-width="2" fill="none"/>'


_HOSTILE = '"><script>alert(1)</script>\u202e\x00'


@pytest.mark.parametrize(
    "mark",
    [
        svg.text(0, 0, _HOSTILE),
        svg.rect(0, 0, 1, 1, Tone.INK, title=_HOSTILE),
        svg.rect(0, 0, 1, 1, Tone.INK, title=_HOSTILE, href="node-1"),
        svg.circle(0, 0, 1, Tone.INK, title=_HOSTILE),
        svg.frame(0, 0, 1, 1, Tone.INK, title=_HOSTILE),
        svg.picture(1, 1, label=_HOSTILE),
        svg.element("text", _HOSTILE),
        svg.element("text", title=_HOSTILE),
    ],
)
def test_text_of_a_model_is_escaped(mark: Markup) -> None:
    assert "<script" not in mark
    assert '"><' not in mark.replace('"><title>', "").replace('"><rect', "")


def test_text_of_a_model_hides_nothing() -> None:
    shown = svg.text(0, 0, _HOSTILE) + svg.rect(0, 0, 1, 1, Tone.INK, title=_HOSTILE)
    assert "\u202e" not in shown
    assert "\x00" not in shown


def test_a_mark_has_its_colour_without_a_style_sheet_and_with_one() -> None:
    assert 'class="f-heat-3" fill="#f08a3c"' in svg.rect(0, 0, 1, 1, Tone.HEAT_3)
    assert 'class="s-faint" stroke="#d8dde3"' in svg.line(0, 0, 1, 1, Tone.FAINT)
    assert 'class="on-heat-5" fill="#ffffff"' in svg.text(0, 0, "a", on=Tone.HEAT_5)
    assert 'class="f-ink"' in svg.text(0, 0, "a", on=Tone.SURFACE)


def test_a_link_has_its_name_and_is_no_stop_of_the_tab_key() -> None:
    mark = svg.rect(0, 0, 1, 1, Tone.INK, title="conv", href="node-12")
    assert mark.startswith('<a href="#node-12" tabindex="-1"><title>conv</title><rect ')


def test_the_tooltip_of_a_mark_that_leads_nowhere_tells_all() -> None:
    """The script of the page tells the rest of one that leads to a row."""
    mark = svg.circle(0, 0, 1, Tone.INK, title="conv", more="3 ms")
    assert "<title>conv\n3 ms</title>" in mark
    assert "3 ms" not in svg.circle(0, 0, 1, Tone.INK, title="conv", more="3 ms", href="node-1")


def test_marks_of_one_look_are_a_group() -> None:
    dark, pale, again = (
        svg.rect(place, 0, 1, 1, tone, title="a", href=f"node-{place}")
        for place, tone in enumerate((Tone.INK, Tone.FAINT, Tone.INK))
    )
    assert svg.gathered([dark, pale, again]) == f"<g{dark.look}>{dark.plain}{again.plain}</g>{pale}"
    assert dark.look == ' class="f-ink" fill="#1b1f24"'
    assert "fill" not in dark.plain
    assert svg.gathered([]) == ""


def test_a_picture_with_links_is_no_image() -> None:
    """The role img hides what is inside it."""
    link = svg.group(svg.circle(0, 0, 1, Tone.INK, href="node-1"))
    assert ' role="group" ' in svg.picture(1, 1, link, label="a")
    assert ' role="img" ' in svg.picture(1, 1, svg.circle(0, 0, 1, Tone.INK), label="a")


def test_wide_characters_take_twice_as_much() -> None:
    assert svg.text_width("卷积", 10) >= 2 * svg.text_width("n", 10) * 1.8
    assert svg.text_width("conv", 10, bold=True) > svg.text_width("conv", 10)


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        # Chromium's measureText in 12 px DejaVu Sans
        ("5×5 conv 256→96, stride 2", 163.1),
        ("inception_3b", 76.8),
        ("intermediate.dense", 117.3),
        ("MMWWMM", 65.1),
    ],
)
def test_the_estimate_of_a_width_is_hardly_too_small(text: str, pixels: float) -> None:
    assert 0.97 * pixels <= svg.text_width(text, 12) <= 1.15 * pixels


def test_text_is_cut_in_its_middle_or_left_out() -> None:
    name = "inception_3a/5x5_reduce"
    assert svg.fitted(name, 1000, 12) == name
    cut = svg.fitted(name, 100, 12)
    first, last = cut.split("…")
    assert name.startswith(first)
    assert name.endswith(last)
    assert svg.text_width(cut, 12) <= 100
    assert svg.fitted(name, 30, 12) == ""
