"""Shapes of operators that make a tensor from a few numbers, or as large as the data has it."""

from __future__ import annotations

from math import ceil, isnan
from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, SymbolicDim, broadcast, derived, volume
from archlint.analyzer.graph import Data
from archlint.analyzer.shapes.context import Context, Outputs, shapes
from archlint.analyzer.shapes.data import symbolic
from archlint.analyzer.shapes.partial import elements_or_symbols


@shapes("ConstantOfShape")
def constant_of_shape(context: Context) -> Outputs:
    """The shape that the input's elements give, in the data type of ``value``."""
    fill = context.attribute("value")
    dtype = fill.data_type if fill is not None else TensorProto.FLOAT
    return [(tuple(elements_or_symbols(context, 0)), dtype)]


@shapes("RandomNormal", "RandomUniform")
def random(context: Context) -> Outputs:
    """The attribute ``shape``."""
    shape = context.attribute("shape")
    if shape is None:
        raise ValueError("it has no attribute 'shape'")
    return [(tuple(shape), int(context.attribute("dtype", TensorProto.FLOAT)))]


@shapes("RandomNormalLike", "RandomUniformLike", "EyeLike", "Bernoulli")
def like(context: Context) -> Outputs:
    """Shaped as the input."""
    return [(context.shape(0), int(context.attribute("dtype", 0)) or context.dtype(0))]


@shapes("Multinomial")
def multinomial(context: Context) -> Outputs:
    """[N, samples]."""
    rows, _ = context.shape(0)
    dtype = int(context.attribute("dtype", TensorProto.INT32))
    return [((rows, int(context.attribute("sample_size", 1))), dtype)]


@shapes("Range")
def range_(context: Context) -> Outputs:
    """ceil((limit - start) / delta) numbers."""
    start, limit, delta = (elements_or_symbols(context, index, 1)[0] for index in range(3))
    if delta == 0:
        raise ValueError("a range in steps of 0")
    if any(isinstance(n, SymbolicDim) for n in (start, limit, delta)):
        length = limit - start
        if delta != 1 or not isinstance(length, SymbolicDim):
            length = derived(f"({limit}-{start})/{delta}", limit, start, delta)
        return [((length,), context.dtype(0))]
    return [((max(0, ceil((limit - start) / delta)),), context.dtype(0))]


@shapes("AffineGrid")
def affine_grid(context: Context) -> Outputs:
    """[N, spatial..., rank] for a map of [N, C, spatial...]."""
    theta, size = context.shape(0), elements_or_symbols(context, 1)
    rank = len(size) - 2
    if len(theta) != 3 or rank not in (2, 3):
        raise ValueError(f"matrices of rank {len(theta)} for a map of rank {len(size)}")
    (batch,) = broadcast(theta[:1], (size[0],))
    return [((batch, *size[2:], rank), context.dtype(0))]


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
    kept = _kept(context)
    if context.attribute("axis") is None:
        return [((kept,), context.dtype(0))]
    axis = context.axis(0, len(x))
    return [((*x[:axis], kept, *x[axis + 1 :]), context.dtype(0))]


def _kept(context: Context) -> Dim:
    condition = context.data(1)
    if condition is None or symbolic(condition):
        return context.fresh("kept", "how many elements are kept depends on the data")
    return sum(map(bool, condition.reshape(-1)))


@shapes("Unique")
def unique(context: Context) -> Outputs:
    """What is left without repetitions, and three index lists."""
    x = context.shape(0)
    found = _found(context)
    inverse: Dim = volume(x)
    first: Shape = (found,)
    if context.attribute("axis") is not None:
        axis = context.axis(0, len(x))
        first, inverse = (*x[:axis], found, *x[axis + 1 :]), x[axis]
    lists: list[Shape] = [(found,), (inverse,), (found,)]
    return [(first, context.dtype(0)), *((shape, TensorProto.INT64) for shape in lists)]


def _has_nan(data: Data) -> bool:
    return any(isinstance(element, float) and isnan(element) for element in data.reshape(-1))


def _found(context: Context) -> Dim:
    """How many different elements there are, or slices along the axis."""
    data = context.data(0)
    if data is None or symbolic(data) or _has_nan(data):
        return context.fresh("unique", "how many elements are unique depends on the data")
    parts: Any = data.reshape(-1)
    if context.attribute("axis") is not None:
        parts = data.swapaxes(0, context.axis(0, data.ndim))
    return len({tuple(part.reshape(-1)) if parts.ndim > 1 else part for part in parts})
