"""Activations written as several operators: which they are, and that the proposal computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from archlint.analyzer.activations import activation_after
from archlint.analyzer.cost import count
from archlint.analyzer.engine import accepted
from archlint.analyzer.engine import run as run_rules
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.splicing import splice
from archlint.analyzer.written_out import HARD_SWISH, written_out
from archlint.rules.wide_convolution import WideConvolution
from archlint.rules.written_out_activation import WrittenOutActivation

SIXTH = pytest.approx(1 / 6)
SLOPES = {"alpha": SIXTH, "beta": pytest.approx(0.5)}
NUMBERS = """float zero = {0}, float three = {3}, float six = {6}, float sixth = {0.16666667},
float half = {0.5}, float one = {1}, float below = {-6}"""
RELU6 = "a = Add (x, three) b = Clip (a, zero, six)"

# What exporters write, with the operator and its attributes.
FORMS = {
    "torch before opset 14": (f"{RELU6} c = Mul (x, b) y = Div (c, six)", "HardSwish", {}),
    "divided first": (f"{RELU6} c = Div (b, six) y = Mul (x, c)", "HardSwish", {}),
    "times a sixth": (f"{RELU6} c = Mul (sixth, b) y = Mul (c, x)", "HardSwish", {}),
    "x divided first": (f"{RELU6} c = Div (x, six) y = Mul (c, b)", "HardSwish", {}),
    "constants in front": (
        "a = Add (three, x) b = Clip (a, zero, six) c = Mul (b, x) y = Mul (sixth, c)",
        "HardSwish",
        {},
    ),
    "Min and Max": (
        "a = Add (x, three) b = Max (a, zero) c = Min (six, b) d = Mul (x, c) y = Div (d, six)",
        "HardSwish",
        {},
    ),
    "Min of a Relu": (
        "a = Add (x, three) b = Relu (a) c = Min (b, six) d = Mul (x, c) y = Div (d, six)",
        "HardSwish",
        {},
    ),
    "hard swish of other slopes": (
        f"{RELU6.replace('(x, three)', '(x, six)')} c = Mul (x, b) y = Div (c, six)",
        "HardSwish",
        {"alpha": SIXTH, "beta": 1.0},
    ),
    "hard sigmoid": (f"{RELU6} y = Div (b, six)", "HardSigmoid", SLOPES),
    "hard sigmoid scaled first": (
        "a = Mul (x, sixth) b = Add (a, half) y = Clip (b, zero, one)",
        "HardSigmoid",
        SLOPES,
    ),
    "a negative slope": (
        "a = Sub (x, three) b = Clip (a, below, zero) y = Div (b, below)",
        "HardSigmoid",
        {"alpha": pytest.approx(-1 / 6), "beta": 0.5},
    ),
    "leaky": ("a = Mul (sixth, x) y = Max (x, a)", "LeakyRelu", {"alpha": SIXTH}),
    "bounded": ("a = Max (x, zero) y = Min (a, six)", "Clip", {}),
}


def model_of(nodes: str, opset: int = 17) -> Model:
    return from_text(
        f"""<ir_version: 8, opset_import: ["" : {opset}]>
        agraph (float[1,64,40,40] x) => (float[1,64,40,40] y) <{NUMBERS}> {{ {nodes} }}"""
    )


def followed(rule: Rule, model: Model) -> ModelProto:
    """The model with what a rule proposes."""
    costs = count(load(model))
    proposals = accepted(run_rules([rule], RuleContext(costs.graph, costs)))
    assert proposals
    return splice(model, proposals).proto


def run(proto: ModelProto) -> NDArray[Any]:
    """What it makes of numbers from −8 to 8."""
    maps = np.linspace(-8, 8, 64 * 40 * 40, dtype=np.float32).reshape(1, 64, 40, 40)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (result,) = session.run(None, {"x": maps})
    return np.asarray(result)


@pytest.mark.parametrize(("nodes", "op_type", "attributes"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("opset", [12, 17])
def test_forms(nodes: str, op_type: str, attributes: dict[str, float], opset: int) -> None:
    """Each is recognised as its operator; before opset 14 HardSwish has slopes to be written by."""
    graph = load(model_of(nodes, opset))
    (whole,) = written_out(graph).values()
    told = whole.activation.attributes
    assert (whole.activation.op_type, whole.source) == (op_type, "x")
    usual = op_type == "HardSwish" and not attributes
    assert told == (SLOPES if usual and opset < HARD_SWISH else attributes)
    assert set(whole.nodes) == set(graph.operators())


@pytest.mark.parametrize(("nodes", "op_type", "attributes"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("opset", [12, 17])
def test_the_operator_computes_the_same(
    nodes: str, op_type: str, attributes: dict[str, float], opset: int
) -> None:
    """onnxruntime makes the same map of the proposal, of fewer operators."""
    del op_type, attributes
    model = model_of(nodes, opset)
    proto = followed(WrittenOutActivation(), model)
    assert len(proto.graph.node) < len(model.proto.graph.node)
    np.testing.assert_allclose(run(proto), run(model.proto), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(f"{RELU6} c = Mul (x, b) y = Mul (c, x)", id="x-twice"),
        pytest.param(f"{RELU6} c = Mul (x, b) y = Add (c, six)", id="a-sum-behind-the-gate"),
        pytest.param(f"{RELU6} c = Add (x, six) d = Mul (c, b) y = Div (d, six)", id="shifted"),
        pytest.param(f"{RELU6} c = Mul (b, b) y = Div (c, six)", id="a-square"),
        pytest.param("a = Mul (x, zero) y = Max (x, a)", id="no-slope"),
        pytest.param("a = Add (x, three) y = Max (x, a)", id="the-larger-of-two-sums"),
        pytest.param("a = Div (three, x) y = Clip (a, zero, six)", id="divided-by-x"),
        pytest.param("a = Relu (x) y = Relu (a)", id="two-in-a-row"),
    ],
)
def test_other_functions(nodes: str) -> None:
    """What only looks like one is none."""
    assert not written_out(load(model_of(nodes)))


def test_two_of_one_value() -> None:
    """Each of two activations of a value is found, in topological order."""
    shared = f"{RELU6} c = Mul (x, b) d = Div (c, six) e = Mul (sixth, x) f = Max (e, x)"
    found = written_out(load(model_of(f"{shared} y = Add (d, f)"))).values()
    assert [whole.activation.op_type for whole in found] == ["HardSwish", "LeakyRelu"]


def test_a_single_hard_sigmoid_and_its_product() -> None:
    """HardSigmoid and Mul are HardSwish to those who ask what follows, and no fault."""
    model = model_of("a = HardSigmoid <alpha = 0.16666667> (x) y = Mul (x, a)")
    costs = count(load(model))
    (whole,) = written_out(costs.graph).values()
    assert whole.activation.op_type == "HardSwish"
    assert not list(WrittenOutActivation().match(RuleContext(costs.graph, costs)))


@pytest.mark.parametrize(("opset", "written"), [(12, ["HardSigmoid", "Mul"]), (17, ["HardSwish"])])
def test_proposals_have_the_activation_of_the_network(opset: int, written: list[str]) -> None:
    """Behind a scale and a shift too; the 1×1 that ARC101 proposes is followed by the same."""
    model = from_text(
        f"""<ir_version: 8, opset_import: ["" : {opset}]>
        agraph (float[1,256,28,28] x) => (float[1,128,28,28] y)
        <{NUMBERS}, float[128,256,3,3] w, float[1] k, float[1] d> {{
            c = Conv <pads = [1,1,1,1]> (x, w)
            m = Mul (k, c)
            s = Add (m, d)
            {RELU6.replace("(x", "(s")}
            g = Mul (s, b)
            y = Div (g, six)
        }}"""
    )
    costs = count(load(model))
    conv = next(node for node in costs.graph.nodes if node.op_type == "Conv")
    assert activation_after(costs.graph, conv).op_type == "HardSwish"
    (proposal,) = accepted(run_rules([WideConvolution()], RuleContext(costs.graph, costs)))
    made = [n.op_type for n in proposal.graph.node if n.op_type != "ConstantOfShape"]
    assert made == ["Conv", *written, "Conv"]
