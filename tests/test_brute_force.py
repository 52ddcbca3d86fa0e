"""Counts are those of naive loops: every multiplication is done, one by one, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import GraphProto, TensorProto, helper

from archlint.analyzer.cost import Cost, count
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model

Shape = tuple[int, ...]

few = settings(max_examples=25, derandomize=True, deadline=None, database=None)


def cost_of(op: str, shapes: Sequence[Shape], opset: int = 23, **attributes: Any) -> Cost:
    """The cost of one node over inputs of these shapes."""
    names = [f"x{place}" for place in range(len(shapes))]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip(names, shapes, strict=True)
    ]
    outputs = [helper.make_empty_tensor_value_info("y")]
    graph: GraphProto = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)], "g", inputs, outputs
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    table = count(load(Model("brute", model, 0)))
    assert not table.uncosted
    return table.total()


def places(dims: Sequence[int]) -> Iterator[Shape]:
    """Every index of a tensor of these dims."""
    return product(*map(range, dims))


def starts(size: int, kernel: int, stride: int, dilation: int, pads: tuple[int, int]) -> list[int]:
    """Where a window may stand on an axis, padding included."""
    before, behind = pads
    reach = dilation * (kernel - 1) + 1
    return [at for at in range(-before, size + behind - reach + 1) if (at + before) % stride == 0]


@st.composite
def windows(draw: st.DrawFn, axes: int) -> tuple[Shape, Shape, dict[str, Any]]:
    """A map, a kernel that fits it, and how it slides."""
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    dilations = [draw(st.integers(1, 2)) for _ in range(axes)]
    sizes = tuple(
        d * (k - 1) + 1 + draw(st.integers(0, 3)) for k, d in zip(kernel, dilations, strict=True)
    )
    return (
        sizes,
        kernel,
        {
            "strides": [draw(st.integers(1, 3)) for _ in range(axes)],
            "dilations": dilations,
            "pads": [draw(st.integers(0, 2)) for _ in range(2 * axes)],
        },
    )


def window_places(sizes: Shape, kernel: Shape, slide: dict[str, Any]) -> list[Shape]:
    """Every place of the window."""
    axes = range(len(sizes))
    pads = [(slide["pads"][axis], slide["pads"][axis + len(sizes)]) for axis in axes]
    return list(
        product(
            *(
                starts(
                    sizes[axis], kernel[axis], slide["strides"][axis], slide["dilations"][axis],
                    pads[axis],
                )
                for axis in axes
            )
        )
    )  # fmt: skip


@few
@given(st.data(), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 2))
def test_convolution(data: st.DataObject, axes: int, group: int, out: int, per_group: int) -> None:
    """A product for every tap of every window, of each output channel, padding included."""
    sizes, kernel, slide = data.draw(windows(axes))
    products = 0
    for _batch, channel in product(range(2), range(out * group)):
        for _start in window_places(sizes, kernel, slide):
            for within in range(per_group):
                read = channel // out * per_group + within
                assert read < per_group * group
                products += len(list(places(kernel)))
    shapes = [(2, per_group * group, *sizes), (out * group, per_group, *kernel)]
    assert cost_of("Conv", shapes, group=group, **slide).macs == products


@few
@given(st.data(), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 2))
def test_transposed_convolution(
    data: st.DataObject, axes: int, group: int, out: int, per_group: int
) -> None:
    """A product of every input element with every weight of its channel, cut off or not."""
    sizes, kernel, slide = data.draw(windows(axes))
    slide["pads"] = [0] * (2 * axes)
    slide["output_padding"] = [min(stride - 1, 1) for stride in slide["strides"]]
    products = 0
    for _batch, _channel in product(range(2), range(per_group * group)):
        for _position in places(sizes):
            products += out * len(list(places(kernel)))
    shapes = [(2, per_group * group, *sizes), (per_group * group, out, *kernel)]
    assert cost_of("ConvTranspose", shapes, group=group, **slide).macs == products


@few
@given(st.data(), st.integers(1, 3), st.sampled_from(["MaxPool", "AveragePool"]))
def test_pooling(data: st.DataObject, axes: int, op: str) -> None:
    """An operation for every tap of every window of every map."""
    sizes, kernel, slide = data.draw(windows(axes))
    slide["pads"] = [min(pad, k - 1) for pad, k in zip(slide["pads"], kernel * 2, strict=True)]
    taps = sum(len(list(places(kernel))) for _ in window_places(sizes, kernel, slide))
    cost = cost_of(op, [(2, 3, *sizes)], kernel_shape=list(kernel), **slide)
    assert dict(cost.ops_by_family) == {"pooling": 2 * 3 * taps}
    assert cost.macs == 0


@st.composite
def factors(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """Shapes of a matrix product: broadcast batches, and a vector on either side."""
    rows, inner, columns = (draw(st.integers(1, 4)) for _ in range(3))
    batch = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 3)))]
    one, other = (
        tuple(draw(st.sampled_from((dim, 1))) for dim in batch[draw(st.integers(0, len(batch))) :])
        for _ in range(2)
    )
    left = (inner,) if draw(st.booleans()) and not one else (*one, rows, inner)
    right = (inner,) if draw(st.booleans()) and not other else (*other, inner, columns)
    return left, right


@few
@given(factors())
def test_matrix_product(shapes: tuple[Shape, Shape]) -> None:
    """Each element of the result is a sum of products over the inner dim."""
    left, right = shapes
    *_, inner = left
    rows = left[-2] if len(left) > 1 else 1
    columns = right[-1] if len(right) > 1 else 1
    rank = max(len(left), len(right), 2) - 2
    batches = [(1,) * (rank - len(shape[:-2])) + shape[:-2] for shape in shapes]
    products = 0
    for _batch in places([max(dims) for dims in zip(*batches, strict=True)]):
        for _element in places((rows, columns)):
            for _inner in range(inner):
                products += 1
    assert cost_of("MatMul", [left, right]).macs == products


@few
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.booleans())
def test_gemm(rows: int, inner: int, columns: int, left: bool, right: bool) -> None:
    """Transposed or not, a product for each row, column and inner index; C is added."""
    products = sum(1 for _ in places((rows, columns, inner)))
    a = (inner, rows) if left else (rows, inner)
    b = (columns, inner) if right else (inner, columns)
    cost = cost_of("Gemm", [a, b, (columns,)], transA=int(left), transB=int(right))
    assert cost.macs == products
    assert dict(cost.ops_by_family) == {"bias": sum(1 for _ in places((rows, columns)))}


@st.composite
def equations(draw: st.DrawFn) -> tuple[list[str], str, dict[str, int], Shape]:
    """Terms over the labels a to e, perhaps with an ellipsis in front, and a result."""
    dims = {label: draw(st.integers(1, 3)) for label in "abcde"}
    ellipsis = tuple(draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2))))
    labels = st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True)
    terms = ["".join(draw(labels)) for _ in range(draw(st.integers(2, 4)))]
    if ellipsis:
        terms = [draw(st.sampled_from(("", "..."))) + term for term in terms]
    used = sorted({label for term in terms for label in term if label != "."})
    result = "".join(draw(st.lists(st.sampled_from(used), unique=True, max_size=3)))
    dots = "..." if any("..." in term for term in terms) else ""
    return terms, dots + result, dims, ellipsis


@few
@given(equations())
def test_einsum(drawn: tuple[list[str], str, dict[str, int], Shape]) -> None:
    """Two operands at a time from the left: a product for each index of the labels of both, and
    labels that nothing later reads are summed away."""
    terms, result, dims, ellipsis = drawn
    widths = dims | {f"{place}": dim for place, dim in enumerate(ellipsis)}
    spread = "".join(str(place) for place in range(len(ellipsis)))
    labelled = [term.replace("...", spread) for term in terms]
    wanted = set(result.replace("...", spread))
    have, products = set(labelled[0]), 0
    for place, term in enumerate(labelled[1:], start=2):
        joint = sorted(have | set(term))
        products += sum(1 for _ in places([widths[label] for label in joint]))
        have = set(joint) & (wanted | set("".join(labelled[place:])))
    shapes = [tuple(widths[label] for label in term) for term in labelled]
    assert cost_of("Einsum", shapes, equation=f"{','.join(terms)}->{result}").macs == products


@few
@given(*[st.integers(1, 3)] * 8, st.booleans(), st.booleans())
def test_attention(
    batch: int, kv_heads: int, share: int, length: int, keys: int, past: int, size: int,
    value_size: int, with_past: bool, packed: bool,
) -> None:  # fmt: skip
    """A product for each number of a query with each key, and for each number of each value."""
    products = 0
    total = keys + past * with_past
    for _batch, _head, _query, _key in places((batch, kv_heads * share, length, total)):
        products += sum(1 for _ in range(size)) + sum(1 for _ in range(value_size))
    heads = (kv_heads * share, kv_heads, kv_heads)
    parts = zip(heads, (length, keys, keys), (size, size, value_size), strict=True)
    attributes = {"q_num_heads": heads[0], "kv_num_heads": kv_heads} if packed else {}
    shapes: list[Shape] = [
        (batch, rows, head * width) if packed else (batch, head, rows, width)
        for head, rows, width in parts
    ]
    if with_past:
        cached = [(batch, kv_heads, past, size), (batch, kv_heads, past, value_size)]
        shapes += [(length, total), *cached]
    assert cost_of("Attention", shapes, **attributes).macs == products


@few
@given(*[st.integers(1, 3)] * 6, st.sampled_from(["linear", "gated", "delta", "gated_delta"]))
def test_linear_attention(
    batch: int, tokens: int, kv_heads: int, share: int, size: int, value_size: int, rule: str
) -> None:
    """Token by token: the state read by the key (delta rules), written, and read by each query."""
    products = 0
    for _batch, _token, _head in places((batch, tokens, kv_heads)):
        for _row, _column in places((size, value_size)):
            products += 1 + share + ("delta" in rule)
    widths = (kv_heads * share * size, kv_heads * size, kv_heads * value_size)
    shapes: list[Shape] = [(batch, tokens, width) for width in widths]
    shapes += [(batch, kv_heads, size, value_size), (batch, tokens, kv_heads)]
    shapes.append((batch, tokens, kv_heads))
    heads = {"q_num_heads": kv_heads * share, "kv_num_heads": kv_heads}
    cost = cost_of("LinearAttention", shapes, opset=28, update_rule=rule, **heads)
    assert cost.macs == products


@few
@given(*[st.integers(1, 4)] * 5, st.sampled_from([("RNN", 1), ("GRU", 3), ("LSTM", 4)]))
def test_recurrent(
    steps: int, batch: int, inputs: int, hidden: int, both: int, kind: tuple[str, int]
) -> None:
    """In each step every gate of every unit meets every input and every state."""
    op, gates = kind
    directions = 2 if both > 2 else 1
    products = 0
    for _place in places((directions, steps, batch, gates, hidden)):
        products += sum(1 for _ in range(inputs)) + sum(1 for _ in range(hidden))
    shapes = [
        (steps, batch, inputs),
        (directions, gates * hidden, inputs),
        (directions, gates * hidden, hidden),
    ]
    direction = ("forward", "bidirectional")[directions - 1]
    assert cost_of(op, shapes, hidden_size=hidden, direction=direction).macs == products
