"""Text for terminals: numbers, styles, and names of models made harmless."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_LIMIT = 200
_MOST_MARKS = 4  # on one letter: more than any script piles up, fewer than cover the next line
# Printable for Python and nothing on a terminal: fillers, joiners, selectors of glyphs.
_BLANK = frozenset(
    chr(code)
    for first, last in (
        (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800),
        (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
# What the log of a build service would obey: ::error, ##[error], ##vso[…], ##teamcity[…].
_COMMAND = re.compile(r"^ *:(?=:)|#(?=#(?:\[|vso\[|teamcity\[))")
_NARROWEST = 12  # columns that a table always leaves to its names
_COMFORTABLE = 32  # and those for which it gives up other columns
_SGR = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
    "green": "32",
}
_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_ASCII = str.maketrans({
    "×": "x", "→": ">", "−": "-", "·": "|", "²": "^2", "³": "^3", "√": "sqrt", "…": "...",
    "≥": ">=",
})  # fmt: skip


def safe(text: str, limit: int = _LIMIT) -> str:
    """Text of a model as it may stand in a terminal or a log, in at most ``limit`` columns: what
    cannot be seen, controls the terminal or piles up is written out, and so is what begins a
    command of a build service."""
    armed = ("::" in text or "##" in text) and _COMMAND.search(text[: limit + 1])
    if not armed and len(text) <= limit and text.isascii() and text.isprintable():
        return text
    shown = list(_shown(_COMMAND.sub(_disarmed, text[: limit + 1])))
    whole = "".join(shown)
    if len(text) <= limit and columns(whole) <= limit:
        return whole
    kept, used = 0, 1
    for part in shown:
        used += columns(part)
        if used > limit:
            break
        kept += 1
    return f"{''.join(shown[:kept])}…"


def _disarmed(command: re.Match[str]) -> str:
    return command[0][:-1] + _escaped(command[0][-1])


def _shown(text: str) -> Iterator[str]:
    """Each character, or what stands for it."""
    marks = _MOST_MARKS  # so that the first character is none: it would change what stands before
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        hidden = not character.isprintable() or character in _BLANK or marks > _MOST_MARKS
        yield _escaped(character) if hidden else character


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_mark(character: str) -> bool:
    """Whether it is drawn onto the character before it."""
    return character > "\u02ff" and unicodedata.category(character) in ("Mn", "Me")


def columns(text: str) -> int:
    """Columns of a terminal that the text takes: two for wide characters (Unicode Standard Annex
    11), none for marks."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if character < "\u0300":
        return 1
    wide = unicodedata.east_asian_width(character) in ("W", "F")
    return 0 if _is_mark(character) else 2 if wide else 1


def beginning(text: str, width: int) -> str:
    """The beginning of the text that fits the columns."""
    if columns(text) <= width:
        return text
    used = 0
    for place, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:place]
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text, filled with spaces to the columns; ``right`` puts the spaces first."""
    if text.isascii():
        return text.rjust(width) if right else text.ljust(width)
    spaces = " " * (width - columns(text))
    return spaces + text if right else text + spaces


def to_ascii(text: str) -> str:
    """The same text for a terminal that cannot show the signs that archlint uses."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Paint:
    """Terminal styles, or none."""

    on: bool = False

    def __call__(self, text: str, *styles: str) -> str:
        """The text in the named styles."""
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(_SGR[style] for style in styles)}m{text}\x1b[0m"


def change(before: int, after: int, unit: str) -> str:
    """``120,422,400 → 12,443,648 MACs (−89.7 %)``."""
    return f"{before:,} → {after:,} {unit} ({percent_change(before, after)})"


def percent_change(before: int, after: int) -> str:
    """The change in percent with its sign; ``new`` where there was nothing."""
    if before == after:
        return "±0 %"
    if before == 0:
        return "new"
    ratio = (after - before) / before * 100
    sign = "−" if ratio < 0 else "+"
    return f"{sign}{abs(ratio):.1f} %"


def percent(part: int, whole: int) -> str:
    """A share with one decimal; a dash where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


@lru_cache(maxsize=4096)  # the layers of a network repeat their numbers
def short(number: float) -> str:
    """Four significant digits with a decimal prefix: 120.4 M."""
    if abs(number) >= 1e21:  # perhaps too large for a float
        from decimal import Decimal  # late: hardly a number is

        return f"{Decimal(number):.3e}"
    for factor, prefix in _PREFIXES:
        if abs(number) >= factor:
            scaled = number / factor
            digits = 1 if scaled >= 100 else 2 if scaled >= 10 else 3
            return f"{scaled:.{digits}f} {prefix}"
    return f"{number:g}"


def size(count: float) -> str:
    """Bytes with a decimal prefix."""
    text = short(count)
    return f"{text}B" if text[-1].isalpha() else f"{text} B"


def milliseconds(nanoseconds: float) -> str:
    """A time with three digits: ``0.582 ms``, ``1,234 ms``."""
    count = nanoseconds / 1e6
    digits = next((d for d, least in ((0, 100), (1, 10), (2, 1), (3, 0.1)) if count >= least), 4)
    return f"{count:,.{digits}f} ms"


def to_json(document: object) -> str:
    """A document in ASCII that no log of a build service takes for a command, as Azure's do ``##``
    in any line."""
    return json.dumps(document, indent=2).replace("##", "#\\u0023") + "\n"


def plural(count: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?``, or nothing where no word is near; of several as near the one with
    most of its letters in their places."""
    from difflib import SequenceMatcher, get_close_matches

    typed = word.lower()
    lower = {candidate.lower(): candidate for candidate in known}

    def likeness(near: str) -> tuple[float, int]:
        same = sum(map(str.__eq__, near, typed))
        return SequenceMatcher(None, near, typed).ratio(), same

    found = max(get_close_matches(typed, lower, n=5), key=likeness, default="")
    return f"; did you mean '{lower[found]}'?" if found else ""


def paragraph(text: str, width: int | None, indent: str = "") -> list[str]:
    """Lines of at most ``width`` columns (unlimited if None), those after the first indented.

    A word that fits no line begins where there is room, and is cut where the line ends.
    """
    if width is None:
        return [text]
    room = max(width - columns(indent), 2)  # a wide character always fits
    lines: list[str] = []
    line, gap = "", ""
    for part in re.split("( +)", text.strip(" ")):
        if part.startswith(" "):
            gap = part
            continue
        left = width - columns(line + gap)
        if columns(part) > left and columns(part) <= room:
            lines.append(line)
            line, gap, left = indent, "", room
        word = part
        while columns(word) > left:
            begun = beginning(word, max(left, 0))
            lines.append((line + gap + begun).rstrip(" ") if begun else line)
            word = word[len(begun) :]
            line, gap, left = indent, "", room
        line, gap = line + gap + word, ""
    return [*lines, line]


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int,
    width: int | None,
    expendable: Sequence[int] = (),
) -> list[str]:
    """Columns two spaces apart, the first ``left`` of them aligned to the left.

    Where ``width`` is too narrow, the ``expendable`` columns go one after the other; then the first
    column loses the beginning of its cells: the end of a node's name tells more.
    """
    by_column = list(zip(head, *rows, strict=True))
    distinct = [set(column) for column in by_column]  # layers repeat their numbers
    widths = [max(map(columns, cells)) for cells in distinct]
    kept = list(range(len(head)))
    if width is not None:
        for place in expendable:
            if _room(widths, kept, width) < min(widths[0], _COMFORTABLE):
                kept.remove(place)
        widths[0] = min(widths[0], max(_room(widths, kept, width), _NARROWEST))
    aligned = []
    for place in kept:
        wide, right = widths[place], place >= left
        padded = {cell: pad(_cut(cell, wide), wide, right=right) for cell in distinct[place]}
        aligned.append([padded[cell] for cell in by_column[place]])
    return ["  ".join(cells).rstrip() for cells in zip(*aligned, strict=True)]


def _room(widths: Sequence[int], kept: Sequence[int], width: int) -> int:
    """What the other columns leave to the first."""
    return width - sum(widths[place] + 2 for place in kept[1:])


def _cut(cell: str, cap: int) -> str:
    """The end of a cell that is too wide."""
    if columns(cell) <= cap:
        return cell
    place, used = len(cell), 1
    while (used := used + _width(cell[place - 1])) <= cap:
        place -= 1
    while _is_mark(cell[place]):
        place += 1
    return f"…{cell[place:]}"
