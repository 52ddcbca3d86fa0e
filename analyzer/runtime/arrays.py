"""Arrays to feed a model with: seeded, and plain enough that every model takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# By the numbers of TensorProto.DataType, as a child that runs a model imports no onnx.
_NUMPY = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
    9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip
_STRING = 8
_BFLOAT16 = 16
_FLOAT8 = frozenset({17, 18, 19, 20})
_SCALE = 0.1  # of normal floats: deep networks without normalisation do not overflow


def array(dtype: int, shape: Sequence[int], fill: int | None, random: np.random.Generator) -> Any:
    """An array, or the onnxruntime value of a type that numpy lacks.

    Floats are normal, truth values true, integers 0 and 1, valid as indices of any table, or all
    ``fill`` where that is given. Raises ValueError for a type that no array has.
    """
    if dtype in (1, 10, 11):
        return _normal(shape, random).astype(_NUMPY[dtype])
    if dtype == _STRING:
        return np.full(shape, "archlint", dtype=object)
    if dtype in _NUMPY:
        if dtype == 9 or fill is not None:
            return np.full(shape, 1 if fill is None else fill, _NUMPY[dtype])
        return np.asarray(random.integers(0, 2, shape)).astype(_NUMPY[dtype])
    return _of_bits(dtype, shape, random)


def _of_bits(dtype: int, shape: Sequence[int], random: np.random.Generator) -> Any:
    import onnxruntime

    if dtype == _BFLOAT16:  # the upper half of a float32
        bits = np.asarray(_normal(shape, random).view(np.uint32) >> 16, np.uint16)
    elif dtype in _FLOAT8:
        bits = np.zeros(tuple(shape), np.uint8)
    else:
        raise ValueError(f"onnxruntime cannot be fed with data type {dtype}")
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, dtype)


def _normal(shape: Sequence[int], random: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(random.standard_normal(shape, np.float32) * np.float32(_SCALE))


def arrays(specs: Sequence[Mapping[str, Any]], seed: int = 0) -> dict[str, Any]:
    """An array for each input by its name, the same at each call."""
    random = np.random.default_rng(seed)
    return {s["name"]: array(s["dtype"], s["shape"], s["fill"], random) for s in specs}
