"""Scales and shifts beside a layer: which its weights can take in, and that it then does so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from archlint.analyzer.cost import count
from archlint.analyzer.engine import accepted
from archlint.analyzer.engine import run as run_rules
from archlint.analyzer.foldable import foldables
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import RuleContext
from archlint.analyzer.splicing import splice
from archlint.rules.unfolded_scale import UnfoldedScale

Numbers = NDArray[np.float32]
Weights = dict[str, Numbers]

MAP = "float[2,6,9,9]"
SHAPES = {
    "w": (6, 6, 3, 3), "p": (6, 6, 1, 1), "g": (6, 2, 3, 3), "d": (6, 1, 3, 3), "t": (6, 6, 2, 2),
    "b": (6,), "f": (6, 6), "k": (1,), "q": (6, 1, 1), "r": (1, 6, 1, 1), "u": (6,), "one": (),
    "o": (9,),
}  # fmt: skip
CONV = "Conv <pads = [1,1,1,1]>"


def bias_of(w: Weights) -> Numbers:
    return w["b"]


def by_out(weight: str, factor: str, *, divided: bool = False) -> Callable[[Weights], Numbers]:
    """A kernel [out, in, …] whose output channels are scaled."""

    def folded(w: Weights) -> Numbers:
        scale = 1 / w[factor] if divided else w[factor]
        return np.asarray(w[weight] * scale.reshape(-1, 1, 1, 1), np.float32)

    return folded


# Nodes from x to y, then the kernel and the bias that the layer alone needs: products written out.
FOLDED: dict[str, tuple[str, Callable[[Weights], Numbers], Callable[[Weights], Numbers] | None]] = {
    "one number, no bias": (f"c = {CONV} (x, w) y = Mul (k, c)", by_out("w", "k"), None),
    "a scale and a shift": (
        f"c = {CONV} (x, w, b) m = Mul (k, c) y = Add (m, q)",
        by_out("w", "k"),
        lambda w: w["b"] * w["k"] + w["q"].ravel(),
    ),
    "a shift and a scale": (
        f"c = {CONV} (x, w, b) m = Add (k, c) y = Mul (q, m)",
        by_out("w", "q"),
        lambda w: (w["b"] + w["k"]) * w["q"].ravel(),
    ),
    "divided and subtracted, depthwise": (
        "c = Conv <group = 6, pads = [1,1,1,1]> (x, d, b) m = Div (c, q) y = Sub (m, r)",
        by_out("d", "q", divided=True),
        lambda w: w["b"] / w["q"].ravel() - w["r"].ravel(),
    ),
    "subtracted from a number": (
        f"c = {CONV} (x, w, b) y = Sub (k, c)",
        lambda w: -w["w"],
        lambda w: w["k"] - w["b"],
    ),
    "in front of a convolution that pads": (
        f"m = Mul (x, q) y = {CONV} (m, w, b)",
        lambda w: w["w"] * w["q"].reshape(1, -1, 1, 1),
        bias_of,
    ),
    "in front of groups": (
        "m = Div (x, k) y = Conv <group = 3, pads = [1,1,1,1]> (m, g, b)",
        lambda w: w["g"] / w["k"],
        bias_of,
    ),
    "in front and behind, without padding": (
        "m = Mul (x, q) s = Add (k, m) c = Conv (s, p) y = Mul (r, c)",
        lambda w: w["p"] * w["q"].reshape(1, -1, 1, 1) * w["r"].reshape(-1, 1, 1, 1),
        lambda w: w["p"].sum((1, 2, 3)) * w["k"] * w["r"].ravel(),
    ),
    "a transposed convolution": (
        "c = ConvTranspose <strides = [2,2]> (x, t, b) m = Mul (c, q) y = Add (m, k)",
        lambda w: w["t"] * w["q"].reshape(1, -1, 1, 1),
        lambda w: w["b"] * w["q"].ravel() + w["k"],
    ),
    "Gemm with factors of its own": (
        "c = Gemm <alpha = 0.5, beta = 2.0, transB = 1> (z, f, b) y = Mul (c, u)",
        lambda w: 0.5 * w["f"] * w["u"].reshape(-1, 1),
        lambda w: 2 * w["b"] * w["u"],
    ),
    "MatMul, its bias and a scale": (
        "c = MatMul (z, f) a = Add (b, c) y = Mul (a, u)",
        lambda w: w["f"] * w["u"],
        lambda w: w["b"] * w["u"],
    ),
}


def model_of(nodes: str) -> Model:
    """A model whose weights are declared; x is a map and z a matrix."""
    weights = ", ".join(
        f"float{list(shape) if shape else ''} {name}" for name, shape in SHAPES.items()
    )
    given = "float[5,6] z" if "(z" in nodes else f"{MAP} x"
    numbers = "float zero = {0}, float three = {3}, float six = {6}"
    return from_text(f"agraph ({given}) => (y) <{weights}, {numbers}> {{ {nodes} }}")


def random_weights() -> Weights:
    random = np.random.default_rng(0)
    return {
        name: random.uniform(0.5, 1.5, shape).astype(np.float32) for name, shape in SHAPES.items()
    }


def with_weights(proto: ModelProto, weights: Weights) -> ModelProto:
    """The model with these numbers for its weights."""
    read = {name for node in proto.graph.node for name in node.input}
    graph = helper.make_graph(
        [node for node in proto.graph.node if node.op_type != "ConstantOfShape"],
        "small",
        proto.graph.input,
        proto.graph.output,
        [numpy_helper.from_array(n, name) for name, n in weights.items() if name in read],
    )
    imports = proto.opset_import
    return helper.make_model(graph, opset_imports=imports, ir_version=proto.ir_version)


def run(proto: ModelProto, given: Numbers) -> Numbers:
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (result,) = session.run(None, {session.get_inputs()[0].name: given})
    return np.asarray(result)


@pytest.mark.parametrize(("nodes", "kernel", "bias"), FOLDED.values(), ids=FOLDED)
def test_the_layer_alone_computes_the_same(
    nodes: str,
    kernel: Callable[[Weights], Numbers],
    bias: Callable[[Weights], Numbers] | None,
) -> None:
    """onnxruntime makes the same of the layer proposed, with weights by the formula."""
    weights = random_weights()
    model = model_of(nodes)
    costs = count(load(model))
    rule = UnfoldedScale(min_elements=1, min_share=0.0)
    (proposal,) = accepted(run_rules([rule], RuleContext(costs.graph, costs)))
    assert set(proposal.replaces) == set(costs.graph.operators())
    folded = {"archlint0/weight": kernel(weights).astype(np.float32)}
    if bias is not None:
        folded["archlint0/bias"] = bias(weights).astype(np.float32)
    proto = with_weights(splice(model, [proposal]).proto, folded)
    shape = [dim.dim_value for dim in model.proto.graph.input[0].type.tensor_type.shape.dim]
    given = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    before = run(with_weights(model.proto, weights), given)
    np.testing.assert_allclose(run(proto, given), before, rtol=1e-4, atol=1e-4)


# What onnxruntime 1.31 leaves, as its optimised models show.
UNFOLDED = {
    "a factor without axes": (f"c = {CONV} (x, w) y = Mul (c, one)", []),
    "that in the first place": (f"c = {CONV} (x, w) y = Mul (one, c)", ["Mul"]),
    "a factor of [1]": (f"c = {CONV} (x, w) y = Mul (c, k)", ["Mul"]),
    "a summand without axes": (f"c = {CONV} (x, w) y = Add (c, one)", ["Add"]),
    "by channel, [C,1,1]": (f"c = {CONV} (x, w) m = Mul (c, q) y = Add (m, q)", []),
    "by channel, [1,C,1,1]": (f"c = {CONV} (x, w) m = Add (c, r) y = Mul (m, r)", []),
    "by channel in the first place": (f"c = {CONV} (x, w) y = Add (q, c)", ["Add"]),
    "a difference by channel": (f"c = {CONV} (x, w) y = Sub (c, q)", ["Sub"]),
    "a quotient by channel": (f"c = {CONV} (x, w) y = Div (c, q)", ["Div"]),
    "all behind the first that it leaves": (
        f"c = {CONV} (x, w) m = Mul (c, q) n = Add (m, k) y = BatchNormalization (n, u, u, u, u)",
        ["Add", "BatchNormalization"],
    ),
    "a normalisation": (f"c = {CONV} (x, w) y = BatchNormalization (c, u, u, u, u)", []),
    "behind Gemm": ("c = Gemm (z, f) y = Add (c, u)", ["Add"]),
    "a factor behind MatMul": ("c = MatMul (z, f) y = Div (c, k)", []),
    "features behind MatMul": ("c = MatMul (z, f) y = Mul (c, u)", ["Mul"]),
    "a bias behind MatMul": ("c = MatMul (z, f) y = Add (c, u)", []),
    "in front": (f"m = Mul (x, one) y = {CONV} (m, w)", ["Mul"]),
}


@pytest.mark.parametrize(("nodes", "left"), UNFOLDED.values(), ids=UNFOLDED)
def test_what_onnxruntime_leaves(nodes: str, left: list[str], tmp_path: Path) -> None:
    """The operators that are told are those in the model that onnxruntime has optimised."""
    model = model_of(nodes)
    told = [node.operator for found in foldables(load(model)) for node in found.unfolded]
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3  # the file is for this machine, it says
    # The next level brings the map into blocks of channels, where a factor is a convolution.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    proto = with_weights(model.proto, random_weights())
    onnxruntime.InferenceSession(proto.SerializeToString(), options)
    optimised = onnx.load(options.optimized_model_filepath).graph.node
    layers = {"Conv", "Gemm", "MatMul", "FusedMatMul"}
    assert told == [node.op_type for node in optimised if node.op_type not in layers] == left


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(f"c = {CONV} (x, w) m = Mul (c, k) y = {CONV} (m, w)", id="a-shared-kernel"),
        pytest.param(f"v = Tanh (x) y = {CONV} (x, v)", id="a-kernel-of-the-input"),
        pytest.param(f"c = {CONV} (x, w) m = Mul (c, k) y = Add (m, c)", id="read-twice"),
        pytest.param(f"c = {CONV} (x, w) y = Div (k, c)", id="divided-by-the-map"),
        pytest.param(f"c = {CONV} (x, w) y = Mul (c, o)", id="a-factor-for-each-column"),
        pytest.param(f"m = Add (x, k) y = {CONV} (m, w)", id="a-shift-in-front-of-padding"),
        pytest.param("a = Sub (x, k) b = Relu (a) y = Mul (b, k)", id="no-layer"),
        pytest.param(
            f"a = {CONV} (x, w) b = Add (a, three) c = Clip (b, zero, six) y = Div (c, six)",
            id="the-constants-of-a-hard-sigmoid",
        ),
    ],
)
def test_nothing_to_fold(nodes: str) -> None:
    """What a layer's weights cannot take in, or should not."""
    assert not list(foldables(load(model_of(nodes))))
