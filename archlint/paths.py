"""From what a user names to the models that are meant."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence

from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.report import Failure

_SUFFIX = ".onnx"


def find_models(paths: Iterable[str]) -> tuple[list[str], list[Failure]]:
    """Files as they are, ``*.onnx`` in folders and their subfolders, globs; each model once; ``-``
    is standard input.

    Hidden subfolders are not searched. What names no model is a failure.
    """
    models: dict[str, str] = {}
    failures: list[Failure] = []
    for path in paths:
        found, why = _find(path)
        for model in found:
            key = model if model == STANDARD_INPUT else os.path.abspath(model)
            models.setdefault(key, model)
        if why:
            failures.append(Failure(path, why))
    return list(models.values()), failures


def _find(path: str) -> tuple[Sequence[str], str]:
    if path == STANDARD_INPUT:
        return [path], ""
    if os.path.isdir(path):
        return _checked(sorted(_walk(path)), f"the folder holds no {_SUFFIX} file")
    if os.path.lexists(path):
        return [path], ""
    if glob.has_magic(path):
        matches = sorted(match for match in glob.glob(path, recursive=True))
        return _checked([m for m in matches if os.path.isfile(m)], "nothing matches the pattern")
    return [], "no such file or folder"


def _checked(found: Sequence[str], why: str) -> tuple[Sequence[str], str]:
    return (found, "") if found else ((), why)


def _walk(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(place, name) for name in files if name.endswith(_SUFFIX))
