"""The singular values of a matrix, and how many of them keep how much of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, exp, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.factor.pages import released

Matrix = NDArray[np.float64]

BLOCK_BYTES: Final = 32 << 20  # of float64 that are converted at once
EXACT_SIDE: Final = 4096  # the Gram matrix of a longer side takes more than 128 MiB
_MAPPED_BYTES = 64 << 20  # of a file whose pages are resident at once
_SKETCHED = 512  # singular values of a longer side that are looked for
_PASSES = 2  # power iterations
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The squared singular values of a matrix, from the largest to the least."""

    energies: Matrix

    @property
    def full(self) -> int:
        """The length of the smaller side: no rank is above it."""
        return len(self.energies)

    @property
    def effective_rank(self) -> float:
        """exp(−Σ p·ln p) of p = σ/Σσ (Roy and Vetterli, The Effective Rank, 2007)."""
        sizes = np.sqrt(self.energies[self.energies > 0])
        shares = sizes / sizes.sum()
        return exp(-float(shares @ np.log(shares))) if shares.size else 0.0

    def rank(self, energy: float) -> int:
        """The least rank that keeps this share of the sum of squares."""
        sums = np.cumsum(self.energies)
        if not self.full or not sums[-1]:
            return 0
        wanted = min(energy, 1.0) * sums[-1]
        return int(np.searchsorted(sums, wanted)) + 1 if wanted > 0 else 0

    def kept(self, rank: int) -> float:
        """The share of the sum of squares that the best matrix of this rank keeps; 1 for zeros."""
        total = float(self.energies.sum())
        return 1 - self._lost(rank) / total if total else 1.0

    def error(self, rank: int) -> float:
        """The least ‖W − W_r‖ / ‖W‖ of any matrix of this rank (Eckart, Young, Mirsky)."""
        total = float(self.energies.sum())
        return sqrt(self._lost(rank) / total) if total else 0.0

    def width(self, energy: float, grid: int) -> int:
        """The least multiple of ``grid`` that keeps this share, at most the full rank."""
        return min(max(1, ceil(self.rank(energy) / grid)) * grid, self.full)

    def _lost(self, rank: int) -> float:
        return float(self.energies[max(rank, 0) :].sum())


def spectrum_of(matrix: NDArray[Any]) -> Spectrum:
    """The spectrum of a matrix of any float type, in float64 and in blocks of 32 MiB.

    Up to a smaller side of 4096 the energies are the eigenvalues of its Gram matrix, exact but for
    rounding: those below that, side·ε of the largest, are zero.

    Beyond it the total is exact and the 512 largest energies are estimates from below: the Rayleigh
    quotients of a random subspace after two power iterations (Halko, Martinsson and Tropp, Finding
    Structure with Randomness, 2011, algorithm 4.4; seeded). What is left of the total is spread
    evenly over the others. No distribution of it keeps less, so ``kept`` is at most, and ``rank``
    at least, what the exact spectrum gives.

    Raises ValueError for NaN, infinities and what cannot be squared.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    energies = _exact(wide) if len(wide) <= EXACT_SIDE else _sketched(wide)
    energies.flags.writeable = False
    return Spectrum(energies)


def gram(wide: NDArray[Any]) -> Matrix:
    """W·Wᵀ in float64; raises ValueError where that is not finite."""
    product = np.zeros((len(wide), len(wide)))
    with np.errstate(over="ignore", invalid="ignore"):
        for block in _blocks(wide):
            product += block @ block.T
        _check(float(np.trace(product)))
    return product


def check_finite(array: Matrix) -> None:
    """Raise ValueError for NaN, infinities and what cannot be squared."""
    with np.errstate(over="ignore", invalid="ignore"):
        _check(float(np.vdot(array, array)))


def _check(total: float) -> None:
    if not np.isfinite(total):
        raise ValueError("the weights hold NaN, infinities or numbers too large to be squared")


def _exact(wide: NDArray[Any]) -> Matrix:
    energies = np.linalg.eigvalsh(gram(wide))[::-1].astype(np.float64)
    if energies.size:
        energies[energies < len(wide) * _EPSILON * energies[0]] = 0
    return energies


def _sketched(wide: NDArray[Any]) -> Matrix:
    rows = len(wide)
    basis = np.random.default_rng(0).standard_normal((rows, min(_SKETCHED, rows)))
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(_PASSES):
            basis, image, total = np.linalg.qr(basis)[0], np.zeros_like(basis), 0.0
            for block in _blocks(wide):
                image += block @ (block.T @ basis)
                total += float(np.vdot(block, block))
            _check(total)
            basis = image
        basis = np.linalg.qr(basis)[0]
        small = np.zeros((basis.shape[1],) * 2)
        for block in _blocks(wide):
            part = basis.T @ block
            small += part @ part.T
    return _with_tail(np.linalg.eigvalsh(small)[::-1].clip(0), total, rows)


def _with_tail(leading: Matrix, total: float, count: int) -> Matrix:
    """So many energies of this total: as many leading ones as are above the mean of the rest."""
    rest = (total - np.cumsum(leading)).clip(0)
    means = rest / np.maximum(count - np.arange(1, len(leading) + 1), 1)
    ahead = int(np.flatnonzero(leading >= means)[-1]) + 1 if (leading >= means).any() else 0
    mean = means[ahead - 1] if ahead else total / count
    return np.concatenate([leading[:ahead], np.full(count - ahead, mean)])


def _blocks(wide: NDArray[Any]) -> Iterator[Matrix]:
    """Its columns in float64, few enough at once; the pages that were read for them are let go."""
    step = max(1, BLOCK_BYTES // (8 * max(1, len(wide))))
    # A system maps more around what is read: of rows that lie far apart that is the whole file.
    some = max(1, _MAPPED_BYTES // max(1, abs(wide.strides[0])))
    for start in range(0, wide.shape[1], step):
        part = wide[:, start : start + step]
        block = np.empty(part.shape)
        for top in range(0, len(wide), some):
            block[top : top + some] = part[top : top + some]
            released(wide)
        yield block
