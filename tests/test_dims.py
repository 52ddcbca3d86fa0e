"""Dims: arithmetic on unknown ones, and counts of naive loops over known ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from archlint.analyzer.cost import Cost, count
from archlint.analyzer.dims import Cause, Dim, SymbolicDim, broadcast, derived, volume
from archlint.analyzer.geometry import window
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model

N = SymbolicDim("N", frozenset({Cause("dim 'N' is unbound", "--dim N=8")}))
M = SymbolicDim("M", frozenset({Cause("dim 'M' is unbound", "--dim M=8")}))
small = st.integers(1, 3)
quick = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        pytest.param(N + 0, N, id="plus-zero"),
        pytest.param(0 + N, N, id="zero-plus"),
        pytest.param(N - 0, N, id="minus-zero"),
        pytest.param(N - N, 0, id="minus-itself"),
        pytest.param(N * 1, N, id="times-one"),
        pytest.param(1 * N, N, id="one-times"),
        pytest.param(N * 0, 0, id="times-zero"),
        pytest.param(N // 1, N, id="over-one"),
        pytest.param(N // N, 1, id="over-itself"),
        pytest.param(N % 1, 0, id="modulo-one"),
        pytest.param(volume((2, 3, 5)), 2 * 3 * 5, id="volume"),
        pytest.param(volume(()), 1, id="volume-of-a-scalar"),
    ],
)
def test_neutral_arithmetic_stays_simple(dim: Dim, expected: Dim) -> None:
    """Neutral elements leave a dim as it is."""
    assert dim == expected


@pytest.mark.parametrize("dim", [N + M, N - M, N * M, N // M, 7 - N, 7 // N, N % 3, volume((N, M))])
def test_arithmetic_keeps_the_causes(dim: Dim) -> None:
    """A derived dim names every dim that it depends on, and no other."""
    assert isinstance(dim, SymbolicDim)
    assert dim.causes == frozenset().union(*(d.causes for d in (N, M) if d.label in dim.label))


def test_long_labels_are_cut_and_stay_distinct() -> None:
    """Labels do not grow without end, and different expressions keep different labels."""
    one, two = derived("x" * 500 + "1", N), derived("x" * 500 + "2", N)
    assert len(one.label) < 80
    assert one != two
    assert one == derived("x" * 500 + "1", N)


@given(st.lists(st.tuples(st.sampled_from([1, 4]), st.sampled_from([1, 5])), min_size=1))
@quick
def test_broadcast_is_that_of_numpy(shapes: list[tuple[int, int]]) -> None:
    """Known dims broadcast as numpy does it."""
    assert broadcast(*shapes) == np.broadcast_shapes(*shapes)


def test_broadcast_of_unknown_dims() -> None:
    """A known dim wins over an unknown one, 1 gives way, and dims that differ are an error."""
    assert broadcast((N, 1), (1, 7)) == (N, 7)
    assert broadcast((N,), (8,)) == (8,)
    with pytest.raises(ValueError, match="3, 4"):
        broadcast((3,), (4,))


@pytest.mark.parametrize(
    ("auto_pad", "pads"),
    [
        # At stride 2, 5 windows of 4 span 12 pixels of 9, and 4 windows of 3 span 9 of 7.
        pytest.param("SAME_UPPER", (1, 1, 2, 1), id="more-behind"),
        pytest.param("SAME_LOWER", (2, 1, 1, 1), id="more-before"),
        pytest.param("VALID", (0, 0, 0, 0), id="none"),
        pytest.param("NOTSET", (1, 2, 3, 4), id="as-given"),
    ],
)
def test_automatic_padding_is_made_explicit(auto_pad: str, pads: tuple[int, ...]) -> None:
    """What the map lacks is shared between its sides, the odd pixel as the name says."""
    attributes = {"auto_pad": auto_pad, "kernel_shape": [4, 3], "strides": [2, 2]}
    given = {"pads": [1, 2, 3, 4]} if auto_pad == "NOTSET" else {}
    assert window({**attributes, **given}, (9, 7)).pads == pads


def cost_of(
    op_type: str, *shapes: Sequence[int], **attributes: int | str | list[int]
) -> tuple[Cost, tuple[int, ...] | None]:
    """Cost and output shape of one node whose inputs are all fed."""
    names = [f"x{place}" for place in range(len(shapes))]
    node = helper.make_node(op_type, names, ["y"])
    node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
    inputs = [helper.make_tensor_value_info(n, 1, s) for n, s in zip(names, shapes, strict=True)]
    graph = helper.make_graph([node], "g", inputs, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])
    table = count(load(Model("one node", model, 0)))
    assert dict(table.uncosted) == {}
    return table.total(), table.graph.value("y").static_shape


def window_starts(size: int, kernel: int, stride: int, dilation: int, pads: int) -> int:
    """Places where a window starts, by trying every one."""
    span = dilation * (kernel - 1) + 1
    return sum(1 for start in range(0, size + pads, stride) if start + span <= size + pads)


@st.composite
def windows(draw: st.DrawFn) -> list[tuple[int, int, int, int, int, int]]:
    """Size, kernel, stride, dilation and both pads for each of one or two axes."""
    axis = st.tuples(st.integers(5, 7), small, small, st.integers(1, 2), small, small)
    return draw(st.lists(axis, min_size=1, max_size=2))


@given(windows(), small, small, small, small)
@quick
def test_convolution_counts_each_tap_of_each_window(
    axes: list[tuple[int, int, int, int, int, int]], n: int, group: int, c: int, m: int
) -> None:
    """One multiplication for image, filter, window, channel of the group and tap."""
    sizes, kernel, strides, dilations, begins, ends = map(list, zip(*axes, strict=True))
    starts = [window_starts(s, k, t, d, b + e) for s, k, t, d, b, e in axes]
    loop = product(range(n), range(group * m), *map(range, starts), range(c), *map(range, kernel))
    cost, shape = cost_of(
        "Conv", (n, group * c, *sizes), (group * m, c, *kernel), group=group, strides=strides,
        dilations=dilations, pads=begins + ends,
    )  # fmt: skip
    assert shape == (n, group * m, *starts)
    assert cost.macs == sum(1 for _ in loop)


@given(windows(), small, small, small, small)
@quick
def test_transposed_convolution_scatters_each_input(
    axes: list[tuple[int, int, int, int, int, int]], n: int, group: int, c: int, m: int
) -> None:
    """One multiplication for image, input channel, pixel, filter of the group and tap."""
    sizes, kernel, strides, dilations, _, _ = map(list, zip(*axes, strict=True))
    reached = [
        {at * t + tap * d for at in range(s) for tap in range(k)} for s, k, t, d, _, _ in axes
    ]
    loop = product(range(n), range(group * c), *map(range, sizes), range(m), *map(range, kernel))
    cost, shape = cost_of(
        "ConvTranspose", (n, group * c, *sizes), (group * c, m, *kernel), group=group,
        strides=strides, dilations=dilations,
    )  # fmt: skip
    assert shape == (n, group * m, *(max(pixels) + 1 for pixels in reached))
    assert cost.macs == sum(1 for _ in loop)


@given(windows(), st.sampled_from(["MaxPool", "AveragePool", "LpPool"]))
@quick
def test_pooling_counts_each_element_of_each_window(
    axes: list[tuple[int, int, int, int, int, int]], op_type: str
) -> None:
    """One operation for channel, window and element of the window."""
    sizes, kernel, strides, dilations, _, _ = map(list, zip(*axes, strict=True))
    starts = [window_starts(s, k, t, d, 0) for s, k, t, d, _, _ in axes]
    loop = product(range(2), *map(range, starts), *map(range, kernel))
    cost, shape = cost_of(
        op_type, (1, 2, *sizes), kernel_shape=kernel, strides=strides, dilations=dilations
    )
    assert shape == (1, 2, *starts)
    assert cost.ops == sum(1 for _ in loop)


@given(st.lists(st.tuples(small, st.booleans(), st.booleans()), max_size=3), small, small, small)
@quick
def test_matrix_product_counts_each_inner_product(
    batch: list[tuple[int, bool, bool]], rows: int, inner: int, columns: int
) -> None:
    """One multiplication for element of the broadcast batch, row, column and inner index."""
    left = tuple(1 if one else dim for dim, one, _ in batch)
    right = tuple(1 if one else dim for dim, _, one in batch)
    whole = np.broadcast_shapes(left, right)
    cost, shape = cost_of("MatMul", (*left, rows, inner), (*right, inner, columns))
    assert shape == (*whole, rows, columns)
    assert cost.macs == sum(1 for _ in np.ndindex(*whole, rows, columns, inner))


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
    st.data(),
)
@quick
def test_einsum_counts_each_product(left: list[str], right: list[str], data: st.DataObject) -> None:
    """One multiplication for each assignment of the labels; the result is shaped as numpy's."""
    labels = sorted({*left, *right})
    sizes = {label: data.draw(small) for label in labels}
    kept = data.draw(st.lists(st.sampled_from(labels), unique=True))
    equation = f"{''.join(left)},{''.join(right)}->{''.join(kept)}"
    shapes = [tuple(sizes[label] for label in term) for term in (left, right)]
    cost, shape = cost_of("Einsum", *shapes, equation=equation)
    assert shape == np.einsum(equation, *map(np.ones, shapes)).shape
    assert cost.macs == sum(1 for _ in np.ndindex(*sizes.values()))


@pytest.mark.parametrize(
    ("equation", "left", "right", "products"),
    [
        pytest.param("...ij,...jk->...ik", (5, 2, 3, 4), (2, 4, 6), 5 * 2 * 3 * 4 * 6, id="wider"),
        pytest.param("...ij,...jk->ik...", (2, 3, 4), (5, 1, 4, 6), 5 * 2 * 3 * 4 * 6, id="other"),
        pytest.param("i...,i...", (7, 3), (7, 1), 7 * 3, id="implicit"),
        pytest.param("bi,aj", (2, 3), (4, 5), 2 * 3 * 4 * 5, id="alphabetical"),
    ],
)
def test_einsum_broadcasts_an_ellipsis(
    equation: str, left: tuple[int, ...], right: tuple[int, ...], products: int
) -> None:
    """Dims of an ellipsis are aligned from the right, as numpy does it."""
    cost, shape = cost_of("Einsum", left, right, equation=equation)
    assert shape == np.einsum(equation, np.ones(left), np.ones(right)).shape
    assert cost.macs == products


@given(small, small, small, small, small, small, small)
@quick
def test_attention_counts_scores_and_weighted_sums(
    n: int, kv_heads: int, times: int, queries: int, keys: int, size: int, value_size: int
) -> None:
    """For image, head, query and key: a product of vectors, and a scaled value vector."""
    heads = kv_heads * times
    loop = product(range(n), range(heads), range(queries), range(keys))
    cost, shape = cost_of(
        "Attention", (n, heads, queries, size), (n, kv_heads, keys, size),
        (n, kv_heads, keys, value_size),
    )  # fmt: skip
    assert shape == (n, heads, queries, value_size)
    assert cost.macs == sum(size + value_size for _ in loop)
