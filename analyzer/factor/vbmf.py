"""The rank of a matrix of noisy numbers by empirical variational Bayes."""

from __future__ import annotations

from collections.abc import Callable
from math import log, log1p, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.factor.spectrum import Spectrum, spectrum_of
from archlint.analyzer.factor.unfoldings import Unfolding, unfolded

_GRID = 256  # variances that are tried, evenly spaced in their logarithm
_GOLDEN = (sqrt(5) - 1) / 2
_STEPS = 48  # of the golden-section search: 0.618⁴⁸ is 1e-10
_EPSILON = float(np.finfo(np.float64).eps)


def vbmf_rank(matrix: NDArray[Any]) -> int:
    """The rank of what is in a matrix besides white noise of an unknown variance.

    The global solution of empirical variational Bayesian matrix factorisation: components stay
    whose singular value is above √(M·σ²·x̲), x̲ = (1 + τ̲)(1 + α/τ̲), and the noise variance σ² is
    the least of a function of it alone (Nakajima, Sugiyama, Babacan and Tomioka, Global Analytic
    Solution of Fully-observed Variational Bayesian Matrix Factorization, JMLR 14,
    2013). A matrix of zeros has rank 0. Raises ValueError for weights that are not finite.
    """
    return vbmf_rank_of(spectrum_of(matrix), max(matrix.shape))


def vbmf_rank_of(spectrum: Spectrum, longer: int) -> int:
    """As ``vbmf_rank``, of a matrix with this spectrum and longer side."""
    energies = spectrum.energies
    if not energies.size or not energies[0]:
        return 0
    energies = np.maximum(energies, _EPSILON * len(energies) * energies[0])  # zeros: no logarithm
    ratio = len(energies) / longer
    tau = _threshold(ratio)
    least = (1 + tau) * (1 + ratio / tau)
    variance = _variance(energies / longer, ratio, least)
    return int((energies > longer * variance * least).sum())


def tucker_ranks(kernel: NDArray[Any]) -> tuple[int, int]:
    """The ranks of a kernel's input and output channels, at least 1 (Kim et al., Compression of
    Deep Convolutional Neural Networks for Fast and Low Power Mobile Applications, 2016, section
    3.2)."""
    sides = (unfolded(kernel, side) for side in (Unfolding.INPUT, Unfolding.OUTPUT))
    before, after = (max(1, vbmf_rank(side)) for side in sides)
    return before, after


def _threshold(ratio: float) -> float:
    """τ̲, the zero of Φ(τ) + Φ(τ/α) with Φ(z) = ln(1 + z)/z − 1/2, by bisection."""
    low, high = 0.5 * ratio, 4.0  # Φ falls and is zero at 2.5129: α·2.5129 ≤ τ̲ ≤ 2.5129
    while high - low > 1e-12:
        middle = (low + high) / 2
        over = _phi(middle) + _phi(middle / ratio) > 0
        low, high = (middle, high) if over else (low, middle)
    return low


def _phi(z: float) -> float:
    return log1p(z) / z - 0.5


def _variance(shares: NDArray[np.float64], ratio: float, least: float) -> float:
    """The noise variance with the least free energy; ``shares`` are the energies over M.

    It is at least what the components say that must be noise, at most what all of them say.
    """
    count = len(shares)
    most = int(np.ceil(count / (1 + ratio))) - 1  # components that may stay
    tail = shares[most:]
    low, high = max(float(tail[0]) / least, float(tail.mean())), float(shares.mean())
    if not low < high:
        return high

    def energy(at: float) -> float:
        return _free_energy(shares / np.exp(at), ratio, least)

    grid = np.linspace(log(low), log(high), _GRID)
    best = int(np.argmin([energy(at) for at in grid]))
    around = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, _GRID - 1)])
    return float(np.exp(_golden(energy, *around)))


def _free_energy(x: NDArray[np.float64], ratio: float, least: float) -> float:
    """Of x = γ²/(M·σ²) it is Σ (x − ln x), and for components that stay besides
    ln(τ + 1) + α·ln(τ/α + 1) − τ."""
    stay = x[x > least]
    middle = stay - (1 + ratio)
    tau = (middle + np.sqrt(middle * middle - 4 * ratio)) / 2
    gain = np.log1p(tau) + ratio * np.log1p(tau / ratio) - tau
    return float((x - np.log(x)).sum() + gain.sum())


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least (Kiefer 1953)."""
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    values = [function(at) for at in inner]
    for _ in range(_STEPS):
        if values[0] < values[1]:
            high = inner[1]
            inner = [high - _GOLDEN * (high - low), inner[0]]
            values = [function(inner[0]), values[0]]
        else:
            low = inner[0]
            inner = [inner[1], low + _GOLDEN * (high - low)]
            values = [values[1], function(inner[1])]
    return (low + high) / 2
