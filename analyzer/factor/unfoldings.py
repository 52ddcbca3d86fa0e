"""Kernels as matrices.

A kernel is [Cout, Cin, *k], as Conv has it; the weight of a product is a kernel [N, K].
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import prod
from typing import Any

from numpy.typing import NDArray

from archlint.analyzer.factor.spectrum import Spectrum, spectrum_of


class Unfolding(StrEnum):
    """Which axes of a kernel are the rows of a matrix."""

    INPUT = "input"  # Cin × Cout·k·k
    OUTPUT = "output"  # Cout × Cin·k·k
    SPATIAL = "spatial"  # Cin·kh × Cout·kw (Jaderberg, Vedaldi and Zisserman 2014)


def unfolded(kernel: NDArray[Any], unfolding: Unfolding) -> NDArray[Any]:
    """The kernel as a matrix: a view where its order allows, else a copy in its own type."""
    filters, channels, *sizes = kernel.shape
    if unfolding is Unfolding.OUTPUT:
        return kernel.reshape(filters, channels * prod(sizes))
    if unfolding is Unfolding.INPUT:
        return kernel.swapaxes(0, 1).reshape(channels, filters * prod(sizes))
    if len(sizes) != 2:
        raise ValueError("the spatial unfolding is that of 2-D kernels")
    height, width = sizes
    return kernel.transpose(1, 2, 0, 3).reshape(channels * height, filters * width)


def spectra(kernel: NDArray[Any]) -> Mapping[Unfolding, Spectrum]:
    """The spectrum of each unfolding that says something of its own.

    Where the kernel has one tap both sides have the same spectrum, which stands under ``INPUT``.
    The spatial one needs taps on both axes. Raises ValueError for weights that are not finite.
    """
    sizes = kernel.shape[2:]
    which = [Unfolding.INPUT]
    if prod(sizes) > 1:
        which.append(Unfolding.OUTPUT)
    if len(sizes) == 2 and min(sizes) > 1:
        which.append(Unfolding.SPATIAL)
    return {unfolding: spectrum_of(unfolded(kernel, unfolding)) for unfolding in which}
