"""Scopes: the module of a node from metadata, names of nodes or names of weights."""

from __future__ import annotations

import pytest
from onnx import NodeProto, helper

from archlint.analyzer.cost import count
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.scopes import scope_of


def node(name: str = "", *inputs: str, scopes: str | None = None) -> NodeProto:
    """A node with what may tell its scope."""
    made = helper.make_node("Op", list(inputs), ["y"], name=name)
    if scopes is not None:
        made.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
    return made


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        # torch.onnx's TorchScript exporter repeats the parent's name in that of the child
        pytest.param("/layer1/layer1.0/conv1/Conv", ("layer1", "0", "conv1"), id="repeated-parent"),
        pytest.param("/model/layers.3/mlp/MatMul", ("model", "layers", "3", "mlp"), id="indexed"),
        pytest.param("/Relu", (), id="top-level"),
        pytest.param("Relu_12", (), id="no-path"),
        pytest.param("StatefulPartitionedCall/model/dense/MatMul",
                     ("StatefulPartitionedCall", "model", "dense"), id="tensorflow"),
        pytest.param("/a//b/Op", ("a", "b"), id="empty-part"),
        pytest.param("/layer10/layer1.0/Op", ("layer10", "layer1", "0"), id="prefix-of-a-number"),
    ],
)  # fmt: skip
def test_scope_from_the_name(name: str, scope: tuple[str, ...]) -> None:
    """The path in front of the operator is the scope."""
    assert scope_of(node(name), {}) == scope


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        pytest.param("['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']",
                     ("layer1", "0", "conv1"), id="torch"),
        pytest.param("['', 'relu']", (), id="top-level"),
        pytest.param("[]", (), id="empty"),
        pytest.param("not a list", ("from", "name"), id="broken"),
        pytest.param("{'a': 1}", ("from", "name"), id="no-list"),
        pytest.param("[1, 2]", ("from", "name"), id="no-names"),
        pytest.param("(" * 5000, ("from", "name"), id="too-deep"),
    ],
)  # fmt: skip
def test_scope_from_metadata(text: str, scope: tuple[str, ...]) -> None:
    """torch's metadata goes first; what cannot be read as a list of names falls back."""
    assert scope_of(node("/from/name/Op", scopes=text), {}) == scope


@pytest.mark.parametrize(
    ("inputs", "scope"),
    [
        pytest.param(["x", "layer1.0.conv1.weight"], ("layer1", "0", "conv1"), id="weight"),
        pytest.param(["x", "onnx::Conv_123", "fc.bias"], ("fc",), id="bias-only"),
        pytest.param(["layer1.0.weight", "w"], (), id="data-is-no-weight"),
        pytest.param(["x", "net.12"], (), id="no-parameter-name"),
        pytest.param(["made", "w"], ("block",), id="where-its-input-was-made"),
        pytest.param(["made", "fc.weight"], ("fc",), id="weight-before-input"),
        pytest.param(["", "made"], ("block",), id="first-known-input"),
        pytest.param([], (), id="nothing"),
    ],
)
def test_scope_of_a_nameless_node(inputs: list[str], scope: tuple[str, ...]) -> None:
    """Without a name the weights tell the scope, or the values that it reads."""
    assert scope_of(node("", *inputs), {"made": ("block",)}) == scope


def test_scopes_reach_the_groups() -> None:
    """Costs by scope add the nodes of a module, whatever told them."""
    weights = "float[5,5] fc, float[5,4] head"
    nodes = "a = MatMul(x, fc) b = Relu(a) y = MatMul(b, head)"
    model = from_text(f"g (float[7,5] x) => (y) <{weights}> {{ {nodes} }}")
    for place, name in ((0, "fc.weight"), (2, "head.weight")):
        model.proto.graph.node[place].input[1] = name
        model.proto.graph.value_info[place // 2].name = name
    groups = {group.name: group for group in count(load(model)).by_scope()}
    assert groups["fc"].cost.macs == 7 * 5 * 5
    assert groups["fc"].cost.ops == 7 * 5
    assert groups["head"].cost.macs == 7 * 5 * 4
    assert {name: group.parameters for name, group in groups.items()} == {
        "fc": 5 * 5, "head": 5 * 4,
    }  # fmt: skip


@pytest.mark.parametrize(("depth", "names"), [(1, ["a", ""]), (2, ["a.b", "a.c", ""])])
def test_scopes_are_cut_to_a_depth(depth: int, names: list[str]) -> None:
    """Nodes of deeper modules count to the module at the given depth."""
    model = from_text("g (float[4] x) => (y) { u = Relu(x) v = Relu(u) y = Relu(v) }")
    for made, name in zip(model.proto.graph.node, ["/a/b/c/Relu", "/a/c/Relu", "L"], strict=True):
        made.name = name
    groups = count(load(model)).by_scope(depth)
    assert [group.name for group in groups] == names
    assert sum(group.cost.ops for group in groups) == 3 * 4
