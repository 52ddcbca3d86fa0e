"""Equal blocks in a row: the first of them is drawn, one box stands for the others.

Blocks are equal where their boxes have the same layers, findings and changes, read each other in
the same way, and read the same outside of them. A block that is read elsewhere, or whose measured
time is not that of the others, ends a row: what is special about it stays visible.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.network_stretches import Stretch, stretches
from archlint.analyzer.report.html.parts import Path, from_to, paths_of, shared
from archlint.analyzer.report.layers import LayerReport

_FEWEST = 4  # boxes that one stands for
_FAR = 1.5  # times another one: a time that is no longer the same
_MUCH = 0.01  # of all measured time: a difference that is worth a look


@dataclass(frozen=True, slots=True)
class _Scene:
    """Boxes as they are searched: what is equal has equal ``looks``. ``paths`` are the modules of
    layers; ``last`` are the last readers of boxes, ``times`` what was measured of each."""

    layers: Sequence[LayerReport]
    paths: Sequence[Path]
    found: tuple[Box, ...]
    looks: list[int]
    last: list[int]
    times: list[float]
    total: float


def folded(
    layers: Sequence[LayerReport], found: Sequence[Box], remarks: Mapping[int, Hashable]
) -> tuple[Box, ...]:
    """The boxes with one for each row of equal blocks but the first of them; rows of what has such
    boxes in it, too. ``remarks`` are what else tells layers apart, by their places."""
    numbers: dict[Hashable, int] = {}
    paths = paths_of(layers)
    boxes = tuple(found)
    looks = [_number(numbers, _look(layers, box, remarks)) for box in boxes]
    while True:
        scene = _scene(layers, paths, boxes, looks)
        rows = sorted(_rows(scene), key=lambda row: row.start)
        if not rows:
            return boxes
        boxes, looks = _replaced(scene, rows, numbers)


def _number(numbers: dict[Hashable, int], look: Hashable) -> int:
    return numbers.setdefault(look, len(numbers))


def _look(layers: Sequence[LayerReport], box: Box, remarks: Mapping[int, Hashable]) -> Hashable:
    """All that equal boxes have in common but what they read."""
    at = {place: number for number, place in enumerate(box.places)}
    return box.joins, box.shown, *(
        (
            one.kind, one.operator, one.described, one.output, one.cost, one.why,
            len(one.reads), len(one.gives), remarks.get(place),
            tuple(at.get(source, -1) for source in one.inputs),
        )
        for place in box.places
        for one in (layers[place],)
    )  # fmt: skip


def _scene(
    layers: Sequence[LayerReport], paths: Sequence[Path], boxes: tuple[Box, ...], looks: list[int]
) -> _Scene:
    last = list(range(len(boxes)))
    for at, box in enumerate(boxes):
        for source in box.inputs:
            last[source] = at
    times = [sum(layers[place].measured or 0.0 for place in box.places) for box in boxes]
    return _Scene(layers, paths, boxes, looks, last, times, sum(times))


def _rows(scene: _Scene) -> Iterator[Stretch]:
    """Rows that have no box in common; short blocks first, since long ones may hold them."""
    taken = [False] * len(scene.found)
    crossed = _crossed(scene.last)
    for one in stretches([box.inputs for box in scene.found], scene.looks):
        if any(taken[one.start : one.end]):
            continue
        for row in _split(scene, _aligned(scene, one, crossed)):
            if (row.count - 1) * row.period >= _FEWEST and _leads_on(scene.found, row):
                taken[row.start : row.end] = [True] * (row.end - row.start)
                yield row


def _crossed(last: Sequence[int]) -> list[int]:
    """How many boxes before each one are read by it, or behind it."""
    change = [0] * (len(last) + 2)
    for source, reader in enumerate(last):
        change[source + 1] += 1
        change[reader + 1] -= 1
    found, count = [], 0
    for one in change:
        count += one
        found.append(count)
    return found


def _aligned(scene: _Scene, one: Stretch, crossed: Sequence[int]) -> Stretch:
    """The stretch from where its blocks begin: where another module does, and little leads on."""

    def reasons(start: int) -> tuple[int, int, int, int]:
        cut = start + one.period
        count = (one.end - start) // one.period
        return len(_around(scene, cut)), crossed[cut], -count, start

    latest = one.end - 2 * one.period
    start = min(range(one.start, min(one.start + one.period, latest + 1)), key=reasons)
    return replace(one, start=start)


def _split(scene: _Scene, row: Stretch) -> Iterator[Stretch]:
    """The row in pieces: one ends with a block that is read elsewhere, or before one that took
    another time than the first of the piece, which is drawn."""
    starts = (row.start + number * row.period for number in range(row.count))
    blocks = [range(start, start + row.period) for start in starts]
    times = [sum(scene.times[box] for box in block) for block in blocks]
    end, first = blocks[-1].stop, 0
    for number, block in enumerate(blocks):
        if _is_far(times[number], times[first], scene.total):
            yield Stretch(blocks[first].start, block.start, row.period)
            first = number
        if (
            number > first
            and number + 1 < len(blocks)
            and max(scene.last[box] for box in block) >= end
        ):
            yield Stretch(blocks[first].start, block.stop, row.period)
            first = number + 1
    yield Stretch(blocks[first].start, end, row.period)


def _is_far(one: float, other: float, total: float) -> bool:
    return max(one, other) > _FAR * min(one, other) and abs(one - other) > _MUCH * total


def _leads_on(found: Sequence[Box], row: Stretch) -> bool:
    """Whether each block reads the one before it: what is side by side makes no row."""
    second = range(row.start + row.period, row.start + 2 * row.period)
    return any(row.start <= source < second.start for at in second for source in found[at].inputs)


def _replaced(
    scene: _Scene, rows: Sequence[Stretch], numbers: dict[Hashable, int]
) -> tuple[tuple[Box, ...], list[int]]:
    """The boxes and their looks, with one box for all blocks of a row but the first."""
    hidden = {row.start + row.period: row for row in rows}
    pieces: list[range] = []
    at = 0
    while at < len(scene.found):
        stop = hidden[at].end if at in hidden else at + 1
        pieces.append(range(at, stop))
        at = stop
    home = {box: number for number, piece in enumerate(pieces) for box in piece}
    boxes, looks = [], []
    for number, piece in enumerate(pieces):
        read = (home[source] for box in piece for source in scene.found[box].inputs)
        inputs = tuple(one for one in dict.fromkeys(read) if one != number)
        if (row := hidden.get(piece.start)) is None:
            boxes.append(replace(scene.found[piece.start], inputs=inputs))
            looks.append(scene.looks[piece.start])
        else:
            boxes.append(_stack(scene, piece, row.period, inputs))
            unit = tuple(scene.looks[row.start : piece.start])
            looks.append(_number(numbers, ("repeats", row.count, unit)))
    return tuple(boxes), looks


def _stack(scene: _Scene, piece: range, period: int, inputs: tuple[int, ...]) -> Box:
    """One box for the blocks of so many boxes each."""
    own = scene.found[piece.start : piece.stop]
    places = [place for box in own for place in box.places]
    return Box(
        tuple(sorted(places)),
        inputs,
        _name(scene, places, len(_around(scene, piece.start)) + 1),
        sum(box.shown for box in own),
        repeats=len(piece) // period,
    )


def _around(scene: _Scene, cut: int) -> Path:
    """The module that the boxes on both sides of a cut are in."""
    sides = scene.found[cut - 1].places[-1], scene.found[cut].places[0]
    return shared([scene.paths[place] for place in sides])


def _name(scene: _Scene, places: Sequence[int], depth: int) -> str:
    """The first and the last module of this depth, or what the file calls the ends."""
    paths = [path[:depth] for place in places if len(path := scene.paths[place]) >= depth]
    if not paths:
        return from_to(scene.layers[places[0]].label, scene.layers[places[-1]].label)
    above = min(len(shared([path for path in scene.paths if path])), depth - 1)
    begin, end = paths[0], paths[-1]
    name = ".".join(begin[above:])
    return name if begin == end else f"{name} … {'.'.join(end[len(shared([begin, end])) :])}"
