"""What rules ask of a graph: chains of pointwise operators, branches, blocks."""

from __future__ import annotations

import pytest

from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.patterns import branches, ends_in_addition, in_reduced_branch
from archlint.analyzer.reader.text import from_text


def graph_of(nodes: str) -> Graph:
    """Nodes on a map of 64 channels, with weights for a 1×1 and a 3×3 that keep them."""
    return load(
        from_text(
            "agraph (float[1,64,8,8] x) => (y) "
            "<float[64,64,1,1] p, float[64,64,3,3] w, float[64] c, float[1,64,1,1] s> {"
            f"{nodes} }}"
        )
    )


CONV = "Conv <pads = [1,1,1,1]>"
GELU = (
    "d = Div (a, s) e = Erf (d) f = Add (e, s) g = Mul (a, f) h = Mul (g, s)"  # x·(erf(x/√2)+1)/2
)


@pytest.mark.parametrize(
    ("between", "last", "flows"),
    [
        pytest.param("", "a", True, id="directly"),
        pytest.param("b = Relu (a)", "b", True, id="activation"),
        pytest.param("b = BatchNormalization (a, c, c, c, c)", "b", True, id="normalisation"),
        pytest.param("b = Mul (a, s) d = Add (b, s)", "d", True, id="scale-and-shift"),
        pytest.param("b = Sigmoid (a) d = Mul (a, b)", "d", True, id="silu"),
        pytest.param(GELU, "h", True, id="gelu"),
        pytest.param("b, d = Split <axis = 1, num_outputs = 2> (a)", "d", True, id="split"),
        pytest.param("b = MaxPool <kernel_shape = [1,1]> (a)", "b", False, id="pooling"),
        pytest.param("b = Concat <axis = 1> (a, x)", "b", False, id="concatenation"),
        pytest.param("b = Add (a, x)", "b", False, id="sum-of-two-branches"),
        pytest.param("m = GlobalAveragePool (a) b = Mul (a, m)", "b", False, id="gate-of-a-mean"),
    ],
)
def test_what_flows_through_pointwise_operators(between: str, last: str, flows: bool) -> None:
    """A convolution feeds another through operators that work on each element, and no others."""
    graph = graph_of(f"[head] a = Conv (x, p) {between} [tail] y = Relu ({last})")
    found = branches(graph).convs.get(last)
    assert (found is not None and found.name == "head") is flows


@pytest.mark.parametrize(
    ("nodes", "reduced"),
    [
        pytest.param(f"[conv] y = {CONV} (x, w)", False, id="an-input"),
        pytest.param(f"a = Conv (x, p) [conv] y = {CONV} (a, w)", True, id="a-1x1"),
        pytest.param(
            f"a = Conv (x, p) b = {CONV} (a, w) d = Relu (b) [conv] y = {CONV} (d, w)", True,
            id="a-1x1-and-a-3x3",
        ),
        pytest.param(f"a = {CONV} (x, w) [conv] y = {CONV} (a, w)", False, id="a-3x3"),
        pytest.param(
            f"a = Conv (x, p) b = Add (a, x) [conv] y = {CONV} (b, w)", False, id="a-shortcut",
        ),
    ],
)  # fmt: skip
def test_reduced_branches(nodes: str, reduced: bool) -> None:
    """A 1×1 at the head of the chain of convolutions reduces all of it."""
    graph = graph_of(nodes)
    (conv,) = [node for node in graph.nodes if node.name == "conv"]
    assert in_reduced_branch(graph, conv) is reduced


@pytest.mark.parametrize(
    ("nodes", "residual"),
    [
        pytest.param(f"[conv] a = {CONV} (x, w) y = Add (a, x)", True, id="identity"),
        pytest.param(
            f"[conv] a = {CONV} (x, w) b = Relu (a) d = {CONV} (b, w) y = Add (d, x)", True,
            id="two-convolutions",
        ),
        pytest.param(f"[conv] a = {CONV} (x, w) y = Add (a, s)", False, id="a-bias"),
        pytest.param(f"[conv] a = {CONV} (x, w) y = Relu (a)", False, id="a-plain-stack"),
        pytest.param(
            f"[conv] a = {CONV} (x, w) b = Concat <axis = 1> (a, x) y = Add (b, b)", False,
            id="joined-otherwise",
        ),
    ],
)  # fmt: skip
def test_residual_blocks(nodes: str, residual: bool) -> None:
    """A block is residual if what it makes is added to another branch first of all."""
    graph = graph_of(nodes)
    (conv,) = [node for node in graph.nodes if node.name == "conv"]
    assert ends_in_addition(graph, conv) is residual


def test_long_chains_of_gates_take_one_pass() -> None:
    """A thousand gates on gates end: each is looked at once, not once for every path to it."""
    gates = [f"g{i} = Relu (v{i}) v{i + 1} = Mul (v{i}, g{i})" for i in range(1000)]
    graph = graph_of(f"[head] v0 = Conv (x, p) {' '.join(gates)} y = Relu (v1000)")
    assert branches(graph).convs["v1000"].name == "head"
