"""GitHub Flavored Markdown in which what comes from a model or a file name is nothing but text.

In code spans nothing is a tag, a link, a mention or a reference to an issue, neither by the syntax
nor by what a forge looks for in the rendered text; escapes would not keep it from the latter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from archlint.analyzer.text import safe

_PLAIN = re.compile(r"[\w .,;:%()+=/'\"×→−²³·…≥≤±^?-]*")  # no sign of Markdown or HTML
_PIPE = re.compile(r"(\\*)\|")
_MEANT = re.compile(
    r"//|www\.|:\w+:|\bGH-\d"  # addresses, pictures, references
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis: underscores that are not inside a word
    r"|\b(?=\w*\d)[0-9a-f]{7,64}\b"  # commits
    r"|^(\d+[.)]|[-+=])",  # lists, headings
    re.IGNORECASE,
)  # fmt: skip


def code(text: str, limit: int = 200) -> str:
    """A code span, whatever backticks are in the text."""
    shown = safe(text, limit).strip(" ") or "(no name)"
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def words(text: str, limit: int = 600) -> str:
    """A sentence as such where nothing in it could mean anything else, and a code span if not."""
    shown = safe(text, limit).strip(" ")
    if _PLAIN.fullmatch(shown) and not _MEANT.search(shown):
        return shown
    return code(text, limit)


def in_html(text: str, limit: int = 200) -> str:
    """Code in a line of HTML."""
    return f"<code>{escape(safe(text, limit))}</code>"


def row(cells: Iterable[str]) -> str:
    """A line of a table. A pipe would end its cell in code too, unless a backslash is before it;
    for some parsers only where their number is odd, so those that are there are doubled."""
    told = (_PIPE.sub(r"\1\1\\|", cell) for cell in cells)
    return f"| {' | '.join(told)} |"


def table(head: Sequence[str], rows: Sequence[str], numbers: int) -> str:
    """A table of rows; the last ``numbers`` columns of the head are aligned to the right."""
    left = len(head) - numbers
    rule = ["---" if place < left else "--:" for place in range(len(head))]
    return "\n".join([row(head), row(rule), *rows])
