"""Poolings, reductions and interpolation."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import View, Work, handles


@handles("MaxPool", "AveragePool", "LpPool")
def pool(view: View) -> Work:
    """Π(kernel) operations an output element."""
    return Work(ops={"pooling": prod(view.attribute("kernel_shape", ())) * view.out_elements()})


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
    """By mode an output element: nearest 0; linear 2 a neighbour, 2^d neighbours over the d resized
    axes; cubic 2 a neighbour, 4^d neighbours."""
    mode = view.attribute("mode", "nearest")
    axes = sum(a != b for a, b in zip(view.shape(0), view.out(), strict=True))
    return _interpolated(view, mode, axes)


@handles("GridSample")
def grid_sample(view: View) -> Work:
    """As Resize over the spatial axes, from wherever the grid points."""
    return _interpolated(view, view.attribute("mode", "linear"), len(view.out()) - 2)


def _interpolated(view: View, mode: str, axes: int) -> Work:
    neighbours = 4**axes if "cubic" in mode else 2**axes if "linear" in mode else 0
    return Work(ops={"interpolation": 2 * neighbours * view.out_elements()} if axes else {})
