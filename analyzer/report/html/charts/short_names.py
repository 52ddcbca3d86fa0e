"""The name of a part of a model where there is little room."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archlint.analyzer.report.html import svg

_FROM_TO = " … "
_PIECES = re.compile(r"(?<=[_/-])(?=[^_/-])")
_TELLING = re.compile(r"(?=.*[^\W\d_]).*[^\W_].*[^\W_]")  # two signs or more, not all digits


def short_name(name: str, room: float, size: float) -> str:
    """The name as it fits: its last modules, the end of the last one, or nothing."""
    fitting = (one for one in shorter(name) if svg.text_width(one, size) <= room)
    return next(fitting, "")


def shorter(name: str) -> Iterator[str]:
    """The name, and what tells it apart, from the longest; a number alone tells nothing."""
    yield name
    if _FROM_TO in name:
        return
    modules, pieces = name.split("."), _PIECES.split(name.rpartition(".")[2])
    ends = [".".join(modules[first:]) for first in range(1, len(modules))]
    ends += [f"…{''.join(pieces[first:])}" for first in range(1, len(pieces))]
    yield from filter(_TELLING.match, ends)
