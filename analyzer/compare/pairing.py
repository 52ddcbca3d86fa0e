"""Pairs of alike operations, and from each pair the next ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from archlint.analyzer.compare.sides import Numbers, Side

Keys = tuple[Numbers, Numbers]
"""Numbers of the operations of both sides; equal ones are alike."""

Marked = list[tuple[Hashable, int]]

_MOST_BETWEEN = 64  # operations of one side alone that a search looks beyond


class Pairing:
    """Two sides and the pairs found so far: ``partners`` by the places of each, below 0 for none.

    Where operations are alike, equally many of both sides are paired in order, and others are not.
    """

    def __init__(self, before: Side, after: Side) -> None:
        self.sides = before, after
        self.partners: Keys = [-1] * len(before.keys), [-1] * len(after.keys)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left on one side."""
        return any(-1 not in partners for partners in self.partners)

    def pairs(self) -> list[tuple[int, int]]:
        """The pairs found so far."""
        return [(place, other) for place, other in enumerate(self.partners[0]) if other >= 0]

    def pair(self, keys: Keys, wanted: Callable[[Side, int], bool]) -> None:
        """Pair the wanted operations of equal keys."""
        before, after = (
            {
                place: numbers[place]
                for place, other in enumerate(partners)
                if other < 0 and wanted(side, place)
            }
            for side, partners, numbers in zip(self.sides, self.partners, keys, strict=True)
        )
        shared = set(before.values()).intersection(after.values())
        gone, new = (
            [(0, place) for place, number in free.items() if number in shared]
            for free in (before, after)
        )
        self._pair_groups(gone, new, keys)

    def spread(
        self, levels: Sequence[Keys], *, through: bool = True, beyond: Keys | None = None
    ) -> None:
        """From each pair to its neighbours, by the first of the levels that pairs them, and on from
        there; ``through`` looks through what is transparent.

        ``beyond`` is what is alike where operations of one side alone stand between a pair and what
        comes next.
        """
        if self.is_done:
            return
        waiting = self._border(through=through)
        for pair in waiting:
            for keys in levels:
                gone, new = self._neighbours(pair, through=through)
                if not gone or not new:
                    break
                waiting += self._pair_groups(gone, new, keys)
            if beyond is not None:
                waiting += self._over_gap(pair, beyond)

    def _join(self, place: int, other: int) -> None:
        self.partners[0][place], self.partners[1][other] = other, place

    def _pair_groups(
        self, gone: Iterable[tuple[Hashable, int]], new: Iterable[tuple[Hashable, int]], keys: Keys
    ) -> list[tuple[int, int]]:
        """Pair the places of equal marks and keys."""
        groups: dict[Hashable, tuple[list[int], list[int]]] = {}
        for side, marked in enumerate((gone, new)):
            for mark, place in marked:
                groups.setdefault((mark, keys[side][place]), ([], []))[side].append(place)
        found = []
        for alike in groups.values():
            if len(alike[0]) == len(alike[1]):
                for place, other in zip(*alike, strict=True):
                    # What reads a value twice is its neighbour twice.
                    if self.partners[0][place] < 0 and self.partners[1][other] < 0:
                        self._join(place, other)
                        found.append((place, other))
        return found

    def _border(self, *, through: bool) -> list[tuple[int, int]]:
        """The pairs next to what has no partner."""
        partners = self.partners[0]
        links = self.sides[0].through if through else self.sides[0].plain
        found: set[int] = set()
        for place, other in enumerate(partners):
            if other < 0:
                found.update(source for source in links.sources[place] if source >= 0)
                found.update(reader for reader, _ in links.readers[place])
        return [(place, partners[place]) for place in sorted(found) if partners[place] >= 0]

    def _neighbours(self, pair: tuple[int, int], *, through: bool) -> tuple[Marked, Marked]:
        """The neighbours of both that have no partner, marked by how they are connected."""
        links = [side.through if through else side.plain for side in self.sides]
        above, below = (link.sources[place] for link, place in zip(links, pair, strict=True))
        slotted = len(above) == len(below)
        found: list[Marked] = []
        for link, place, partners in zip(links, pair, self.partners, strict=True):
            free: Marked = [
                (("reader", slot), reader)
                for reader, slot in link.readers[place]
                if partners[reader] < 0
            ]
            free += [
                (("source", slot if slotted else 0), source)
                for slot, source in enumerate(link.sources[place])
                if source >= 0 and partners[source] < 0
            ]
            found.append(free)
        return found[0], found[1]

    def _over_gap(self, pair: tuple[int, int], keys: Keys) -> list[tuple[int, int]]:
        """Pair what reads one of a pair with what is like it, and the nearest, behind the other."""
        free = [self._free_readers(side, [place]) for side, place in enumerate(pair)]
        if not all(free):
            return []
        for near, far in ((0, 1), (1, 0)):
            wanted = {keys[near][place]: place for place in reversed(free[near])}
            behind, seen = free[far], set(free[far])
            while behind and len(seen) <= _MOST_BETWEEN:
                for place in behind:
                    like = wanted.get(keys[far][place])
                    if like is not None:
                        found = (like, place) if near == 0 else (place, like)
                        self._join(*found)
                        return [found]
                behind = [p for p in self._free_readers(far, behind) if p not in seen]
                seen.update(behind)
        return []

    def _free_readers(self, side: int, places: Iterable[int]) -> list[int]:
        """The operations that read one of these and have no partner."""
        readers, partners = self.sides[side].through.readers, self.partners[side]
        found = dict.fromkeys(reader for place in places for reader, _ in readers[place])
        return [place for place in found if partners[place] < 0]
