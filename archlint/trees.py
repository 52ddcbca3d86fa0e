"""The files of a commit, or of the index, without a working tree."""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import NamedTuple

from archlint.analyzer.errors import ConfigError, ModelError
from archlint.analyzer.reader.locations import external_files
from archlint.analyzer.text import safe
from archlint.git import Repository
from archlint.lfs import LONGEST, Pointer, object_of, pointer_of

INDEX = ""  # the revision that means the index, as in ``:model.onnx``

_LINK = "120000"
_FILES = ("100644", "100755", _LINK)
_MOST_LINKS = 40  # as many as Linux follows
_LONGEST_PATH = 4096
_LONGEST_TEXT = 64_000_000
_MOST_COPIED = 1 << 30  # bytes of external data of one model


class Entry(NamedTuple):
    """A file in git: its mode, and the id of its content."""

    mode: str
    oid: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A model of another state, in a file that lasts as long as it is looked at.

    ``holes`` are the files of external data that have the right size and nothing in them: what is
    said of the numbers in those weights means nothing.
    """

    path: str
    holes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tree:
    """The files of a commit by their paths from the root; of the index where it is INDEX."""

    repository: Repository
    commit: str

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Files and links; no submodules, nothing that a merge left open."""
        is_index = self.commit == INDEX
        asked = ("ls-files", "--stage") if is_index else ("ls-tree", "-r", "--full-tree")
        commit = () if is_index else (self.commit,)
        found = {}
        for line in self.repository.listed(*asked, "-z", *commit):
            about, _, path = line.partition("\t")
            mode, second, third = about.split(" ")
            oid, stage = (second, third) if is_index else (third, "0")
            if mode in _FILES and stage == "0":
                found[path] = Entry(mode, oid)
        return found

    def find(self, path: str) -> Entry | None:
        """The file at a path, where links lead to one in the repository."""
        for _ in range(_MOST_LINKS):
            entry = self.entries.get(path)
            if entry is None or entry.mode != _LINK:
                return entry
            if self.repository.blob_size(entry.oid) > _LONGEST_PATH:
                return None
            target = os.fsdecode(self.repository.blob(entry.oid))
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        return None

    def pointer(self, entry: Entry) -> Pointer | None:
        """The pointer to an object of Git LFS that stands in place of a file."""
        return self._measured(entry)[0]

    def holds(self, entry: Entry, path: str, given: Pointer | None) -> bool:
        """Whether a file has this content; ``given`` is the pointer that the file is.

        Content and a pointer to it are the same. Only what is as long is read, and what cannot be
        read is not the same.
        """
        stored, size = self._measured(entry)
        try:
            if size != (given.size if given else os.path.getsize(path)):
                return False
            if stored:
                return stored.oid == (given.oid if given else sha256_of(path))
            if given is None:
                return entry.oid == _blob_id(path, size, len(entry.oid))
            with _folder() as folder:
                copied = os.path.join(folder, "blob")
                self._copy(entry, copied)
                return given.oid == sha256_of(copied)
        except OSError:
            return False

    @contextmanager
    def stored(self, path: str) -> Iterator[Stored | Pointer]:
        """A file with the content of a model, its external data beside it, as long as it is looked
        at; the pointer where the object of Git LFS is not there.

        Raises ConfigError where there is no such file, and where there is no room for it.
        """
        entry = self.find(path)
        if entry is None:
            raise ConfigError(safe(path), f"is no file in {self.name}")
        pointer = self.pointer(entry)
        source = object_of(self.repository, pointer) if pointer else None
        if pointer and source is None:
            yield pointer
            return
        with _folder() as folder:
            target = os.path.join(folder, posixpath.basename(path))
            try:
                if source is None:
                    self._copy(entry, target)
                else:
                    _link(source, target)
            except OSError as error:
                why = f"cannot be copied from {self.name}: {error.strerror}"
                raise ConfigError(safe(path), why) from error
            yield Stored(target, tuple(self._place_data(path, target)))

    def text(self, path: str) -> str | None:
        """The text of a file; None where it is not there, or too large for one."""
        entry = self.find(path)
        if entry is None or self.repository.blob_size(entry.oid) > _LONGEST_TEXT:
            return None
        content = self.repository.blob(entry.oid)
        if pointer := pointer_of(content):
            source = object_of(self.repository, pointer)
            if source is None or pointer.size > _LONGEST_TEXT:
                return None
            with open(source, "rb") as file:
                content = file.read()
        return content.decode("utf-8", "replace")

    @property
    def name(self) -> str:
        """How a message calls it."""
        return f"commit {self.commit[:12]}" if self.commit != INDEX else "the index of git"

    def _measured(self, entry: Entry) -> tuple[Pointer | None, int]:
        """The pointer that stands in place of a file, if one does, and the bytes of the file."""
        size = self.repository.blob_size(entry.oid)
        pointer = pointer_of(self.repository.blob(entry.oid)) if size < LONGEST else None
        return pointer, pointer.size if pointer else size

    def _copy(self, entry: Entry, target: str) -> None:
        with open(target, "xb") as file:
            self.repository.copy_blob(entry.oid, file)

    def _place_data(self, path: str, model: str) -> Iterator[str]:
        """Write the external data beside the model; the locations of the holes."""
        try:
            locations = external_files(model)
        except ModelError:  # its analysis says so
            return
        left = _MOST_COPIED
        for location in locations:
            entry = self.entries.get(posixpath.join(posixpath.dirname(path), location))
            if entry is None or entry.mode == _LINK:
                continue
            pointer, size = self._measured(entry)
            target = os.path.join(os.path.dirname(model), location)
            with suppress(OSError):  # no room, or the place is taken: it is missing then
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if size > left or not self._fill(entry, pointer, target):
                    with open(target, "wb") as file:
                        file.truncate(size)
                    yield location
                else:
                    left -= size

    def _fill(self, entry: Entry, pointer: Pointer | None, target: str) -> bool:
        """Write a file of its own, for a link to one is not read; whether its content is there."""
        if pointer is None:
            self._copy(entry, target)
            return True
        source = object_of(self.repository, pointer)
        if source is not None:
            shutil.copyfile(source, target)
        return source is not None


def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="archlint-", ignore_cleanup_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.symlink(os.path.abspath(source), target)
    except OSError:  # Windows lets few users link
        shutil.copyfile(source, target)


def sha256_of(path: str) -> str:
    """The SHA-256 of the content of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _blob_id(path: str, size: int, digits: int) -> str:
    """The id that git gives to the content of a file; its digits tell the hash."""
    found = hashlib.new("sha1" if digits == 40 else "sha256", usedforsecurity=False)
    found.update(b"blob %d\0" % size)
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()
