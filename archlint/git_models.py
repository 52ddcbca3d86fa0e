"""The models of a working tree beside those of a commit."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

from archlint.analyzer.errors import ConfigError, ModelError
from archlint.analyzer.reader.locations import external_files
from archlint.analyzer.text import safe
from archlint.git import Repository
from archlint.lfs import Pointer, pointer_in
from archlint.snapshot_files import snapshot_of
from archlint.trees import INDEX, Stored, Tree

_SUFFIX = ".onnx"


@dataclass(frozen=True)
class BaseModels:
    """The models of a commit, asked for by the paths that they have in the working tree."""

    repository: Repository
    commit: str

    @cached_property
    def tree(self) -> Tree:
        """The files of the commit."""
        return Tree(self.repository, self.commit)

    def counterpart(self, path: str) -> str | None:
        """The path in the commit of what is the same model, perhaps by another name."""
        here = self.repository.relative(path)
        if here is None:
            return None
        there = here if here in self.tree.entries else self._renamed.get(here)
        if there is None and here not in self.repository.tracked:
            there = self._moved(path)
        return there if there is not None and self.tree.find(there) else None

    def is_same(self, path: str) -> bool:
        """Whether the model and its external data are what they are in the commit."""
        here, there = self.repository.relative(path), self.counterpart(path)
        if here is None or there is None:
            return False
        return self._is_same_file(here, there, path) and all(
            self._is_same_file(
                posixpath.normpath(posixpath.join(posixpath.dirname(here), location)),
                posixpath.normpath(posixpath.join(posixpath.dirname(there), location)),
                os.path.join(os.path.dirname(path), location),
            )
            for location in self._data_in_doubt(here, there, path)
        )

    def materialised(self, path: str) -> AbstractContextManager[Stored | Pointer]:
        """The model as it is in the commit, as ``Tree.stored`` has it."""
        there = self.counterpart(path)
        if there is None:
            raise ConfigError(safe(path), f"is no file in {self.tree.name}")
        return self.tree.stored(there)

    def snapshot(self, path: str) -> str | None:
        """The text of the snapshot beside the model in the commit."""
        there = self.counterpart(path)
        return None if there is None else self.tree.text(snapshot_of(there))

    def removed(self, asked: Iterable[str], models: Iterable[str]) -> list[str]:
        """The models of the commit below the folders that were asked for, that are gone.

        ``models`` are those that were found there: one of them may be a gone one by another name.
        Paths begin as the folders do.
        """
        gone = set(self._gone)
        if gone:
            gone -= {self.counterpart(model) for model in models}
        found: dict[str, str] = {}
        for top in asked:
            inside = (
                self.repository.relative(os.path.join(top, "_")) if os.path.isdir(top) else None
            )
            if inside is None:
                continue
            folder = inside.removesuffix("_")
            for path in gone:
                if path.startswith(folder):
                    shown = os.path.join(top, path.removeprefix(folder).replace("/", os.sep))
                    found.setdefault(path, shown)
        return sorted(found.values())

    @cached_property
    def _gone(self) -> tuple[str, ...]:
        """The models of the commit whose path names nothing in the working tree."""
        return tuple(
            sorted(
                path
                for path in self.tree.entries
                if path.endswith(_SUFFIX)
                and not os.path.lexists(os.path.join(self.repository.root, path))
            )
        )

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        """The path in the commit by that in the index, for models that were renamed."""
        listed = iter(
            self.repository.listed(
                "diff-index", "--cached", "-M", "-z", "--name-status", "--diff-filter=R",
                "--ignore-submodules=all", self.commit, "--", f":(glob)**/*{_SUFFIX}",
            )
        )  # fmt: skip
        return {new: old for _, old, new in zip(listed, listed, listed, strict=True)}

    def _moved(self, path: str) -> str | None:
        """The model that is gone and has the content of a file that git does not know."""
        name = os.path.basename(path)
        pointer = pointer_in(path)
        for gone in sorted(self._gone, key=lambda gone: posixpath.basename(gone) != name):
            entry = self.tree.find(gone)
            if entry and os.path.isfile(path) and self.tree.holds(entry, path, pointer):
                return gone
        return None

    @cached_property
    def _changed(self) -> frozenset[str]:
        """The files that differ between the commit and the working tree, or may."""
        asked = ("diff-index", "-z", "--name-only", "--ignore-submodules=all", self.commit)
        return frozenset(self.repository.listed(*asked))

    def _is_same_file(self, here: str, there: str, path: str) -> bool:
        """Whether a file of the working tree is what it is in the commit."""
        entry = self.tree.find(there)
        if entry is None or not os.path.isfile(path):
            return entry is None and not os.path.lexists(path)
        if here == there and not os.path.islink(path) and self._is_clean(here):
            return True
        return self.tree.holds(entry, path, pointer_in(path))

    def _is_clean(self, here: str) -> bool:
        """Whether git looks at the file in the working tree, and finds what the commit has."""
        return self.repository.tracked.get(here) == "H" and here not in self._changed

    def _data_in_doubt(self, here: str, there: str, path: str) -> Iterator[str]:
        """The external data of a model that may have changed; the model is not read where nothing
        around it has."""
        folder = posixpath.dirname(here)
        prefix = f"{folder}/" if folder else ""
        others = (one for one in self._changed if not one.endswith((_SUFFIX, snapshot_of(_SUFFIX))))
        if posixpath.dirname(there) == folder and not any(one.startswith(prefix) for one in others):
            return
        try:
            locations = external_files(path)
        except ModelError:  # its analysis says so
            return
        yield from locations


@dataclass(frozen=True, slots=True)
class RevisionFile:
    """A model by a revision and its path in it."""

    tree: Tree
    path: str

    def stored(self) -> AbstractContextManager[Stored | Pointer]:
        """A file of it, as ``Tree.stored`` has it."""
        return self.tree.stored(self.path)

    def snapshot(self) -> str | None:
        """The text of the snapshot beside it."""
        return self.tree.text(snapshot_of(self.path))


def revision_file(text: str) -> RevisionFile | None:
    """The model that ``REVISION:PATH`` means in the repository around the working directory; None
    for any other text.

    Raises ConfigError where there is no such revision, or no such file in it.
    """
    named = parse_revision_path(text)
    if named is None:
        return None
    revision, path = named
    repository = Repository.around(os.curdir)
    if repository is None:
        raise ConfigError(safe(text), "the working directory is in no git repository")
    tree = Tree(repository, repository.resolve(revision) if revision else INDEX)
    from_here = repository.relative(path)
    inside = from_here if path.startswith(("./", "../")) else posixpath.normpath(path)
    if inside is not None and tree.find(inside):
        return RevisionFile(tree, inside)
    near = from_here is not None and tree.find(from_here)
    hint = f"; did you mean '{safe(revision)}:./{safe(path)}'?" if near else ""
    raise ConfigError(safe(text), f"there is no such file in {tree.name}{hint}")


def parse_revision_path(text: str) -> tuple[str, str] | None:
    """``main:models/a.onnx`` as its revision and path, the revision empty for the index.

    None for what names a file that is there, for addresses, drives of Windows and what git takes
    for a search. A colon in braces is part of a revision, as in ``main@{2025-01-01 10:00}``.
    """
    if os.path.lexists(text):
        return None
    bare = re.sub(r"\{[^{}]*\}", lambda braces: "_" * len(braces[0]), text)
    revision, colon, _ = bare.partition(":")
    revision, path = text[: len(revision)], text[len(revision) + 1 :]
    if not revision:
        path = path.removeprefix("0:")  # the index where no merge is open
    is_drive = len(revision) == 1 and path.startswith("\\")
    if not colon or not path or is_drive or path.startswith("/"):
        return None
    return revision, path
