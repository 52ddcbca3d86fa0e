"""Files that are kept from run to run in the user's cache: small, many, and none of them needed.

What cannot be read or written is as if it were not there: no run fails for it.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from archlint.analyzer.timing.prediction.cache import cache_folder

OFF_VARIABLE = "ARCHLINT_NO_CACHE"
_LARGEST = 64_000_000  # bytes of one file
_DAY = 86_400.0  # seconds between two looks at the size of a folder
_PRUNED = ".pruned"
_DRAFT = ".draft-"


def is_switched_off() -> bool:
    """Whether the environment asks that nothing be kept."""
    return bool(os.environ.get(OFF_VARIABLE))


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder within the cache, that holds at most so many bytes from one day to the next."""

    name: str
    most_bytes: int

    @property
    def folder(self) -> str:
        """Where it is."""
        return os.path.join(cache_folder(), self.name)

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none of use."""
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size > _LARGEST:
                    return None
                content = file.read()
            if time.time() - status.st_mtime > _DAY:  # what is used is what lasts
                os.utime(file.name)
        except OSError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Keep a file, which other processes see whole or not at all."""
        if len(content) > _LARGEST:
            return
        folder = self.folder
        draft = os.path.join(folder, f"{_DRAFT}{os.getpid()}-{name}")
        try:
            self.make()
            try:
                with open(draft, "xb") as file:
                    file.write(content)
                os.replace(draft, os.path.join(folder, name))
            except BaseException:
                with suppress(OSError):
                    os.unlink(draft)
                raise
            self._prune_daily()
        except OSError:  # read-only, full, or gone meanwhile
            return

    def make(self) -> None:
        """Make the folder where it is not there; raises OSError."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def _prune_daily(self) -> None:
        """Remove what was not used for longest until there is room, if nobody has looked today."""
        mark = os.path.join(self.folder, _PRUNED)
        with suppress(FileNotFoundError):
            if time.time() - os.stat(mark).st_mtime < _DAY:
                return
        with open(mark, "wb"):
            pass
        os.utime(mark)
        self.prune()

    def prune(self) -> None:
        """Remove what was not used for longest until there is room, and drafts of broken runs."""
        found = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime, status.st_size, entry))
        size = sum(one[1] for one in found)
        for used, bytes_held, entry in sorted(found, key=lambda one: one[0]):
            is_left_over = entry.name.startswith(_DRAFT) and time.time() - used > _DAY
            if entry.name != _PRUNED and (size > self.most_bytes or is_left_over):
                with suppress(OSError):
                    os.unlink(entry.path)
                    size -= bytes_held
