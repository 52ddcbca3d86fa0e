"""What differs between a snapshot and the model that it is beside, for people."""

from __future__ import annotations

from difflib import unified_diff

from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.snapshot import parse, write
from archlint.analyzer.compare.snapshot_text import DIGEST, GONE
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import plural, safe
from archlint.snapshot_files import read_snapshot, snapshot_of

_MOST_LINES = 200  # of a difference that are shown
_MOST_COMPARED = 40_000  # lines that are held against each other, which takes the square of them
_WIDEST = 400  # characters of a line that is shown
_OF_THE_FILE = (DIGEST, "# file bytes: ")


def staleness(model: str, architecture: Architecture) -> str:
    """Why the snapshot beside a model shows another architecture than the model has; empty where
    it does not, or where there is none. Names and weights are not looked at."""
    path = snapshot_of(model)
    try:
        text = read_snapshot(model)
        if text is None:
            return ""
        before = write(parse(text, path).architecture)
    except ConfigError as error:
        return str(error)
    after = write(architecture)
    if _told(before) == _told(after) and _header(before) == _header(after):
        return ""
    return f"{path}: {described(before, after)}"


def described(before: str, after: str) -> str:
    """What kind of difference there is between two snapshots of a model."""
    if _told(before) != _told(after):
        return "the architecture differs"
    if _header(before) != _header(after):
        return "the operations are the same, what they take or give differs"
    return "the architecture is the same, the file is another: its weights or names differ"


def _told(snapshot: str) -> list[str]:
    """What the lines of operations say, without comments."""
    lines = (line.partition("#")[0].rstrip() for line in snapshot.split("\n"))
    return [line for line in lines if line]


def _header(snapshot: str) -> list[str]:
    lines = (line.strip() for line in snapshot.split("\n"))
    return [
        line
        for line in lines
        if line.startswith("#") and not line.startswith((*_OF_THE_FILE, GONE))
    ]


def difference(before: str, after: str, path: str) -> list[str]:
    """The lines of a unified diff, no more than a reader wants."""
    old, new = (text.removesuffix("\n").split("\n") for text in (before, after))
    if len(old) + len(new) > _MOST_COMPARED:
        return [f"{plural(len(old), 'line')} against {len(new):,}: too many to show; try git diff"]
    lines = list(unified_diff(old, new, path, f"{path} (as it should be)", n=2, lineterm=""))
    shown = [safe(line, _WIDEST) for line in lines[:_MOST_LINES]]
    if more := len(lines) - len(shown):
        shown.append(f"… and {plural(more, 'more line')}")
    return shown
