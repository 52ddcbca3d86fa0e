"""The rules about weights on files: where the weights are, which nodes read them, what is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.helper import make_node

from archlint.analyzer.cost import count
from archlint.analyzer.engine import run as run_rules
from archlint.analyzer.finding import Finding
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Rule, RuleContext
from archlint.config import choose_rules
from archlint.rules import all_rules
from archlint.rules.denormal_weights import DenormalWeights
from archlint.rules.non_finite_weights import NonFiniteWeights
from archlint.rules.placeholder_weights import PlaceholderWeights
from archlint.selection import is_default
from command_line import Run

Array = NDArray[Any]
NAN = np.array([[1, 2], [np.nan, 4]], np.float32)
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]


def info(name: str, *dims: int) -> onnx.ValueInfoProto:
    """A value of 32-bit floats."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)


def graph_of(nodes: list[NodeProto], *tensors: TensorProto, **more: Any) -> GraphProto:
    """From x to y, both of 1x2."""
    inputs = [info("x", 1, 2), *more.pop("inputs", ())]
    return helper.make_graph(nodes, "g", inputs, [info("y", 1, 2)], list(tensors), **more)


def model_of(graph: GraphProto, **more: Any) -> ModelProto:
    """A model that onnx's checker accepts."""
    model = helper.make_model(graph, ir_version=8, opset_imports=OPSETS, **more)
    onnx.checker.check_model(model)
    return model


def product(weights: str = "w") -> NodeProto:
    """The node that reads the weights."""
    return make_node("MatMul", ["x", weights], ["y"], name="read")


def stored(array: Array) -> ModelProto:
    """As an initializer."""
    return model_of(graph_of([product()], numpy_helper.from_array(array, "w")))


def in_a_node(array: Array) -> ModelProto:
    """In a Constant node."""
    value = numpy_helper.from_array(array)
    return model_of(graph_of([make_node("Constant", [], ["w"], value=value), product()]))


def listed(array: Array) -> ModelProto:
    """As the floats of a Constant node, reshaped."""
    nodes = [
        make_node("Constant", [], ["v"], value_floats=array.reshape(-1).tolist()),
        make_node("Constant", [], ["dims"], value_ints=array.shape),
        make_node("Reshape", ["v", "dims"], ["w"]),
        product(),
    ]
    return model_of(graph_of(nodes))


def sparse(array: Array) -> ModelProto:
    """As a sparse initializer of all numbers but the zeros."""
    flat = array.reshape(-1)
    places = np.flatnonzero(flat)
    kept = helper.make_sparse_tensor(
        numpy_helper.from_array(flat[places], "w"),
        numpy_helper.from_array(places.astype(np.int64)),
        array.shape,
    )
    return model_of(graph_of([product()], sparse_initializer=[kept]))


def in_a_branch(array: Array) -> ModelProto:
    """As an initializer of the branch of an If; the other branch has one of its name."""
    branches = [
        helper.make_graph(
            [make_node("MatMul", ["x", "w"], ["y"])],
            name,
            [],
            [info("y", 1, 2)],
            [numpy_helper.from_array(held, "w")],
        )
        for name, held in (("yes", np.eye(2, dtype=np.float32)), ("no", array))
    ]
    node = make_node(
        "If", ["c"], ["y"], name="read", then_branch=branches[0], else_branch=branches[1]
    )
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    return model_of(graph_of([node], inputs=[condition]))


def in_a_function(array: Array) -> ModelProto:
    """In a Constant node of a function."""
    value = numpy_helper.from_array(array)
    nodes = [make_node("Constant", [], ["w"], value=value), make_node("MatMul", ["a", "w"], ["b"])]
    function = helper.make_function("local", "Layer", ["a"], ["b"], nodes, OPSETS[:1])
    call = make_node("Layer", ["x"], ["y"], name="read", domain="local")
    return model_of(graph_of([call]), functions=[function])


PLACES = [stored, in_a_node, listed, sparse, in_a_branch, in_a_function]


def graph_from(model: ModelProto, folder: Path, **save: Any) -> Graph:
    """The graph of a file."""
    onnx.save(model, folder / "m.onnx", **save)
    return load(read(str(folder / "m.onnx")))


def found(rule: Rule, graph: Graph) -> list[Finding]:
    """What a rule says."""
    costs = count(graph)
    return run_rules([rule], RuleContext(costs.graph, costs))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("rule", "array"),
    [
        pytest.param(NonFiniteWeights(), NAN, id="NaN"),
        pytest.param(DenormalWeights(), np.full((2, 2), 1e-40, np.float32), id="denormal"),
        pytest.param(PlaceholderWeights(), np.full((2, 2), 0.5, np.float32), id="placeholder"),
    ],
)
def test_weights_anywhere(place: Any, rule: Rule, array: Array, tmp_path: Path) -> None:
    """Each is found at the node of the model that computes with it."""
    (finding,) = found(rule, graph_from(place(array), tmp_path))
    assert [node.name for node in finding.nodes] == ["read"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("rule", [NonFiniteWeights(), DenormalWeights(), PlaceholderWeights()])
def test_sound_weights_anywhere(place: Any, rule: Rule, tmp_path: Path) -> None:
    """And nothing where there is nothing."""
    array = np.array([[1, 2], [3, 1.1754944e-38]], np.float32)
    graph = graph_from(place(array), tmp_path)
    assert found(rule, graph) == []
    assert graph.unread_weights == ""


def test_a_sparse_tensor_of_one_number_is_no_placeholder(tmp_path: Path) -> None:
    """Between its numbers there are zeros."""
    array = np.array([[1, 0], [0, 1]], np.float32)
    assert found(PlaceholderWeights(), graph_from(sparse(array), tmp_path)) == []


def test_external_weights(tmp_path: Path) -> None:
    """They are read where they are; a file that has gone is told."""
    random = np.random.default_rng(0).standard_normal((2, 2)).astype(np.float32)
    random[1, 0] = np.inf
    save = {"save_as_external_data": True, "location": "w.bin", "size_threshold": 0}
    graph = graph_from(stored(random), tmp_path, **save)
    (finding,) = found(NonFiniteWeights(), graph)
    assert finding.message == (
        "the weight 'w' of 4 numbers holds 1 infinite number, the first at [1, 0]"
    )
    (tmp_path / "w.bin").unlink()
    again = load(read(str(tmp_path / "m.onnx")))
    assert found(NonFiniteWeights(), again) == []
    assert again.unread_weights == (
        "1 weight (16 B) was not read and may hold anything: tensor 'w': its external data "
        "'w.bin': the file is missing"
    )


def test_the_command_fails_where_weights_cannot_be_read(tmp_path: Path, run: Run) -> None:
    """One line on stderr and the code of an input that was not analysed; without the rule nothing
    asks for them."""
    array = np.ones((2, 2), np.float32)
    save = {"save_as_external_data": True, "location": "w.bin", "size_threshold": 0}
    graph_from(stored(array), tmp_path, **save)
    (tmp_path / "w.bin").unlink()
    path = str(tmp_path / "m.onnx")
    asked = run(path, "--select", "ARC711")
    assert asked.code == 3
    assert "1 weight (16 B) was not read and may hold anything" in asked.error
    assert run(path, "--select", "ARC101").code == 0


def test_weights_that_were_left_out_are_told(tmp_path: Path) -> None:
    """Once for all rules: a tensor that lost its data, and in the notes one that has only dims."""
    bare = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 2])
    graph = graph_from(helper.make_model(graph_of([product()], bare)), tmp_path)
    for rule in (NonFiniteWeights(), DenormalWeights(), PlaceholderWeights()):
        assert found(rule, graph) == []
        assert graph.unread_weights == (
            "1 weight (16 B) was not read and may hold anything: tensor 'w': it has no data of its "
            "dims"
        )
    declared = load(from_text("g (float[1,2] x) => (y) <float[2,3] w> { y = MatMul (x, w) }"))
    assert found(NonFiniteWeights(), declared) == []
    assert declared.unread_weights == ""
    assert declared.notes == ("weights declared without data, their shapes used: 1",)


def test_many_broken_weights_are_one_finding(tmp_path: Path) -> None:
    """Of 9 matrices, each with 1 NaN and 1 infinite number, those of the first 8 are named."""
    array = np.array([[np.nan, 1], [2, np.inf]], np.float32)
    tensors = [numpy_helper.from_array(array, f"w{place}") for place in range(9)]
    names = ["x", *[f"t{place}" for place in range(8)], "y"]
    nodes = [
        make_node("MatMul", [names[place], f"w{place}"], [names[place + 1]]) for place in range(9)
    ]
    model = model_of(graph_of(nodes, *tensors))
    (finding,) = found(NonFiniteWeights(), graph_from(model, tmp_path))
    assert finding.message == (
        "9 of 9 weights hold 9 NaN and 9 infinite numbers: "
        + ", ".join(f"'w{place}'" for place in range(8))
        + " and 1 more"
    )
    assert len(finding.nodes) == 8


def test_the_slowdown_is_that_of_the_formula(tmp_path: Path) -> None:
    """Of 4 weights of a matrix 1 is denormal; another matrix has as many MACs and none. Each
    product does 4 MACs and moves 16 bytes of weights, 8 that it reads and 8 that it writes."""
    array = np.array([[1, 2], [3, 1e-40]], np.float32)
    nodes = [make_node("MatMul", ["x", "v"], ["t"]), make_node("MatMul", ["t", "w"], ["y"])]
    tensors = numpy_helper.from_array(array, "w"), numpy_helper.from_array(array * 0 + 1, "v")
    graph = graph_from(model_of(graph_of(nodes, *tensors)), tmp_path)
    (finding,) = found(DenormalWeights(), graph)
    times = 1 + 3000 * 4 / 16 * (1 - 0.75**16) / (2 * (4 + 4 * 32))
    assert finding.evidence == {"denormal": 1, "slowdown": round(times, 2)}
    assert f"{times:.1f} times as long" in finding.message
    assert found(DenormalWeights(min_slowdown=times), graph) == []


def test_weights_are_read_on_request_alone() -> None:
    """Whatever the groups of the rules are; a code, a prefix and ALL are requests."""
    reading = {rule.code for rule in all_rules() if rule.reads_weights}
    assert reading == {"ARC104", "ARC709", "ARC711", "ARC713", "ARC715"}
    chosen = {rule.code for rule in choose_rules()}
    assert not reading & chosen
    assert chosen == {rule.code for rule in all_rules() if is_default(rule)}
    for selector, meant in (("ALL", reading), ("ARC7", reading - {"ARC104"})):
        assert meant <= {rule.code for rule in choose_rules([selector])}
    assert [rule.code for rule in choose_rules(["non-finite-weights"])] == ["ARC711"]


def test_a_graph_without_tallies_has_no_weights_to_read() -> None:
    """The graph of a body, or one that was put together by hand."""
    graph = load(from_text("g (float[1,2] x) => (y) <float[2,3] w> { y = MatMul (x, w) }"))
    bare = replace(graph, tallies=None)
    assert found(NonFiniteWeights(), bare) == []
    assert bare.unread_weights == ""
