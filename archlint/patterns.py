"""Patterns of paths, relative to the folder of the file in which they stand, and of names."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

_ESCAPED = re.compile(r"\[([*?[])\]")  # as glob.escape writes what is meant as it is
_MAGIC = re.compile("[*?[]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """``*`` and ``?`` within a name, ``**`` for any folders; one without a slash is a name at any
    depth. What means a folder means all in it."""

    text: str
    folder: str

    def __str__(self) -> str:
        return self.text

    def matches(self, path: str) -> bool:
        """Whether it means the path, which is relative to the working directory."""
        return self._fits(path, within=True)

    def means(self, path: str) -> bool:
        """Whether it means the path itself, not only a folder that the path is in."""
        wanted = _wanted(self.text)
        if len(wanted) == 2 and wanted[0] == "**":  # most do: a name alone
            return fnmatchcase(os.path.basename(os.path.abspath(path)), wanted[1])
        return self._fits(path, within=False)

    def _fits(self, path: str, *, within: bool) -> bool:
        names = _names(path if os.path.isabs(path) else os.path.abspath(path), self.folder)
        return names is not None and _matches(names, _wanted(self.text), within=within)


def literal(pattern: str) -> str | None:
    """The only name that a pattern matches; None if there can be others."""
    if _MAGIC.search(_ESCAPED.sub("", pattern)):
        return None
    return _ESCAPED.sub(r"\1", pattern)


@lru_cache(maxsize=1024)  # a run asks all patterns about one path after the other
def _names(path: str, folder: str) -> Sequence[str] | None:
    """The names from the folder to the path; None if no way leads there."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # on another drive
        return None
    return () if relative == os.curdir else relative.split(os.sep)


@lru_cache(maxsize=65536)
def _wanted(text: str) -> Sequence[str]:
    wanted = os.path.normpath(text).split(os.sep)
    anchored = "/" in text.rstrip("/") or wanted == [os.curdir]
    return wanted if anchored else ["**", *wanted]


def _matches(names: Sequence[str], wanted: Sequence[str], *, within: bool) -> bool:
    if not wanted or wanted[0] == os.curdir:
        return within or not names
    if wanted[0] == "**":
        rests = (names[skipped:] for skipped in range(len(names) + 1))
        return any(_matches(rest, wanted[1:], within=within) for rest in rests)
    return (
        bool(names)
        and (names[0] == wanted[0] or fnmatchcase(names[0], wanted[0]))
        and _matches(names[1:], wanted[1:], within=within)
    )
