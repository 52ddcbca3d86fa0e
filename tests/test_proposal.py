"""Proposals: how they are priced, drawn, written as PyTorch and spliced into a model."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import pytest

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.engine import run
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, Priced, Proposal, price
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.snippet import pytorch
from archlint.analyzer.splicing import splice
from archlint.config import choose_rules
from archlint.configuration import configure


def counted(text: str) -> CostTable:
    return count(load(from_text(text)))


def conv_then(activation: str, extra: str = "") -> str:
    """A wide convolution with something behind it."""
    return f"""agraph (float[1,128,28,28] x) => (float[1,128,28,28] y)
        <float[128,128,3,3] w{extra}> {{
            [conv] a = Conv <pads = [1,1,1,1]> (x, w)
            {activation}
        }}"""


def first(text: str, *select: str) -> Priced:
    costs = counted(text)
    (finding, *_) = run(choose_rules(select), RuleContext(costs.graph, costs))
    assert finding.priced is not None
    return finding.priced


@pytest.mark.parametrize(
    ("activation", "extra", "module", "step"),
    [
        pytest.param("y = Relu (a)", "", "nn.ReLU()", "Relu", id="relu"),
        pytest.param("y = LeakyRelu <alpha = 0.1> (a)", "", "nn.LeakyReLU(0.1)", "LeakyRelu",
                     id="leaky-relu"),
        pytest.param("s = Sigmoid (a)\n y = Mul (a, s)", "", "nn.SiLU()", "Sigmoid", id="silu"),
        pytest.param("y = HardSwish (a)", "", "nn.Hardswish()", "HardSwish", id="hard-swish"),
        pytest.param(
            "l = Constant <value = float {0.0}> ()\n h = Constant <value = float {6.0}> ()\n"
            "y = Clip (a, l, h)", "", "nn.ReLU6()", "Clip", id="relu6",
        ),
        pytest.param("y = PRelu (a, p)", ", float[128,1,1] p", "nn.PReLU(32)", "PRelu", id="prelu"),
        pytest.param(
            "n = BatchNormalization (a, g, b, m, v)\n y = Elu (n)",
            ", float[128] g, float[128] b, float[128] m, float[128] v", "nn.ELU()", "Elu",
            id="behind-a-normalisation",
        ),
        pytest.param("y = Identity (a)", "", "nn.ReLU()", "Relu", id="none-found"),
    ],
)  # fmt: skip
def test_the_networks_own_activation_is_proposed(
    activation: str, extra: str, module: str, step: str
) -> None:
    """Between the 1×1 and the k×k stands the activation that follows the convolution."""
    priced = first(conv_then(activation, extra))
    assert [line.strip().rstrip(",") for line in priced.snippet.splitlines()] == [
        "nn.Sequential(",
        "nn.Conv2d(128, 32, 1, bias=False)",
        module,
        "nn.Conv2d(32, 128, 3, padding=1, bias=False)",
        ")",
    ]
    texts = [entry.text for entry in priced.steps]
    assert texts[0] == "1×1 conv 128→32"
    assert texts[1] == step
    assert texts[-1] == "3×3 conv 32→128"
    assert [entry.macs for entry in priced.steps if entry.macs] == [
        28 * 28 * 128 * 32,
        28 * 28 * 32 * 9 * 128,
    ]


@pytest.mark.parametrize(
    ("attributes", "arguments"),
    [
        pytest.param("pads = [2,1,2,1]", "padding=(2, 1), bias=False", id="rectangular-padding"),
        pytest.param("strides = [2,2]", "stride=2, bias=False", id="stride"),
        pytest.param("dilations = [2,2]", "dilation=2, bias=False", id="dilation"),
        pytest.param("group = 8", "groups=8, bias=False", id="groups"),
    ],
)
def test_snippet_of_a_convolution(attributes: str, arguments: str) -> None:
    """Arguments that differ from torch's defaults are written, others are not."""
    group = 8 if "group" in attributes else 1
    graph = counted(
        f"""agraph (float[1,16,9,9] x) => (float[1,32,h,w] y) <float[32,{16 // group},3,3] w> {{
            y = Conv <{attributes}> (x, w)
        }}"""
    ).graph
    assert pytorch(graph) == f"nn.Sequential(\n    nn.Conv2d(16, 32, 3, {arguments}),\n)"


@pytest.mark.parametrize(
    ("nodes", "modules"),
    [
        pytest.param("y = HardSigmoid <alpha = 0.16666667> (x)", "nn.Hardsigmoid()", id="torchs"),
        pytest.param("y = HardSigmoid (x)", "", id="the-slope-of-onnx-which-torch-lacks"),
        pytest.param(
            "s = HardSigmoid <alpha = 0.16666667> (x) y = Mul (s, x)", "nn.Hardswish()", id="gated"
        ),
        pytest.param("s = Sigmoid (x) y = Mul (x, s)", "nn.SiLU()", id="silu"),
        pytest.param("s = Sigmoid (x) y = Add (x, s)", "", id="a-sum"),
        pytest.param("y = Clip (x, zero)", "nn.Hardtanh(0.0, float('inf'))", id="no-upper-bound"),
        pytest.param("y = Clip (x, , zero)", "nn.Hardtanh(float('-inf'), 0.0)", id="no-lower"),
    ],
)
def test_snippet_of_an_activation(nodes: str, modules: str) -> None:
    """Modules that compute the same as torch defines them, or none."""
    graph = counted(
        f"""<ir_version: 8, opset_import: ["" : 17]>
        agraph (float[1,8] x) => (float[1,8] y) <float zero = {{0.0}}> {{ {nodes} }}"""
    ).graph
    assert pytorch(graph) == (f"nn.Sequential(\n    {modules},\n)" if modules else "")


def test_snippet_of_uneven_padding() -> None:
    """torch pads both sides alike: uneven padding is a module, left, right, top, bottom."""
    graph = counted(
        """agraph (float[1,16,8,8] x) => (float[1,32,4,4] y) <float[32,16,3,3] w> {
            y = Conv <auto_pad = "SAME_UPPER", strides = [2,2]> (x, w)
        }"""
    ).graph
    explicit = counted(
        """agraph (float[1,16,8,8] x) => (float[1,32,4,4] y) <float[32,16,3,3] w> {
            y = Conv <pads = [0,0,1,1], strides = [2,2]> (x, w)
        }"""
    ).graph
    assert graph.value("y").shape == explicit.value("y").shape == (1, 32, 4, 4)
    assert pytorch(explicit).splitlines()[1:-1] == [
        "    nn.ZeroPad2d((0, 1, 0, 1)),",
        "    nn.Conv2d(16, 32, 3, stride=2, bias=False),",
    ]


def test_snippet_is_empty_for_what_it_cannot_write() -> None:
    """No half of a module is shown."""
    graph = counted(
        """agraph (float[1,16,8,8] x) => (float[1,16,8,8] y) { y = LRN <size = 5> (x) }"""
    ).graph
    assert pytorch(graph) == ""


def test_splice_keeps_inner_names_apart() -> None:
    """Two proposals with equal inner names, and values of the model that bear them, stay apart."""
    model = from_text(
        """agraph (float[1,8,4,4] x) => (float[1,8,4,4] y) <float[8,8,3,3] v, float[8,8,3,3] w> {
            [conv_out] relu_out = Conv <pads = [1,1,1,1]> (x, v)
            y = Conv <pads = [1,1,1,1]> (relu_out, w)
        }"""
    )
    costs = count(load(model))
    proposals = []
    for node in costs.graph.nodes:
        builder = GraphBuilder("pointwise", reserved=node.outputs)
        value = builder.relu(builder.conv(builder.input(node.inputs[0], (1, 8, 4, 4)), 2, 1))
        builder.conv(value, 8, 1, output=node.outputs[0])
        builder.output(node.outputs[0])
        proposals.append(Proposal("1×1", FixKind.RETRAIN, (node,), builder.graph()))
    after = count(load(splice(model, proposals)))
    assert after.total().macs == 2 * 4 * 4 * (8 * 2 + 2 * 8)
    assert after.graph.value("y").shape == (1, 8, 4, 4)
    onnx.checker.check_model(splice(model, proposals).proto)


def test_a_proposal_without_a_graph_costs_nothing() -> None:
    """Removing nodes with their output saves what they cost."""
    text = """agraph (float[4,8] x) => (float[4,2] y, float[4,3] z)
        <float[8,2] v, float[8,3] w> {
            y = MatMul (x, v)
            z = MatMul (x, w)
        }"""
    costs = counted(text)
    proposal = Proposal("without z", FixKind.EQUIVALENT, (costs.graph.nodes[1],), drops=("z",))
    priced = price(proposal, costs)
    assert (priced.saved_macs, priced.saved_parameters) == (4 * 8 * 3, 8 * 3)
    after = load(splice(Model("text", from_text(text).proto, 0), [proposal]))
    assert after.outputs == ("y",)
    assert [node.op_type for node in after.nodes] == ["MatMul"]


def test_a_proposal_has_the_data_type_of_the_model() -> None:
    """Half-precision models get half-precision proposals: two bytes a weight."""
    priced = first(
        """agraph (float16[1,128,28,28] x) => (float16[1,128,28,28] y)
        <float16[128,128,3,3] w> {
            l = Constant <value = float16 {0}> ()
            h = Constant <value = float16 {6}> ()
            [conv] a = Conv <pads = [1,1,1,1]> (x, w)
            y = Clip (a, l, h)
        }"""
    )
    assert priced.before.weight_bytes == 2 * 128 * 9 * 128
    assert priced.after.weight_bytes == 2 * (128 * 32 + 32 * 9 * 128)


def test_a_convolution_whose_kernel_is_computed_is_left_alone() -> None:
    """No proposal takes the place of weights that the network itself makes."""
    costs = counted(
        """agraph (float[1,192,28,28] x, float[32,192,5,5] k) => (float[1,32,28,28] y) {
            y = Conv <pads = [2,2,2,2]> (x, k)
        }"""
    )
    assert run(choose_rules(["ALL"]), RuleContext(costs.graph, costs)) == []


def alternatives(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """What is shown beside findings by these options of the command line."""
    chosen = configure(isolated=True, select=select, ignore=ignore).chosen("m.onnx")
    return tuple(chosen.alternatives)


def test_a_rule_that_is_not_selected_only_adds_alternatives() -> None:
    """What is pedantic finds nothing by default; its proposal stands beside others' findings."""
    costs = counted(conv_then("y = Relu (a)"))
    context = RuleContext(costs.graph, costs)
    (finding,) = run(choose_rules(), context, alternatives())
    assert finding.code == "ARC101"
    (other,) = [entry for entry in finding.alternatives if entry.code == "ARC103"]
    assert other.priced.after.macs == 28 * 28 * 128 * (9 + 128)
    assert run([], context, alternatives()) == []
    (ignoring,) = run(choose_rules(), context, alternatives(ignore=["ARC103"]))
    assert "ARC103" not in {entry.code for entry in ignoring.alternatives}
    assert alternatives(select=["ARC101"]) == ()
