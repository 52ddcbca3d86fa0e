"""The forms in which a layer is written as two or three smaller ones."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.factor.moments import directions, projected, unweighted, weighted
from archlint.analyzer.factor.spectrum import Matrix, check_finite, gram
from archlint.analyzer.factor.unfoldings import Unfolding, unfolded

_SWEEPS = 10  # of higher-order orthogonal iteration: more change the error by less than 1e-3 of it


class Form(StrEnum):
    """What stands in place of a layer with a kernel [Cout, Cin, *k]."""

    INPUT = "input"  # 1×1 Cin→r, then k×k r→Cout (Denton et al. 2014)
    OUTPUT = "output"  # k×k Cin→r, then 1×1 r→Cout (Zhang et al. 2015)
    SPATIAL = "spatial"  # kh×1 Cin→r, then 1×kw r→Cout (Jaderberg et al. 2014)
    TUCKER = "tucker"  # 1×1 Cin→r₁, k×k r₁→r₂, then 1×1 r₂→Cout (Kim et al. 2016)
    MATRIX = "matrix"  # K→r→N, for products


_UNFOLDINGS = {
    Form.INPUT: (Unfolding.INPUT,),
    Form.OUTPUT: (Unfolding.OUTPUT,),
    Form.SPATIAL: (Unfolding.SPATIAL,),
    Form.TUCKER: (Unfolding.INPUT, Unfolding.OUTPUT),
    Form.MATRIX: (Unfolding.INPUT,),
}
PROJECTING = frozenset({Form.OUTPUT, Form.TUCKER, Form.MATRIX})  # onto directions of the responses


def full_ranks(shape: Sequence[int], form: Form) -> tuple[int, ...] | None:
    """The ranks at which nothing is lost; None where the form does not fit a kernel of this shape.

    Those of ``TUCKER`` are of the input and of the output channels. It and ``SPATIAL`` need more
    than one tap, the latter on both of two axes.
    """
    filters, channels, *sizes = shape
    if (form is Form.MATRIX) != (not sizes) or min(shape) < 1:
        return None
    if form is Form.SPATIAL:
        if len(sizes) != 2 or min(sizes) < 2:
            return None
        return (min(channels * sizes[0], filters * sizes[1]),)
    before, after = min(channels, filters * prod(sizes)), min(filters, channels * prod(sizes))
    if form is Form.TUCKER:
        return (before, after) if prod(sizes) > 1 else None
    return (after,) if form is Form.OUTPUT else (before,)


def factors(
    kernel: NDArray[Any],
    form: Form,
    ranks: tuple[int, ...],
    *,
    inputs: NDArray[Any] | None = None,
    outputs: NDArray[Any] | None = None,
    mean: NDArray[Any] | None = None,
    bias: NDArray[Any] | None = None,
) -> tuple[Matrix, ...]:
    """The kernels of the layers of a form, in float64, the first layer's first.

    By the weights alone ‖W − W_r‖ is least (of ``TUCKER`` nearly: higher-order SVD, then orthogonal
    iteration; De Lathauwer et al. 2000). With ``inputs``, the second moment C = E[x·xᵀ] of the
    input channels, it is ‖C^½·(W − W_r)‖. With ``outputs``, the second moment of the responses
    about their ``mean`` m, those of ``OUTPUT``, ``MATRIX`` and ``TUCKER`` are projected on its
    leading eigenvectors U, and the bias b becomes U·Uᵀ(b − m) + m (Zhang et al., Accelerating Very
    Deep Convolutional Networks, 2015, section 3.1); without a mean it stays.

    The last of what is returned is the bias, where there is one. Of two factors each inner channel
    is as large in both, which is what the roots of the singular values on either side give.

    Raises ValueError for ranks that do not fit, and for weights that are not finite.
    """
    _check_ranks(kernel.shape, form, ranks)
    whole = kernel.astype(np.float64)
    check_finite(whole)
    whole = weighted(whole, inputs)
    basis = directions(outputs, ranks[-1]) if form in PROJECTING else None
    if form is Form.TUCKER:
        parts = _tucker(whole, ranks, basis)
    else:
        parts = _halves(whole, form, ranks[0], basis)
    parts = (unweighted(parts[0], inputs), *parts[1:])
    if len(parts) == 2:
        parts = _balanced(*parts)
    shift = projected(bias, basis, mean)
    return (*parts, shift) if shift.size else parts


def composed(parts: Sequence[NDArray[Any]], form: Form) -> Matrix:
    """The kernel of the one layer that does what those of a form do; a bias is left out."""
    first, second = (np.asarray(part, np.float64) for part in parts[:2])
    made: Matrix
    if form is Form.SPATIAL:
        made = np.einsum("orw,rih->oihw", second[:, :, 0, :], first[..., 0], optimize=True)
    elif form is Form.OUTPUT:
        made = np.einsum("or,ri...->oi...", second.reshape(second.shape[:2]), first, optimize=True)
    else:
        made = np.einsum("or...,ri->oi...", second, first.reshape(first.shape[:2]), optimize=True)
    if form is Form.TUCKER:
        last = np.asarray(parts[2], np.float64)
        made = np.einsum("or,ri...->oi...", last.reshape(last.shape[:2]), made, optimize=True)
    return made


def relative_error(
    kernel: NDArray[Any],
    form: Form,
    ranks: tuple[int, ...],
    *,
    inputs: NDArray[Any] | None = None,
    outputs: NDArray[Any] | None = None,
) -> float:
    """‖W − W_r‖ / ‖W‖ of the weights themselves, whatever the moments weigh; 0 for zeros."""
    whole = kernel.astype(np.float64)
    size = float(np.linalg.norm(whole))
    parts = factors(kernel, form, ranks, inputs=inputs, outputs=outputs)
    return float(np.linalg.norm(whole - composed(parts, form))) / size if size else 0.0


def _check_ranks(shape: tuple[int, ...], form: Form, ranks: tuple[int, ...]) -> None:
    full = full_ranks(shape, form)
    if full is None or len(full) != len(ranks):
        raise ValueError(f"the form '{form}' with {len(ranks)} ranks does not fit {shape}")
    if not all(1 <= rank <= most for rank, most in zip(ranks, full, strict=True)):
        raise ValueError(f"ranks {ranks} are not within 1 and {full}")


def _halves(kernel: Matrix, form: Form, rank: int, basis: Matrix | None) -> tuple[Matrix, ...]:
    """The two kernels of a form other than ``TUCKER``."""
    filters, channels, *sizes = kernel.shape
    ones = (1,) * len(sizes)
    if form is Form.SPATIAL:
        left, right = _split(unfolded(kernel, Unfolding.SPATIAL), rank)
        down = left.reshape(channels, sizes[0], rank).transpose(2, 0, 1)
        across = right.reshape(rank, filters, sizes[1]).swapaxes(0, 1)
        return down[..., None], across[:, :, None, :]
    if form is Form.INPUT or (form is Form.MATRIX and basis is None):
        left, right = _split(unfolded(kernel, Unfolding.INPUT), rank)
        return left.T.reshape(rank, channels, *ones), right.reshape(rank, filters, *sizes).swapaxes(
            0, 1
        )
    matrix = unfolded(kernel, Unfolding.OUTPUT)
    left, right = _split(matrix, rank) if basis is None else (basis, basis.T @ matrix)
    return right.reshape(rank, channels, *sizes), left.reshape(filters, rank, *ones)


def _split(matrix: Matrix, rank: int) -> tuple[Matrix, Matrix]:
    """The nearest product [m, r]·[r, n]: a projection on the leading singular vectors of the
    smaller side, so that it is exact at full rank."""
    if matrix.shape[0] <= matrix.shape[1]:
        left = _leading(matrix, rank)
        return left, left.T @ matrix
    right = _leading(matrix.T, rank)
    return matrix @ right, right.T


def _leading(matrix: NDArray[Any], rank: int) -> Matrix:
    """Its leading left singular vectors, as columns."""
    if matrix.shape[0] > matrix.shape[1]:  # they span its columns, however small some are
        basis, small = np.linalg.qr(matrix)
        return basis @ _leading(small, rank)
    return np.linalg.eigh(gram(matrix))[1][:, ::-1][:, :rank]


def _balanced(first: Matrix, second: Matrix) -> tuple[Matrix, Matrix]:
    """Two kernels with the same product, of which each inner channel is as large in both: what the
    roots of the singular values on either side give."""
    sizes = [
        np.linalg.norm(unfolded(part, side), axis=1)
        for part, side in ((first, Unfolding.OUTPUT), (second, Unfolding.INPUT))
    ]
    known = (sizes[0] > 0) & (sizes[1] > 0)
    scales = np.sqrt(np.divide(sizes[1], sizes[0], out=np.ones_like(sizes[0]), where=known))
    inner = (1,) * (first.ndim - 2)
    return first * scales.reshape(-1, 1, *inner), second / scales.reshape(1, -1, *inner)


def _tucker(kernel: Matrix, ranks: tuple[int, ...], basis: Matrix | None) -> tuple[Matrix, ...]:
    """The three kernels of ``TUCKER``; a basis of the responses is the last, where it is given."""
    before = _leading(unfolded(kernel, Unfolding.INPUT), ranks[0])
    after = _leading(unfolded(kernel, Unfolding.OUTPUT), ranks[1]) if basis is None else basis
    for _ in range(_SWEEPS):
        inner = np.einsum("oi...,or->ri...", kernel, after, optimize=True)
        before = _leading(unfolded(inner, Unfolding.INPUT), ranks[0])
        if basis is not None:
            break
        outer = np.einsum("oi...,ir->or...", kernel, before, optimize=True)
        after = _leading(unfolded(outer, Unfolding.OUTPUT), ranks[1])
    core = np.einsum("oi...,or,is->rs...", kernel, after, before, optimize=True)
    ones = (1,) * (kernel.ndim - 2)
    return before.T.reshape(*before.T.shape, *ones), core, after.reshape(*after.shape, *ones)
