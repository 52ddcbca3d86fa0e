"""Read the snapshot of an architecture: every line must be one that could have been written."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, TypeVar

from archlint.analyzer.compare.architecture import Architecture, Operation, Totals
from archlint.analyzer.compare.snapshot_lines import operation_of
from archlint.analyzer.compare.snapshot_text import (
    BODY,
    DIGEST,
    GONE,
    INPUT,
    OF_FILES,
    OUTPUT,
    TITLE,
    TOTALS,
    counted,
    parts,
    plain,
)
from archlint.analyzer.errors import ConfigError

T = TypeVar("T")

_ANEW = "write it anew: archlint snapshot write"
_MOST_CHARACTERS = 64_000_000
_MOST_LINES = 1_000_000
_LONGEST_LINE = 1_000_000
_SHOWN = 60  # characters of a line that an error repeats
_DEEPEST = 50  # bodies within bodies
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as it was read.

    ``lines`` are the numbers, from 1, of the lines of the operations of the main graph, and
    ``comments`` what people wrote behind them, by places. ``gone`` are lines whose operation is
    there no more, and ``strays`` those of bodies that have a comment, both by numbers.
    """

    architecture: Architecture
    lines: tuple[int, ...] = ()
    comments: Mapping[int, str] = field(default_factory=dict)
    gone: Mapping[int, str] = field(default_factory=dict)
    strays: Mapping[int, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The SHA-256 of the file that it is of; empty where it is not known."""
        return self.architecture.digest


def parse(text: str, source: str) -> Snapshot:
    """The snapshot in a text; raises ConfigError, which names the line of the source."""
    if len(text) > _MOST_CHARACTERS:
        raise ConfigError(source, f"is larger than {_MOST_CHARACTERS:,} characters; {_ANEW}")
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > _MOST_LINES:
        raise ConfigError(source, f"has more than {_MOST_LINES:,} lines; {_ANEW}")
    return _Reader(source, lines).snapshot()


class _Reader:
    """A text, line by line; empty ones are passed over."""

    def __init__(self, source: str, lines: list[str]) -> None:
        self._source = source
        self._lines = lines
        self._number = 0  # of the line that was read last, from 1
        self._comments: dict[int, str] = {}  # by numbers of lines

    def snapshot(self) -> Snapshot:
        """All that the text holds."""
        if (title := self._next()) != TITLE:
            known = title.startswith(TITLE.rstrip("0123456789"))
            what = "is of another format than this archlint's" if known else "begins no snapshot"
            self._fail(what)
        main, lines = self._architecture()
        numbers = set(lines)
        comments = {
            place: self._comments[n] for place, n in enumerate(lines) if n in self._comments
        }
        bodies = self._bodies()
        gone = {}
        while self._peek().startswith(GONE):
            gone[self._number] = self._next().removeprefix(GONE)
        if self._peek():
            self._next()
            self._fail("is no line of a snapshot")
        return Snapshot(
            architecture=_nested(main, bodies),
            lines=lines,
            comments=comments,
            gone=gone,
            strays={
                number: self._lines[number - 1].strip()
                for number in self._comments
                if number not in numbers
            },
        )

    def _bodies(self) -> dict[tuple[str, ...], Architecture]:
        """The bodies by the names that lead to them."""
        bodies: dict[tuple[str, ...], Architecture] = {}
        while self._peek().startswith(BODY):
            inside = self._value(BODY, lambda text: parts(text, "/"))
            if not 0 < len(inside) <= _DEEPEST or inside in bodies:
                self._fail("names a body that was there, or that is too deep within others")
            if inside[:-1] and inside[:-1] not in bodies:
                self._fail("names a body within one that was not there")
            bodies[inside] = self._architecture(OF_FILES)[0]
        return bodies

    def _architecture(self, optional: Container[str] = ()) -> tuple[Architecture, tuple[int, ...]]:
        """A header and the operations below it, with the numbers of their lines."""
        digest = "".join(self._values(DIGEST, _digest))
        inputs = tuple(self._values(INPUT, plain))
        outputs = tuple(self._values(OUTPUT, plain))
        totals = self._totals(optional)
        operations: list[Operation] = []
        lines = []
        while (line := self._peek()) and not line.startswith("#"):
            operations.append(self._operation(len(operations)))
            lines.append(self._number)
        return Architecture(tuple(operations), inputs, outputs, totals, digest), tuple(lines)

    def _totals(self, optional: Container[str]) -> Totals:
        found: dict[str, int | None] = {}
        for key, name in TOTALS.items():
            start = f"# {key}: "
            if name in optional and not self._peek().startswith(start):
                found[name] = None
            else:
                found[name] = self._value(start, counted)
        operations, unknown = found.pop("operations"), found.pop("unknown")
        if operations is None or unknown is None:
            self._fail("should be a number: it is always known how many operations there are")
        return Totals(operations=operations, unknown=unknown, **found)

    def _operation(self, place: int) -> Operation:
        """The operation in the next line; what a person wrote behind it is noted."""
        line, sign, comment = self._next().partition("#")
        if sign and comment.strip():
            self._comments[self._number] = comment.strip()
        try:
            return operation_of(line.rstrip().split("  "), place)
        except ValueError as error:
            return self._fail(f"is no operation: {error}")

    def _values(self, key: str, read: Callable[[str], T]) -> Iterator[T]:
        """What stands behind a key, in as many lines as have it."""
        while self._peek().startswith(key):
            yield self._value(key, read)

    def _value(self, key: str, read: Callable[[str], T]) -> T:
        """What stands behind a key, which the next line must have."""
        line = self._next()
        if not line.startswith(key):
            self._fail(f"should begin with '{key.rstrip()}'")
        try:
            return read(line.removeprefix(key))
        except ValueError as error:
            return self._fail(f"cannot be read: {error}")

    def _peek(self) -> str:
        """The next line; empty at the end."""
        for number in range(self._number, len(self._lines)):
            if line := self._lines[number].strip():
                self._number = number
                return line
        return ""

    def _next(self) -> str:
        """The next line, which is read then; empty at the end."""
        line = self._peek()
        self._number += 1
        if len(line) > _LONGEST_LINE:
            self._fail(f"is longer than {_LONGEST_LINE:,} characters")
        return line

    def _fail(self, why: str) -> NoReturn:
        raise ConfigError(f"{self._source}:{self._number}", f"{why}; {_ANEW}")


def _digest(text: str) -> str:
    found = _DIGEST.fullmatch(text)
    if found is None:
        raise ValueError("a digest is sha256: and 64 hexadecimal digits")
    return found[1]


def _nested(main: Architecture, bodies: Mapping[tuple[str, ...], Architecture]) -> Architecture:
    """The architecture with its bodies, and theirs, in it."""
    within: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for inside in bodies:
        within.setdefault(inside[:-1], []).append(inside)
    whole = {(): main, **bodies}
    for around in sorted(within, key=len, reverse=True):
        own = {inside[-1]: whole[inside] for inside in within[around]}
        whole[around] = replace(whole[around], bodies=own)
    return whole[()]
