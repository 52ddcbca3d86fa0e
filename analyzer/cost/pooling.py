"""Poolings, reductions and interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, prod

from archlint.analyzer.cost.base import View, Work, handles


@handles("MaxPool", "AveragePool", "LpPool")
def pool(view: View) -> Work:
    """Π(kernel) operations an output element."""
    return Work(ops={"pooling": view.out_elements() * prod(view.attribute("kernel_shape"))})


@handles("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(view: View) -> Work:
    """One operation an input element."""
    return Work(ops={"pooling": view.elements(0)})


@handles(
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "ArgMax", "ArgMin", "TopK",
    roles="xs",
)  # fmt: skip
def reduce(view: View) -> Work:
    """One operation an input element."""
    return Work(ops={"reduction": view.elements(0)})


@handles("Resize", "Upsample", roles="xs")
def resize(view: View) -> Work:
    """2 operations a neighbour of each output element. nearest has none, linear 2^d over the d
    resized axes, cubic 4^d; with ``antialias`` in/out times as many along an axis that shrinks."""
    ratios = [
        Fraction(before, after)
        for before, after in zip(view.shape(0), view.out(), strict=True)
        if before != after
    ]
    if not view.attribute("antialias", 0):
        ratios = [Fraction(1)] * len(ratios)
    return _interpolated(view, view.attribute("mode", "nearest"), ratios)


@handles("GridSample")
def grid_sample(view: View) -> Work:
    """As Resize over the spatial axes, from wherever the grid points."""
    axes = len(view.out()) - 2
    return _interpolated(view, view.attribute("mode", "linear"), [Fraction(1)] * axes)


def _interpolated(view: View, mode: str, shrinking: Sequence[Fraction]) -> Work:
    width = 4 if "cubic" in mode else 2 if "linear" in mode else 0
    if not width or not shrinking:
        return Work()
    neighbours = prod(ceil(width * max(ratio, Fraction(1))) for ratio in shrinking)
    return Work(ops={"interpolation": 2 * neighbours * view.out_elements()})
