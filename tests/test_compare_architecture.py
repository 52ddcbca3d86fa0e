"""What an architecture says of a model, and that names and the order of the file do not matter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper, parser

from archlint.analyzer.algorithms import peak_memory
from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.building import architecture, places
from archlint.analyzer.cost import count
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from edits import exported_again, network, renamed, shuffled
from googlenet import build as googlenet
from hostile_nested import NESTED


def graph_of(model: ModelProto | bytes, folder: Path) -> Graph:
    """The graph of a model, by way of a file."""
    path = folder / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return load(read(str(path)))


def built(model: ModelProto | bytes, folder: Path) -> Architecture:
    """The architecture of a model whose file has 1,000 bytes."""
    graph = graph_of(model, folder)
    return architecture(count(graph), peak_memory(graph), 1000, "digest")


def text_model(text: str, opset: int = 17) -> ModelProto:
    """A model that is written as text."""
    return parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}, "f": 1]> {text}')


TEXT = """g (float[1,3,8,8] x) => (float[1,n] y)
    <float[4,3,3,3] w, float[4] b, float[36,5] v> {
    [first] c = Conv <strides=[1,1], dilations=[1,1]> (x, w, b)
    [second] r = Relu (c)
    [third] f = Flatten (p)
    [fourth] p = MaxPool <kernel_shape=[2,2], strides=[2,2], ceil_mode=0> (r)
    [fifth] y = MatMul (f, v)
}"""


def test_a_small_model(tmp_path: Path) -> None:
    """The fifth operation has 1*36*5 MACs, the first 4*6*6 * 3*3*3 and 4*27 + 4 parameters."""
    found = built(text_model(TEXT), tmp_path)
    shown = [
        (o.label, o.operator, o.attributes, o.weights, o.shapes, o.inputs, o.parameters, o.macs)
        for o in found.operations
    ]
    assert shown == [
        ("first", "Conv", "", ("4x3x3x3", "4"), ("1x4x6x6",), (-1,), 4 * 27 + 4, 144 * 27),
        ("second", "Relu", "", (), ("1x4x6x6",), (0,), 0, 0),
        ("fourth", "MaxPool", "kernel_shape=2,2 strides=2,2", (), ("1x4x3x3",), (1,), 0, 0),
        ("third", "Flatten", "", (), ("1x36",), (2,), 0, 0),
        ("fifth", "MatMul", "", ("36x5",), ("1x5",), (3,), 36 * 5, 36 * 5),
    ]
    assert (found.inputs, found.outputs) == (("x float32 1x3x8x8",), ("y float32 1x5",))
    totals = found.totals
    assert (totals.macs, totals.parameters) == (144 * 27 + 180, 112 + 180)
    assert (totals.file_bytes, totals.weight_bytes, found.digest) == (1000, 4 * 292, "digest")
    # While the first operation runs, the input of 3*8*8 and the result of 4*6*6 are alive.
    assert totals.peak_activation_bytes == 4 * (192 + 144)
    assert (totals.operations, totals.unknown) == (5, 0)


def test_places(tmp_path: Path) -> None:
    graph = graph_of(text_model(TEXT), tmp_path)
    order = sorted(graph.nodes, key=lambda node: places(graph)[node.id])
    assert [node.name for node in order] == ["first", "second", "fourth", "third", "fifth"]
    assert places(graph) is places(graph)


def bare(found: Architecture) -> Architecture:
    """An architecture without what files call things, and without what their order decides."""
    return replace(
        found,
        operations=tuple(replace(o, label="", scope=(), block="") for o in found.operations),
        inputs=tuple(text.partition(" ")[2] for text in found.inputs),
        outputs=tuple(text.partition(" ")[2] for text in found.outputs),
        totals=replace(found.totals, peak_activation_bytes=None),
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_names_and_the_order_of_the_file_do_not_matter(seed: int, tmp_path: Path) -> None:
    for model in (network(("one", "two")), googlenet(auxiliary=True)):
        expected = bare(built(model, tmp_path))
        assert len(expected.operations) > 20
        for edited in (shuffled(model, seed), renamed(shuffled(model, seed))):
            assert bare(built(edited, tmp_path)) == expected


def test_what_exporters_write_does_not_matter(tmp_path: Path) -> None:
    model = network(("one", "two"))
    found = built(exported_again(model), tmp_path)
    assert bare(found) == bare(built(model, tmp_path))
    assert found.operations[2].scope == ("one", "branch0", "reduce", "conv")


DEAD = """g (float[4] x) => (float[4] y) <float[4] w> {{
    {first}
    {second}
    y = Relu (x)
    lone = Exp (y)
}}"""


def test_what_leads_to_no_output(tmp_path: Path) -> None:
    """It follows, in an order that is not the file's."""
    lines = ("a = Sigmoid (x)\n b = Add (a, w)", "c = Tanh (x)\n d = Neg (c)")
    found = [
        [o.operator for o in built(text_model(DEAD.format(first=a, second=b)), tmp_path).operations]
        for a, b in (lines, lines[::-1])
    ]
    assert found[0] == found[1]
    assert found[0][0] == "Relu"
    assert sorted(found[0]) == ["Add", "Exp", "Neg", "Relu", "Sigmoid", "Tanh"]


def test_a_shared_weight_belongs_to_the_first(tmp_path: Path) -> None:
    text = """g (float[1,4] x) => (float[1,4] y) <float[4,4] w> {
        a = MatMul (x, w)
        y = MatMul (a, w)
    }"""
    assert [o.parameters for o in built(text_model(text), tmp_path).operations] == [16, 0]


ATTRIBUTES = [
    ("Conv", "<pads=[0,0,0,0], group=1> (x, k)", ""),
    ("Conv", "<kernel_shape=[3,3], pads=[1,1,1,1]> (x, k)", "pads=1,1,1,1"),
    ("Conv", '<auto_pad="VALID"> (x, k)', ""),
    ("Conv", '<auto_pad="SAME_UPPER"> (x, k)', "pads=1,1,1,1"),
    (
        "Conv",
        '<auto_pad="SAME_UPPER", strides=[2,2]> (x, k)',
        "auto_pad=SAME_UPPER strides=2,2",
    ),
    ("Softmax", "<axis=-1> (x)", ""),
    ("Softmax", "<axis=3> (x)", ""),
    ("Softmax", "<axis=1> (x)", "axis=1"),
    ("Concat", "<axis=-3> (x, x)", "axis=1"),
    ("LeakyRelu", "<alpha=0.01> (x)", ""),
    ("LeakyRelu", "<alpha=0.1> (x)", "alpha=0.1"),
    ("Cast", "<to=10> (x)", "to=float16"),
    ("Cast", "<to=77> (x)", "to=77"),
    ("Clip", "(x, low, high)", "max=6.0 min=0.0"),
    ("ReduceMean", "<axes=[-1,2], keepdims=1> (x)", "axes=2,3"),
    ("Unsqueeze", "(x, minus)", "axes=4"),
    ("Transpose", "<perm=[0,2,3,1]> (x)", "perm=0,2,3,1"),
    ("Reshape", "<allowzero=1> (x, minus)", ""),
    ("f.Own", '<s="a b", t="x::y", i=[1,2], e=[], f=1e-5> (x)', "f=1e-05 i=1,2 s=a\\x20b t=x::y"),
]


@pytest.mark.parametrize(("operator", "call", "expected"), ATTRIBUTES)
def test_attributes(operator: str, call: str, expected: str, tmp_path: Path) -> None:
    """Those that differ from their defaults, in one way of writing them."""
    text = f"""g (float[1,3,8,8] x) => (y)
        <float[4,3,3,3] k, float low = {{0.0}}, float high = {{6.0}}, int64[1] minus = {{-1}}> {{
        y = {operator} {call}
    }}"""
    (found,) = built(text_model(text.replace("e=[], ", "")), tmp_path).operations
    assert found.attributes == expected


def test_axes_as_an_input_and_as_an_attribute(tmp_path: Path) -> None:
    """Operator set 18 has the axes of ReduceMean as an input."""
    text = "g (float[1,3,8,8] x) => (y) <int64[2] axes = {{2,-1}}> {{ y = ReduceMean {} }}"
    old = built(text_model(text.format("<axes=[2,3]> (x)")), tmp_path)
    new = built(text_model(text.format("(x, axes)"), 18), tmp_path)
    assert old.operations == new.operations


def test_long_and_hostile_attributes(tmp_path: Path) -> None:
    """Each is one word of bounded length, and different ones are told apart."""
    words = []
    for last in (1, 2):
        node = helper.make_node(
            "Own", ["x"], ["y"], domain="f", numbers=[0] * 5000 + [last],
            text="\x1b[31m::error::\n" + "a b" * 500 + str(last),
            tensor=numpy_helper.from_array(np.zeros((2, 3), np.float32)),
            single=numpy_helper.from_array(np.array([0.5], np.float32)),
        )  # fmt: skip
        node.attribute.append(helper.make_attribute("a name\n", 1))
        graph = helper.make_graph(
            [node],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
            [onnx.ValueInfoProto(name="y")],
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        words.append(built(model, tmp_path).operations[0].attributes)
    assert words[0] != words[1]
    for text in words:
        parts = text.split(" ")
        assert [part.partition("=")[0] for part in parts] == [
            "a\\x20name\\x0a", "numbers", "single", "tensor", "text",
        ]  # fmt: skip
        assert max(map(len, parts)) < 200
        assert text.isprintable()
        assert parts[2:4] == ["single=0.5", "tensor=float32[2x3]"]
        assert parts[1].startswith("numbers=0,…5001~")


DYNAMIC = """g (float[1,3,h,w] x) => (y) <float[4,3,3,3] k> {
    c = Conv <strides=[2,2]> (x, k)
    n = NonZero (c)
    y = Relu (c)
    dead = Neg (n)
}"""


def test_unknown_stays_unknown(tmp_path: Path) -> None:
    """A dim of an input has its name, what is computed of it an expression, others nothing."""
    found = built(text_model(DYNAMIC), tmp_path)
    by_operator = {o.operator: o for o in found.operations}
    assert found.inputs == ("x float32 1x3xhxw",)
    assert by_operator["Conv"].shapes[0].startswith("1x4x")
    assert "h" in by_operator["Conv"].shapes[0]
    assert by_operator["NonZero"].shapes == ("4x?",)
    assert [o.macs for o in found.operations] == [None] * 4
    totals = found.totals
    assert (totals.macs, totals.peak_activation_bytes, totals.unknown) == (None, None, 4)
    assert totals.parameters == 4 * 27


BODIES = """g (float[4] x, bool c, float[4] z) => (float[4] y) {
    a = Relu (x)
    y = If (c) <
        then_branch = t () => (float[4] p) { p = Mul (z, a) },
        else_branch = e () => (float[4] q) { r = Exp (z)  q = Add (r, a) }
    >
}"""


def test_bodies(tmp_path: Path) -> None:
    """A body reads values around it as its last inputs, in the order in which it meets them."""
    found = built(text_model(BODIES), tmp_path)
    (condition,) = [o for o in found.operations if o.operator == "If"]
    assert condition.bodies == ("If.then_branch", "If.else_branch")
    assert condition.attributes == ""
    assert condition.inputs == (-2, -3, 0)
    assert sorted(found.bodies) == ["If.else_branch", "If.then_branch"]
    then, other = (found.bodies[name].operations for name in condition.bodies)
    assert [(o.operator, o.inputs) for o in then] == [("Mul", (-1, -2))]
    assert [(o.operator, o.inputs) for o in other] == [("Exp", (-1,)), ("Add", (0, -2))]


FUNCTIONS = """g (float[4] x) => (float[4] y) {
    a = f.Twice (x)
    b = f.Twice (a)
    s = Concat <axis=0> (b, b)
    c = f.Twice (s)
    y = Gelu (b)
}
<opset_import: ["": 20], domain: "f"> Twice (u) => (v) { v = Add (u, u) }
"""


def test_functions(tmp_path: Path) -> None:
    """A function is there once for each kind of input; what the standard defines has no body."""
    found = built(text_model(FUNCTIONS, 20), tmp_path)
    run = [o.bodies for o in found.operations if o.operator == "f.Twice"]
    assert run[0] == run[1] != run[2]
    assert {name.partition("~")[0] for name in found.bodies} == {"f.Twice"}
    assert len(found.bodies) == 2
    assert [o.bodies for o in found.operations if o.operator == "Gelu"] == [()]


def test_functions_that_call_functions(tmp_path: Path) -> None:
    """2^40 calls are forty bodies."""
    found = built(NESTED["function-laughs"](), tmp_path)
    assert 0 < len(found.bodies) <= 41


def test_the_order_within_bodies_does_not_matter(tmp_path: Path) -> None:
    swapped = BODIES.replace("r = Exp (z)  q = Add (r, a)", "q = Add (r, a)  r = Exp (z)")
    assert swapped != BODIES
    first, second = (bare(built(text_model(text), tmp_path)) for text in (BODIES, swapped))
    assert first == second
