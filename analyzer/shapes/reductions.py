"""Shapes of operators that reduce axes."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape
from archlint.analyzer.shapes.context import Context, Outputs, normal_axis, shapes
from archlint.analyzer.shapes.partial import elements_or_symbols


@shapes(
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
)  # fmt: skip
def reduce(context: Context) -> Outputs:
    """Without the axes, or with 1 in their place; no axes means all of them."""
    x = context.shape(0)
    return [(without(x, reduced_axes(context, len(x)), keeps_dims(context)), context.dtype(0))]


@shapes("ArgMax", "ArgMin")
def arg_reduce(context: Context) -> Outputs:
    """One index along the axis."""
    x = context.shape(0)
    return [(without(x, {context.axis(0, len(x))}, keeps_dims(context)), TensorProto.INT64)]


@shapes("TopK")
def top_k(context: Context) -> Outputs:
    """k values along the axis, and their indices; k was an attribute before operator set 10."""
    x = context.shape(0)
    axis = context.axis(-1, len(x))
    k: Dim = context.attribute("k")
    if k is None:
        k = elements_or_symbols(context, 1, 1)[0]
    have = x[axis]
    if isinstance(k, int) and isinstance(have, int) and not 0 <= k <= have:
        raise ValueError(f"the {k} largest of {have}")
    shape = (*x[:axis], k, *x[axis + 1 :])
    return [(shape, context.dtype(0)), (shape, TensorProto.INT64)]


def reduced_axes(context: Context, rank: int) -> set[int]:
    """The axes that a reduction removes, counted from the front."""
    axes = context.integers(1, "axes")
    if not axes:
        return set() if context.attribute("noop_with_empty_axes", 0) else set(range(rank))
    return {normal_axis(axis, rank) for axis in axes}


def keeps_dims(context: Context) -> bool:
    """Whether a reduced axis stays, as 1."""
    return bool(context.attribute("keepdims", 1))


def without(x: Shape, gone: set[int], keep: bool) -> Shape:
    """The shape without some axes, or with 1 in their place."""
    if keep:
        return tuple(1 if axis in gone else dim for axis, dim in enumerate(x))
    return tuple(dim for axis, dim in enumerate(x) if axis not in gone)
