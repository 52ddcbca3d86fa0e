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
