"""Runs of layers, cut where only one value leads on."""

from __future__ import annotations

from collections.abc import Sequence

from archlint.analyzer.report.layers import LayerReport

_USUAL = 12  # runs of a model that tells of nothing better


def stages(layers: Sequence[LayerReport], most: int) -> list[list[int]]:
    """At most so many runs of places, in order, that cover all layers.

    They begin where the size of the maps changes; where it does not, or too often, they are about
    equally long.
    """
    found = by_size(layers, most)
    return found if len(found) > 1 else runs(layers, most, -(-len(layers) // min(most, _USUAL)))


def runs(layers: Sequence[LayerReport], most: int, longest: int) -> list[list[int]]:
    """At most so many runs of places, in order, that cover all layers; of about ``longest`` layers
    where that many are enough."""
    return _joined(_segments(layers), max(longest, -(-2 * len(layers) // most), 1))


def _segments(layers: Sequence[LayerReport]) -> list[list[int]]:
    """The shortest runs between which one value at most leads on."""
    last = list(range(len(layers)))  # the last reader of each layer
    for place, layer in enumerate(layers):
        for source in layer.inputs:
            last[source] = place
    found: list[list[int]] = [[]]
    furthest = -1  # reader of anything before the layer
    for place in range(len(layers)):
        found[-1].append(place)
        if furthest <= place:
            found.append([])
        furthest = max(furthest, last[place])
    return [segment for segment in found if segment]


def by_size(layers: Sequence[LayerReport], most: int) -> list[list[int]]:
    """Runs of places, in order, within which the maps have one size; one run where these are too
    many."""
    found: list[list[int]] = []
    current = ""
    for segment in _segments(layers):
        size = _map_size(layers[segment[-1]].output)
        if not found or (size and current and size != current):
            found.append([])
        found[-1] += segment
        current = size or current
    return found if len(found) <= most else [list(range(len(layers)))]


def _map_size(shape: str) -> str:
    """``28x28`` of 1x64x28x28; empty for what is no map of known size."""
    dims = shape.split("x")[2:]
    return "x".join(dims) if len(dims) >= 2 and all(dim.isdigit() for dim in dims) else ""


def _joined(segments: Sequence[list[int]], longest: int) -> list[list[int]]:
    """The segments joined to runs of at most so many layers; longer ones are cut."""
    found: list[list[int]] = []
    for segment in segments:
        if found and len(found[-1]) + len(segment) <= longest:
            found[-1] += segment
        else:
            found += [segment[at : at + longest] for at in range(0, len(segment), longest)]
    return found
