"""Answers that are kept from run to run, found by what they depend on.

That is the content of the model, what is beside it (its external data, its snapshot), and what it
is checked with (see ``cache_keys``). The path is no part of it where no snapshot is named in the
answer: a model that was moved has its answer. A file that does not hold exactly what such a file
has to hold is as if it were not there.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader.locations import external_files
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.cache_folder import Kept, is_switched_off
from archlint.cache_keys import (
    NoDigestError,
    digest,
    environment_digest,
    reads_weights,
    settings_digest,
)
from archlint.contents import by_sha256, content_of
from archlint.snapshot_files import snapshot_of
from archlint.work import Answer, Prepared, Request, Task

if TYPE_CHECKING:
    from msgspec.json import Decoder

KEPT = Kept("answers", 500_000_000)
_FORM = 1  # of a file; another one is not read

Fact = tuple[str, int, int, bool, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer, and what was beside the model: each file of external data by where it is."""

    answer: Answer
    beside: tuple[Fact, ...] = ()


class Cache:
    """The answers to one request."""

    def __init__(self, request: Request, prepared: Prepared) -> None:
        self._request = request
        self._prepared = prepared
        self._settings: dict[str, tuple[str, bool]] = {}

    @cached_property
    def _environment(self) -> str:
        return environment_digest(self._prepared.profile)

    def key(self, task: Task, oid: str = "") -> str | None:
        """What an answer is found by: of a content with this SHA-256, or of what the task's file
        holds; None where none can be kept."""
        if task.memory is not None or STANDARD_INPUT in (task.path, task.content):
            return None
        try:
            settings, whole = self._settings_for(task.path)
            content = by_sha256(oid) if oid else content_of(task.content or task.path)
            if whole and not content.startswith("sha256 "):
                return None
            parts = _FORM, self._environment, settings, content
            wanted = self._request.architectures, self._request.layers
            return digest((*parts, _snapshot(task.path), *wanted))
        except (OSError, ValueError, NoDigestError):
            return None

    def _settings_for(self, path: str) -> tuple[str, bool]:
        """The digest of what a model is checked with, and whether that reads its weights."""
        if path not in self._settings:
            chosen = self._prepared.configuration.chosen(path)
            self._settings[path] = settings_digest(chosen), reads_weights(chosen)
        return self._settings[path]

    def find(self, key: str, task: Task, *, alone: bool = False) -> Answer | None:
        """The answer of this key, as it is for the task; where the model's files are not there it
        stands ``alone``, and what is beside them is not looked at."""
        entry = _read(key)
        if entry is None or entry.answer.report is None:
            return None
        path = task.content or task.path
        if not alone and entry.beside != tuple(_fact(path, fact[0]) for fact in entry.beside):
            return None
        return replace(entry.answer, report=replace(entry.answer.report, path=task.path))

    def keep(self, key: str, task: Task, answer: Answer) -> None:
        """Keep an answer to a task whose key was this before it was answered, unless something has
        changed since, or it does not tell of the model alone."""
        if answer.report is None or answer.failures:
            return
        path = task.content or task.path
        try:
            locations = external_files(path)
        except ModelError:
            return
        beside = tuple(_fact(path, location) for location in locations)
        if (locations and self._settings_for(task.path)[1]) or self.key(task) != key:
            return
        KEPT.write(f"{key}.json", _written(Entry(answer, beside)))


def opened(request: Request, prepared: Prepared) -> Cache | None:
    """The answers that are kept for such a request; None where none are."""
    if request.execute or prepared.stopwatch is not None or is_switched_off():
        return None
    return _opened(request, _Same(prepared))


class _Same:
    """A value that equals itself alone."""

    def __init__(self, held: Prepared) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.held is other.held

    def __hash__(self) -> int:
        return id(self.held)


@lru_cache(maxsize=2)  # a run has one, and another one for its base
def _opened(request: Request, prepared: _Same) -> Cache:
    return Cache(request, prepared.held)


def _snapshot(model: str) -> str:
    """The snapshot beside a model, which may accept findings and is then named; empty without one.

    Raises OSError for what is there and is no plain file.
    """
    path = snapshot_of(model)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise OSError(f"{path} is no plain file")
        with open(path, "rb") as file:
            return f"{hashlib.file_digest(file, 'sha256').hexdigest()} {path}"
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _fact(model: str, location: str) -> Fact:
    """What reading a model may see of a file beside it: what kind of file it is, how long, whether
    it has other names, and in which folder it really is. All zero for one that is not there."""
    folder = os.path.dirname(model) or os.curdir
    path = os.path.join(folder, location)
    try:
        status = os.lstat(path)
        place = os.path.relpath(os.path.realpath(os.path.dirname(path)), os.path.realpath(folder))
    except (OSError, ValueError):
        return location, 0, 0, False, ""
    return location, stat.S_IFMT(status.st_mode), status.st_size, status.st_nlink > 1, place


@lru_cache(maxsize=1)
def _decoder() -> Decoder[Entry]:
    from msgspec.json import Decoder  # late: a run without a cache does without

    return Decoder(Entry)


def _written(entry: Entry) -> bytes:
    """The entry as a file; empty for one that would not be read as it is."""
    from msgspec import MsgspecError
    from msgspec.json import encode

    try:
        content = encode(entry)
        same = _decoder().decode(content) == entry
    except (MsgspecError, ValueError, OverflowError, TypeError, RecursionError):
        return b""
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content if same else b""


def _read(key: str) -> Entry | None:
    from msgspec import MsgspecError

    stated, _, content = (KEPT.read(f"{key}.json") or b"").partition(b"\n")
    if stated != hashlib.sha256(content).hexdigest().encode():
        return None
    try:
        return _decoder().decode(content)
    except (MsgspecError, ValueError, RecursionError):
        return None
