"""Evaluate arithmetic, comparisons and choices on small tensors of known elements."""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import ceil, floor, fmod, sqrt
from typing import Any

import numpy as np

from archlint.analyzer.dims import SymbolicDim
from archlint.analyzer.graph import FLOATS, Data
from archlint.analyzer.shapes.context import Context, folds
from archlint.analyzer.shapes.data import as_objects, each, rounded, symbolic


def _divide(a: Any, b: Any) -> Any:
    """ONNX divides integers towards zero, as C does."""
    if isinstance(a, SymbolicDim) or isinstance(b, SymbolicDim):
        return a // b
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _power(a: Any, b: Any) -> Any:
    """No integer of int64 is a power above the 62nd, but for those of 0, 1 and -1."""
    if isinstance(a, int) and isinstance(b, int) and not 0 <= b < 63:
        raise OverflowError(f"{a} to the power of {b}")
    return operator.pow(a, b)


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": _divide,
    "Pow": _power,
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
    return rounded(function(left, right), context.dtype(0))


@folds("Mod")
def modulo(context: Context) -> Data | None:
    """The remainder has the sign of the divisor; with ``fmod`` that of the dividend, as in C."""
    left, right = context.data(0), context.data(1)
    if left is None or right is None:
        return None
    as_in_c = context.attribute("fmod", 0)
    if as_in_c and (symbolic(left) or symbolic(right)):
        return None
    function = np.frompyfunc(_c_remainder if as_in_c else operator.mod, 2, 1)
    return rounded(function(left, right), context.dtype(0))


def _c_remainder(a: Any, b: Any) -> Any:
    return fmod(a, b) if isinstance(a, float) else a - b * _divide(a, b)


@folds(*_KNOWN_BINARY)
def known_binary(context: Context) -> Data | None:
    """Functions of two known numbers."""
    known = [context.data(index) for index in range(len(context.inputs))]
    arrays = [data for data in known if data is not None]
    if len(arrays) != len(known) or not arrays or any(map(symbolic, arrays)):
        return None
    function = np.frompyfunc(_KNOWN_BINARY[context.node.op_type], 2, 1)
    result = arrays[0]
    for other in arrays[1:]:
        result = function(result, other)
    return as_objects(result)


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

    result = as_objects(np.frompyfunc(same, 2, 1)(left, right))
    return None if None in result.reshape(-1).tolist() else result


@folds(*_UNARY)
def unary(context: Context) -> Data | None:
    """Functions of one known number."""
    data = context.data(0)
    if data is None or (symbolic(data) and context.node.op_type != "Neg"):
        return None
    function = _UNARY[context.node.op_type]
    floats = context.dtype(0) in FLOATS
    return each(lambda x: float(function(x)) if floats else function(x), data, context.dtype(0))


@folds("Where")
def where(context: Context) -> Data | None:
    """A choice for each element."""
    condition, yes, no = (context.data(index) for index in range(3))
    if condition is None or yes is None or no is None or symbolic(condition):
        return None
    return as_objects(np.where(condition.astype(bool), yes, no))
