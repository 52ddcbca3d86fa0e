"""Markdown that says what its text says, whatever signs are in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from html import escape

_SIGNS = re.compile(r"[\\*_\[\]<>`&]")
_MARKS = re.compile(r"(\d+)([.)]\s)|([-+#]+\s)")  # what begins a list or a heading
_CODE = re.compile(r"``(.+?)``|`(.+?)`")


def prose(text: str) -> str:
    """A paragraph in one line; what stands in `` `` or ` ` is code."""
    pieces: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        pieces += [_escaped(text[at : code.start()]), f"`{code[1] or code[2]}`"]
        at = code.end()
    whole = "".join([*pieces, _escaped(text[at:])])
    begun = _MARKS.match(whole)
    if begun is None:
        return whole
    return f"{begun[1]}\\{whole[begun.end(1) :]}" if begun[1] else f"\\{whole}"


def title(text: str) -> str:
    """Words of a heading or of HTML, with code as HTML has it."""
    return _CODE.sub(lambda code: f"<code>{code[1] or code[2]}</code>", escape(text, quote=False))


def cell(text: str) -> str:
    """A paragraph in a table."""
    return prose(text).replace("|", "\\|")


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = ()
) -> str:
    """A table; the columns of ``numbers`` are aligned to the right."""
    rule = ["--:" if place in numbers else "---" for place in range(len(head))]
    return "\n".join(map(_row, (head, rule, *rows)))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def fenced(text: str, language: str = "text") -> str:
    """A block of code, whatever backticks are in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _escaped(text: str) -> str:
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", text)
