"""What layers take on a processor, in one number."""

from __future__ import annotations

from math import prod

from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.layers import Layer
from archlint.analyzer.passes import MACS_A_PASS
from archlint.analyzer.rule import MACS_A_PARAMETER


def effort(before: int, after: int, taps: int, places: int, grid: int) -> float:
    """What a convolution or a product takes, in MACs of a large one that take as long.

    Kernels compute channels in multiples of ``grid``, every weight is read once, and every element
    that is written is a pass over memory: MACs alone would choose ranks between the multiples, and
    pairs of small layers, that save no time.
    """
    wide = before if before < grid else -(-before // grid) * grid
    computed = wide * (-(-after // grid) * grid) * taps * places
    return computed + MACS_A_PARAMETER * before * after * taps + MACS_A_PASS * after * places


def layer_effort(layer: Layer, rows: int, grid: int) -> float:
    """What a layer takes as it is, on so many images or rows."""
    filters, channels, *sizes = layer.shape
    places = rows * (1 if layer.conv is None else prod(layer.conv.out_map))
    return effort(channels, filters, prod(sizes), places, grid)


def form_effort(layer: Layer, form: Form, ranks: tuple[int, ...], rows: int, grid: int) -> float:
    """What the layers of a form take in its place."""
    if layer.conv is None:
        filters, channels = layer.shape
        pairs = (channels, ranks[0]), (ranks[0], filters)
        return sum(effort(*pair, 1, rows, grid) for pair in pairs)
    return sum(
        effort(step.before, step.after, prod(step.kernel), rows * prod(step.out_map), grid)
        for step in layer.steps(form, ranks)
    )
