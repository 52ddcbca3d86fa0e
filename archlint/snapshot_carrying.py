"""A snapshot written anew with what people wrote into the one before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.matching import match
from archlint.analyzer.compare.snapshot import Snapshot, parse, write
from archlint.analyzer.compare.snapshot_text import GONE
from archlint.analyzer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Renewed:
    """The text of an architecture, with the comments of an earlier snapshot.

    ``is_same`` says that the earlier one told the same. ``lost`` are lines of it whose operation is
    there no more: they are kept at the end. ``fault`` says why it could not be read as it is.
    """

    text: str
    is_same: bool = False
    lost: tuple[str, ...] = ()
    fault: str = ""


def renewed(earlier: str | None, source: str, architecture: Architecture) -> Renewed:
    """The snapshot of an architecture in place of an earlier one, which is called ``source``."""
    if earlier is None:
        return Renewed(write(architecture))
    try:
        snapshot = parse(earlier, source)
    except ConfigError as error:
        return _salvaged(earlier, architecture, str(error))
    plain = write(architecture)
    if write(snapshot.architecture) == plain and not snapshot.strays:
        return Renewed(earlier, is_same=True)
    lines = earlier.split("\n")
    found = places_after(snapshot, architecture) if snapshot.comments else {}
    comments = {found[at]: text for at, text in snapshot.comments.items() if at in found}
    lost = [lines[snapshot.lines[at] - 1] for at in sorted(snapshot.comments) if at not in found]
    lost += snapshot.strays.values()
    gone = [*snapshot.gone.values(), *map(str.strip, lost)]
    return Renewed(write(architecture, comments, gone), lost=tuple(map(str.strip, lost)))


def places_after(snapshot: Snapshot, architecture: Architecture) -> Mapping[int, int]:
    """Where the operations of a snapshot are in the architecture of today, by their places."""
    before = snapshot.architecture
    if write(before) == write(architecture):
        return {place: place for place in range(len(before.operations))}
    return dict(match(before, architecture))


def _salvaged(earlier: str, architecture: Architecture, fault: str) -> Renewed:
    """The comments of what is no snapshot any more, as after a merge with conflicts: each goes to
    the one line that reads as its line did."""
    written = write(architecture).split("\n")
    places = _only_places(written, len(architecture.operations))
    comments: dict[int, str] = {}
    lost: dict[str, None] = {}
    for line in map(str.strip, earlier.split("\n")):
        told, _, comment = line.partition("#")
        place = places.get(told.rstrip())
        if line.startswith(GONE):
            lost.setdefault(line.removeprefix(GONE))
        elif comment.strip() and told and place is not None:
            comments.setdefault(place, comment.strip())
        elif comment.strip() and (told or "archlint:" in comment):
            lost.setdefault(line)
    return Renewed(write(architecture, comments, tuple(lost)), lost=tuple(lost), fault=fault)


def _only_places(written: Iterable[str], count: int) -> Mapping[str, int]:
    """The places of operations by their lines, of those that no other line is like."""
    told = [line for line in written if line and not line.startswith("#")][:count]
    times = Counter(told)
    return {line: place for place, line in enumerate(told) if times[line] == 1}
