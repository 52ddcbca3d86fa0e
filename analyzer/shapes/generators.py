"""Shapes of operators that make a tensor from a few numbers, or as large as the data has it."""

from __future__ import annotations

from math import ceil

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, SymbolicDim, derived, volume
from archlint.analyzer.shapes.context import Context, Outputs, shapes
from archlint.analyzer.shapes.data import symbolic


@shapes("ConstantOfShape")
def constant_of_shape(context: Context) -> Outputs:
    """The shape that the input's elements give, in the data type of ``value``."""
    fill = context.attribute("value")
    dtype = fill.data_type if fill is not None else TensorProto.FLOAT
    return [(tuple(context.elements(0)), dtype)]


@shapes("RandomNormal", "RandomUniform")
def random(context: Context) -> Outputs:
    """The attribute ``shape``."""
    dtype = int(context.attribute("dtype", TensorProto.FLOAT))
    return [(tuple(context.attribute("shape", ())), dtype)]


@shapes("BlackmanWindow", "HammingWindow", "HannWindow")
def signal_window(context: Context) -> Outputs:
    """As many numbers as the input says."""
    dtype = int(context.attribute("output_datatype", TensorProto.FLOAT))
    return [((context.elements(0)[0],), dtype)]


@shapes("RandomNormalLike", "RandomUniformLike", "EyeLike", "Bernoulli")
def like(context: Context) -> Outputs:
    """Shaped as the input."""
    return [(context.shape(0), int(context.attribute("dtype", 0)) or context.dtype(0))]


@shapes("Range")
def range_(context: Context) -> Outputs:
    """ceil((limit - start) / delta) numbers."""
    start, limit, delta = (context.elements(index)[0] for index in range(3))
    if isinstance(delta, SymbolicDim) or delta == 0:
        return [((derived("range", start, limit, delta),), context.dtype(0))]
    if any(isinstance(n, SymbolicDim) for n in (start, limit)):
        length = (
            limit - start if delta == 1 else derived(f"({limit}-{start})/{delta}", limit, start)
        )
        return [((length,), context.dtype(0))]
    return [((max(0, ceil((limit - start) / delta)),), context.dtype(0))]


@shapes("NonZero")
def non_zero(context: Context) -> Outputs:
    """[rank, found]: only the data tells how many."""
    found = context.fresh("nonzero", "how many elements are not zero depends on the data")
    data = context.data(0)
    if data is not None and not symbolic(data):
        found = sum(map(bool, data.reshape(-1)))
    return [((context.rank(0), found), TensorProto.INT64)]


@shapes("Compress")
def compress(context: Context) -> Outputs:
    """The axis, or the flat tensor, with what the condition keeps."""
    x = context.shape(0)
    kept = context.fresh("kept", "how many elements are kept depends on the data")
    if context.attribute("axis") is None:
        return [((kept,), context.dtype(0))]
    axis = context.axis(0, len(x))
    return [((*x[:axis], kept, *x[axis + 1 :]), context.dtype(0))]


@shapes("Unique")
def unique(context: Context) -> Outputs:
    """What is left without repetitions, and three index lists."""
    x = context.shape(0)
    found = context.fresh("unique", "how many elements are unique depends on the data")
    inverse: Dim = volume(x)
    first: Shape = (found,)
    if context.attribute("axis") is not None:
        axis = context.axis(0, len(x))
        first, inverse = (*x[:axis], found, *x[axis + 1 :]), x[axis]
    lists: list[Shape] = [(found,), (inverse,), (found,)]
    return [(first, context.dtype(0)), *((shape, TensorProto.INT64) for shape in lists)]
