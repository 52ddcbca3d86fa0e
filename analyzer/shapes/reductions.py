"""Shapes of operators that reduce axes."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape
from archlint.analyzer.shapes.context import Context, Outputs, normal_axis, shapes


@shapes(
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
)  # fmt: skip
def reduce(context: Context) -> Outputs:
    """Without the axes, or with 1 in their place; no axes means all of them."""
    x = context.shape(0)
    axes = context.integers(1, "axes")
    if not axes and context.attribute("noop_with_empty_axes", 0):
        return [(x, context.dtype(0))]
    gone = {normal_axis(axis, len(x)) for axis in axes} if axes else set(range(len(x)))
    return [(_without(x, gone, bool(context.attribute("keepdims", 1))), context.dtype(0))]


@shapes("ArgMax", "ArgMin")
def arg_reduce(context: Context) -> Outputs:
    """One index along the axis."""
    x = context.shape(0)
    keep = bool(context.attribute("keepdims", 1))
    return [(_without(x, {context.axis(0, len(x))}, keep), TensorProto.INT64)]


@shapes("TopK")
def top_k(context: Context) -> Outputs:
    """k values along the axis, and their indices."""
    x = context.shape(0)
    axis = context.axis(-1, len(x))
    k: Dim = (context.integers(1, "k") or [0])[0]
    shape = (*x[:axis], k, *x[axis + 1 :])
    return [(shape, context.dtype(0)), (shape, TensorProto.INT64)]


def _without(x: Shape, gone: set[int], keep: bool) -> Shape:
    if keep:
        return tuple(1 if axis in gone else dim for axis, dim in enumerate(x))
    return tuple(dim for axis, dim in enumerate(x) if axis not in gone)
