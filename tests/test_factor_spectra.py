"""Spectra of kernels against numpy's singular values, and ranks of noisy matrices."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from archlint.analyzer.factor import spectrum as spectra_module
from archlint.analyzer.factor.pages import released
from archlint.analyzer.factor.spectrum import Spectrum, spectrum_of
from archlint.analyzer.factor.unfoldings import Unfolding, spectra, unfolded
from archlint.analyzer.factor.vbmf import tucker_ranks, vbmf_rank

RANDOM = np.random.default_rng(3)


def of_rank(rows: int, columns: int, values: NDArray[Any], seed: int = 0) -> NDArray[Any]:
    """A matrix with these singular values."""
    random = np.random.default_rng(seed)
    left = np.linalg.qr(random.standard_normal((rows, len(values))))[0]
    right = np.linalg.qr(random.standard_normal((columns, len(values))))[0]
    product: NDArray[Any] = (left * values) @ right.T
    return product


@pytest.mark.parametrize(
    "matrix",
    [
        pytest.param(RANDOM.standard_normal((24, 60)), id="wide"),
        pytest.param(RANDOM.standard_normal((60, 24)).astype(np.float32), id="high-float32"),
        pytest.param(RANDOM.standard_normal((24, 60)).astype(np.float16).T, id="float16-view"),
        pytest.param(RANDOM.standard_normal((1, 7)), id="one-row"),
    ],
)
def test_energies_and_errors_are_those_of_the_singular_values(
    matrix: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks of seven columns or so, against numpy's SVD (Eckart, Young, Mirsky)."""
    monkeypatch.setattr(spectra_module, "BLOCK_BYTES", 8 * 7 * min(matrix.shape))
    found = spectrum_of(matrix)
    u, s, v = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(found.energies, s**2, rtol=1e-10, atol=1e-12 * s[0] ** 2)
    for rank in range(found.full + 1):
        rest = matrix - (u[:, :rank] * s[:rank]) @ v[:rank]
        error = float(np.linalg.norm(rest) / np.linalg.norm(s))
        assert found.error(rank) == pytest.approx(error, abs=1e-7)
        assert found.kept(rank) == pytest.approx(1 - error**2, abs=1e-12)


def test_ranks_of_a_spectrum_that_is_known() -> None:
    """Energies 16, 8, 4, 4 of 32: half, three quarters, seven eighths, all."""
    found = Spectrum(np.array([16.0, 8, 4, 4]))
    assert [found.rank(share) for share in (0, 0.5, 0.51, 0.75, 0.76, 0.9, 1)] == [
        0, 1, 2, 2, 3, 4, 4,
    ]  # fmt: skip
    assert (found.width(0.5, 2), found.width(0.76, 2), found.width(0.9, 3)) == (2, 4, 4)
    assert (found.full, found.kept(2), found.error(3)) == (4, 0.75, 0.125**0.5)


def test_the_effective_rank() -> None:
    """Equal values count fully; of 3 and 1 it is exp(H(3/4, 1/4)) = 4 / 3^(3/4)."""
    assert spectrum_of(np.eye(6)).effective_rank == pytest.approx(6)
    assert Spectrum(np.array([9.0, 1, 0])).effective_rank == pytest.approx(4 / 3**0.75)


def test_a_matrix_of_zeros() -> None:
    """There is nothing to keep."""
    found = spectrum_of(np.zeros((3, 5), np.float32))
    assert (found.full, found.rank(0.9), found.rank(1), found.width(1, 16)) == (3, 0, 0, 3)
    assert (found.kept(0), found.error(0), found.effective_rank) == (1, 0, 0)
    assert vbmf_rank(np.zeros((3, 5))) == 0


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("sketched", [False, True])
def test_weights_that_are_not_finite(
    number: float, sketched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, without warnings."""
    monkeypatch.setattr(spectra_module, "EXACT_SIDE", 4 if sketched else 100)
    matrix = np.ones((8, 9))
    matrix[4, 4] = number
    with pytest.raises(ValueError, match="NaN, infinities or numbers too large"):
        spectrum_of(matrix)


def test_rounding_is_no_rank() -> None:
    """A matrix of rank 5 has five energies and zeros."""
    found = spectrum_of(of_rank(40, 90, np.array([5.0, 4, 3, 2, 1])))
    assert found.rank(1.0) == np.count_nonzero(found.energies) == 5


def decaying(monkeypatch: pytest.MonkeyPatch, values: NDArray[Any]) -> tuple[Spectrum, Spectrum]:
    """The exact spectrum of such a matrix, and the randomised one of 40 values."""
    matrix = of_rank(len(values), 300, values)
    exact = spectrum_of(matrix)
    monkeypatch.setattr(spectra_module, "EXACT_SIDE", len(values) - 1)
    monkeypatch.setattr(spectra_module, "_SKETCHED", 40)
    monkeypatch.setattr(spectra_module, "BLOCK_BYTES", 8 * 50 * len(values))
    return exact, spectrum_of(matrix)


def test_the_randomised_method_on_a_decaying_spectrum(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leading energies of σ = 0.9^i are right, the total is exact, the rest is flat."""
    exact, found = decaying(monkeypatch, 0.9 ** np.arange(200))
    np.testing.assert_allclose(found.energies[:25], exact.energies[:25], rtol=1e-3)
    assert found.energies.sum() == pytest.approx(exact.energies.sum(), rel=1e-12)
    assert found.full == 200
    assert np.ptp(found.energies[40:]) == 0
    assert [found.rank(share) for share in (0.5, 0.9, 0.99)] == [
        exact.rank(share) for share in (0.5, 0.9, 0.99)
    ]


@pytest.mark.parametrize("decay", [1.0, 0.999, 0.99, 0.95])
def test_the_randomised_method_never_promises_too_much(
    decay: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the spectrum, it keeps at most what the exact one does."""
    exact, found = decaying(monkeypatch, decay ** np.arange(120))
    assert (np.diff(found.energies) <= 0).all()
    sums = [np.cumsum(one.energies) for one in (found, exact)]
    assert (sums[0] <= sums[1] * (1 + 1e-12)).all()
    assert all(found.rank(share) >= exact.rank(share) for share in np.linspace(0.01, 0.99, 50))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([1, 8, 16]),
)
def test_ranks_grow_with_the_energy(
    sizes: list[float], first: float, second: float, grid: int
) -> None:
    """More energy needs no smaller rank, more rank keeps no less, and a rank keeps its share."""
    found = Spectrum(np.sort(np.array(sizes))[::-1])
    low, high = sorted((first, second))
    assert found.rank(low) <= found.rank(high) <= found.full
    assert found.width(low, grid) <= found.width(high, grid) <= found.full
    assert found.kept(found.rank(high)) >= high - 1e-9
    kept = [found.kept(rank) for rank in range(found.full + 1)]
    assert kept == sorted(kept)
    assert kept[-1] == 1


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((6, 4), {Unfolding.INPUT: 4}),
        ((6, 4, 1, 1), {Unfolding.INPUT: 4}),
        ((6, 4, 3), {Unfolding.INPUT: 4, Unfolding.OUTPUT: 6}),
        ((6, 4, 1, 3), {Unfolding.INPUT: 4, Unfolding.OUTPUT: 6}),
        ((6, 4, 3, 3), {Unfolding.INPUT: 4, Unfolding.OUTPUT: 6, Unfolding.SPATIAL: 12}),
        ((6, 4, 3, 3, 3), {Unfolding.INPUT: 4, Unfolding.OUTPUT: 6}),
    ],
)
def test_the_unfoldings_of_a_kernel(shape: tuple[int, ...], sides: dict[Unfolding, int]) -> None:
    """Each has the smaller side and the sum of squares that it should have."""
    kernel = np.random.default_rng(1).standard_normal(shape)
    found = spectra(kernel)
    assert {unfolding: one.full for unfolding, one in found.items()} == sides
    for one in found.values():
        assert one.energies.sum() == pytest.approx((kernel**2).sum())


def test_what_is_where_in_an_unfolding() -> None:
    """W[o, i, h, w] by the definitions."""
    kernel = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    o, i, h, w = 1, 2, 3, 1
    assert unfolded(kernel, Unfolding.INPUT)[i, (o * 4 + h) * 5 + w] == kernel[o, i, h, w]
    assert unfolded(kernel, Unfolding.OUTPUT)[o, (i * 4 + h) * 5 + w] == kernel[o, i, h, w]
    assert unfolded(kernel, Unfolding.SPATIAL)[i * 4 + h, o * 5 + w] == kernel[o, i, h, w]
    with pytest.raises(ValueError, match="2-D kernels"):
        unfolded(kernel[..., 0], Unfolding.SPATIAL)


@pytest.mark.parametrize(("rows", "columns", "rank"), [(60, 90, 7), (90, 60, 7), (50, 50, 0)])
@pytest.mark.parametrize("noise", [1e-4, 0.1, 3.0])
def test_the_rank_of_a_matrix_with_noise(rows: int, columns: int, rank: int, noise: float) -> None:
    """Signal five times above what noise alone reaches is found, and nothing else."""
    random = np.random.default_rng(rank)
    reach = noise * (rows**0.5 + columns**0.5)  # the largest singular value of noise
    signal = of_rank(rows, columns, np.full(rank, 5 * reach))
    assert vbmf_rank(signal + noise * random.standard_normal((rows, columns))) == rank


def test_the_rank_of_a_matrix_without_noise() -> None:
    """It is that of algebra."""
    assert vbmf_rank(of_rank(30, 40, np.linspace(1, 2, 6))) == 6


def test_tucker_ranks_of_a_kernel_with_noise() -> None:
    """Those of the core that it was made from; 1 at least."""
    random = np.random.default_rng(5)
    core = random.standard_normal((6, 4, 3, 3))
    before, after = random.standard_normal((4, 32)), random.standard_normal((6, 48))
    kernel = np.einsum("rshw,ro,si->oihw", core, after, before)
    noise = random.standard_normal(kernel.shape)
    assert tucker_ranks(kernel + 0.5 * noise) == (4, 6)
    assert tucker_ranks(noise) == (1, 1)


def test_pages_of_a_file_are_let_go(tmp_path: Path) -> None:
    """Of maps that are read alone: what was written to others would be lost."""
    path = tmp_path / "weights"
    path.write_bytes(np.arange(4096, dtype=np.float32).tobytes())
    with path.open("r+b") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        copied = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    array = np.frombuffer(pages, np.float32).reshape(64, 64).T[3:]
    assert released(array) is hasattr(mmap, "MADV_DONTNEED")
    assert array[0, 1] == 67
    written = np.frombuffer(copied, np.float32)
    written[0] = 5
    assert not released(written)
    assert written[0] == 5
    assert not released(np.ones(4))
