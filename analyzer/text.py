"""Text for terminals: numbers, styles, and names of models made harmless."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from textwrap import wrap

_LIMIT = 200
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
    "×": "x", "→": ">", "−": "-", "·": "|", "²": "2", "√": "sqrt", "…": "...", "≥": ">=",
})  # fmt: skip


def safe(text: str, limit: int = _LIMIT) -> str:
    """Text of a model as it may stand in a terminal: control, bidi and invisible characters written
    out, cut to ``limit`` characters."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


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
    if before == 0:
        return "±0 %" if after == 0 else "new"
    ratio = (after - before) / before * 100
    sign = "−" if ratio < 0 else "+"
    return f"{sign}{abs(ratio):.1f} %"


def percent(part: int, whole: int) -> str:
    """A share with one decimal; a dash where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def short(number: float) -> str:
    """Four significant digits with a decimal prefix: 120.4 M."""
    if abs(number) >= 1e21:  # perhaps too large for a float
        return f"{Decimal(number):.3e}"
    for factor, prefix in _PREFIXES:
        if abs(number) >= factor:
            scaled = number / factor
            digits = 1 if scaled >= 100 else 2 if scaled >= 10 else 3
            return f"{scaled:.{digits}f} {prefix}"
    return f"{number:g}"


def size(count: int) -> str:
    """Bytes with a decimal prefix."""
    text = short(count)
    return f"{text}B" if text[-1].isalpha() else f"{text} B"


def plural(count: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def paragraph(text: str, width: int | None, indent: str = "") -> list[str]:
    """Lines of at most ``width`` columns (unlimited if None), those after the first indented."""
    if width is None:
        return [text]
    return wrap(text, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


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
    listed = [head, *rows]
    widths = [max(len(row[place]) for row in listed) for place in range(len(head))]
    kept = list(range(len(head)))
    if width is not None:
        for place in expendable:
            if _room(widths, kept, width) < min(widths[0], _COMFORTABLE):
                kept.remove(place)
        widths[0] = max(min(widths[0], _room(widths, kept, width)), _NARROWEST)
    lines = []
    for row in listed:
        cells = [_cut(row[0], widths[0]), *row[1:]]
        aligned = [
            cells[place].ljust(widths[place]) if place < left else cells[place].rjust(widths[place])
            for place in kept
        ]
        lines.append("  ".join(aligned).rstrip())
    return lines


def _room(widths: Sequence[int], kept: Sequence[int], width: int) -> int:
    """What the other columns leave to the first."""
    return width - sum(widths[place] + 2 for place in kept[1:])


def _cut(cell: str, cap: int) -> str:
    return cell if len(cell) <= cap else f"…{cell[len(cell) - cap + 1 :]}"
