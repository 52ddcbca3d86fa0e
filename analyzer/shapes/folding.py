"""Evaluate small tensors that decide the shapes of others: what picks, joins and makes elements."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil, prod
from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper

from archlint.analyzer.dims import SymbolicDim, volume
from archlint.analyzer.graph import FLOATS, Data
from archlint.analyzer.shapes.arithmetic import extreme_of
from archlint.analyzer.shapes.context import MAX_ELEMENTS, Context, folds, normal_axis
from archlint.analyzer.shapes.data import (
    as_data,
    as_objects,
    each,
    rounded,
    scalar,
    symbolic,
    vector,
)
from archlint.analyzer.shapes.layout import shape_slice
from archlint.analyzer.shapes.reductions import reduced_axes

# What a cast is followed into; narrower types wrap or round in ways that no shape depends on.
_CAST_TO = frozenset({
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BOOL,
    TensorProto.INT32, TensorProto.INT64,
})  # fmt: skip


@folds("Shape")
def shape_of(context: Context) -> Data | None:
    """The dims, symbolic ones included."""
    return vector(shape_slice(context))


@folds("Size")
def size(context: Context) -> Data | None:
    """The number of elements."""
    return scalar(volume(context.shape(0)))


@folds("Identity")
def identity(context: Context) -> Data | None:
    """The input."""
    return context.data(0)


@folds("Dropout")
def dropout(context: Context) -> Data | None:
    """The input, unless it may be in training, which drops elements by chance."""
    return None if context.has(2) else context.data(0)


@folds("Cast", "CastLike")
def cast(context: Context) -> Data | None:
    """Numbers as integers (rounded to zero), floats or truth values."""
    data = context.data(0)
    if data is None:
        return None
    is_cast = context.node.op_type == "Cast"
    to = int(context.attribute("to", 0)) if is_cast else context.dtype(1)
    if to not in _CAST_TO:
        return None
    if to in FLOATS:
        return each(lambda x: x if isinstance(x, SymbolicDim) else float(x), data, to)
    if to == TensorProto.BOOL:
        return None if symbolic(data) else each(bool, data, to)
    return each(lambda x: x if isinstance(x, SymbolicDim) else int(x), data, to)


@folds("Gather")
def gather(context: Context) -> Data | None:
    """Elements picked along the axis."""
    data, indices = context.data(0), context.data(1)
    if data is None or indices is None or symbolic(indices):
        return None
    return as_objects(np.take(data, indices.astype(np.int64), axis=context.attribute("axis", 0)))


@folds("Slice")
def slice_(context: Context) -> Data | None:
    """A range of each named axis."""
    data = context.data(0)
    given = [context.integers(index, name) for index, name in enumerate(
        ("starts", "ends", "axes", "steps"), start=1)]  # fmt: skip
    starts, ends, axes, steps = given
    if data is None or starts is None or ends is None:
        return None
    if any(isinstance(n, SymbolicDim) for part in given for n in part or ()):
        return None
    ranges = [slice(None)] * data.ndim
    for place, axis in enumerate(axes or range(len(starts))):
        at = normal_axis(axis, data.ndim)
        ranges[at] = slice(starts[place], ends[place], steps[place] if steps else 1)
    return as_objects(data[tuple(ranges)])


@folds("Concat")
def concat(context: Context) -> Data | None:
    """Joined along the axis."""
    known = [context.data(index) for index in range(len(context.inputs))]
    parts = [data for data in known if data is not None]
    if len(parts) != len(known) or not parts:
        return None
    return as_objects(np.concatenate(parts, axis=context.attribute("axis", 0)))


@folds("Reshape", "Squeeze", "Unsqueeze", "Flatten")
def reshape(context: Context) -> Data | None:
    """The same elements; the engine gives them the shape of the output."""
    return context.data(0)


@folds("Transpose")
def transpose(context: Context) -> Data | None:
    """The axes reordered."""
    data = context.data(0)
    return None if data is None else as_objects(np.transpose(data, context.attribute("perm")))


@folds("Expand", "Tile")
def repeat(context: Context) -> Data | None:
    """The elements repeated."""
    data, sizes = context.data(0), context.data(1)
    if data is None or sizes is None or symbolic(sizes):
        return None
    numbers = [int(n) for n in sizes.reshape(-1)]
    if prod(numbers) * max(1, data.size) > MAX_ELEMENTS:
        return None
    if context.node.op_type == "Tile":
        return as_objects(np.tile(data, numbers))
    return as_objects(np.broadcast_to(data, np.broadcast_shapes(data.shape, tuple(numbers))))


@folds("ConstantOfShape")
def constant_of_shape(context: Context) -> Data | None:
    """A fill, where it is small."""
    dims = context.data(0)
    if dims is None or symbolic(dims):
        return None
    sizes = [int(n) for n in dims.reshape(-1)]
    if prod(sizes) > MAX_ELEMENTS:
        return None
    tensor = context.attribute("value")
    fill = 0.0
    if tensor is not None:
        fill = numpy_helper.to_array(tensor).reshape(-1)[0].item()
    return as_objects(np.full(sizes, fill, dtype=object))


@folds("Range")
def range_(context: Context) -> Data | None:
    """The numbers from start to limit."""
    parts = [context.data(index) for index in range(3)]
    if any(part is None or symbolic(part) for part in parts):
        return None
    start, limit, delta = (part.reshape(-1)[0] for part in parts if part is not None)
    if delta == 0 or (limit - start) / delta > MAX_ELEMENTS:
        return None
    count = max(0, ceil((limit - start) / delta))
    numbers = vector([start + place * delta for place in range(count)])
    return rounded(numbers, context.dtype(0))


def _product(elements: list[Any]) -> Any:
    return prod(elements) if any(isinstance(n, float) for n in elements) else volume(elements)


_REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "ReduceProd": _product, "ReduceSum": sum, "ReduceMax": partial(extreme_of, max),
    "ReduceMin": partial(extreme_of, min),
}  # fmt: skip


@folds(*_REDUCTIONS)
def reduce(context: Context) -> Data | None:
    """The elements along the axes combined; the engine gives them the shape of the output."""
    data = context.data(0)
    if data is None:
        return None
    gone = reduced_axes(context, data.ndim)
    kept = [axis for axis in range(data.ndim) if axis not in gone]
    rows = data.transpose(*kept, *sorted(gone))
    rows = rows.reshape(prod(rows.shape[: len(kept)]), prod(rows.shape[len(kept) :]))
    combined = vector([_REDUCTIONS[context.node.op_type](row.tolist()) for row in rows])
    return rounded(combined, context.dtype(0))


@folds("NonZero")
def non_zero(context: Context) -> Data | None:
    """The indices of what is not zero."""
    data = context.data(0)
    if data is None or symbolic(data):
        return None
    return as_data(np.array(np.nonzero(data.astype(bool)), dtype=np.int64))
