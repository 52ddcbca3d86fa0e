"""Patterns of paths, relative to the folder of the file in which they stand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


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
        try:
            relative = os.path.relpath(path, self.folder)
        except ValueError:  # on another drive
            return False
        wanted = os.path.normpath(self.text).split(os.sep)
        anchored = "/" in self.text.rstrip("/") or wanted == [os.curdir]
        return _matches(relative.split(os.sep), wanted if anchored else ["**", *wanted])


def _matches(names: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted or wanted[0] == os.curdir:
        return True
    if wanted[0] == "**":
        return any(_matches(names[skipped:], wanted[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], wanted[0]) and _matches(names[1:], wanted[1:])
