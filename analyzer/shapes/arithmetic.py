"""Evaluate arithmetic, comparisons and choices on small tensors of known elements."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce
from math import ceil, floor, fmod, sqrt
from typing import Any

import numpy as np

from archlint.analyzer.dims import SymbolicDim, derived
from archlint.analyzer.graph import FLOATS, Data
from archlint.analyzer.shapes.context import Context, folds
from archlint.analyzer.shapes.data import as_objects, each, pairwise, rounded, symbolic


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
    if isinstance(a, float) and a < 0 and b != int(b):
        raise ValueError(f"a real root of {a}")
    return operator.pow(a, b)


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": _divide,
    "Pow": _power,
}  # fmt: skip
_EXTREMES: dict[str, Callable[..., Any]] = {"Min": min, "Max": max}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Greater": operator.gt, "GreaterOrEqual": operator.ge,
    "Less": operator.lt, "LessOrEqual": operator.le, "And": lambda a, b: a and b,
    "Or": lambda a, b: a or b, "Xor": operator.ne,
}  # fmt: skip
_UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": operator.neg, "Abs": abs, "Not": operator.not_, "Floor": floor, "Ceil": ceil,
    "Sqrt": sqrt, "Round": round, "Reciprocal": lambda x: 1 / x,
    "Relu": lambda x: max(x, 0),
}  # fmt: skip


@folds(*_BINARY)
def binary(context: Context) -> Data | None:
    """Arithmetic that carries symbolic dims along."""
    left, right = context.data(0), context.data(1)
    if left is None or right is None:
        return None
    return rounded(pairwise(_BINARY[context.node.op_type], left, right), context.dtype(0))


@folds("Mod")
def modulo(context: Context) -> Data | None:
    """The remainder has the sign of the divisor; with ``fmod`` that of the dividend, as in C."""
    left, right = context.data(0), context.data(1)
    if left is None or right is None:
        return None
    as_in_c = context.attribute("fmod", 0)
    if as_in_c and (symbolic(left) or symbolic(right)):
        return None
    remainder = _c_remainder if as_in_c else operator.mod
    return rounded(pairwise(remainder, left, right), context.dtype(0))


def _c_remainder(a: Any, b: Any) -> Any:
    return fmod(a, b) if isinstance(a, float) else a - b * _divide(a, b)


@folds(*_EXTREMES)
def extreme(context: Context) -> Data | None:
    """The smallest or largest of every input's element."""
    known = [context.data(index) for index in range(len(context.inputs))]
    arrays = [data for data in known if data is not None]
    if len(arrays) != len(known) or not arrays:
        return None
    return reduce(partial(_extreme_of_each, _EXTREMES[context.node.op_type]), arrays)


def extreme_of(choose: Callable[..., Any], elements: Sequence[Any]) -> Any:
    """min or max of elements; a symbolic dim of them all where some are unknown and differ."""
    if any(isinstance(element, SymbolicDim) for element in elements):
        different = list(dict.fromkeys(elements))
        if len(different) == 1:
            return different[0]
        return derived(f"{choose.__name__}({', '.join(map(str, different))})", *different)
    return choose(elements)


@folds("Clip")
def clip(context: Context) -> Data | None:
    """No smaller than the lower bound, then no larger than the upper one."""
    data = context.data(0)
    for index, name, choose in ((1, "min", max), (2, "max", min)):
        bound = context.data(index) if context.has(index) else context.attribute(name)
        if data is None or (bound is None and context.has(index)):
            return None
        if bound is not None:
            data = _extreme_of_each(choose, data, as_objects(bound))
    return data


def _extreme_of_each(choose: Callable[..., Any], left: Data, right: Data) -> Data:
    return pairwise(lambda a, b: extreme_of(choose, (a, b)), left, right)


@folds(*_COMPARISONS)
def compare(context: Context) -> Data | None:
    """Truth values of two known numbers."""
    left, right = context.data(0), context.data(1)
    if left is None or right is None or symbolic(left) or symbolic(right):
        return None
    return pairwise(_COMPARISONS[context.node.op_type], left, right)


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

    result = pairwise(same, left, right)
    return None if None in result.reshape(-1).tolist() else result


@folds(*_UNARY)
def unary(context: Context) -> Data | None:
    """Functions of one number; an unknown one gives a symbolic dim of the same causes."""
    data, name = context.data(0), context.node.op_type
    if data is None or (name == "Not" and symbolic(data)):
        return None
    function, floats = _UNARY[name], context.dtype(0) in FLOATS

    def applied(x: Any) -> Any:
        if isinstance(x, SymbolicDim):
            return -x if name == "Neg" else derived(f"{name.lower()}({x})", x)
        return float(function(x)) if floats else function(x)

    return each(applied, data, context.dtype(0))


@folds("Where")
def where(context: Context) -> Data | None:
    """A choice for each element."""
    condition, yes, no = (context.data(index) for index in range(3))
    if condition is None or yes is None or no is None or symbolic(condition):
        return None
    return as_objects(np.where(condition.astype(bool), yes, no))
