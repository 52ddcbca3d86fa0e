"""The files of code that an answer depends on: those of archlint itself and of its plugins."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from archlint import __version__

_PACKAGES = ("archlint", "archlint.analyzer", "archlint.rules")  # each may have its own folder
_CODE = (".py", ".toml", ".json")


def own_files() -> Iterator[str]:
    """The files of archlint's packages, which are not imported for it."""
    for name in _PACKAGES:
        yield from files_of(name)


def own_digest() -> str:
    """What changes when archlint does: the record of its installation; where it runs from its
    sources, when each file was written."""
    for folder in places_of("archlint"):
        about = f"archlint-{__version__}.dist-info"
        try:
            with open(os.path.join(os.path.dirname(folder), about, "RECORD"), "rb") as file:
                return hashlib.sha256(file.read()).hexdigest()
        except OSError:  # an editable installation has its record elsewhere
            continue
    return _digest(f"{path} {s.st_size} {s.st_mtime_ns}".encode() for path, s in _statuses())


def _statuses() -> Iterator[tuple[str, os.stat_result]]:
    for path in own_files():
        yield path, os.stat(path)


def files_of(module: str) -> Iterator[str]:
    """The files of code of a module, with those beside and below it where it is a package."""
    for place in places_of(module):
        if os.path.isdir(place):
            yield from _code_below(place)
        else:
            yield place


def content_digest(files: Iterable[str]) -> str:
    """A digest of the content of files, by their names; raises OSError."""
    return _digest(
        part for path in files for part in (os.path.basename(path).encode(), _read(path))
    )


def places_of(module: str) -> list[str]:
    """The folders of a package, or the file of a module; nothing where there is no such."""
    loaded = sys.modules.get(module)
    if loaded is not None and not hasattr(loaded, "__spec__"):
        return []
    try:
        spec = find_spec(module) if loaded is None else loaded.__spec__
    except (ImportError, ValueError):
        return []
    if spec is None:  # a folder of rules without an __init__.py
        return list(getattr(loaded, "__path__", ()))
    if spec.submodule_search_locations is not None:
        return list(spec.submodule_search_locations)
    return [spec.origin] if spec.has_location and spec.origin else []


def _code_below(folder: str) -> Iterator[str]:
    """The files of code in a folder and those below it; links to folders are not followed."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _code_below(entry.path)
        elif entry.name.endswith(_CODE):
            yield entry.path


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(b"%d " % len(part))
        found.update(part)
    return found.hexdigest()
