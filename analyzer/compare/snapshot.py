"""The snapshot of an architecture: a text of one line an operation, for reviews and diffs.

A line tells an operation by what it is, never by what it is called or where it stands: what it
reads is said by how many lines above it was made. So a change of one layer changes few lines.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.snapshot_lines import cells_of
from archlint.analyzer.compare.snapshot_parse import Snapshot, parse
from archlint.analyzer.compare.snapshot_text import (
    BODY,
    DIGEST,
    GONE,
    INPUT,
    OF_FILES,
    OUTPUT,
    TITLE,
    TOTALS,
    count,
    path,
    phrase,
    word,
)

__all__ = ["Snapshot", "parse", "write"]

_NO_COMMENTS: Mapping[int, str] = MappingProxyType({})


def write(
    architecture: Architecture,
    comments: Mapping[int, str] = _NO_COMMENTS,
    gone: Sequence[str] = (),
) -> str:
    """The text of an architecture, with comments at the lines of operations by their places.

    ``gone`` are lines of an earlier snapshot whose comments have no operation any more.
    """
    lines = [TITLE, *_header(architecture), "", *_operations(architecture, comments)]
    for inside, body in _bodies(architecture, ()):
        lines += ["", f"{BODY}{path(inside, '/')}", *_header(body, OF_FILES), *_operations(body)]
    if gone:
        lines += ["", *(f"{GONE}{line}" for line in gone)]
    return "\n".join(lines) + "\n"


def _header(architecture: Architecture, optional: Container[str] = ()) -> Iterator[str]:
    """What holds for the whole; what is unknown of the optional totals is left out."""
    if architecture.digest:
        yield f"{DIGEST}sha256:{word(architecture.digest)}"
    yield from (f"{INPUT}{phrase(text)}" for text in architecture.inputs)
    yield from (f"{OUTPUT}{phrase(text)}" for text in architecture.outputs)
    for key, name in TOTALS.items():
        number = getattr(architecture.totals, name)
        if number is not None or name not in optional:
            yield f"# {key}: {count(number)}"


def _bodies(
    architecture: Architecture, around: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Architecture]]:
    """The bodies of an architecture, each before its own, by the names that lead to it.

    They come as they are first run, so that none moves where another gets a new name.
    """
    for name in _in_order(architecture):
        inside = (*around, name)
        body = architecture.bodies[name]
        yield inside, body
        yield from _bodies(body, inside)


def _in_order(architecture: Architecture) -> Iterable[str]:
    """The names of the bodies: as operations run them, then those that none runs."""
    bodies, found = architecture.bodies, dict[str, None]()
    waiting = [iter(architecture.operations)] if bodies else []
    while waiting:
        for operation in waiting[-1]:
            new = [n for n in operation.bodies if n in bodies and n not in found]
            if new:
                found.update(dict.fromkeys(new))
                waiting += (iter(bodies[name].operations) for name in reversed(new))
                break
        else:
            waiting.pop()
    return (*found, *(name for name in bodies if name not in found))


def _operations(
    architecture: Architecture, comments: Mapping[int, str] = _NO_COMMENTS
) -> Iterator[str]:
    for place, operation in enumerate(architecture.operations):
        line = "  ".join(cells_of(place, operation))
        comment = comments.get(place)
        yield f"{line}  # {comment}" if comment else line
