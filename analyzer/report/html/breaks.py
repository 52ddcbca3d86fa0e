"""Where the name of a node may be broken over lines: after its separators, never within a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup

_SHORT, _LONG = 12, 20  # characters that stand together, and that a narrow column has room for
_MODULES = re.compile(r"(?<=[^/]/)(?=[^/])")
_PARTS = re.compile(r"(?<=[^.]\.)(?=[^.])")
_WORDS = re.compile(r"(?<=[^\W_][_:\-])(?=[^\W_])|(?<=[a-z])(?=[A-Z])")
_BREAK = Markup("<wbr>")


def breakable(name: str, room: int = _LONG) -> Markup:
    """The name with breaks after ``/``, and in what is not short after ``.`` too. Words that have
    no room are broken after ``_``, ``:`` and ``-`` and before capitals, else anywhere."""
    return _BREAK.join(_pieces(name, room))


def _pieces(name: str, room: int) -> Iterator[str]:
    for module in _MODULES.split(name):
        for part in _PARTS.split(module) if len(module) > _SHORT else (module,):
            for word in _WORDS.split(part) if len(part) > room else (part,):
                yield from (word[at : at + room] for at in range(0, len(word), room))
