"""Made-up weights: no kernel looks at their numbers, but equal ones are merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
from onnx import GraphProto, TensorProto, helper

from archlint.analyzer.graph import Value

# numpy's names of the types that weights are made up in.
_FLOATS: dict[int, str] = {
    TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16", TensorProto.DOUBLE: "float64",
}  # fmt: skip
_INTEGERS: dict[int, str] = {
    TensorProto.INT8: "int8", TensorProto.UINT8: "uint8", TensorProto.INT16: "int16",
    TensorProto.UINT16: "uint16", TensorProto.INT32: "int32", TensorProto.INT64: "int64",
}  # fmt: skip
_NOWHERE = "made-up"  # the file of weights that the child is handed in memory


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A weight whose numbers do not matter, but that they differ: normal ones of a ``scale``, or
    even ones from ``low`` to ``high``. ``dtype`` is numpy's."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    low: float = 0.0
    high: float = 1.0


def is_float(value: Value) -> bool:
    """Whether its numbers can be made up as floats."""
    return value.dtype in _FLOATS


def made_up(name: str, value: Value, level: float = 1.0) -> MadeUp | None:
    """Numbers in place of a constant; None where its shape or type allows none.

    Matrices and kernels are scaled as He et al. 2015 (arXiv:1502.01852), so that deep networks
    neither overflow nor vanish; a vector, which may be a variance, stays on its side of zero.
    """
    shape = value.static_shape
    if shape is None:
        return None
    if value.dtype in _INTEGERS:
        return MadeUp(name, _INTEGERS[value.dtype], shape, low=0, high=2)
    if value.dtype not in _FLOATS:
        return None
    dtype = _FLOATS[value.dtype]
    if len(shape) > 1:
        return MadeUp(name, dtype, shape, scale=sqrt(2 / max(1, prod(shape[1:]))))
    low, high = sorted((0.5 * level, 1.5 * level))
    return MadeUp(name, dtype, shape, low=low, high=high)


def declare(proto: GraphProto, weight: MadeUp) -> None:
    """The initializer of a made-up weight, whose elements are handed over when it is loaded."""
    tensor = proto.initializer.add(
        name=weight.name,
        dims=weight.shape,
        data_type=helper.np_dtype_to_tensor_dtype(np.dtype(weight.dtype)),
        data_location=TensorProto.EXTERNAL,
    )
    tensor.external_data.add(key="location", value=_NOWHERE)


def bytes_of(weights: Iterable[MadeUp]) -> int:
    """Bytes of all of them."""
    return sum(prod(weight.shape) * np.dtype(weight.dtype).itemsize for weight in weights)
