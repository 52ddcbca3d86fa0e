"""Rows of convolutions that a Concat joins: which they are, and that one computes the same."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from archlint.analyzer.cost import count
from archlint.analyzer.engine import accepted
from archlint.analyzer.engine import run as run_rules
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import RuleContext
from archlint.analyzer.siblings import siblings
from archlint.analyzer.splicing import splice
from archlint.rules.fragmented_branches import FragmentedBranches

Numbers = NDArray[np.float32]
KERNEL = "float[8,4,3,3] a, float[8,4,3,3] b, float[8,4,3,3] c, float[8,4,1,1] p"
CONV = "Conv <pads = [1,1,1,1]>"
ROWS = {
    "those in a row alone": (
        f"""q = {CONV} (x, a) r = {CONV} (x, b) s = Conv (x, p) t = {CONV} (x, c)
        y = Concat <axis = 1> (q, r, s, t)""",
        (0, 2),
    ),
    "the longer of two rows": (
        f"""q = Conv (x, p) s = {CONV} (x, a) t = {CONV} (x, b)
        u = Conv (x, p) v = Conv (x, p) w = Conv (x, p)
        y = Concat <axis = 1> (q, s, t, u, v, w)""",
        (3, 3),
    ),
    "with equal bounds of the activation": (
        f"""q = {CONV} (x, a) r = {CONV} (x, b) s = {CONV} (x, c)
        l = LeakyRelu <alpha = 0.1> (q) m = LeakyRelu <alpha = 0.1> (r)
        n = LeakyRelu <alpha = 0.2> (s)
        y = Concat <axis = 1> (l, m, n)""",
        (0, 2),
    ),
    "none with slopes by channel": (
        f"""q = {CONV} (x, a) r = {CONV} (x, b) l = PRelu (q, p) m = PRelu (r, p)
        y = Concat <axis = 1> (l, m)""",
        None,
    ),
    "none where a value is joined twice": (
        f"q = {CONV} (x, a) r = {CONV} (x, b) y = Concat <axis = 1> (q, r, q)",
        None,
    ),
    "none of one": (f"q = {CONV} (x, a) y = Concat <axis = 1> (q)", None),
}


@pytest.mark.parametrize(("nodes", "row"), ROWS.values(), ids=ROWS)
def test_rows(nodes: str, row: tuple[int, int] | None) -> None:
    """Where a row starts among the inputs of the Concat, and how many are in it."""
    text = f"agraph (float[1,4,9,9] x) => (float[1,m,9,9] y) <{KERNEL}> {{ {nodes} }}"
    graph = load(from_text(text))
    found = siblings(graph, graph.nodes[-1])
    assert (found and (found.start, len(found.members))) == row


def test_stacked_kernels_compute_the_same() -> None:
    """onnxruntime makes the same map of the proposal, its kernels and biases stacked in order."""
    random = np.random.default_rng(0)
    weights = {
        name: random.standard_normal(shape).astype(np.float32)
        for name, shape in {"a": (8, 4, 3, 3), "b": (3, 4, 3, 3), "ab": (8,), "bb": (3,)}.items()
    }
    model = from_text(
        f"""agraph (float[1,4,9,9] x) => (float[1,15,9,9] y)
        <float[8,4,3,3] a, float[8] ab, float[3,4,3,3] b, float[3] bb> {{
            q = {CONV} (x, a, ab) r = {CONV} (x, b, bb) s = Relu (q) t = Relu (r)
            y = Concat <axis = 1> (x, s, t)
        }}"""
    )
    costs = count(load(model))
    rule = FragmentedBranches(min_macs=0)
    found = run_rules([rule], RuleContext(costs.graph, costs))
    merged = splice(model, accepted(found)).proto
    stacked = {"weight": [weights["a"], weights["b"]], "bias": [weights["ab"], weights["bb"]]}
    maps = random.standard_normal((1, 4, 9, 9)).astype(np.float32)
    before = _run(_with(model.proto, weights), maps)
    tensors = {f"archlint0/merged.{name}": np.concatenate(both) for name, both in stacked.items()}
    np.testing.assert_allclose(_run(_with(merged, tensors), maps), before, rtol=1e-5, atol=1e-5)


def _with(proto: ModelProto, weights: dict[str, Numbers]) -> ModelProto:
    """The model with these numbers for its weights."""
    graph = helper.make_graph(
        [node for node in proto.graph.node if node.op_type != "ConstantOfShape"],
        "small",
        proto.graph.input,
        proto.graph.output,
        [numpy_helper.from_array(numbers, name) for name, numbers in weights.items()],
    )
    imports = proto.opset_import
    return helper.make_model(graph, opset_imports=imports, ir_version=proto.ir_version)


def _run(proto: ModelProto, maps: Numbers) -> Numbers:
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (result,) = session.run(None, {"x": maps})
    return np.asarray(result)
