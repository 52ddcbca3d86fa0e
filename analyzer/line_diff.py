"""What two sequences of lines do not have in common, as a unified diff has it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

_CONTEXT = 3  # lines around a change
_COMPARED = 40_000  # pairs of lines up to which difflib compares a stretch without unique lines

Lines = Sequence[Hashable]
Run = tuple[int, int, int, int]  # of lines that differ: from, to in the one and in the other


def hunks(old: Lines, new: Lines) -> Iterator[str]:
    """The hunks of a unified diff, line by line as they are written; nothing for equal lines."""
    runs = differing(old, new)
    for group in _grouped(runs) if runs else ():
        yield from _hunk(old, new, group)


def differing(old: Lines, new: Lines) -> list[Run]:
    """The runs of lines that differ, in order.

    Lines that both have once and in the same order stay where they are (patience diff, Bram
    Cohen): the longest such sequence is found in O(n log n), then what is left between its lines.
    """
    found: list[Run] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        begin, end, start, stop = waiting.pop()
        while begin < end and start < stop and old[begin] == new[start]:
            begin, start = begin + 1, start + 1
        while begin < end and start < stop and old[end - 1] == new[stop - 1]:
            end, stop = end - 1, stop - 1
        if begin == end or start == stop:
            if begin < end or start < stop:
                found.append((begin, end, start, stop))
            continue
        anchors = _anchors(old[begin:end], new[start:stop])
        if anchors:
            marks = [(begin - 1, start - 1)]
            marks += ((begin + one, start + other) for one, other in anchors)
            marks.append((end, stop))
            waiting += ((a + 1, c, b + 1, d) for (a, b), (c, d) in pairwise(marks))
        else:
            found += _compared(old, new, (begin, end, start, stop))
    return _joined(sorted(found))


def _anchors(old: Lines, new: Lines) -> list[tuple[int, int]]:
    """The places of the longest sequence of lines that each has once, in the same order."""
    places = [_once(old), _once(new)]
    pairs = [(place, places[1][line]) for line, place in places[0].items() if line in places[1]]
    return _increasing(pairs)


def _once(lines: Iterable[Hashable]) -> dict[Hashable, int]:
    """The places of lines that are there once."""
    found: dict[Hashable, int] = {}
    repeated: set[Hashable] = set()
    for place, line in enumerate(lines):
        if line in found:
            repeated.add(line)
        found[line] = place
    return {line: place for line, place in found.items() if line not in repeated}


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest sequence of pairs whose second numbers rise, by patience sorting."""
    tops: list[int] = []  # the lowest second number that ends a sequence of each length
    ends: list[int] = []  # the place of the pair that has it
    before: list[int] = []
    for place, (_, number) in enumerate(pairs):
        length = bisect_left(tops, number)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = [number]
        ends[length : length + 1] = [place]
    chosen: list[tuple[int, int]] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        chosen.append(pairs[place])
        place = before[place]
    return chosen[::-1]


def _compared(old: Lines, new: Lines, run: Run) -> Iterator[Run]:
    """What differs in a stretch without unique lines; all of it where it is large, for difflib
    takes time by the product of the lengths and more."""
    begin, end, start, stop = run
    if (end - begin) * (stop - start) > _COMPARED:
        yield run
        return
    matcher = SequenceMatcher(None, old[begin:end], new[start:stop], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield begin + a, begin + b, start + c, start + d


def _joined(runs: Iterable[Run]) -> list[Run]:
    """The runs, those that touch as one."""
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1][1] == run[0] and joined[-1][3] == run[2]:
            joined[-1] = (joined[-1][0], run[1], joined[-1][2], run[3])
        else:
            joined.append(run)
    return joined


def _grouped(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs whose context meets, together."""
    groups = [[runs[0]]]
    for last, run in pairwise(runs):
        if run[0] - last[1] > 2 * _CONTEXT:
            groups.append([])
        groups[-1].append(run)
    return groups


def _hunk(old: Lines, new: Lines, group: Sequence[Run]) -> Iterator[str]:
    """Runs with the lines around and between them, and the numbers of all of them."""
    before = min(_CONTEXT, group[0][0])
    behind = min(_CONTEXT, len(old) - group[-1][1])
    sides = (
        (group[0][0] - before, group[-1][1] + behind),
        (group[0][2] - before, group[-1][3] + behind),
    )
    yield f"@@ -{_numbers(*sides[0])} +{_numbers(*sides[1])} @@"
    place = sides[0][0]
    for begin, end, start, stop in group:
        yield from (f" {line}" for line in old[place:begin])
        yield from (f"-{line}" for line in old[begin:end])
        yield from (f"+{line}" for line in new[start:stop])
        place = end
    yield from (f" {line}" for line in old[place : sides[0][1]])


def _numbers(begin: int, end: int) -> str:
    """Lines as the heads of hunks count them: from one, and the line before where there is none."""
    first = begin + 1 if end > begin else begin
    return f"{first}" if end - begin == 1 else f"{first},{end - begin}"
