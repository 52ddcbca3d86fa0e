"""Factors of kernels: exact at full rank, the best below it, better where the data are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archlint.analyzer.factor.forms import Form, composed, factors, full_ranks, relative_error
from archlint.analyzer.factor.spectrum import spectrum_of
from archlint.analyzer.factor.unfoldings import Unfolding, unfolded

SIDES = {
    Form.INPUT: Unfolding.INPUT,
    Form.OUTPUT: Unfolding.OUTPUT,
    Form.SPATIAL: Unfolding.SPATIAL,
    Form.MATRIX: Unfolding.INPUT,
}
SHAPES = ((10, 6, 3, 3), (6, 10, 3, 3), (3, 40, 3, 3), (40, 3, 2, 5), (7, 5, 3), (4, 6, 2, 3, 2),
          (6, 9, 1, 1), (12, 7), (7, 12))  # fmt: skip
FITTING = [
    (shape, form) for shape in SHAPES for form in Form if full_ranks(shape, form) is not None
]


def kernel_of(shape: tuple[int, ...]) -> NDArray[Any]:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def moment_of(channels: int, seed: int = 0) -> NDArray[Any]:
    """A second moment whose directions are spread over four decades."""
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.standard_normal((channels, channels)))[0]
    moment: NDArray[Any] = (basis * np.logspace(2, -2, channels)) @ basis.T
    return moment


@pytest.mark.parametrize(("shape", "form"), FITTING)
@pytest.mark.parametrize("known", ["weights", "inputs", "outputs", "both"])
def test_full_rank_is_the_kernel(shape: tuple[int, ...], form: Form, known: str) -> None:
    """Every form, with and without moments."""
    kernel = kernel_of(shape)
    full = full_ranks(shape, form)
    assert full is not None
    inputs = moment_of(shape[1]) if known in ("inputs", "both") else None
    outputs = moment_of(shape[0]) if known in ("outputs", "both") else None
    if full[-1] < shape[0]:
        outputs = None  # fewer directions than responses
    parts = factors(kernel, form, full, inputs=inputs, outputs=outputs)
    rest = composed(parts, form) - kernel
    assert np.linalg.norm(rest) <= 1e-12 * np.linalg.norm(kernel)
    assert all(part.dtype == np.float64 for part in parts)


@pytest.mark.parametrize(("shape", "form"), [(s, f) for s, f in FITTING if f in SIDES])
def test_the_error_is_that_of_the_spectrum(shape: tuple[int, ...], form: Form) -> None:
    """Of the weights alone no factors of the rank are nearer (Eckart, Young, Mirsky)."""
    kernel = kernel_of(shape)
    spectrum = spectrum_of(unfolded(kernel, SIDES[form]))
    for rank in range(1, spectrum.full + 1, 2):
        assert relative_error(kernel, form, (rank,)) == pytest.approx(
            spectrum.error(rank), abs=1e-7
        )


def test_the_shapes_of_the_factors() -> None:
    """As the convolutions of each form have them."""
    kernel = kernel_of((10, 6, 3, 5))
    made = {
        form: [part.shape for part in factors(kernel, form, ranks)]
        for form, ranks in (
            (Form.INPUT, (4,)), (Form.OUTPUT, (4,)), (Form.SPATIAL, (4,)), (Form.TUCKER, (4, 7))
        )
    }  # fmt: skip
    assert made == {
        Form.INPUT: [(4, 6, 1, 1), (10, 4, 3, 5)],
        Form.OUTPUT: [(4, 6, 3, 5), (10, 4, 1, 1)],
        Form.SPATIAL: [(4, 6, 3, 1), (10, 4, 1, 5)],
        Form.TUCKER: [(4, 6, 1, 1), (7, 4, 3, 5), (10, 7, 1, 1)],
    }
    first, second = factors(kernel_of((12, 7)), Form.MATRIX, (3,))
    assert (first.shape, second.shape) == ((3, 7), (12, 3))


@pytest.mark.parametrize("form", [Form.INPUT, Form.OUTPUT, Form.SPATIAL])
@pytest.mark.parametrize("known", [False, True])
def test_two_factors_share_their_scale(form: Form, known: bool) -> None:
    """Each inner channel is as large in either; by weights alone that is √σ of its own."""
    kernel = kernel_of((10, 6, 3, 3))
    inputs = moment_of(6) if known else None
    first, second = factors(kernel, form, (4,), inputs=inputs)
    sizes = [(first**2).sum((1, 2, 3)), (second**2).sum((0, 2, 3))]
    np.testing.assert_allclose(sizes[0], sizes[1])
    if not known:
        values = np.linalg.svd(unfolded(kernel, SIDES[form]), compute_uv=False)[:4]
        np.testing.assert_allclose(sizes[0], values, rtol=1e-5)


def weighed(rest: NDArray[Any], inputs: NDArray[Any]) -> float:
    """‖C^½·(W − W_r)‖, by its definition as the expected square of the responses."""
    rows = rest.swapaxes(0, 1).reshape(len(inputs), -1)
    return float(np.sqrt(np.vdot(rows, inputs @ rows)))


@pytest.mark.parametrize(("shape", "form"), FITTING)
def test_known_inputs_make_it_no_worse(shape: tuple[int, ...], form: Form) -> None:
    """At less than full rank, in the norm of the moment it is better."""
    kernel, inputs = kernel_of(shape), moment_of(shape[1])
    full = full_ranks(shape, form)
    assert full is not None
    ranks = tuple(max(1, most // 2) for most in full)
    plain, aware = (
        weighed(kernel - composed(factors(kernel, form, ranks, inputs=c), form), inputs)
        for c in (None, inputs)
    )
    assert aware < plain


@pytest.mark.parametrize("shape", [(20, 12), (12, 20)])
def test_known_inputs_of_a_product_are_weighed_best(shape: tuple[int, int]) -> None:
    """‖(W − W_r)·C^½‖ is the tail of the singular values of W·C^½, but for the ridge."""
    kernel, inputs = kernel_of(shape), moment_of(shape[1])
    root = np.linalg.cholesky(inputs)
    values = np.linalg.svd(kernel @ root, compute_uv=False)
    for rank in (2, 5, 9):
        made = composed(factors(kernel, Form.MATRIX, (rank,), inputs=inputs), Form.MATRIX)
        best = float(np.sqrt((values[rank:] ** 2).sum()))
        assert best * (1 - 1e-9) <= weighed(kernel - made, inputs) <= best * 1.01


def test_inputs_that_are_dead_or_unknown_in_size() -> None:
    """Zeros, a channel that is never on and any scale of the moment are fine."""
    kernel = kernel_of((10, 6, 3, 3))
    inputs = moment_of(6)
    inputs[2], inputs[:, 2] = 0, 0
    one, other = (
        composed(factors(kernel, Form.INPUT, (3,), inputs=c), Form.INPUT)
        for c in (inputs, 1e-30 * inputs)
    )
    np.testing.assert_allclose(one, other, atol=1e-9)
    assert np.abs(one).max() < 2 * np.abs(kernel).max()
    plain = factors(kernel, Form.INPUT, (3,))
    for found, known in zip(
        factors(kernel, Form.INPUT, (3,), inputs=np.zeros((6, 6))), plain, strict=True
    ):
        np.testing.assert_array_equal(found, known)


def responses() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A matrix, a bias, inputs that are not about zero, and the responses to them."""
    random = np.random.default_rng(8)
    kernel, bias = random.standard_normal((9, 14)), random.standard_normal(9)
    data = np.exp(random.standard_normal((500, 14)) * np.linspace(0.1, 1.5, 14))
    return kernel, bias, data, data @ kernel.T + bias


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_projected_responses(rank: int) -> None:
    """With their mean and moment the error of the responses is their principal components' tail,
    which no layer of the rank with a bias is below."""
    kernel, bias, data, made = responses()
    mean = made.mean(0)
    outputs = (made - mean).T @ (made - mean) / len(made)
    first, second, shift = factors(
        kernel, Form.MATRIX, (rank,), outputs=outputs, mean=mean, bias=bias
    )
    error = float(((made - data @ first.T @ second.T - shift) ** 2).sum(1).mean())
    assert error == pytest.approx(np.linalg.eigvalsh(outputs)[:-rank].sum(), rel=1e-9)
    plain = factors(kernel, Form.MATRIX, (rank,), bias=bias)
    np.testing.assert_array_equal(plain[2], bias)
    assert error < ((made - data @ plain[0].T @ plain[1].T - bias) ** 2).sum(1).mean()


@pytest.mark.parametrize(
    ("form", "ranks", "kernels"), [(Form.OUTPUT, (4,), 2), (Form.TUCKER, (3, 4), 3)]
)
def test_projected_responses_of_a_convolution(
    form: Form, ranks: tuple[int, ...], kernels: int
) -> None:
    """The bias is U·Uᵀ(b − m) + m, and the kernel lies in the span of U."""
    kernel, bias, mean = kernel_of((8, 6, 3, 3)), np.arange(8.0), np.linspace(-1, 1, 8)
    outputs = moment_of(8)
    basis = np.linalg.eigh(outputs)[1][:, -4:]
    projection = basis @ basis.T
    parts = factors(kernel, form, ranks, outputs=outputs, mean=mean, bias=bias)
    assert len(parts) == kernels + 1
    np.testing.assert_allclose(parts[-1], projection @ (bias - mean) + mean)
    made = unfolded(composed(parts, form), Unfolding.OUTPUT)
    np.testing.assert_allclose(projection @ made, made, atol=1e-12)
    without = factors(kernel, form, ranks, outputs=outputs, mean=mean)
    np.testing.assert_allclose(without[-1], mean - projection @ mean)
    assert len(factors(kernel, form, ranks, outputs=outputs)) == kernels


def test_orthogonal_iteration_is_no_worse_than_its_start() -> None:
    """Against the higher-order SVD written here with numpy's."""
    for seed in range(5):
        kernel = np.random.default_rng(seed).standard_normal((12, 10, 3, 3))
        left, right = (
            np.linalg.svd(unfolded(kernel, side), full_matrices=False)[0][:, :5]
            for side in (Unfolding.OUTPUT, Unfolding.INPUT)
        )
        start = np.einsum("oihw,op,ij->pjhw", kernel, left @ left.T, right @ right.T)
        error = float(np.linalg.norm(kernel - start) / np.linalg.norm(kernel))
        assert relative_error(kernel, Form.TUCKER, (5, 5)) < error


@pytest.mark.parametrize(
    ("shape", "form", "ranks"),
    [
        ((6, 4, 3, 3), Form.INPUT, (5,)),
        ((6, 4, 3, 3), Form.INPUT, (0,)),
        ((6, 4, 3, 3), Form.INPUT, (2, 2)),
        ((6, 4, 3, 3), Form.TUCKER, (2,)),
        ((6, 4, 3, 3), Form.MATRIX, (2,)),
        ((6, 4), Form.INPUT, (2,)),
        ((6, 4, 1, 3), Form.SPATIAL, (2,)),
        ((6, 4, 3), Form.SPATIAL, (2,)),
        ((6, 4, 1, 1), Form.TUCKER, (2, 2)),
    ],
)
def test_what_does_not_fit(shape: tuple[int, ...], form: Form, ranks: tuple[int, ...]) -> None:
    """Ranks and forms that a kernel cannot have."""
    with pytest.raises(ValueError, match=r"fit|within"):
        factors(kernel_of(shape), form, ranks)


@pytest.mark.parametrize(("shape", "form"), FITTING)
def test_weights_that_are_not_finite(shape: tuple[int, ...], form: Form) -> None:
    """They are refused in one sentence, moments or not."""
    kernel = kernel_of(shape)
    kernel[1, 1] = np.nan
    full = full_ranks(shape, form)
    assert full is not None
    with pytest.raises(ValueError, match="the weights hold NaN"):
        factors(kernel, form, (1,) * len(full), outputs=moment_of(shape[0]))


def test_a_kernel_of_zeros() -> None:
    """It has factors of zeros, and no error."""
    kernel = np.zeros((6, 4, 3, 3))
    for form, ranks in ((Form.INPUT, (2,)), (Form.SPATIAL, (2,)), (Form.TUCKER, (2, 2))):
        assert not composed(factors(kernel, form, ranks), form).any()
        assert relative_error(kernel, form, ranks) == 0
