"""Values of initializers and Constant nodes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from onnx import SparseTensorProto, TensorProto, numpy_helper

from archlint.analyzer.dims import Cause
from archlint.analyzer.graph import FLOATS, Data, Node, Value
from archlint.analyzer.shapes.context import MAX_ELEMENTS, foldable_elements

_NUMBERS = frozenset({
    *FLOATS, TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16,
    TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT32,
    TensorProto.UINT64,
})  # fmt: skip

# How raw data is read without onnx's general way, which takes ten times as long.
_PLAIN: dict[int, np.dtype[Any]] = {
    TensorProto.FLOAT: np.dtype("<f4"), TensorProto.DOUBLE: np.dtype("<f8"),
    TensorProto.INT64: np.dtype("<i8"), TensorProto.INT32: np.dtype("<i4"),
    TensorProto.BOOL: np.dtype("?"),
}  # fmt: skip


def of_tensor(name: str, tensor: TensorProto) -> Value:
    """A constant of the tensor's type and dims; its data if it is small and in the file."""
    dims = tuple(tensor.dims)
    if dims and min(dims) < 0:
        return _impossible(name, tensor.data_type)
    return Value(name, tensor.data_type, dims, True, _data(tensor, dims))


def of_sparse(name: str, tensor: SparseTensorProto) -> Value:
    """A constant of the dims of the dense tensor."""
    dims = tuple(tensor.dims)
    if dims and min(dims) < 0:
        return _impossible(name, tensor.values.data_type)
    return Value(name, tensor.values.data_type, dims, True)


def _impossible(name: str, dtype: int) -> Value:
    cause = Cause(f"initializer '{name}' has a negative dim")
    return Value(name, dtype, None, True, causes=frozenset({cause}))


def of_constant_node(node: Node) -> Value:
    """The one output of a Constant node, whichever attribute holds it."""
    name = node.output(0)
    for attribute, value in node.attributes.items():
        if isinstance(value, TensorProto):
            return of_tensor(name, value)
        if isinstance(value, SparseTensorProto):
            return of_sparse(name, value)
        if attribute in ("value_int", "value_ints"):
            return _numbers(name, TensorProto.INT64, value)
        if attribute in ("value_float", "value_floats"):
            return _numbers(name, TensorProto.FLOAT, value)
        if attribute in ("value_string", "value_strings"):
            shape = (len(value),) if attribute.endswith("s") else ()
            return Value(name, TensorProto.STRING, shape, True)
    cause = Cause(f"Constant node '{node.label}' holds no value")
    return Value(name, 0, None, True, causes=frozenset({cause}))


def _numbers(name: str, dtype: int, numbers: object) -> Value:
    data = np.array(numbers, dtype=object)
    return Value(name, dtype, data.shape, True, data if data.size <= MAX_ELEMENTS else None)


def _data(tensor: TensorProto, dims: tuple[int, ...]) -> Data | None:
    elements = prod(dims)
    if elements > foldable_elements(tensor.data_type) or tensor.data_type not in _NUMBERS:
        return None
    if tensor.data_location == TensorProto.EXTERNAL:
        return None
    try:
        plain = _PLAIN.get(tensor.data_type)
        if plain is not None and len(tensor.raw_data) == elements * plain.itemsize:
            return np.frombuffer(tensor.raw_data, plain).astype(object).reshape(dims)
        return numpy_helper.to_array(tensor).astype(object)
    except (ValueError, TypeError):  # the payload was left in the file, or does not fit the dims
        return None
