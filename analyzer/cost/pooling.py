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
    neighbours = {"linear": 2**axes, "bilinear": 2**axes, "cubic": 4**axes}.get(mode, 0)
    ops = 2 * neighbours * view.out_elements() if axes else 0
    return Work(ops={"interpolation": ops} if ops else {})
