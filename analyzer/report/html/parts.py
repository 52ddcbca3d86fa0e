"""The parts of a model that a picture names: modules, blocks, or runs of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from archlint.analyzer.compare.parts import OUTSIDE
from archlint.analyzer.report.html.runs import by_size, stages
from archlint.analyzer.report.layers import LayerReport

MOST = 24
"""Parts that a picture has room for."""

_LARGEST = 0.5  # of the MACs: a part that has more is divided
_SMALL = 0.04  # of the MACs: adjacent parts of one layer or two that have less become one

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Layers that belong together, by their places in rising order."""

    name: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """What layers cost together.

    ``macs`` are those of the layers of known cost, None where there are none; ``unknown`` counts
    the others. Nanoseconds are None where no layer has any.
    """

    macs: int | None
    unknown: int
    parameters: int
    predicted: float | None
    measured: float | None


def part_sums(part: Part, layers: Sequence[LayerReport]) -> Sums:
    """What the layers of a part cost together."""
    own = [layers[place] for place in part.places]
    known = [layer.cost.macs for layer in own if layer.cost is not None]
    predicted = [layer.predicted for layer in own if layer.predicted is not None]
    measured = [layer.measured for layer in own if layer.measured is not None]
    return Sums(
        sum(known) if known else None,
        len(own) - len(known),
        sum(layer.parameters for layer in own),
        sum(predicted) if predicted else None,
        sum(measured) if measured else None,
    )


def is_predicted(layers: Sequence[LayerReport]) -> bool:
    """Whether the time of most layers is predicted; a sum of a few says nothing of the others."""
    return 2 * sum(layer.predicted is not None for layer in layers) > len(layers)


def parts(layers: Sequence[LayerReport], most: int = MOST) -> tuple[Part, ...]:
    """The parts of a model, which cover all its layers, in the order of their first ones.

    They are modules, at the level where these are several and none has nearly all MACs; where the
    file tells of no modules, blocks and what stands between them; without those, runs of layers.
    """
    macs = [0 if layer.cost is None else layer.cost.macs for layer in layers]
    weights: Sequence[int] = macs if any(macs) else [1] * len(layers)
    whole = sum(weights)
    found = divided(layers, weights, most, largest=_LARGEST * whole)
    if not found:
        return tuple(run_of(layers, run) for run in stages(layers, most))
    sized = _sized(found, layers, weights, most)
    return _with_runs(sized, lambda part: _is_small(part, weights, _SMALL * whole))


def run_of(layers: Sequence[LayerReport], run: Sequence[int]) -> Part:
    """A run of layers as a part, with the names of its ends."""
    return Part(from_to(layers[run[0]].label, layers[run[-1]].label), tuple(run))


def divided(
    layers: Sequence[LayerReport], weights: Sequence[int], most: int, largest: float
) -> tuple[Part, ...]:
    """At most so many modules or blocks, the heaviest divided as long as one weighs more than
    ``largest``; none where the file tells of no modules and there are no blocks."""
    paths = paths_of(layers)
    if len(set(paths)) < 2:
        return ()
    divisions = _divisions(paths, weights, most, largest)
    if len(divisions) < 2:
        return ()
    known = [path for path in divisions if path]
    depth = len(shared(known) if len(known) > 1 else known[0][:-1])
    named = [Part(_name(path, depth), tuple(places)) for path, places in divisions.items()]
    return tuple(sorted(named, key=lambda part: part.places))


def paths_of(layers: Sequence[LayerReport]) -> list[Path]:
    """Where each layer belongs: its module; its block, or the block that it stands behind."""
    if any(layer.scope for layer in layers):
        return [layer.scope for layer in layers]
    if not any(layer.block for layer in layers):
        return [()] * len(layers)
    found: list[Path] = []
    behind = "stem"
    for layer in layers:
        found.append((layer.block or behind,))
        behind = f"after {layer.block}" if layer.block else behind
    return found


def _divisions(
    paths: Sequence[Path], weights: Sequence[int], most: int, largest: float
) -> dict[Path, list[int]]:
    """The places of each part by its path; one part where all divisions are too many."""
    found: dict[Path, list[int]] = {(): list(range(len(paths)))}
    final: set[Path] = set()  # paths whose layers have no deeper one, or too many
    while heavy := [path for path in found if path not in final]:
        path = max(heavy, key=lambda path: sum(weights[place] for place in found[path]))
        if len(found) > 1 and sum(weights[place] for place in found[path]) <= largest:
            break
        inner = _below(paths, found[path])
        if len(inner) == 1 or len(found) - 1 + len(inner) > most:
            final.add(path)
            continue
        del found[path]
        found.update(inner)
        final |= {deeper for deeper in inner if deeper in final or deeper == path}
    return found


def _below(paths: Sequence[Path], places: Iterable[int]) -> dict[Path, list[int]]:
    """The places by the first part of their paths in which they differ."""
    places = list(places)
    depth = len(shared([paths[place] for place in places])) + 1
    found: dict[Path, list[int]] = {}
    for place in places:
        found.setdefault(paths[place][:depth], []).append(place)
    return found


def shared(paths: Sequence[Path]) -> Path:
    """The beginning that all paths have."""
    first, last = min(paths), max(paths)
    depth = 0
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    return first[:depth]


def _name(path: Path, depth: int) -> str:
    """A path without what all have, but for its last part; a number alone would tell nothing."""
    own = path[depth:] or path[-1:]
    if own and own[0].isdigit():
        own = (*path[: -len(own)][-1:], *own)
    return ".".join(own) or OUTSIDE


def _sized(
    found: Sequence[Part], layers: Sequence[LayerReport], weights: Sequence[int], most: int
) -> tuple[Part, ...]:
    """The parts; the one that has most of the cost is divided where the size of its maps changes,
    if it can be."""
    heaviest = max(found, key=lambda part: sum(weights[place] for place in part.places))
    if sum(weights[place] for place in heaviest.places) <= _LARGEST * sum(weights):
        return tuple(found)
    at = {place: number for number, place in enumerate(heaviest.places)}
    inner = [
        replace(layers[place], inputs=tuple(at[i] for i in layers[place].inputs if i in at))
        for place in heaviest.places
    ]
    depth = len(shared([layer.scope for layer in inner]))
    runs = []
    for run in by_size(inner, most - len(found)):
        ends = (".".join([heaviest.name, *inner[end].scope[depth:]]) for end in (run[0], run[-1]))
        runs.append(Part(from_to(*ends), tuple(heaviest.places[number] for number in run)))
    if len(runs) == 1 or len({run.name for run in runs}) < len(runs):
        return tuple(found)
    return tuple(sorted({*found, *runs} - {heaviest}, key=lambda part: part.places))


def _is_small(part: Part, weights: Sequence[int], least: float) -> bool:
    return len(part.places) <= 2 and sum(weights[place] for place in part.places) < least


def _with_runs(found: Sequence[Part], is_small: Callable[[Part], bool]) -> tuple[Part, ...]:
    """The parts, adjacent small ones as one, where that leaves several."""
    merged: list[list[Part]] = []
    for part in found:
        if merged and is_small(part) and is_small(merged[-1][-1]):
            merged[-1].append(part)
        else:
            merged.append([part])
    if len(merged) < 2:
        return tuple(found)
    return tuple(_together(run) for run in merged)


def _together(run: Sequence[Part]) -> Part:
    if len(run) == 1:
        return run[0]
    places = sorted(place for part in run for place in part.places)
    return Part(from_to(run[0].name, run[-1].name), tuple(places))


def from_to(first: str, last: str) -> str:
    """The names of both ends; of one thing its name."""
    return first if first == last else f"{first} … {last}"
