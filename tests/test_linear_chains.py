"""What is said to be equivalent is: onnxruntime computes the same with the layer proposed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from archlint.analyzer.builder import IR_VERSION, OPSET, GraphBuilder
from archlint.analyzer.cost import count
from archlint.analyzer.graph import Node
from archlint.analyzer.load import load
from archlint.analyzer.proposal import Proposal, as_model
from archlint.analyzer.reader import Model
from archlint.analyzer.rule import Rule, RuleContext
from archlint.rules.collapsible_pair import CollapsiblePair
from archlint.rules.unmerged_branches import UnmergedBranches

CHANNELS, SIDE, RANDOM = 4, 9, 2
BATCH = CHANNELS * 9 + 1 + RANDOM  # an impulse for each tap of a 3×3, an empty map, random ones

Write = Callable[[GraphBuilder, str], str]


def model_of(write: Write) -> ModelProto:
    """A network with random weights on small maps."""
    builder = GraphBuilder("small", weights="random")
    x = builder.input("x", (BATCH, CHANNELS, SIDE, SIDE))
    builder.output(builder.relu(write(builder, x)))
    return builder.model()


def proposed(rule: type[Rule], model: ModelProto) -> list[Proposal]:
    costs = count(load(Model("small", model, 0)))
    context = RuleContext(costs.graph, costs)
    found = (rule().propose(match, context) for match in rule().match(context))
    return [proposal for proposal in found if proposal is not None]


def run(nodes: ModelProto, output: str, maps: NDArray[Any]) -> NDArray[Any]:
    """What a model makes of the maps under another output."""
    changed = ModelProto()
    changed.CopyFrom(nodes)
    del changed.graph.output[:]
    changed.graph.output.add(name=output).type.tensor_type.elem_type = 1
    session = onnxruntime.InferenceSession(changed.SerializeToString())
    (result,) = session.run(None, {"x": maps})
    return np.asarray(result)


def conv_of(proposal: Proposal) -> Node:
    """The convolution that a proposal consists of."""
    (node,) = load(Model("proposal", as_model(proposal, OPSET), 0)).operators()
    return node


def impulses(conv: Node) -> tuple[NDArray[Any], tuple[int, int]]:
    """One map for each input channel and tap with a 1 where the tap reads it for the middle output,
    one of zeros, and random ones; and where the middle output is."""
    (height, width), (stride, _) = conv.attributes["kernel_shape"], conv.attributes["strides"]
    top, left, *_ = conv.attributes["pads"]
    step, _ = conv.attributes["dilations"]
    middle = SIDE // 2 // stride
    maps = np.zeros((BATCH, CHANNELS, SIDE, SIDE), np.float32)
    for place, (channel, i, j) in enumerate(product(range(CHANNELS), range(height), range(width))):
        maps[
            place, channel, stride * middle - top + step * i, stride * middle - left + step * j
        ] = 1
    maps[-RANDOM:] = np.random.default_rng(1).standard_normal((RANDOM, CHANNELS, SIDE, SIDE))
    return maps, (middle, middle)


def assert_equivalent(model: ModelProto, proposal: Proposal) -> None:
    """The kernel and the bias that the impulses show, in the geometry and the groups proposed, give
    what the model gives on random maps, borders included."""
    conv = conv_of(proposal)
    maps, (row, column) = impulses(conv)
    (output,) = conv.outputs
    expected = run(model, output, maps)
    bias = expected[-RANDOM - 1, :, row, column]
    size = conv.attributes["kernel_shape"]
    taps = CHANNELS * size[0] * size[1]
    kernel = (expected[:taps, :, row, column] - bias).T.reshape(-1, CHANNELS, *size)
    groups = conv.attributes["group"]
    own = [
        kernel[o, o * groups // len(kernel) * (CHANNELS // groups) :][: CHANNELS // groups]
        for o in range(len(kernel))
    ]
    inputs = ["x", "w", "b"] if conv.input(2) else ["x", "w"]
    assert conv.input(2) or np.allclose(bias, 0)
    node = helper.make_node("Conv", inputs, [output], **conv.attributes)
    given = [np.stack(own), bias][: len(inputs) - 1]
    weights = [numpy_helper.from_array(w, name) for w, name in zip(given, "wb", strict=False)]
    graph = helper.make_graph([node], "one", model.graph.input, model.graph.output, weights)
    imports = [helper.make_opsetid("", OPSET)]
    one = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=imports)
    assert np.allclose(run(one, output, maps), expected, atol=1e-4)


def branches(*parts: Write) -> Write:
    def write(builder: GraphBuilder, x: str) -> str:
        first, *others = [part(builder, x) for part in parts]
        for other in others:
            first = builder.node("Add", first, other)
        return first

    return write


def conv(kernel: int, **options: Any) -> Write:
    def write(builder: GraphBuilder, x: str) -> str:
        return builder.conv(x, CHANNELS, kernel, **options)

    return write


def normed(part: Write) -> Write:
    return lambda builder, x: builder.batch_norm(part(builder, x))


def same(_: GraphBuilder, x: str) -> str:
    return x


def scaled(part: Write) -> Write:
    def write(builder: GraphBuilder, x: str) -> str:
        value = builder.node("Mul", part(builder, x), builder.weight("scale", (CHANNELS, 1, 1)))
        return builder.node("Add", builder.weight("shift", (1, CHANNELS, 1, 1)), value)

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(branches(conv(3), conv(1)), id="two-convolutions"),
        pytest.param(
            branches(normed(conv(3, bias=False)), normed(conv(1, bias=False)), normed(same)),
            id="repvgg",
        ),
        pytest.param(branches(conv(3, bias=False), same), id="identity"),
        pytest.param(branches(conv(3, bias=False), scaled(same)), id="scale-and-shift"),
        pytest.param(
            branches(conv(1, stride=2, bias=False), conv(3, stride=2, bias=False)), id="stride"
        ),
        pytest.param(branches(conv(3, groups=4), conv(1, groups=4), normed(same)), id="depthwise"),
        pytest.param(branches(conv(3, groups=2), conv(1, groups=4)), id="two-groupings"),
        pytest.param(branches(conv(3, dilations=2), conv(1), same), id="dilation"),
        pytest.param(branches(conv(3, pads=[0, 1, 2, 1]), conv(1)), id="off-centre"),
        pytest.param(
            branches(conv([1, 3], bias=False), conv(3, bias=False), conv([3, 1])),  # type: ignore[arg-type]  # sizes by axis
            id="asymmetric",
        ),
    ],
)
def test_merged_branches_compute_the_same(write: Write) -> None:
    """The sum of branches is the convolution proposed."""
    model = model_of(write)
    (proposal,) = proposed(UnmergedBranches, model)
    assert_equivalent(model, proposal)


OPTIONS = [
    {"kernel": kernel, "stride": stride, "pads": pads, "bias": bias, "groups": groups}
    for kernel, stride, pads, bias, groups in product((1, 3), (1, 2), (0, 1), (False, True), (1, 2))
]


def test_collapsed_convolutions_compute_the_same() -> None:
    """Of the pairs of 32 and 8 convolutions, those that are said to collapse do."""
    exact = 0
    seconds = [options for options in OPTIONS if options["bias"] and options["groups"] == 2]
    for first, second in product(OPTIONS, seconds):
        model = model_of(
            lambda builder, x, a=first, b=second: builder.conv(  # type: ignore[misc]  # two given
                builder.conv(x, CHANNELS, **a), CHANNELS, **b
            )
        )
        for proposal in proposed(CollapsiblePair, model):
            assert_equivalent(model, proposal)
            exact += 1
    assert exact > 50


@pytest.mark.parametrize(
    ("between", "bias"),
    [
        pytest.param(lambda _, x: x, False, id="nothing"),
        pytest.param(
            lambda builder, x: builder.node("Add", builder.weight("b", (8,)), x), True, id="bias"
        ),
        pytest.param(
            lambda builder, x: builder.node("Mul", x, builder.weight("b", (1, 8))), False,
            id="scale",
        ),
    ],
)  # fmt: skip
def test_collapsed_products_compute_the_same(between: Write, *, bias: bool) -> None:
    """x·V·W is x·(V·W); what is added on the way becomes a bias."""
    builder = GraphBuilder("small", weights="random")
    x = builder.input("x", (6, 3))
    value = builder.node("MatMul", x, builder.weight("v", (3, 8)))
    value = builder.node("MatMul", between(builder, value), builder.weight("w", (8, 2)))
    builder.output(value)
    model = builder.model()
    (proposal,) = proposed(CollapsiblePair, model)
    operators = [node.op_type for node in proposal.graph.node if node.op_type != "ConstantOfShape"]
    assert operators == (["MatMul", "Add"] if bias else ["MatMul"])
    maps = np.concatenate([np.eye(3), np.zeros((1, 3)), np.full((2, 3), [2.0, -1.0, 0.5])])
    found = run(model, value, maps.astype(np.float32))
    weight = found[:3] - found[3]
    assert bias or np.allclose(found[3], 0)
    assert np.allclose(found[4:], maps[4:] @ weight + found[3], atol=1e-4)
