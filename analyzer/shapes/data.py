"""Arrays of known elements: Python numbers and symbolic dims, so that integers never overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto

from archlint.analyzer.dims import SymbolicDim
from archlint.analyzer.graph import Data

_ROUNDED: dict[int, Callable[[float], Any]] = {
    TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16,
}  # fmt: skip


def as_data(array: Any) -> Data:
    """An object array of Python numbers."""
    return np.asarray(array).astype(object)


def each(function: Callable[[Any], Any], data: Data, dtype: int) -> Data:
    """The function of every element, rounded as the data type holds it."""
    with np.errstate(all="ignore"):  # comparing with NaN is no mistake
        result = np.frompyfunc(function, 1, 1)(data)
    return rounded(result, dtype)


def pairwise(function: Callable[[Any, Any], Any], left: Data, right: Data) -> Data:
    """The function of every two elements, broadcast."""
    with np.errstate(all="ignore"):
        return as_objects(np.frompyfunc(function, 2, 1)(left, right))


def rounded(result: Any, dtype: int) -> Data:
    """Floats as the data type holds them."""
    data = as_objects(result)
    rounding = _ROUNDED.get(dtype)
    if rounding is None:
        return data
    exact = np.frompyfunc(lambda x: float(rounding(x)) if isinstance(x, float) else x, 1, 1)
    with np.errstate(all="ignore"):  # what is too large is infinite
        return as_objects(exact(data))


def symbolic(data: Data) -> bool:
    """Whether any element is a symbolic dim."""
    return any(isinstance(element, SymbolicDim) for element in data.reshape(-1))


def as_objects(result: Any) -> Data:
    """An object array of what numpy made."""
    return np.asarray(result, dtype=object)


def scalar(element: Any) -> Data:
    """One element, without axes."""
    return np.array(element, dtype=object)


def vector(elements: Any) -> Data:
    """A list of elements, along one axis."""
    data = np.empty(len(elements), dtype=object)
    data[:] = elements
    return data
