"""What the models of a run are compared with: a revision of git, a folder, or one file."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from filecmp import cmp
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ConfigError
from archlint.discovery import shown_path
from archlint.work import Answer

if TYPE_CHECKING:  # most models are in files
    from archlint.analyzer.reader.memory import InMemory

OPTION = "--base"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A model in the base, by what a report calls it.

    ``content`` is the path of a file with what it holds, or it is in ``memory``; where there is
    neither, ``known`` is all that can be said of it. It has holes where its weights are not there.
    """

    name: str
    is_same: bool = False
    content: str | None = None
    memory: InMemory | None = None
    known: Answer = field(default_factory=Answer)
    has_holes: bool = False


class Base(ABC):
    """Where models are looked for; ``label`` is what a report calls it: a revision with its commit,
    or a path."""

    label: str

    @abstractmethod
    def find(self, path: str, stack: ExitStack, /) -> Counterpart | None:
        """The model of this path in the base; None where it has none. The stack keeps its file."""

    def removed(self, _paths: Sequence[str], _models: Sequence[str], /) -> tuple[str, ...]:
        """What only the base has below the paths, where the run found these models; nothing where
        nobody knows which of its models the run means."""
        return ()


def open_base(name: str | InMemory, models: Sequence[str], held: Container[str] = ()) -> Base:
    """The base that the option names: what exists as a file or folder is that, other names are
    revisions. The models that are ``held`` in memory are no files, whatever they are called.

    Raises ConfigError for what cannot be a base of these models.
    """
    if not isinstance(name, str):
        return _Held(name)
    if os.path.isdir(name):
        return _Folder(name, held)
    if os.path.lexists(name):
        if len(models) > 1:
            why = "one file is the base of one model; give a folder of models, or a revision"
            raise ConfigError(f"{OPTION} {name}", why)
        return _File(name, held)
    from archlint.git_base import open_revision  # late: few bases need git

    return open_revision(name, models, held)


@dataclass(frozen=True)
class _Held(Base):
    memory: InMemory
    label: str = "<base>"

    def find(self, _path: str, _stack: ExitStack, /) -> Counterpart:
        return Counterpart(self.label, memory=self.memory)


@dataclass(frozen=True)
class _File(Base):
    label: str
    held: Container[str]

    def find(self, path: str, _stack: ExitStack, /) -> Counterpart:
        return _beside(path, self.label, self.held)


@dataclass(frozen=True)
class _Folder(Base):
    """Models of a folder have the paths that they have below the working directory, or an end of
    those: ``new/a/m.onnx`` is ``a/m.onnx`` in a folder that has no ``new``."""

    label: str
    held: Container[str]

    def find(self, path: str, _stack: ExitStack, /) -> Counterpart | None:
        parts = shown_path(path).split(os.sep)
        ends = (os.path.join(self.label, *parts[start:]) for start in range(len(parts)))
        found = next((end for end in ends if os.path.isfile(end)), None)
        return None if found is None else _beside(path, found, self.held)


def _beside(path: str, other: str, held: Container[str]) -> Counterpart:
    """The counterpart that is a file; raises ConfigError where one of them cannot be read."""
    try:
        is_same = path not in held and cmp(path, other, shallow=False)
        return Counterpart(other, is_same, other)
    except OSError as error:
        raise ConfigError(f"{OPTION} {other}", f"cannot be compared: {error.strerror}") from error
