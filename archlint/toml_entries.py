"""Add tables to a list of a TOML file, and leave all else in it as it is."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

Table = Mapping[str, str]

_MARK = "\ufeff"  # editors of Windows begin a file with it


def with_tables(text: str, path: Sequence[str], tables: Sequence[Table]) -> str | None:
    """The text of a file with tables added to the list at a dotted path; None where that cannot be
    done.

    What comes out is parsed again: it must say what was said before and the new tables.
    """
    from tomlkit.exceptions import TOMLKitError  # late: few runs write

    mark = _MARK if text.startswith(_MARK) else ""
    bare = text.removeprefix(_MARK)
    of_windows = "\r\n" in bare and "\n" not in bare.replace("\r\n", "")
    if of_windows:
        bare = bare.replace("\r\n", "\n")
    if bare and not bare.endswith("\n"):
        bare += "\n"
    try:
        draft = _drafted(bare, path, tables)
        if tomllib.loads(draft) != _added(tomllib.loads(bare), path, tables):
            return None
    except (ValueError, TypeError, RecursionError, TOMLKitError):
        return None
    return mark + (draft.replace("\n", "\r\n") if of_windows else draft)


def _added(content: dict[str, Any], path: Sequence[str], tables: Sequence[Table]) -> dict[str, Any]:
    inner = content
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = [*inner.get(path[-1], ()), *map(dict, tables)]
    return content


def _drafted(text: str, path: Sequence[str], tables: Sequence[Table]) -> str:
    """The text with the tables behind those that are there: under headers, or within brackets if
    they are."""
    import tomlkit
    from tomlkit.items import Array

    document = tomlkit.parse(text)
    inner: Any = document
    for key in path[:-1]:
        if key not in inner:
            inner[key] = tomlkit.table(is_super_table=True)
        inner = inner[key]
    if path[-1] not in inner:
        inner[path[-1]] = tomlkit.aot()
    listed = inner[path[-1]]
    if isinstance(listed, Array):
        for table in tables:
            listed.add_line(_filled(tomlkit.inline_table(), table))
        if not listed.as_string().endswith("\n]"):
            listed.add_line(indent="")
        return document.as_string()
    added = [_filled(tomlkit.table(), table) for table in tables]
    for entry in added:
        entry.trivia.indent = "\n"
        listed.append(entry)
    draft = document.as_string()
    if added and not draft.endswith(added[-1].as_string()):
        added[-1].add(tomlkit.nl())  # before the header that follows
        draft = document.as_string()
    return draft if text.strip() else draft.lstrip("\n")


def _filled(entry: Any, table: Table) -> Any:
    import tomlkit

    for key, value in table.items():
        entry[key] = tomlkit.value(quoted(value))
    return entry


def quoted(text: str) -> str:
    """The text as a string of TOML, in which nothing is hidden."""
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(ord(c)) for c in shown)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
