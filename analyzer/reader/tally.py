"""What is among the numbers of a tensor: NaN, infinities, denormals, or one number only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from archlint.analyzer.reader.blocks import Codes, number_bits


class Layout(NamedTuple):
    """How the bits of a number are read: ``sign`` is the bit of the sign, 0 without one.

    Without it, numbers from ``limit`` on are not finite: ``infinite`` says that ``limit`` itself is
    infinity and only what is above it NaN. Those below ``normal`` are zero or denormal.
    ``negative_zero`` is the one NaN of types that have no -0.
    """

    sign: int
    limit: int
    normal: int = 0
    infinite: bool = False
    negative_zero: bool = False


def _ieee(bits: int, fraction: int) -> Layout:
    """IEEE 754: the largest exponent is that of infinity and NaN, the least that of denormals."""
    sign = 1 << (bits - 1)
    return Layout(sign, sign - (1 << fraction), 1 << fraction, infinite=True)


# https://onnx.ai/onnx/technical/float8.html, float4.html; Micikevicius et al., FP8 Formats for Deep
# Learning, 2022, arXiv:2209.05433, table 1. E8M0 is a power of two without sign and zero.
_LAYOUTS: Final = {
    "DOUBLE": _ieee(64, 52), "COMPLEX128": _ieee(64, 52),
    "FLOAT": _ieee(32, 23), "COMPLEX64": _ieee(32, 23),
    "FLOAT16": _ieee(16, 10), "BFLOAT16": _ieee(16, 7), "FLOAT8E5M2": _ieee(8, 2),
    "FLOAT8E4M3FN": Layout(0x80, 0x7F, 8),
    "FLOAT8E4M3FNUZ": Layout(0x80, 0x80, 8, negative_zero=True),
    "FLOAT8E5M2FNUZ": Layout(0x80, 0x80, 4, negative_zero=True),
    "FLOAT8E8M0": Layout(0, 0xFF),
    "FLOAT6E2M3": Layout(0x20, 0x20, 8), "FLOAT6E3M2": Layout(0x20, 0x20, 4),
    "FLOAT4E2M1": Layout(8, 8, 2),
}  # fmt: skip


def layout_of(data_type: int) -> Layout:
    """The layout of a data type; every integer is finite."""
    name = TensorProto.DataType.Name(data_type)
    return _LAYOUTS.get(name) or Layout(0, 1 << number_bits(data_type))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the numbers of a tensor are what; complex ones count as two.

    ``first`` is the place of the first that is not finite, None if there is none. ``only_zeros``
    says that all finite numbers are 0, ``repeated`` that all numbers are equal.
    """

    numbers: int
    nans: int
    infinities: int
    positive_infinities: int
    denormals: int
    first: int | None
    only_zeros: bool
    repeated: bool


class Counter:
    """Takes the numbers of a tensor block by block."""

    def __init__(self, data_type: int) -> None:
        self._layout = layout_of(data_type)
        self._type: Any = np.dtype(f"u{max(number_bits(data_type), 8) // 8}").type
        self._numbers = self._nans = self._infinities = self._positive = self._denormals = 0
        self._first: int | None = None
        self._only_zeros = self._repeated = True
        self._one: int | None = None  # the number that all are so far

    def add(self, codes: Codes) -> None:
        """Count a block."""
        if not codes.size:
            return
        layout = self._layout
        sizes = codes & self._type(layout.sign - 1) if layout.sign else codes
        least, most = int(sizes.min()), int(sizes.max())
        if self._repeated:
            self._compare(codes, least, most)
        if most >= layout.limit or layout.negative_zero:
            self._add_infinite(codes, sizes)
        elif most:
            self._only_zeros = False
        if least < layout.normal:
            # Unsigned, zero less one is the largest number.
            below = (sizes - self._type(1)) < self._type(layout.normal - 1)
            self._denormals += int(np.count_nonzero(below))
        self._numbers += codes.size

    def tally(self) -> Tally:
        """What was counted."""
        return Tally(
            self._numbers,
            self._nans,
            self._infinities,
            self._positive,
            self._denormals,
            self._first,
            self._only_zeros,
            self._repeated and self._numbers > 0,
        )

    def _compare(self, codes: Codes, least: int, most: int) -> None:
        """Whether all are one number still; 0 and -0 are."""
        one = int(codes[0])
        if most == 0 and not self._layout.negative_zero:
            one = 0
        elif least != most or not bool((codes == codes[0]).all()):
            self._repeated = False
        if self._one is None:
            self._one = one
        self._repeated = self._repeated and one == self._one

    def _add_infinite(self, codes: Codes, sizes: Codes) -> None:
        """Count a block that may hold numbers that are not finite."""
        layout = self._layout
        if layout.negative_zero:
            odd: NDArray[np.bool_] = codes == self._type(layout.sign)
        else:
            odd = sizes >= self._type(layout.limit)
        places = np.flatnonzero(odd)
        infinite = layout.infinite & (sizes[places] == self._type(layout.limit))
        positive = infinite & (codes[places] == self._type(layout.limit))
        self._infinities += int(np.count_nonzero(infinite))
        self._positive += int(np.count_nonzero(positive))
        self._nans += int(places.size - np.count_nonzero(infinite))
        if places.size and self._first is None:
            self._first = self._numbers + int(places[0])
        self._only_zeros = self._only_zeros and not bool((sizes[~odd]).any())
