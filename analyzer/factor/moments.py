"""Second moments of the data that flows through a layer, and what they change in its factors."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.factor.spectrum import Matrix

RIDGE: Final = 1e-4
"""What is added to the diagonal of C as a share of its mean: no direction of the inputs weighs less
than a hundredth of the mean one, so that C^−½ is well-posed where channels are dead or alike."""


def weighted(kernel: Matrix, inputs: NDArray[Any] | None) -> Matrix:
    """C^½·W on the input channels of a kernel, C their second moment, [Cin, Cin]."""
    return _scaled(kernel, inputs, 0.5)


def unweighted(kernel: Matrix, inputs: NDArray[Any] | None) -> Matrix:
    """C^−½·W on the input channels of a kernel."""
    return _scaled(kernel, inputs, -0.5)


def directions(outputs: NDArray[Any] | None, rank: int) -> Matrix | None:
    """The directions in which responses are spread most, as columns, from their second moment about
    the mean, [Cout, Cout]; None where that is not known."""
    if outputs is None:
        return None
    return np.linalg.eigh(outputs.astype(np.float64))[1][:, ::-1][:, :rank]


def projected(bias: NDArray[Any] | None, basis: Matrix | None, mean: NDArray[Any] | None) -> Matrix:
    """The bias of a layer with bias b whose responses are projected on a basis U about their mean
    m: U·Uᵀ(b − m) + m. Without a basis or a mean it stays; an absent one is empty."""
    old = np.empty(0) if bias is None else bias.astype(np.float64)
    if basis is None or mean is None:
        return old
    middle = mean.astype(np.float64)
    return basis @ (basis.T @ ((old if old.size else 0.0) - middle)) + middle


def _scaled(kernel: Matrix, inputs: NDArray[Any] | None, power: float) -> Matrix:
    if inputs is None or not (mean := float(np.trace(inputs)) / len(inputs)):
        return kernel
    values, vectors = np.linalg.eigh(inputs.astype(np.float64) / mean)
    root = (vectors * (values.clip(0) + RIDGE) ** power) @ vectors.T
    scaled: Matrix = np.einsum("oi...,ij->oj...", kernel, root, optimize=True)
    return scaled
