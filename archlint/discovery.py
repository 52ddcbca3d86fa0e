"""Find the configuration file that counts: the nearest above a folder."""

from __future__ import annotations

import os

PYPROJECT = "pyproject.toml"
NAMES = (".archlint.toml", "archlint.toml", PYPROJECT)  # the first of a folder counts


def nearest_file(folder: str, known: dict[str, str | None]) -> str | None:
    """The configuration file of the folder or of the nearest one above it.

    ``known`` are the answers so far, to which this one is added.
    """
    passed = []
    place, found = folder, None
    while place not in known:
        passed.append(place)
        above = os.path.dirname(place)
        if (found := _file_in(place)) is not None or above == place:
            break
        place = above
    found = known.get(place, found)
    known.update(dict.fromkeys(passed, found))
    return found


def shown_path(path: str) -> str:
    """The path from the working directory where it is beneath, otherwise the whole path."""
    whole = os.path.abspath(path)
    try:
        relative = os.path.relpath(whole)
    except ValueError:  # on another drive
        return whole
    return whole if relative.startswith(os.pardir) else relative


def is_around(path: str) -> bool:
    """Whether a file stands in the working directory or in a folder above it."""
    folder = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    here = os.path.realpath(os.getcwd())
    return here == folder or here.startswith(os.path.join(folder, ""))


def _file_in(folder: str) -> str | None:
    for name in NAMES:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and (name != PYPROJECT or _speaks_of_archlint(path)):
            return path
    return None


def _speaks_of_archlint(path: str) -> bool:
    """Whether a pyproject.toml has a table for archlint; one without its name is not parsed."""
    from archlint.reading import own_table, parse_file, read_bytes  # late: most runs have no file

    return b"archlint" in read_bytes(path) and own_table(path, parse_file(path)) is not None
