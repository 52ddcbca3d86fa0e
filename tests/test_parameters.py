"""Parameters: each stored weight once, traced through whatever a runtime evaluates at load."""

from __future__ import annotations

import pytest

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text

X = "float[7,5] x"
Q = "float s = {0.1}, int8 z = {0}"

# Inputs, constants, nodes, parameters. An x of [7, 5] meets a weight of [5, 4] unless shown.
ROWS: dict[str, tuple[str, str, str, int]] = {
    "initializer": (X, "float[5,4] w", "y = MatMul(x, w)", 5 * 4),
    "two-weights": (X, "float[5,4] w, float[4] b", "y = Gemm(x, w, b)", 5 * 4 + 4),
    "shared": (X, "float[5,5] w", "a = MatMul(x, w) y = MatMul(a, w)", 5 * 5),
    "left-operand": ("float[5,7] x", "float[4,5] w", "y = MatMul(w, x)", 4 * 5),
    "constant-node": (X, "", ("w = Constant<value=float[5,2] {1,2,3,4,5,6,7,8,9,0}>()"
                      " y = MatMul(x, w)"), 5 * 2),
    "fill": (X, "int64[2] n = {5,4}", "w = ConstantOfShape(n) y = MatMul(x, w)", 5 * 4),
    "identity": (X, "float[5,5] w", "v = Identity(w) a = MatMul(x, w) y = MatMul(a, v)", 5 * 5),
    "cast": (X, "float16[5,4] w", "v = Cast<to=1>(w) y = MatMul(x, v)", 5 * 4),
    "transpose": (X, "float[4,5] w", "v = Transpose(w) y = MatMul(x, v)", 5 * 4),
    "reshape": (X, "float[20] w, int64[2] n = {5,4}", "v = Reshape(w, n) y = MatMul(x, v)", 20),
    "unsqueeze": (X, "float[5] w, int64[1] n = {1}", "v = Unsqueeze(w, n) y = MatMul(x, v)", 5),
    "squeeze": (X, "float[1,5,4] w, int64[1] n = {0}", "v = Squeeze(w, n) y = MatMul(x, v)", 5 * 4),
    # The tensor behind a slice is stored whole.
    "slice": (X, "float[9,4] w, int64[1] a = {0}, int64[1] b = {5}",
              "v = Slice(w, a, b) y = MatMul(x, v)", 9 * 4),
    "two-slices": (X, ("float[9,4] w, int64[1] a = {0}, int64[1] b = {5}, int64[1] c = {4},"
                   " int64[1] d = {9}"), ("v = Slice(w, a, b) u = Slice(w, c, d)"
                   " e = MatMul(x, v) f = MatMul(x, u) y = Add(e, f)"), 9 * 4),
    "concat": (X, "float[5,4] w, float[5,3] v", "u = Concat<axis=1>(w, v) y = MatMul(x, u)",
               5 * 4 + 5 * 3),
    "dequantised": (X, f"int8[5,4] w, {Q}", "v = DequantizeLinear(w, s, z) y = MatMul(x, v)",
                    5 * 4),
    "dequantised-a-channel": (X, "int8[5,4] w, float[4] s, int8[4] z",
                              "v = DequantizeLinear<axis=1>(w, s, z) y = MatMul(x, v)", 5 * 4),
    "fake-quantised": (X, f"float[5,4] w, {Q}", ("q = QuantizeLinear(w, s, z)"
                       " v = DequantizeLinear(q, s, z) y = MatMul(x, v)"), 5 * 4),
    "quantised-conv": ("uint8[1,3,8,8] x", ("float s = {0.1}, uint8 z = {0}, uint8[4,3,3,3] w,"
                       " int32[4] b"), "y = QLinearConv(x, s, z, w, s, z, s, z, b)",
                       4 * 3 * 3 * 3 + 4),
    "weight-norm": (X, "float[5,4] v, float[1,4] g", ("n = ReduceL2(v) d = Div(v, n) w = Mul(d, g)"
                    " y = MatMul(x, w)"), 5 * 4 + 4),
    "scale-vector": (X, "float[5] g", "y = Mul(x, g)", 5),
    "single-number": (X, "float g = {0.125}, float[1] h", "a = Mul(x, g) y = Div(a, h)", 0),
    "single-number-of-prelu": (X, "float[1] g", "y = PRelu(x, g)", 1),
    "integers": ("int64[7] x", "int64[7] n", "y = Add(x, n)", 0),
    "shape-constant": (X, "int64[2] n = {-1,7}", "y = Reshape(x, n)", 0),
    "pads-and-value": (X, "int64[4] n = {0,1,0,1}, float v = {0}", "y = Pad(x, n, v)", 0),
    "resize-scales": ("float[1,3,8,8] x", "float[4] n = {1,1,2,2}", "y = Resize(x, , n)", 0),
    "clip-bounds": (X, "float a = {0}, float b = {6}", "y = Clip(x, a, b)", 0),
    "quantiser-a-channel": (X, "float[5] s, int8[5] z", "y = QuantizeLinear<axis=1>(x, s, z)", 0),
    "mask-from-truth": (X, "bool[7,5] c, float a = {0}, float b = {-1e9}",
                        "m = Where(c, a, b) y = Add(x, m)", 0),
    "mask-from-cast": (X, "bool[7,5] c", "m = Cast<to=1>(c) y = Mul(x, m)", 0),
    "mask-from-narrow-integers": (X, "int32[7,5] c", "m = Cast<to=1>(c) y = Mul(x, m)", 0),
    "positions": ("float[5] x", "int64 a = {0}, int64 b = {5}, int64 c = {1}",
                  "p = Range(a, b, c) f = Cast<to=1>(p) y = Add(x, f)", 0),
    "positions-from-input-shape": (X, "int64[1] n = {1}", ("s = Shape(x) f = Cast<to=1>(s)"
                                   " t = Gather(f, n) y = Mul(x, t)"), 0),
    "embedding": ("int64[2,3] x", "float[100,8] w", "y = Gather(w, x)", 100 * 8),
    "tied-embedding": ("int64[2,3] x", "float[100,8] w", ("e = Gather(w, x) t = Transpose(w)"
                       " y = MatMul(e, t)"), 100 * 8),
    "lookup-of-integers": ("int64[2,3] x", "int64[100] w", "y = Gather(w, x)", 0),
    "unknown-operator": (X, "float[5,4] w, int64[2] n", "y = my.domain.Dense(x, w, n)", 5 * 4),
    "unread": (X, "float[5,4] w, float[9,9] v", "y = MatMul(x, w)", 5 * 4),
    "only-in-constants": (X, "float[5,4] w", "v = Transpose(w) y = Relu(x)", 0),
    "layer-norm": (X, "float[5] w, float[5] b", "y = LayerNormalization(x, w, b)", 5 + 5),
    "recurrent": ("float[9,2,5] x", "float[1,12,5] w, float[1,12,3] r, float[1,24] b",
                  "y = LSTM<hidden_size=3>(x, w, r, b)", 4 * 3 * (5 + 3 + 2)),
}  # fmt: skip


def table_of(inputs: str, constants: str, nodes: str) -> CostTable:
    """The counted graph; constants without numbers are declared and left out."""
    return count(load(from_text(f"g ({inputs}) => (y) <{constants}> {{ {nodes} }}", opset=21)))


@pytest.mark.parametrize("row", ROWS)
def test_parameters_are_the_stored_weights(row: str) -> None:
    """The number of parameters is that of the elements written in the row."""
    inputs, constants, nodes, parameters = ROWS[row]
    table = table_of(inputs, constants, nodes)
    assert table.parameters.count(table.graph.nodes) == parameters
    assert table.parameters.count_buffers(table.graph.nodes) == 0


def test_running_statistics_are_buffers() -> None:
    """Scale and offset of a batch normalisation are trained, its mean and variance are not."""
    table = table_of(
        "float[1,8,3,3] x",
        "float[8] w, float[8] b, float[8] m, float[8] v",
        "y = BatchNormalization(x, w, b, m, v)",
    )
    assert table.parameters.count(table.graph.nodes) == 8 + 8
    assert table.parameters.count_buffers(table.graph.nodes) == 8 + 8


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float", 4 * 15), ("float16", 2 * 15), ("bfloat16", 2 * 15), ("double", 8 * 15),
     ("int8", 15), ("int4", 8)],  # 60 bits take 8 bytes
)  # fmt: skip
def test_bytes_are_those_stored(dtype: str, size: int) -> None:
    """A weight takes the bytes of the type in which the file stores it."""
    turned = "DequantizeLinear(w, s)" if dtype.startswith("int") else "Cast<to=1>(w)"
    constants = f"{dtype}[5,3] w, float s = {{0.1}}"
    table = table_of(X, constants, f"v = {turned} y = MatMul(x, v)")
    assert table.parameters.stored_bytes("v") == size


def test_shared_weights_count_in_each_group_and_once_in_all() -> None:
    """Each of two nodes that share a weight has it; together they have it once."""
    table = table_of(X, "float[5,5] w", "a = MatMul(x, w) y = MatMul(a, w)")
    first, second = table.graph.nodes
    counts = [table.parameters.count(nodes) for nodes in ([first], [second], [first, second])]
    assert counts == [5 * 5, 5 * 5, 5 * 5]


@pytest.mark.parametrize(
    ("inputs", "notes"),
    [
        pytest.param("float[7,5] x", 1, id="left-out"),
        pytest.param("float[7,5] x, float[5,4] w", 0, id="fed"),
    ],
)
def test_weights_left_out_are_told(inputs: str, notes: int) -> None:
    """A declared value that nothing makes is a weight, and a note says that its data is missing."""
    constants = "" if "w" in inputs else "float[5,4] w"
    table = table_of(inputs, constants, "y = MatMul(x, w)")
    told = [note for note in table.graph.notes if "declared without data" in note]
    assert len(told) == notes
    assert table.parameters.count(table.graph.nodes) == notes * 5 * 4
    assert table.total().macs == 7 * 5 * 4
