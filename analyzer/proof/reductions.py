"""Sums over the values of many runs, in float64, block by block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 20  # elements that are converted at once
MOST_CHANNELS = 8192  # half a gibibyte of second moments


class Difference:
    """How far values are from their originals, over all samples that were added.

    Numbers that are infinite or NaN on both sides alike count for nothing; where they are on one
    side alone, the difference is infinite.
    """

    def __init__(self) -> None:
        self._squared = 0.0  # of the difference, and of the original
        self._norm = 0.0
        self._largest = 0.0
        self._differing = 0
        self._elements = 0
        self._is_float = False
        self._finite = True
        self._skipped = ""
        self._shapes: list[list[int]] = []

    def add(self, before: Any, after: Any) -> None:
        """Count one sample in."""
        if self._skipped or self._shapes:
            return
        a, b = _tensor(before), _tensor(after)
        if a is None or b is None:
            self._skipped = "it is no tensor"
        elif a.dtype.kind not in "fiubOU" or b.dtype.kind not in "fiubOU":
            self._skipped = f"numbers of type {a.dtype} are not compared"
        elif a.dtype != b.dtype:
            self._skipped = f"its type is {b.dtype} where it was {a.dtype}"
        elif a.shape != b.shape:
            self._shapes = [list(a.shape), list(b.shape)]
        else:
            self._count(a, b)

    def _count(self, a: NDArray[Any], b: NDArray[Any]) -> None:
        self._elements += a.size
        self._is_float = a.dtype.kind == "f"
        a, b = a.reshape(-1), b.reshape(-1)
        for start in range(0, a.size, _BLOCK):
            x, y = a[start : start + _BLOCK], b[start : start + _BLOCK]
            if self._is_float:
                self._floats(x.astype(np.float64), y.astype(np.float64))
            else:
                self._others(x, y)

    def _floats(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        finite = np.isfinite(x) & np.isfinite(y)
        if not finite.all():
            same = finite | (x == y) | (np.isnan(x) & np.isnan(y))
            self._finite = self._finite and bool(same.all())
            x, y = x[finite], y[finite]
        with np.errstate(over="ignore"):
            difference = y - x
            self._squared += float(difference @ difference)
            self._norm += float(x @ x)
        self._largest = max(self._largest, float(np.abs(difference).max(initial=0.0)))

    def _others(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        differs = np.asarray(x != y)
        if not differs.any():
            return
        self._differing += int(differs.sum())
        largest = 1.0
        if x.dtype.kind in "iu":
            largest = float(np.abs(y.astype(np.float64) - x.astype(np.float64)).max())
        self._largest = max(self._largest, largest)

    def as_json(self) -> dict[str, Any]:
        """What is told of it."""
        return {
            "relative": self._relative(),
            "largest": self._largest if self._finite else math.inf,
            "finite": self._finite,
            "elements": self._elements,
            "skipped": self._skipped,
            "shapes": self._shapes,
        }

    def _relative(self) -> float:
        if not self._is_float:
            return self._differing / self._elements if self._elements else 0.0
        if not (self._finite and math.isfinite(self._squared) and math.isfinite(self._norm)):
            return math.inf
        if not self._squared:
            return 0.0
        return math.sqrt(self._squared) / math.sqrt(self._norm) if self._norm else math.inf


def _tensor(value: Any) -> NDArray[Any] | None:
    return np.asarray(value) if isinstance(value, np.ndarray | np.generic) else None


class Moments:
    """Sums of the channels of a value and of their products, over all positions and samples."""

    def __init__(self, axis: int) -> None:
        self._axis = axis
        self._sums: NDArray[Any] | None = None  # [C + 1, C]: of products, and of channels
        self._positions = 0

    def add(self, value: Any) -> None:
        """Count one sample in."""
        array = _tensor(value)
        if array is None or array.dtype.kind not in "fiub":
            raise ValueError("a value whose moments are asked for is no tensor of numbers")
        if not -array.ndim <= self._axis < array.ndim:
            raise ValueError(f"a value of shape {list(array.shape)} has no axis {self._axis}")
        channels = array.shape[self._axis]
        if channels > MOST_CHANNELS:
            raise ValueError(f"a value has {channels:,} channels, more than {MOST_CHANNELS:,}")
        if self._sums is None:
            self._sums = np.zeros((channels + 1, channels))
        if self._sums.shape[1] != channels:
            raise ValueError("a value has another number of channels in each sample")
        rows = np.moveaxis(array, self._axis, -1).reshape(-1, channels)
        self._positions += len(rows)
        step = max(1, _BLOCK // max(1, channels))
        for start in range(0, len(rows), step):
            block = rows[start : start + step].astype(np.float64)
            self._sums[:-1] += block.T @ block
            self._sums[-1] += block.sum(axis=0)

    def save(self, path: str) -> dict[str, Any]:
        """The mean products and, below them, the means, in a file; what is told of it."""
        if self._sums is None or not self._positions:
            raise ValueError("a value whose moments are asked for is empty")
        np.save(path, self._sums / self._positions, allow_pickle=False)
        told = {"positions": self._positions, "channels": self._sums.shape[1]}
        self._sums = None
        return told
