"""An architecture as a graph of small numbers: equal numbers are equal operations."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.compare.architecture import Architecture, Operation
from archlint.analyzer.compare.neighbourhoods import TRANSPARENT

_MOST_NESTED = 64  # bodies within bodies
_INPUT = -1  # what comes from an input of the model, as no number of an operation is

Numbers = list[int]


class Interned(dict[Hashable, int]):
    """A number for each thing that it is asked for, the same for equal ones."""

    def __missing__(self, thing: Hashable) -> int:
        number = self[thing] = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Links:
    """The sources of each operation, an input of the model below 0, and its readers, each with the
    place that it gives it among its sources."""

    sources: Sequence[Sequence[int]]
    readers: Sequence[Sequence[tuple[int, int]]]


class Side:
    """One architecture: what its operations are, and which lead to which.

    ``through`` are links that look through transparent operations, ``plain`` those that do not.
    """

    def __init__(self, whole: Architecture, interned: Interned) -> None:
        self.operations = whole.operations
        self._interned = interned
        bodies = _bodies(whole, interned)
        self.keys = [interned[_what(o, bodies)] for o in self.operations]
        self.scopes = [interned["scope", *o.scope] for o in self.operations]
        self.transparent = [o.operator in TRANSPARENT for o in self.operations]
        self.plain, self.through = self._linked()

    def _linked(self) -> tuple[Links, Links]:
        # What reads something behind it is in no model, but may be in a file.
        plain = [
            [source for source in o.inputs if source < place]
            for place, o in enumerate(self.operations)
        ]
        origins = [*range(len(plain))]
        through = []
        for place, sources in enumerate(plain):
            through.append([origins[s] if s >= 0 else s for s in sources])
            if self.transparent[place] and sources:
                origins[place] = through[place][0]
        seen = [place for place, hidden in enumerate(self.transparent) if not hidden]
        return (
            Links(plain, _turned(plain, range(len(plain)))),
            Links(through, _turned(through, seen)),
        )

    def numbered(self, what: Callable[[Operation], Hashable]) -> Numbers:
        """A number for what is asked of each operation."""
        return [self._interned[what(operation)] for operation in self.operations]

    def upward(self, kinds: Sequence[int]) -> Numbers:
        """Equal numbers have operations of equal kinds whose sources have, up to the inputs."""
        found: Numbers = []
        for key, sources in zip(kinds, self.through.sources, strict=True):
            # An input is told by its place, which is below 0 as no number is.
            above = tuple([found[s] if s >= 0 else s for s in sources])
            found.append(self._interned["up", key, above])
        return found

    def downward(self, kinds: Sequence[int]) -> Numbers:
        """Equal numbers have operations of equal kinds whose readers have, down to the outputs."""
        found = [0] * len(kinds)
        for place in range(len(kinds) - 1, -1, -1):
            readers = self.through.readers[place]
            below = sorted([(found[reader], slot) for reader, slot in readers])
            found[place] = self._interned["down", kinds[place], tuple(below)]
        return found

    def wider(self, around: Sequence[int]) -> Numbers:
        """The numbers of neighbourhoods that reach one operation farther than these do."""
        found: Numbers = []
        links = self.through
        for place, (sources, readers) in enumerate(zip(links.sources, links.readers, strict=True)):
            above = tuple([around[s] if s >= 0 else _INPUT for s in sources])
            below = tuple(sorted([around[reader] for reader, _ in readers]))
            found.append(self._interned["around", around[place], above, below])
        return found

    def with_readers(self, kinds: Sequence[int]) -> Numbers:
        """A number for the kind of each operation and those of its readers."""
        found: Numbers = []
        for kind, readers in zip(kinds, self.through.readers, strict=True):
            below = tuple(sorted([kinds[reader] for reader, _ in readers]))
            found.append(self._interned["readers", kind, below])
        return found


def _bodies(whole: Architecture, interned: Interned) -> dict[str, int]:
    """What the bodies of an architecture do, as numbers by their names."""
    numbers = dict.fromkeys(whole.bodies, 0)
    distinct = 0
    for _ in range(_MOST_NESTED):  # each time what is nested one deeper is told apart
        numbers = {
            name: interned["body", *[(_what(o, numbers), o.inputs) for o in body.operations]]
            for name, body in whole.bodies.items()
        }
        now = len(set(numbers.values()))
        if now == distinct:
            break
        distinct = now
    return numbers


def _what(operation: Operation, bodies: dict[str, int]) -> Hashable:
    run = tuple([bodies.get(name, name) for name in operation.bodies])
    kind = operation.operator, operation.attributes, operation.weights, operation.floats
    return "operation", *kind, run


def _turned(sources: Sequence[Sequence[int]], places: Iterable[int]) -> list[list[tuple[int, int]]]:
    readers: list[list[tuple[int, int]]] = [[] for _ in sources]
    for place in places:
        for slot, source in enumerate(sources[place]):
            if source >= 0:
                readers[source].append((place, slot))
    return readers
