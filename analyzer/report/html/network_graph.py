"""What a drawing of a network shows: boxes of layers, and what leads from one to the next."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from types import MappingProxyType

import networkx as nx

from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.network_repeats import folded
from archlint.analyzer.report.html.parts import divided, run_of
from archlint.analyzer.report.html.runs import runs
from archlint.analyzer.report.layers import LayerReport

MOST_BOXES = 400
"""Layers that are drawn one by one; of more, their parts are, but where few are left of them when
equal blocks are folded."""

_FEW = 150  # boxes: so many are read more easily than parts are

_MOST_PARTS = 300
_MOST_LINKS = 2_000
_FEW_PARTS = 24  # for what has more links: so many have at most 276
_LARGEST = 24  # layers of a part


def boxes(
    layers: Sequence[LayerReport], remarks: Mapping[int, Hashable] = MappingProxyType({})
) -> tuple[Box, ...]:
    """The boxes of a drawing, in topological order; each layer is in one of them at most.

    A layer that runs within another's kernel is in the box of what it reads, but where it joins
    several: they would look connected otherwise. Where nothing is left of a layer but what it
    takes from outside of the model, it is in none. Equal blocks in a row are in one box, but for
    the first (see ``folded``).
    """
    single = _unfused(layers) or _as_they_are(layers)
    found = folded(layers, single, remarks)
    if _is_readable(found, MOST_BOXES if len(single) <= MOST_BOXES else _FEW):
        return found
    for most, largest in ((_MOST_PARTS, _LARGEST), (_FEW_PARTS, 0)):
        found = _collapsed(layers, single, most, largest)
        if _is_readable(found, MOST_BOXES):
            break
    return folded(layers, found, remarks)


def _is_readable(found: Sequence[Box], most: int) -> bool:
    return len(found) <= most and sum(len(box.inputs) for box in found) <= _MOST_LINKS


def _as_they_are(layers: Sequence[LayerReport]) -> tuple[Box, ...]:
    return tuple(Box((place,), layer.inputs) for place, layer in enumerate(layers))


def _unfused(layers: Sequence[LayerReport]) -> tuple[Box, ...]:
    """A box for each layer that does work of its own, or joins others."""
    home: list[int | None] = []
    members: list[list[int]] = []
    read: list[tuple[int, ...]] = []
    for place, layer in enumerate(layers):
        sources = tuple(dict.fromkeys(box for at in layer.inputs if (box := home[at]) is not None))
        if layer.within is None or len(sources) > 1:
            home.append(len(members))
            members.append([place])
            read.append(sources)
        elif sources:
            home.append(sources[0])
            members[sources[0]].append(place)
        else:
            home.append(None)
    for place, layer in enumerate(layers):
        if home[place] is None and layer.within is not None:
            carrier = home[layer.within]
            if carrier is not None:
                members[carrier].append(place)
    return tuple(
        Box((first, *sorted(rest)), sources, joins=layers[first].within is not None)
        for (first, *rest), sources in zip(members, read, strict=True)
    )


def _collapsed(
    layers: Sequence[LayerReport], single: Sequence[Box], most: int, largest: int
) -> tuple[Box, ...]:
    """The parts of the network as boxes, each with the boxes of its layers in it."""
    drawn = [replace(layers[box.places[0]], inputs=box.inputs) for box in single]
    parts = divided(drawn, [1] * len(drawn), most, largest)
    parts = parts or tuple(run_of(drawn, run) for run in runs(drawn, most, largest // 2))
    part_of = {place: number for number, part in enumerate(parts) for place in part.places}
    pieces = _pieces(single, part_of)
    piece_of = {box: number for number, piece in enumerate(pieces) for box in piece}
    found = []
    for number, piece in enumerate(pieces):
        inputs = dict.fromkeys(piece_of[at] for box in piece for at in single[box].inputs)
        inputs.pop(number, None)
        places = sorted(place for box in piece for place in single[box].places)
        name = parts[part_of[piece[0]]].name if len(piece) > 1 else ""
        if not name:
            places = list(single[piece[0]].places)
        joins = len(piece) == 1 and single[piece[0]].joins
        found.append(Box(tuple(places), tuple(inputs), name, len(piece), joins))
    return tuple(found)


def _pieces(single: Sequence[Box], part_of: Mapping[int, int]) -> list[list[int]]:
    """The boxes of each part in as few pieces as keep cycles out, in topological order.

    Parts that read each other are scheduled: all that can come next of one part, then all of
    another. What comes in one go is one piece, so that pieces follow each other.
    """
    between: nx.DiGraph[int] = nx.DiGraph()
    between.add_nodes_from(range(len(set(part_of.values()))))
    for place, box in enumerate(single):
        between.add_edges_from((part_of[at], part_of[place]) for at in box.inputs)
    knot_of: dict[int, int] = {}
    knots = list(nx.strongly_connected_components(between))
    for number, knot in enumerate(knots):
        knot_of.update(dict.fromkeys(knot, number))
    order = nx.lexicographical_topological_sort(
        nx.condensation(between, knots), key=lambda number: min(knots[number])
    )
    inside: dict[int, list[int]] = {}
    for place in range(len(single)):
        inside.setdefault(knot_of[part_of[place]], []).append(place)
    return [piece for knot in order for piece in _scheduled(inside[knot], single, part_of)]


def _scheduled(
    places: Sequence[int], single: Sequence[Box], part_of: Mapping[int, int]
) -> list[list[int]]:
    waiting = dict.fromkeys(places, 0)
    readers: dict[int, list[int]] = {place: [] for place in places}
    for place in places:
        for source in single[place].inputs:
            if source in waiting:
                waiting[place] += 1
                readers[source].append(place)
    ready: dict[int, list[int]] = {}
    for place in places:
        if not waiting[place]:
            heappush(ready.setdefault(part_of[place], []), place)
    found: list[list[int]] = []
    while ready:
        part = min(ready, key=lambda part: ready[part][0])
        found.append([])
        while part in ready:
            place = heappop(ready[part])
            if not ready[part]:
                del ready[part]
            found[-1].append(place)
            for reader in readers[place]:
                waiting[reader] -= 1
                if not waiting[reader]:
                    heappush(ready.setdefault(part_of[reader], []), reader)
    return found
