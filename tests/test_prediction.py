"""Predicted times, on machines with round numbers: what is expected is written as a product."""

from __future__ import annotations

from typing import Any

import pytest

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.timing.prediction.machine import Curve
from archlint.analyzer.timing.prediction.times import Prediction, predict
from profiles import machine


def table(text: str) -> CostTable:
    """The counted graph of a text."""
    return count(load(from_text(f"agraph {text}"), Bindings()))


def conv(channels: int, out: int, kernel: int, size: int, pad: int = 0, groups: int = 1) -> str:
    """A convolution without a bias on a square map."""
    made = size + 2 * pad - kernel + 1
    return f"""(float[1,{channels},{size},{size}] x) => (float[1,{out},{made},{made}] y)
        <float[{out},{channels // groups},{kernel},{kernel}] w> {{
            y = Conv <pads = [{pad},{pad},{pad},{pad}], group = {groups}> (x, w)
        }}"""


ROWS: dict[str, tuple[str, dict[str, Any], float]] = {
    # A vector of 16 products an output, input channel and tap on the map, of which the rows of 10
    # outputs have 3 each, but for the first and the last: 28 in all. 64 filters are 4 vectors.
    "a product each": (
        conv(64, 64, 3, 10, pad=1), {"tiles": {"multiply": 1.0}}, 28 * 28 * 64 * 4,
    ),
    # 64 outputs are 10 tiles of 6, one of 3 and one of 1.
    "a step each tile": (
        conv(16, 16, 1, 8), {"tiles": {"latency": 1.0}}, 12 * 16,
    ),
    # A row of 10: one output at either edge with 2 of 3 columns, a tile of 6 and one of 2 inside.
    "edges are tiles of their own": (
        conv(16, 16, 3, 10, pad=1), {"tiles": {"latency": 1.0}}, 28 * 16 * (2 + 2 + 2 * 3),
    ),
    "four blocks of filters share a step": (
        conv(16, 64, 1, 6), {"tiles": {"latency": 1.0}}, 6 * 16,
    ),
    "five blocks take two": (
        conv(16, 80, 1, 6), {"tiles": {"latency": 1.0}}, 2 * 6 * 16,
    ),
    "filters off the grid are filled up": (
        conv(16, 20, 1, 6), {"tiles": {"multiply": 1.0}}, 36 * 16 * 2,
    ),
    "each step loads its filters": (
        conv(16, 64, 1, 6), {"tiles": {"load": 1.0}}, 6 * 16 * 4,
    ),
    "a pointwise sum is stored each 128 channels": (
        conv(256, 64, 1, 8), {"tiles": {"store": 1.0}}, 2 * 64 * 4,
    ),
    "another each 16": (
        conv(64, 32, 3, 8, pad=1), {"tiles": {"store": 1.0}}, 4 * 64 * 2,
    ),
    "a line each": (
        conv(64, 32, 3, 8, pad=1), {"tiles": {"line": 1.0}}, 4 * 8,
    ),
    "few channels are summed one by one": (
        conv(3, 16, 3, 8, pad=1), {"tiles": {"store": 1.0}}, 3 * 64,
    ),
    "groups work one after the other": (
        conv(64, 64, 3, 10, pad=1, groups=4), {"tiles": {"multiply": 1.0}}, 4 * 28 * 28 * 16,
    ),
    "a depthwise one has lines of its own": (
        conv(32, 32, 3, 8, pad=1, groups=32), {"tiles": {"depthwise": 1.0, "line": 9.0}}, 2 * 8,
    ),
    "and steps": (
        conv(16, 16, 1, 6, groups=16), {"tiles": {"latency": 1.0, "depthwise_step": 2.0}}, 2 * 6,
    ),
    "a column is swept as a row": (
        """(float[1,16,12,1] x) => (float[1,16,12,1] y) <float[16,16,1,1] w> { y = Conv (x, w) }""",
        {"tiles": {"latency": 1.0}}, 2 * 16,
    ),
    "a stride takes lines one by one": (
        """(float[1,16,12,12] x) => (float[1,16,6,6] y) <float[16,16,1,1] w> {
            y = Conv <strides = [2,2]> (x, w)
        }""",
        {"tiles": {"line": 1.0}}, 6,
    ),
    "a way in, and a way out": (
        conv(16, 32, 1, 6), {"tiles": {"enter": 10.0, "leave": 1.0}}, 36 * (16 * 10 + 32),
    ),
    "few channels are read as they are": (
        conv(3, 32, 1, 6), {"tiles": {"enter": 10.0, "leave": 1.0}}, 36 * 32,
    ),
    # 36 columns are a matrix of 48.
    "beside the grid, a matrix product": (
        conv(18, 30, 1, 6), {"product": 1.0}, 18 * 30 * 48,
    ),
    "of patches that are laid out": (
        conv(18, 30, 3, 6, pad=1), {"expand": 1.0}, 18 * 9 * 36,
    ),
    "by the width of the map": (
        conv(18, 30, 3, 6, pad=1), {"expand": Curve(((6.0, 2.0), (7.0, 1.0)))}, 2 * 18 * 9 * 36,
    ),
    "of each group": (
        conv(64, 64, 3, 6, pad=1, groups=8), {"expand": 1.0}, 64 * 9 * 36,
    ),
    "one dimension has no blocks": (
        """(float[1,16,16] x) => (float[1,32,16] y) <float[32,16,1] w> { y = Conv (x, w) }""",
        {"product": 1.0}, 16 * 32 * 16,
    ),
    # The first point of the curve is in the time of the products already. The maps are moved too.
    "weights come from memory": (
        conv(16, 16, 3, 6, pad=1), {"memory": Curve(((1.0, 0.0), (2.0, 1.0)))},
        4 * 16 * 16 * 9 + 4 * 36 * (16 + 16) // 2,
    ),
    "but for those of taps beside the map": (
        conv(16, 16, 3, 1, pad=1), {"memory": Curve(((1.0, 0.0), (2.0, 1.0)))},
        4 * 16 * 16 + 4 * (16 + 16) // 2,
    ),
    "maps that take longer than what is done with them": (
        conv(16, 16, 1, 8, groups=16), {"memory": 1.0}, 4 * 64 * (16 + 16) // 2,
    ),
    "a matrix product": (
        "(float[4,64] x) => (float[4,32] y) <float[64,32] w> { y = MatMul (x, w) }",
        {"product": 1.0}, 4 * 64 * 32,
    ),
    "reads its weights": (
        "(float[1,64] x) => (float[1,32] y) <float[64,32] w> { y = MatMul (x, w) }",
        {"memory": 1.0}, 4 * 64 * 32,
    ),
    "packs what is no weight": (
        "(float[4,64] x, float[64,32] w) => (float[4,32] y) { y = MatMul (x, w) }",
        {"expand": 1.0}, 64 * 32,
    ),
    "of integers": (
        "(uint8[4,64] x) => (int32[4,32] y) <int8[64,32] w> { y = MatMulInteger (x, w) }",
        {"integer": 1.0, "product": 9.0}, 4 * 64 * 32,
    ),
    "a transposed convolution adds up patches": (
        """(float[1,16,4,4] x) => (float[1,8,8,8] y) <float[16,8,2,2] w> {
            y = ConvTranspose <strides = [2,2]> (x, w)
        }""",
        {"expand": 1.0}, 4 * 4 * 8 * 2 * 2,
    ),
    "states read their weights in every step": (
        """(float[5,1,8] x) => (y) <float[1,16,8] w, float[1,16,4] r> {
            y, h, c = LSTM <hidden_size = 4> (x, w, r)
        }""",
        {"memory": 1.0}, 5 * 4 * 16 * 4,
    ),
    "an operator moves bytes": (
        "(float[8,16] x) => (float[8,16] y) { y = Relu (x) }", {"memory": 1.0}, 4 * 2 * 8 * 16,
    ),
    "and works on elements": (
        "(float[8,16] x) => (float[8,16] y) { y = Sigmoid (x) }",
        {"operators": {"Sigmoid": 1.0}}, 8 * 16,
    ),
    "as another one like it": (
        "(float[8,16] x) => (float[8,16] y) { y = Selu (x) }",
        {"operators": {"Elu": 1.0}}, 8 * 16,
    ),
    "of the larger side": (
        "(float[8,16] x) => (y) { y = ReduceMean <axes = [1]> (x) }",
        {"operators": {"ReduceMean": 1.0}}, 8 * 16,
    ),
    # 2 vectors of channels; rows of 8 with 2 taps each, in tiles of 6 and 2.
    "a pooling is a depthwise kernel": (
        """(float[1,32,16,16] x) => (float[1,32,8,8] y) {
            y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (x)
        }""",
        {"tiles": {"latency": 1.0}}, 2 * 8 * 2 * (2 * 2),
    ),
    "a node beside its work": (
        "(float[8,16] x) => (float[8,16] y) { a = Relu (x) b = Neg (a) y = Abs (b) }",
        {"node": 1.0}, 3,
    ),
    "a convolution beside that": (conv(18, 30, 1, 6), {"node": 1.0, "call": 10.0}, 11),
    "a view": (
        "(float[8,16] x) => (y) { y = Flatten (x) }", {"node": 1.0, "memory": 1.0}, 1,
    ),
    # The same work twice: the first one is handed the elements of a convolution.
    "equal operators, of which a kernel takes in one": (
        """(float[1,16,6,6] x) => (float[1,16,6,6] y) <float[16,16,1,1] w> {
            a = Conv (x, w) b = LeakyRelu (a) y = LeakyRelu (b)
        }""",
        {"operators": {"Relu": 1.0}, "activation": 10.0}, 16 * 36 * (11 + 1),
    ),
    "a run beside its nodes": (
        "(float[8,16] x) => (float[8,16] y) { y = Relu (x) }", {"node": 1.0, "run": 10.0}, 11,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_formulas(name: str) -> None:
    """Nothing but what the machine takes time for costs any."""
    text, numbers, expected = ROWS[name]
    prediction = predict(table(text), machine(**numbers))
    assert not prediction.unpredicted
    assert prediction.total_ns == pytest.approx(expected)


BLOCK = """(float[1,16,6,6] x) => (float[1,16,6,6] y)
    <float[16,16,1,1] v, float[16,16,1,1] w, float[16] s, float[16] b, float[16] m, float[16] t> {
        a = Conv (x, v)
        c = Conv (a, w)
        d = BatchNormalization (c, s, b, m, t)
        e = Add (d, a)
        y = %s (e)
    }"""


@pytest.mark.parametrize(
    ("numbers", "activation", "expected"),
    [
        pytest.param({"node": 1.0}, "Relu", 2 + 2, id="two-kernels-and-two-borders"),
        pytest.param({"operators": {"BatchNormalization": 1.0}}, "Relu", 0, id="folded"),
        pytest.param({"operators": {"Relu": 1.0}}, "Relu", 0, id="in-registers"),
        pytest.param({"activation": 1.0}, "LeakyRelu", 36 * 16, id="handed-on"),
        pytest.param({"operators": {"Sigmoid": 1.0}}, "Sigmoid", 36 * 16, id="with-its-work"),
        pytest.param({"tiles": {"enter": 1.0}}, "Relu", 36 * 16, id="one-way-in"),
        pytest.param({"tiles": {"leave": 1.0}}, "Relu", 36 * 16, id="one-way-out"),
    ],
)
def test_what_a_kernel_takes_in_has_no_kernel(
    numbers: dict[str, Any], activation: str, expected: float
) -> None:
    """Of a residual block there are two kernels."""
    found = predict(table(BLOCK % activation), machine(**numbers)).total_ns
    assert found == pytest.approx(expected)


def test_the_branch_that_is_added_is_read() -> None:
    """Once, by the convolution that takes in the addition."""
    prediction = predict(table(BLOCK % "Relu"), machine(memory=1.0))
    (addition,) = [n for n in prediction.table.graph.nodes if n.op_type == "Add"]
    assert prediction.of([addition]) == 4 * 36 * 16


def named(prediction: Prediction) -> dict[str, str]:
    """The reasons of what is unpredicted, by the labels of the nodes."""
    return {prediction.table.graph.nodes[n].label: why for n, why in prediction.unpredicted.items()}


HUGE = ",".join(["4000000000000000000"] * 20)  # 10**372 of them: no float is as large


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        pytest.param(
            """(float[1,n,8] x, float[4,4] z) => (y, float[4,4] t) <float[8,2] w> {
                [product] y = MatMul (x, w)
                [known] t = Relu (z)
            }""",
            {"product": "its cost is unknown"}, id="shape",
        ),
        pytest.param(
            """(float16[4,8] x, float[4,4] z) => (y, float[4,4] t) <float16[8,2] w> {
                [half] y = MatMul (x, w)
                [known] t = Relu (z)
            }""",
            {"half": "products of float16 were not measured"}, id="type",
        ),
        pytest.param(
            """(float[4,8] x, int64 n, float[4,4] z) => (y, float[4,4] t) {
                [loop] y = Loop (n, , x) <body = body (int64 i, bool c, float[4,8] s) => (k, r) {
                    k = Identity (c)
                    r = Relu (s)
                }>
                [known] t = Relu (z)
            }""",
            {"loop": "how often its body runs is unknown"}, id="trips",
        ),
        pytest.param(
            f"""(float[{HUGE},4,8] x, float[4,4] z) => (y, float[4,4] t) <float[8,2] w> {{
                [product] y = MatMul (x, w)
                [known] t = Relu (z)
            }}""",
            {"product": "its numbers are larger than any machine's"}, id="overflow",
        ),
    ],
)  # fmt: skip
def test_unknown_is_never_zero(text: str, reasons: dict[str, str]) -> None:
    """A node without a time has a reason, and the total is that of the others."""
    prediction = predict(table(text), machine(memory=1.0, product=1.0))
    assert named(prediction) == reasons
    assert prediction.total_ns == 4 * 2 * 4 * 4
    assert prediction.of(prediction.table.graph.nodes) == 4 * 2 * 4 * 4


def test_work_that_nothing_measured_is_counted_by_its_bytes() -> None:
    """And told apart from what is known."""
    text = """(float[8,16] x) => (float[8,16] y) { [work] a = Acosh (x) [known] y = Sigmoid (a) }"""
    prediction = predict(table(text), machine(memory=1.0, operators={"Sigmoid": 1.0}))
    assert [prediction.table.graph.nodes[n].label for n in prediction.by_bytes] == ["work"]
    assert prediction.total_ns == 2 * 4 * 2 * 8 * 16 + 8 * 16


BRANCHES = """(bool c, float[8,16] x) => (float[8,16] y) {
    [choice] y = If (c) <
        then_branch = dear () => (a) { [one] b = Sigmoid (x) [two] a = Sigmoid (b) },
        else_branch = cheap () => (d) { [three] d = Neg (x) }
    >
}"""


def test_a_node_takes_what_it_runs() -> None:
    """The dearest branch; each row of the table has its own time, the cheaper branch none."""
    costs = table(BRANCHES)
    prediction = predict(costs, machine(operators={"Sigmoid": 1.0}))
    assert prediction.total_ns == 2 * 8 * 16
    times = {row.label: prediction.at(row.place) for row in costs.rows()}
    assert times == {"one": 8 * 16, "two": 8 * 16, "choice/else_branch": 0}


def test_a_loop_takes_its_trips() -> None:
    """Each row of its body as often."""
    costs = table("""(float[8,16] x) => (y) {
        n = Constant <value = int64 {3}> ()
        [loop] y = Loop (n, , x) <body = body (int64 i, bool c, float[8,16] s) => (k, r) {
            k = Identity (c)
            [work] r = Sigmoid (s)
        }>
    }""")
    prediction = predict(costs, machine(operators={"Sigmoid": 1.0}))
    assert prediction.total_ns == 3 * 8 * 16
    assert {row.label: prediction.at(row.place) for row in costs.rows()}["work"] == 3 * 8 * 16


def test_constants_take_no_time() -> None:
    """A runtime computes them once, when it loads."""
    costs = table("""(float[8,16] x) => (float[8,16] y) <float[8,16] w> {
        [folded] a = Sigmoid (w)
        y = Add (x, a)
    }""")
    prediction = predict(costs, machine(operators={"Sigmoid": 1.0}))
    assert prediction.total_ns == 0
    assert not prediction.unpredicted
    assert {prediction.at(row.place) for row in costs.rows()} == {0.0}


def test_without_a_blocked_layout_a_convolution_is_a_matrix_product() -> None:
    """Whatever its channels, and nothing has to be brought anywhere."""
    from dataclasses import replace

    plain = replace(machine(product=1.0), tiles=None)
    assert predict(table(conv(64, 64, 3, 8, pad=1)), plain).total_ns == 64 * 9 * 64 * 64
