"""Evaluate small tensors: the arithmetic on shapes that decides the shapes of others.

Elements are Python numbers and symbolic dims in object arrays, so integers never overflow and a vector
may be known in part.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import ceil, floor, sqrt
from typing import Any

import numpy as np
from onnx import TensorProto

from archlint.analyzer.dims import SymbolicDim, volume
from archlint.analyzer.graph import FLOATS, Data
from archlint.analyzer.shapes.context import MAX_ELEMENTS, Context, folds, normal_axis
from archlint.analyzer.shapes.layout import shape_slice

_ROUNDED = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16}


def as_data(array: Any) -> Data:
    """An object array of Python numbers."""
    return np.asarray(array).astype(object)


@folds("Shape")
def shape_of(context: Context) -> Data | None:
    """The dims, symbolic ones included."""
    return _vector(shape_slice(context))


@folds("Size")
def size(context: Context) -> Data | None:
    """The number of elements."""
    return _scalar(volume(context.shape(0)))


@folds("Identity", "Dropout")
def identity(context: Context) -> Data | None:
    """The input."""
    return context.data(0)


@folds("Cast", "CastLike")
def cast(context: Context) -> Data | None:
    """Numbers as integers (rounded to zero), floats or truth values."""
    data = context.data(0)
    if data is None:
        return None
    is_cast = context.node.op_type == "Cast"
    to = int(context.attribute("to", 0)) if is_cast else context.dtype(1)
    if to in FLOATS:
        return _each(lambda x: x if isinstance(x, SymbolicDim) else float(x), data, to)
    if to == TensorProto.BOOL:
        return None if _symbolic(data) else _each(bool, data, to)
    if to == TensorProto.STRING:
        return None
    return _each(lambda x: x if isinstance(x, SymbolicDim) else int(x), data, to)


def _divide(a: Any, b: Any) -> Any:
    """ONNX divides integers towards zero, as C does."""
    if isinstance(a, SymbolicDim) or isinstance(b, SymbolicDim):
        return a // b
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": _divide,
    "Mod": operator.mod, "Pow": operator.pow,
}  # fmt: skip
_KNOWN_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Min": min, "Max": max, "Greater": operator.gt, "GreaterOrEqual": operator.ge,
    "Less": operator.lt, "LessOrEqual": operator.le, "And": lambda a, b: a and b,
    "Or": lambda a, b: a or b,
}  # fmt: skip
_UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": operator.neg, "Abs": abs, "Not": operator.not_, "Floor": floor, "Ceil": ceil,
    "Sqrt": sqrt, "Round": round,
}  # fmt: skip


@folds(*_BINARY)
def binary(context: Context) -> Data | None:
    """Arithmetic that carries symbolic dims along."""
    left, right = context.data(0), context.data(1)
    if left is None or right is None:
        return None
    function = np.frompyfunc(_BINARY[context.node.op_type], 2, 1)
    return _rounded(function(left, right), context.dtype(0))


@folds(*_KNOWN_BINARY)
def known_binary(context: Context) -> Data | None:
    """Functions of two known numbers."""
    known = [context.data(index) for index in range(len(context.inputs))]
    arrays = [data for data in known if data is not None]
    if len(arrays) != len(known) or not arrays or any(map(_symbolic, arrays)):
        return None
    function = np.frompyfunc(_KNOWN_BINARY[context.node.op_type], 2, 1)
    result = arrays[0]
    for other in arrays[1:]:
        result = function(result, other)
    return _object(result)


@folds("Equal")
def equal(context: Context) -> Data | None:
    """Equality; a symbolic dim is a size, so it differs from every negative number."""
    left, right = context.data(0), context.data(1)
    if left is None or right is None:
        return None

    def same(a: Any, b: Any) -> Any:
        if isinstance(a, SymbolicDim) or isinstance(b, SymbolicDim):
            if a == b:
                return True
            return False if -1 in (a, b) else None
        return bool(a == b)

    result = _object(np.frompyfunc(same, 2, 1)(left, right))
    return None if None in result.reshape(-1).tolist() else result


@folds(*_UNARY)
def unary(context: Context) -> Data | None:
    """Functions of one known number."""
    data = context.data(0)
    if data is None or (_symbolic(data) and context.node.op_type != "Neg"):
        return None
    function = _UNARY[context.node.op_type]
    floats = context.dtype(0) in FLOATS
    return _each(lambda x: float(function(x)) if floats else function(x), data, context.dtype(0))


@folds("Where")
def where(context: Context) -> Data | None:
    """A choice for each element."""
    condition, yes, no = (context.data(index) for index in range(3))
    if condition is None or yes is None or no is None or _symbolic(condition):
        return None
    return _object(np.where(condition.astype(bool), yes, no))


@folds("Gather")
def gather(context: Context) -> Data | None:
    """Elements picked along the axis."""
    data, indices = context.data(0), context.data(1)
    if data is None or indices is None or _symbolic(indices):
        return None
    return _object(np.take(data, indices.astype(np.int64), axis=context.attribute("axis", 0)))


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
    return _object(data[tuple(ranges)])


@folds("Concat")
def concat(context: Context) -> Data | None:
    """Joined along the axis."""
    known = [context.data(index) for index in range(len(context.inputs))]
    parts = [data for data in known if data is not None]
    if len(parts) != len(known) or not parts:
        return None
    return _object(np.concatenate(parts, axis=context.attribute("axis", 0)))


@folds("Reshape", "Squeeze", "Unsqueeze", "Flatten")
def reshape(context: Context) -> Data | None:
    """The same elements; the engine gives them the shape of the output."""
    return context.data(0)


@folds("Transpose")
def transpose(context: Context) -> Data | None:
    """The axes reordered."""
    data = context.data(0)
    return None if data is None else _object(np.transpose(data, context.attribute("perm")))


@folds("Expand", "Tile")
def repeat(context: Context) -> Data | None:
    """The elements repeated."""
    data, sizes = context.data(0), context.data(1)
    if data is None or sizes is None or _symbolic(sizes):
        return None
    numbers = [int(n) for n in sizes.reshape(-1)]
    if volume(numbers) * max(1, data.size) > MAX_ELEMENTS:
        return None
    if context.node.op_type == "Tile":
        return _object(np.tile(data, numbers))
    return _object(np.broadcast_to(data, np.broadcast_shapes(data.shape, tuple(numbers))))


@folds("ConstantOfShape")
def constant_of_shape(context: Context) -> Data | None:
    """A fill, where it is small."""
    dims = context.data(0)
    if dims is None or _symbolic(dims) or volume(dims.reshape(-1)) > MAX_ELEMENTS:  # type: ignore[operator]
        return None
    tensor = context.attribute("value")
    fill = 0.0
    if tensor is not None:
        from onnx import numpy_helper

        fill = numpy_helper.to_array(tensor).reshape(-1)[0].item()
    return _object(np.full([int(n) for n in dims.reshape(-1)], fill, dtype=object))


@folds("Range")
def range_(context: Context) -> Data | None:
    """The numbers from start to limit."""
    parts = [context.data(index) for index in range(3)]
    if any(part is None or _symbolic(part) for part in parts):
        return None
    start, limit, delta = (part.reshape(-1)[0] for part in parts if part is not None)
    if delta == 0 or (limit - start) / delta > MAX_ELEMENTS:
        return None
    count = max(0, ceil((limit - start) / delta))
    return _vector([start + place * delta for place in range(count)])


@folds("ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin")
def reduce(context: Context) -> Data | None:
    """All elements of a vector combined."""
    data = context.data(0)
    if data is None or data.ndim > 1:
        return None
    elements = data.reshape(-1).tolist()
    if context.node.op_type == "ReduceProd":
        return _object(np.array(volume(elements), dtype=object))
    if not elements or (_symbolic(data) and context.node.op_type != "ReduceSum"):
        return None
    functions: dict[str, Callable[[Any], Any]] = {"ReduceSum": sum, "ReduceMax": max}
    return _scalar(functions.get(context.node.op_type, min)(elements))


@folds("NonZero")
def non_zero(context: Context) -> Data | None:
    """The indices of what is not zero."""
    data = context.data(0)
    if data is None or _symbolic(data):
        return None
    return as_data(np.array(np.nonzero(data.astype(bool)), dtype=np.int64))


def _each(function: Callable[[Any], Any], data: Data, dtype: int) -> Data:
    return _rounded(np.frompyfunc(function, 1, 1)(data), dtype)


def _rounded(result: Any, dtype: int) -> Data:
    """Floats as the data type holds them."""
    data = _object(result)
    rounding = _ROUNDED.get(dtype)
    if rounding is None:
        return data
    exact = np.frompyfunc(lambda x: float(rounding(x)) if isinstance(x, float) else x, 1, 1)
    return _object(exact(data))


def _symbolic(data: Data) -> bool:
    return any(isinstance(element, SymbolicDim) for element in data.reshape(-1))


def _object(result: Any) -> Data:
    return np.asarray(result, dtype=object)


def _scalar(element: Any) -> Data:
    return np.array(element, dtype=object)


def _vector(elements: Any) -> Data:
    data = np.empty(len(elements), dtype=object)
    data[:] = elements
    return data
