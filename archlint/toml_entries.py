"""Add tables to a list of a TOML file, and leave all else in it as it is, byte for byte.

Tables go to the end of the file, under headers of their own. Where the list is written as
``key = [...]``, which takes no headers, they go to its end. What comes out is parsed again: it must
say what was said before and the new tables, or it is no result.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Table = Mapping[str, str]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*|\s+|[\[\]{}]|[^\s\[\]{}\"'#]+",
    re.DOTALL,
)
_MARK = "\ufeff"  # editors of Windows begin a file with it


def with_tables(text: str, path: Sequence[str], tables: Sequence[Table]) -> str | None:
    """The text of a file with tables added to the list at a dotted path; None where that cannot be
    done."""
    newline = "\r\n" if "\r\n" in text else "\n"
    wanted = _parsed(text)
    if wanted is None:
        return None
    inner = wanted
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = [*inner.get(path[-1], ()), *map(dict, tables)]
    drafts = (_appended(text, path, tables, newline), *_inserted(text, path[-1], tables, newline))
    return next((draft for draft in drafts if _parsed(draft) == wanted), None)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text.removeprefix(_MARK))
    except (ValueError, RecursionError):
        return None


def quoted(text: str) -> str:
    """The text as a string of TOML, in which nothing is hidden."""
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(ord(c)) for c in shown)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _appended(text: str, path: Sequence[str], tables: Sequence[Table], newline: str) -> str:
    """The tables at the end of the text, each under its header, with a line between."""
    lines = []
    for table in tables:
        lines += ["", f"[[{'.'.join(path)}]]"]
        lines += [f"{key} = {quoted(value)}" for key, value in table.items()]
    if not text.removeprefix(_MARK):
        del lines[0]
    ended = "" if text.endswith("\n") or not text.removeprefix(_MARK) else newline
    return text + ended + "".join(f"{line}{newline}" for line in lines)


def _inserted(text: str, key: str, tables: Sequence[Table], newline: str) -> Iterator[str]:
    """The tables at the end of each list that may be the one of the key."""
    items = []
    for table in tables:
        inner = ", ".join(f"{name} = {quoted(value)}" for name, value in table.items())
        items.append(f"    {{ {inner} }},{newline}")
    for found in re.finditer(rf"\b{re.escape(key)}[\"']?\s*=\s*\[", text):
        ends = _ends(text, found.end())
        if ends is None:
            continue
        last, close = ends
        comma = "" if text[last - 1] in "[," else ","
        line = text.rfind("\n", last, close) + 1
        alone = line > 0 and not text[line:close].strip()
        place = line if alone else close
        before = "" if alone else newline
        yield "".join((text[:last], comma, text[last:place], before, *items, text[place:]))


def _ends(text: str, start: int) -> tuple[int, int] | None:
    """Of a list whose bracket opens before ``start``: the end of what is in it, and the place of
    the bracket that closes it; None where there is none."""
    depth, last, place = 1, start, start
    while token := _TOKEN.match(text, place):
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if not depth:
            return last, place
        if not token[0].isspace() and not token[0].startswith("#"):
            last = token.end()
        place = token.end()
    return None
