"""If, Loop, Scan, SequenceMap, functions and sequences: what they give and what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from archlint.analyzer.algorithms import peak_memory
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.shapes.context import SHAPE_RULES

HEAD = '<ir_version: 10, opset_import: ["" : 21, "own" : 1]>\n'
DEAR, CHEAP = 2 * 4 * 8, 2 * 4 * 3  # products of [2,4] by [4,8] and by [4,3]
BRANCHES = (
    "<then_branch = t () => (p) {p = MatMul(x, w)}, else_branch = e () => (q) {q = MatMul(x, v)}>"
)
IF_INPUTS = "float[2,4] x, bool c, float[4,8] w, float[4,3] v"
LOOP = "y, s = Loop(m, yes, x) <body = b (int64 i, bool go, float[2,4] a) => (on, z, z2) BODY>"
KEEPS = "{on = Identity(go) z = MatMul(a, k) z2 = Identity(z)}"
GROWS = "{on = Identity(go) z = Concat<axis=1>(a, x) z2 = MatMul(a, t) t = Transpose(a)}"
PLAIN_GROWTH = "{on = Identity(go) z = Concat<axis=1>(a, x) t = Transpose(a) z2 = MatMul(a, t)}"
TRIPS = "int64 m = {5}, bool yes = {1}"
SCAN = (
    "h, y = Scan<num_scan_inputs = 1, body = b (float[3] a, float[4] u) => (o, p)"
    " {r = Unsqueeze(u, ax) n = MatMul(r, k) q = Squeeze(n, ax) o = Add(a, q) p = Neg(o)}>(s, x)"
)


def table_of(inputs: str, constants: str, nodes: str, outputs: str = "y") -> CostTable:
    """A model of these nodes, counted."""
    text = f"agraph ({inputs}) => ({outputs}) <{constants}> {{ {nodes} }}"
    return count(load(from_text(HEAD + text)))


# inputs, constants, nodes, the MACs of the dearest way and of the cheapest.
COSTS: dict[str, tuple[str, str, str, int, int]] = {
    "if-dearer-first": (IF_INPUTS, "", f"y = If(c) {BRANCHES}", DEAR, CHEAP),
    "if-known-true": (IF_INPUTS, "bool k = {1}", f"y = If(k) {BRANCHES}", DEAR, DEAR),
    "if-known-false": (IF_INPUTS, "bool k = {0}", f"y = If(k) {BRANCHES}", CHEAP, CHEAP),
    "if-in-if": (
        IF_INPUTS, "",
        (f"y = If(c) <then_branch = o () => (a) {{a = If(c) {BRANCHES}}},"
        " else_branch = n () => (f) {f = Identity(x)}>"),
        DEAR, 0,
    ),
    "loop": ("float[2,4] x, float[4,4] k", TRIPS, LOOP.replace("BODY", KEEPS),
             5 * 2 * 4 * 4, 5 * 2 * 4 * 4),
    # The product of a [2,4t] and its transpose at trip t = 1 to 5.
    "loop-that-grows": ("float[2,4] x", TRIPS, LOOP.replace("BODY", PLAIN_GROWTH),
                        sum(2 * 4 * t * 2 for t in range(1, 6)),
                        sum(2 * 4 * t * 2 for t in range(1, 6))),
    "loop-of-no-trips": ("float[2,4] x, float[4,4] k", "int64 m = {0}, bool yes = {1}",
                         LOOP.replace("BODY", KEEPS), 0, 0),
    "loop-never-begun": ("float[2,4] x, float[4,4] k", "int64 m = {5}, bool yes = {0}",
                         LOOP.replace("BODY", KEEPS), 0, 0),
    "scan": ("float[7,4] x, float[3] s", "int64[1] ax = {0}, float[4,3] k", SCAN,
             7 * 4 * 3, 7 * 4 * 3),
    "sequence-map": (
        "float[2,4] x, float[3,4] u, float[4,8] w", "",
        ("l = SequenceConstruct(x, u) y = SequenceMap(l, w)"
        " <body = b (float[n,4] i, float[4,8] j) => (o) {o = MatMul(i, j)}>"),
        (2 + 3) * 4 * 8, (2 + 3) * 4 * 8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", COSTS)
def test_a_node_costs_what_its_bodies_do(row: str) -> None:
    """The dearer branch, and a body times its trips."""
    inputs, constants, nodes, macs, least = COSTS[row]
    table = table_of(inputs, constants, nodes)
    assert table.unknown == ()
    assert (table.total().macs, table.least.macs) == (macs, least)
    assert sum(group.cost.macs for group in table.by_operator()) == macs


@pytest.mark.parametrize(
    ("constants", "extra", "why"),
    [
        pytest.param("bool yes = {1}", ", int64 m", "depends on the data", id="computed"),
        pytest.param("int64 m = {1152921504606846976}, bool yes = {1}", "", "any model means",
                     id="2^60"),
        pytest.param("int64 m = {9}", ", bool yes", "at most 9 trips", id="condition"),
    ],
)  # fmt: skip
def test_unknown_trips_are_told_by_the_trip(constants: str, extra: str, why: str) -> None:
    """A cost is never multiplied by a number of trips that nobody knows."""
    body = KEEPS.replace("Identity(go)", "Less(i, i)") if "yes" in extra else KEEPS
    inputs = f"float[2,4] x, float[4,4] k{extra}"
    table = table_of(inputs, constants, LOOP.replace("BODY", body))
    ((node, causes),) = table.unknown
    assert node.op_type == "Loop"
    (cause,) = causes
    assert why in cause.why
    assert f"each trip costs {2 * 4 * 4:,} MACs" in cause.why


def test_trips_over_an_unbound_dim_name_its_remedy() -> None:
    """The steps of a Scan are a dim, which the user can bind."""
    inputs, constants, nodes, *_ = COSTS["scan"]
    table = table_of(inputs.replace("[7,4] x", "[1,t,4] z"), constants,
                     f"o = Squeeze(z, ax) {nodes.replace('(s, x)', '(s, o)')}")  # fmt: skip
    causes = {cause for _, found in table.unknown for cause in found}
    assert {cause.remedy for cause in causes} == {"--dim t=128"}


# outputs of nodes over x = [2,4] float, c bool: what a run gives must be what is inferred.
RUNS: dict[str, tuple[str, str]] = {
    "if": (f"y = If(c) {BRANCHES.replace('v)', 'w)')}", "y"),
    "loop": (LOOP.replace("BODY", KEEPS), "y, s"),
    "loop-that-grows": (LOOP.replace("BODY", PLAIN_GROWTH).replace("MatMul(a, t)", "Identity(x)"),
                        "y, s"),
    "scan": (SCAN.replace("(s, x)", "(three, x)"), "h, y"),
    "scan-axes": (
        SCAN.replace("(s, x)", "(three, u)").replace(
            "Scan<", "Scan<scan_input_axes = [-1], scan_output_axes = [1], "), "h, y"),
    "split": (("l = SplitToSequence<axis=1>(x, two) a = SequenceAt(l, one) n = SequenceLength(l)"
              " d = ConcatFromSequence<axis=0>(l) f = ConcatFromSequence<axis=0, new_axis=1>(l)"),
              "a, n, d, f"),
    "split-of-one": ("l = SplitToSequence<axis=1, keepdims=0>(x) a = SequenceAt(l, one)", "a"),
    "split-unequal": (("l = SplitToSequence<axis=1>(x, parts) a = SequenceAt(l, one)"
                      " d = ConcatFromSequence<axis=1>(l)"), "a, d"),
    "insert": (("e = SequenceEmpty() l = SequenceInsert(e, x) o = SequenceInsert(l, three, zero)"
               " p = SequenceErase(o, one) a = SequenceAt(p, zero) n = SequenceLength(o)"),
               "a, n"),
    "optional": ("o = Optional(x) h = OptionalHasElement(o) y = OptionalGetElement(o)", "h, y"),
}  # fmt: skip
RUN_CONSTANTS = (
    f"{TRIPS}, float[4,8] w, float[4,4] k, float[3] three = {{1,2,3}}, int64[1] ax = {{0}},"
    " int64 two = {2}, int64 one = {1}, int64 zero = {0}, int64[2] parts = {1,3}"
)


@pytest.mark.parametrize("row", RUNS)
def test_outputs_have_the_shapes_of_a_run(row: str) -> None:
    """onnxruntime makes tensors of the shapes and types that are inferred."""
    nodes, outputs = RUNS[row]
    constants = RUN_CONSTANTS.replace("[4,4] k", "[4,3] k") if "scan" in row else RUN_CONSTANTS
    zeros = {"w": (4, 8), "k": (4, 3) if "scan" in row else (4, 4)}
    text = f"agraph (float[2,4] x, float[4,6] u, bool c) => ({outputs}) <{constants}> {{ {nodes} }}"
    model = from_text(HEAD + text).proto
    for name, shape in zeros.items():
        for info in [info for info in model.graph.value_info if info.name == name]:
            model.graph.value_info.remove(info)
        zero = np.zeros(shape, np.float32)
        model.graph.initializer.append(
            helper.make_tensor(name, TensorProto.FLOAT, shape, zero.tobytes(), raw=True)
        )
    graph = load(Model("run", model, 0))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feeds = {"x": np.ones((2, 4), np.float32), "u": np.ones((4, 6), np.float32),
             "c": np.array(True)}  # fmt: skip
    fed = {info.name: feeds[info.name] for info in session.get_inputs()}
    results: Any = session.run(None, fed)  # onnxruntime's types know more than arrays
    for name, array in zip(outputs.split(", "), results, strict=True):
        value = graph.value(name)
        assert value.static_shape == array.shape, name
        assert helper.tensor_dtype_to_np_dtype(value.dtype) == array.dtype
        if value.data is not None:
            assert np.array_equal(value.data.astype(array.dtype), array)


TWICE = """<domain: "own", opset_import: ["" : 21, "own" : 1]>
twice (a, k) => (b) { p = MatMul(a, k) b = MatMul(p, k) }
"""


def laughs(depth: int) -> str:
    """Functions that call the one before them twice."""
    callers = (
        TWICE.replace("twice", f"f{level}").replace("MatMul", f"own.f{level - 1}")
        for level in range(1, depth + 1)
    )
    return "".join((TWICE.replace("twice", "f0"), *callers))


@pytest.mark.parametrize("depth", [0, 1, 5, 40])
def test_functions_are_counted_once_and_added_up(depth: int) -> None:
    """2^40 calls cost what they cost, and no time."""
    text = (
        f"{HEAD}g (float[2,4] x) => (y) <float[4,4] w> {{ y = own.f{depth}(x, w) }}\n"
        f"{laughs(depth)}"
    )
    table = count(load(from_text(text)))
    assert table.unknown == ()
    assert table.total().macs == 2 ** (depth + 1) * 2 * 4 * 4
    assert table.parameter_count == 4 * 4
    assert table.graph.value("y").static_shape == (2, 4)
    assert peak_memory(table.graph).bytes >= 2 * 2 * 4 * 4
    assert sum(group.cost.macs for group in table.by_node()) == table.total().macs


def test_attributes_of_calls_reach_the_body() -> None:
    """A reference takes what the call gives, else the default of the function, else nothing."""
    text = (
        HEAD
        + """g (float[2,4,6] x) => (a, b, c) {
        a = own.turn<order = [2,1,0]>(x) b = own.turn(x) c = own.flat<at = 2>(x) }
    <domain: "own", opset_import: ["" : 21]> turn <order: ints = [1,0,2]> (i) => (o) {
        o = Transpose<perm: ints = @order>(i) }
    <domain: "own", opset_import: ["" : 21]> flat <at> (i) => (o) {
        o = Flatten<axis: int = @at>(i) }
    """
    )
    graph = load(from_text(text))
    shapes = {name: graph.value(name).static_shape for name in "abc"}
    assert shapes == {"a": (6, 4, 2), "b": (4, 2, 6), "c": (8, 6)}


def test_an_input_that_a_call_leaves_out_is_absent() -> None:
    """The body sees an optional input as its own operators do."""
    text = (
        HEAD
        + """g (float[2,4,8,8] x) => (y) <float[5,4,3,3] w> { y = own.c(x, w) }
    <domain: "own", opset_import: ["" : 21]> c (i, k, b) => (o) { o = Conv(i, k, b) }
    """
    )
    table = count(load(from_text(text)))
    assert table.total().macs == 2 * 5 * 6 * 6 * 4 * 3 * 3
    assert dict(table.total().ops_by_family) == {}


@pytest.mark.parametrize("calls", ["a", "b"])
def test_recursion_is_unknown_with_a_reason(calls: str) -> None:
    """A function that calls itself, or another that does, ends the trace."""
    text = (
        HEAD
        + f"""g (float[2] x) => (y) {{ y = own.a(x) }}
    <domain: "own", opset_import: ["own" : 1]> a (i) => (o) {{ o = own.{calls}(i) }}
    <domain: "own", opset_import: ["own" : 1]> b (i) => (o) {{ o = own.a(i) }}
    """
    )
    table = count(load(from_text(text)))
    assert any("deeper" in cause.why for _, causes in table.unknown for cause in causes)


def test_shared_weights_of_bodies_count_once() -> None:
    """A weight that both branches and the graph read is one; the branches' own ones are two."""
    numbers = ",".join(["1"] * 16)
    branch = f"() => (o) <float[4,4] k = {{{numbers}}}> {{p = MatMul(x, w) o = MatMul(p, k)}}"
    text = (
        f"{HEAD}g (float[2,4] x, bool c) => (y, z) <float[4,4] w> {{ z = MatMul(x, w)"
        f" y = If(c) <then_branch = t {branch}, else_branch = e {branch}> }}"
    )
    table = count(load(from_text(text)))
    assert table.parameter_count == 3 * 4 * 4
    assert sum(group.parameters for group in table.by_operator()) >= 3 * 4 * 4


def standard_function(monkeypatch: pytest.MonkeyPatch, operator: str) -> None:
    """Take archlint's own knowledge of an operator away, as with an operator newer than it."""
    monkeypatch.delitem(SHAPE_RULES, operator)
    monkeypatch.delitem(HANDLERS, operator)


@pytest.mark.parametrize("operator", ["Mish", "HardSwish", "Softsign"])
def test_an_operator_that_is_a_function_is_counted_through_its_body(
    monkeypatch: pytest.MonkeyPatch, operator: str
) -> None:
    """An operator that archlint does not know costs what the standard's own definition does."""
    standard_function(monkeypatch, operator)
    table = table_of("float[2,4] x", "", f"y = {operator}(x)")
    assert table.unknown == ()
    assert table.graph.value("y").static_shape == (2, 4)
    assert table.total().ops >= 2 * 4  # at least one operation an element


def test_problems_in_bodies_are_told_once() -> None:
    """A contradiction within a function that is called twice is one problem."""
    text = (
        HEAD
        + """g (float[2,4] x) => (y, z) <float[5,4] w> {
        y = own.f(x, w) z = own.f(x, w) }
    <domain: "own", opset_import: ["" : 21]> f (i, k) => (o) { o = MatMul(i, k) }
    """
    )
    graph = load(from_text(text))
    (problem,) = graph.problems
    assert problem.kind is ProblemKind.IMPOSSIBLE_SHAPE
    assert problem.node is None


def test_an_operator_without_a_rule_is_asked_of_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed onnx may know operators that archlint does not: the shape is that of onnx."""
    monkeypatch.delitem(SHAPE_RULES, "MatMul")
    graph = load(from_text("g (float[2,n,4] x) => (y) <float[4,6] w> { y = MatMul(x, w) }"))
    assert tuple(map(str, graph.value("y").shape or ())) == ("2", "n", "6")
    assert graph.problems == ()


def test_what_onnx_refuses_is_unknown_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnx cannot infer EyeLike on a value of no type; the rest of the graph is as ever."""
    monkeypatch.delitem(SHAPE_RULES, "EyeLike")
    text = '<ir_version: 10, opset_import: ["" : 21]> g (float[2,2] x) => (y, z)'
    proto = from_text(f"{text} {{ y = EyeLike(x) z = Relu(x) }}").proto
    proto.graph.input[0].ClearField("type")
    graph = load(Model("untyped", proto, 0), Bindings(shapes={"x": (2, 2)}))
    (cause,) = graph.value("y").causes
    assert "no shape rule for it; [ShapeInferenceError]" in cause.why
    assert [cause.why for cause in graph.value("z").causes] == ["input 'x' is no tensor"]


def test_a_branch_that_may_never_run_may_be_impossible() -> None:
    """A model for two sizes of input has a branch for each: the other one fits no shapes."""
    branches = BRANCHES.replace("MatMul(x, v)", "MatMul(w, v)")
    table = table_of(IF_INPUTS, "", f"y = If(c) {branches}")
    assert table.graph.problems == ()
    assert [node.op_type for node, _ in table.unknown] == ["MatMul"]
    table = table_of(IF_INPUTS, "bool k = {0}", f"y = If(k) {branches}")
    assert [problem.kind for problem in table.graph.problems] == [ProblemKind.IMPOSSIBLE_SHAPE]
