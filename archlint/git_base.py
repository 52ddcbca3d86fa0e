"""A revision of git as a base: the models as they were where the branches parted."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import Failure
from archlint.analyzer.text import size
from archlint.bases import OPTION, Base, Counterpart
from archlint.discovery import shown_path
from archlint.git import Repository
from archlint.git_models import BaseModels
from archlint.lfs import Pointer
from archlint.work import Answer

_SHORT = 10  # digits of a commit that a report shows


def open_revision(name: str, models: Sequence[str], held: Container[str] = ()) -> _Revision:
    """The base that a revision is, in the repository of the models; those that are ``held`` in
    memory are only called by their paths.

    Raises ConfigError where there is none of the name, and for models of several repositories.
    """
    tops = dict.fromkeys(os.path.dirname(os.path.abspath(path)) for path in models)
    repositories = {repository for top in tops if (repository := Repository.around(top))}
    here = repositories.pop() if repositories else Repository.around(os.getcwd())
    if here is None:
        why = "there is no such file or folder, and no git repository that could have a revision"
        raise ConfigError(f"{OPTION} {name}", f"{why} of this name")
    if repositories:
        roots = sorted(shown_path(one.root) for one in (here, *repositories))
        why = f"the models are in several repositories ({', '.join(roots)}); check each by itself"
        raise ConfigError(f"{OPTION} {name}", why)
    commit = here.base(name)
    short = commit[:_SHORT]
    label = short if commit.startswith(name) else f"{name} ({short})"
    return _Revision(label, BaseModels(here, commit), held)


@dataclass(frozen=True)
class _Revision(Base):
    label: str
    models: BaseModels
    held: Container[str]

    def find(self, path: str, stack: ExitStack, /) -> Counterpart | None:
        there = self.models.counterpart(path)
        if there is None:
            return None
        name = f"{self.label}: {there}"
        if path not in self.held and self.models.is_same(path):
            return Counterpart(name, is_same=True)
        stored = stack.enter_context(self.models.materialised(path))
        if isinstance(stored, Pointer):
            return Counterpart(name, known=self._known(path, there, stored))
        return Counterpart(name, content=stored.path, has_holes=bool(stored.holes))

    def removed(self, paths: Sequence[str], models: Sequence[str], /) -> tuple[str, ...]:
        return tuple(self.models.removed(paths, models))

    def _known(self, path: str, there: str, pointer: Pointer) -> Answer:
        """What a snapshot says of a model whose object of Git LFS is not here."""
        from archlint.analyzer.compare.snapshot import parse  # late: most objects are here
        from archlint.snapshot_reports import from_snapshot

        text = self.models.snapshot(path)
        if text is not None:
            architecture = parse(text, f"{there}.arch of {self.label}").architecture
            if architecture.digest == pointer.oid:
                return Answer(from_snapshot(architecture, path), architecture=architecture)
        fetch = f'git lfs fetch --include="{there}" origin {self.models.commit[:_SHORT]}'
        why = f"its object of Git LFS ({size(pointer.size)}) is not here; run: {fetch}"
        return Answer(failures=(Failure(path, f"its base {self.label} is not known: {why}"),))
