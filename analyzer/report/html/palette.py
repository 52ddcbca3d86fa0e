"""The colours of the page by their meaning, in a light and a dark theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Tone(StrEnum):
    """What a colour means."""

    INK = "ink"
    MUTED = "muted"
    FAINT = "faint"  # lines of a grid
    SURFACE = "surface"
    RAISED = "raised"
    ACCENT = "accent"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    NOTE = "note"
    NEUTRAL = "neutral"  # a mark that says nothing by its colour
    BASE = "base"  # marks of the base
    BAR = "bar"  # as neutral, on which no text stands
    HEAT_0 = "heat-0"
    HEAT_1 = "heat-1"
    HEAT_2 = "heat-2"
    HEAT_3 = "heat-3"
    HEAT_4 = "heat-4"
    HEAT_5 = "heat-5"
    COOL_2 = "cool-2"
    COOL_1 = "cool-1"
    EVEN = "even"
    WARM_1 = "warm-1"
    WARM_2 = "warm-2"
    SERIES_1 = "series-1"
    SERIES_2 = "series-2"
    SERIES_3 = "series-3"
    SERIES_4 = "series-4"
    SERIES_5 = "series-5"
    SERIES_6 = "series-6"
    SERIES_7 = "series-7"
    SERIES_8 = "series-8"


@dataclass(frozen=True, slots=True)
class Shade:
    """A tone in both themes, and the colours of text that stands on it."""

    light: str
    dark: str
    on_light: str
    on_dark: str


_BLACK, _WHITE = "#101418", "#ffffff"


def _pale(light: str, dark: str) -> Shade:
    return Shade(light, dark, _BLACK, _WHITE)


def _deep(light: str, dark: str) -> Shade:
    return Shade(light, dark, _WHITE, _BLACK)


PALETTE: Mapping[Tone, Shade] = MappingProxyType(
    {
        Tone.INK: _deep("#1b1f24", "#e9ecef"),
        Tone.MUTED: _deep("#57606a", "#a4adb7"),
        Tone.FAINT: _pale("#d8dde3", "#343b44"),
        Tone.SURFACE: _pale("#fbfbf9", "#14171b"),
        Tone.RAISED: _pale("#ffffff", "#1c2026"),
        Tone.ACCENT: _deep("#0a58a8", "#79b8ff"),
        Tone.GOOD: _deep("#116329", "#6fcf8a"),
        Tone.BAD: _deep("#b1201f", "#ff8f87"),
        Tone.WARN: _deep("#7a4f01", "#e8b95c"),
        Tone.NOTE: _deep("#0a58a8", "#79b8ff"),
        Tone.NEUTRAL: _pale("#dfe4e9", "#363d46"),
        Tone.BASE: _deep("#666f78", "#8b949e"),
        Tone.BAR: _pale("#87929f", "#6b7682"),
        Tone.HEAT_0: _pale("#eef1f4", "#2a3038"),
        Tone.HEAT_1: _pale("#fde3c0", "#4b3a29"),
        Tone.HEAT_2: _pale("#fbb978", "#6e4620"),
        Tone.HEAT_3: _pale("#f08a3c", "#98520f"),
        Tone.HEAT_4: Shade("#d65f16", "#c9671c", _BLACK, _BLACK),
        Tone.HEAT_5: _deep("#a93a10", "#f29a55"),
        Tone.COOL_2: _pale("#8ebae0", "#2d5f8f"),
        Tone.COOL_1: _pale("#d0e1f3", "#24405c"),
        Tone.EVEN: _pale("#e3e7eb", "#343b44"),
        Tone.WARM_1: _pale("#fbd3a5", "#5f451f"),
        Tone.WARM_2: _pale("#dc7722", "#a5561a"),
        Tone.SERIES_1: _deep("#b8400f", "#ff9c66"),
        Tone.SERIES_2: _deep("#0a58a8", "#79b8ff"),
        Tone.SERIES_3: _deep("#0f7568", "#58c9b5"),
        Tone.SERIES_4: _deep("#7a52ab", "#bf9ff0"),
        Tone.SERIES_5: _deep("#6a6a14", "#c6c25a"),
        Tone.SERIES_6: _deep("#ab3a6c", "#f094bb"),
        Tone.SERIES_7: _deep("#4c6480", "#9fb6cf"),
        Tone.SERIES_8: _deep("#875a33", "#d3ab83"),
    }
)

HEAT = (Tone.HEAT_0, Tone.HEAT_1, Tone.HEAT_2, Tone.HEAT_3, Tone.HEAT_4, Tone.HEAT_5)
"""From the palest to the deepest."""

SERIES = (
    Tone.SERIES_1, Tone.SERIES_2, Tone.SERIES_3, Tone.SERIES_4, Tone.SERIES_5, Tone.SERIES_6,
    Tone.SERIES_7, Tone.SERIES_8,
)  # fmt: skip

TEXTS = (
    Tone.INK, Tone.MUTED, Tone.ACCENT, Tone.GOOD, Tone.BAD, Tone.WARN, Tone.NOTE, Tone.BASE,
    *SERIES,
)  # fmt: skip
"""Those that text may have on the page and on what is raised."""

MARKS = frozenset({
    *HEAT, *SERIES, Tone.COOL_2, Tone.COOL_1, Tone.EVEN, Tone.WARM_1, Tone.WARM_2, Tone.NEUTRAL,
})  # fmt: skip
"""Those that text may stand on, in the colour that is theirs."""


def palette_css() -> str:
    """Both themes as custom properties (``--ink``, and ``--on-heat-3`` for text on it), and the
    classes of fills (``f-``), lines (``s-``) and text on a mark (``on-``); print is light."""
    light = f"color-scheme:light;{_properties(is_dark=False)}"
    dark = f"color-scheme:dark;{_properties(is_dark=True)}"
    rules = [
        f":root{{{light}}}",
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}",
        f":root[data-theme=dark]{{{dark}}}",
        f"@media print{{:root:root:root{{{light}}}}}",
        *(f".f-{tone}{{fill:var(--{tone})}}.s-{tone}{{stroke:var(--{tone})}}" for tone in PALETTE),
        *(f".on-{tone}{{fill:var(--on-{tone})}}" for tone in PALETTE if tone in MARKS),
    ]
    return "\n".join(rules) + "\n"


def _properties(*, is_dark: bool) -> str:
    colours = (
        f"--{tone}:{shade.dark if is_dark else shade.light};" for tone, shade in PALETTE.items()
    )
    inks = (
        f"--on-{tone}:{shade.on_dark if is_dark else shade.on_light};"
        for tone, shade in PALETTE.items()
        if tone in MARKS
    )
    return "".join([*colours, *inks])
