"""Where a graph in topological order repeats itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MOST_PERIODS = 32

Inputs = Sequence[int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The boxes from ``start`` to before ``end``, each like the one a ``period`` behind it."""

    start: int
    end: int
    period: int

    @property
    def count(self) -> int:
        """Its whole blocks."""
        return (self.end - self.start) // self.period


def stretches(inputs: Sequence[Inputs], looks: Sequence[int]) -> Iterator[Stretch]:
    """All that are two blocks long or longer, those of the shortest blocks first.

    A box is like another one if both look the same, and what they read is either apart as they are,
    or the same and before the stretch; the first block may read anything where others read the one
    before them. Blocks are looked for that are as long as what looks the same is apart, at most 32
    different lengths.
    """
    for period in _periods(looks):
        yield from _of(inputs, looks, period)


def _periods(looks: Sequence[int]) -> list[int]:
    """The most frequent distances between what looks the same, in rising order."""
    seen: dict[int, int] = {}
    found: Counter[int] = Counter()
    for at, look in enumerate(looks):
        if look in seen:
            found[at - seen[look]] += 1
        seen[look] = at
    return sorted(period for period, _ in found.most_common(_MOST_PERIODS))


def _of(inputs: Sequence[Inputs], looks: Sequence[int], period: int) -> Iterator[Stretch]:
    start = 0
    entries: dict[int, int] = {}
    for at in range(len(looks) - period + 1):
        common = None
        if at < len(looks) - period and looks[at] == looks[at + period]:
            common = _common(inputs[at], inputs[at + period], start, period, entries)
        if common is not None and common < start:
            continue
        if at - start >= period:
            yield Stretch(start, at + period, period)
        start, entries = at + 1 if common is None else common + 1, {}


def _common(
    own: Inputs, other: Inputs, start: int, period: int, entries: dict[int, int]
) -> int | None:
    """The last box that both read; -1 without one, None where they do not read alike.

    What others read of the first block, the first block itself reads before the stretch: of which
    box of its ``entries`` tell.
    """
    if len(own) != len(other):
        return None
    found = -1
    for one, later in zip(own, other, strict=True):
        if one == later:
            found = max(found, one)
        elif one < start <= later < start + period:
            if entries.setdefault(later, one) != one:
                return None
        elif later != one + period:
            return None
    return found
