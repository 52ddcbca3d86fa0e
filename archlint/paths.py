"""From what a user names to the models that are meant."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence

from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.report import Failure
from archlint.configuration import Configuration
from archlint.data_owners import Known, owners
from archlint.exclusion import is_excluded, is_excluded_below, is_forced_out
from archlint.remote import Address, is_remote
from archlint.remote import find as find_remote

_SUFFIX = ".onnx"


def find_models(
    paths: Iterable[str], configuration: Configuration
) -> tuple[list[str], list[Failure]]:
    """Files as they are, ``*.onnx`` in folders and their subfolders, globs, all of it also by URL;
    each model once; ``-`` is standard input. A file of weights or a snapshot stands for its models.

    What the configuration excludes is not searched, and with ``force-exclude`` left out even where
    it is named. What names no model otherwise is a failure.
    """
    models: dict[str, str] = {}
    failures: list[Failure] = []
    known: Known = {}
    for path in paths:
        found, why = _find(path, configuration, known)
        for model in found:
            as_it_is = model == STANDARD_INPUT or is_remote(model)
            key = model if as_it_is else os.path.abspath(model)
            models.setdefault(key, model)
        if why:
            failures.append(Failure(Address(path) if is_remote(path) else path, why))
    return list(models.values()), failures


def _find(path: str, configuration: Configuration, known: Known) -> tuple[Sequence[str], str]:
    """The models of one path; why there are none, where that is a failure."""
    if path == STANDARD_INPUT:
        return [path], ""
    if is_remote(path):
        named, why = find_remote(path)
        top = _fixed(Address(path))
        kept = [one for one in named if not is_excluded_below(configuration, top, one)]
        return _told(kept, why, named)
    if os.path.lexists(path):
        if is_forced_out(configuration, path):
            return [], ""
        if not os.path.isdir(path):
            return _meant(path, configuration, known), ""
        left_out: list[str] = []
        found = sorted(_walk(path, configuration, left_out))
        return _told(found, f"the folder holds no {_SUFFIX} file", left_out)
    if glob.has_magic(path):
        files = [match for match in glob.glob(path, recursive=True) if os.path.isfile(match)]
        top = _fixed(path)
        found = sorted(one for one in files if not is_excluded_below(configuration, top, one))
        return _told(found, "nothing matches the pattern", files)
    return [], "no such file or folder"


def _meant(path: str, configuration: Configuration, known: Known) -> Sequence[str]:
    """The model that a file is, or those that keep weights in it."""
    if path.endswith(_SUFFIX) or not (found := owners(path, known)):
        return [path]
    return [model for model in found if not is_forced_out(configuration, model)]


def _told(found: Sequence[str], why: str, left_out: Sequence[str]) -> tuple[Sequence[str], str]:
    if found:
        return found, ""
    return (), f"{why} beside what is excluded; see: archlint config exclude" if left_out else why


def _fixed(pattern: str) -> str:
    """The folder that a glob names before its first wildcard."""
    folder = pattern
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder


def _walk(folder: str, configuration: Configuration, left_out: list[str]) -> Iterator[str]:
    """The models below a folder; the names of what is excluded are added to ``left_out``."""
    for place, folders, files in os.walk(folder):
        models = [name for name in files if name.endswith(_SUFFIX)]
        named = ((name, os.path.join(place, name)) for name in (*models, *folders))
        out = {name for name, path in named if is_excluded(configuration, path)}
        left_out += out
        folders[:] = [name for name in folders if name not in out]
        yield from (os.path.join(place, name) for name in models if name not in out)
