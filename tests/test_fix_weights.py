"""Rewrites that derive weights: with numbers in them they compute what the model computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from archlint.analyzer.constants import constants_of
from archlint.analyzer.cost import count
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.inputs import Bindings, dim_names
from archlint.analyzer.load import load
from archlint.analyzer.proposal import Proposal, check_fit
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.realised import realise
from archlint.analyzer.rule import Flags, Rule, RuleContext
from archlint.analyzer.splicing import splice
from archlint.rules.auxiliary_classifier import AuxiliaryClassifier
from archlint.rules.collapsible_pair import CollapsiblePair
from archlint.rules.fragmented_branches import FragmentedBranches
from archlint.rules.narrow_groups import NarrowGroups
from archlint.rules.unfolded_normalization import UnfoldedNormalization
from archlint.rules.unfolded_scale import UnfoldedScale
from archlint.rules.unfused_activation import UnfusedActivation
from archlint.rules.unmerged_branches import UnmergedBranches
from archlint.rules.written_out_activation import WrittenOutActivation

RULES: tuple[type[Rule], ...] = (
    UnmergedBranches, UnfoldedNormalization, CollapsiblePair, FragmentedBranches, UnfoldedScale,
    WrittenOutActivation, NarrowGroups, UnfusedActivation,
)  # fmt: skip
SIZES = {"N": 2, "H": 9, "W": 7}  # that are fed for symbolic dims
BOUND = {"N": 1, "H": 12, "W": 11}  # that rules see which need sizes
MAP = "float[N,6,H,W] x"
ROUNDING = {TensorProto.FLOAT: 1e-5, TensorProto.FLOAT16: 1e-2, TensorProto.DOUBLE: 1e-13}

Numbers = NDArray[Any]


def with_weights(model: Model, seed: int = 0) -> Model:
    """The model with seeded numbers for the weights that it only declares.

    They are normal, some of them negative; variances are positive, and so is what divides.
    """
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    graph = proto.graph
    made = {name for node in graph.node for name in node.output}
    divide = {node.input[1] for node in graph.node if node.op_type == "Div"}
    divide.update(n.input[4] for n in graph.node if n.op_type == "BatchNormalization")
    random = np.random.default_rng(seed)
    for info in model.proto.graph.value_info:
        tensor = info.type.tensor_type
        dims = [dim.dim_value for dim in tensor.shape.dim]
        scale = max(1, int(np.prod(dims[1:]))) ** -0.5 if len(dims) > 1 else 0.5
        numbers = random.standard_normal(dims) * scale
        if info.name in divide:
            numbers = np.abs(numbers) + 0.1
        if info.name not in made:
            numbers = np.asarray(numbers, helper.tensor_dtype_to_np_dtype(tensor.elem_type))
            graph.initializer.append(numpy_helper.from_array(numbers, info.name))
    del graph.value_info[:]
    return Model(model.path, proto, 0)


def context_of(model: Model, rule: Rule) -> RuleContext:
    """A rule that needs sizes sees others than those that are fed to the rewritten model."""
    names = dim_names(model.proto.graph)
    bound = {} if rule.fixes_unbound else {name: BOUND[name] for name in sorted(names)}
    costs = count(load(model, Bindings(bound)))
    return RuleContext(costs.graph, costs)


def fixed(model: Model, rule: Rule) -> tuple[Model, int]:
    """The model with the fixes of a rule until there are none, and how many there were."""
    done = 0
    while proposals := list(disjoint(rule.fixes(context := context_of(model, rule)))):
        graph, constants = context.graph, constants_of(context.graph)
        assert constants is not None
        for proposal in proposals:
            check_fit(proposal, graph)
        prefixes = [f"fix{done + place}/" for place in range(len(proposals))]
        model = splice(model, [realise(one, constants) for one in proposals], prefixes)
        nodes = [model.proto.graph.node[node.position] for node in load(model).nodes]
        ordered = ModelProto(graph={"node": nodes})
        del model.proto.graph.node[:]
        model.proto.graph.node.extend(ordered.graph.node)
        done += len(proposals)
        assert done < 20
    return model, done


def disjoint(proposals: Iterator[Proposal]) -> Iterator[Proposal]:
    seen: set[int] = set()
    for proposal in proposals:
        ids = {node.id for node in proposal.replaces}
        if not ids & seen:
            seen |= ids
            yield proposal


def run(proto: ModelProto, feeds: dict[str, Numbers]) -> list[Numbers]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    return [np.asarray(made) for made in session.run(None, feeds)]


def feeds_of(proto: ModelProto) -> dict[str, Numbers]:
    random = np.random.default_rng(1)
    stored = {tensor.name for tensor in proto.graph.initializer}
    feeds = {}
    for info in proto.graph.input:
        tensor = info.type.tensor_type
        shape = [dim.dim_value or SIZES[dim.dim_param] for dim in tensor.shape.dim]
        if info.name not in stored:
            dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            feeds[info.name] = random.standard_normal(shape).astype(dtype)
    return feeds


def check(text: str, rule: Rule, left: Sequence[str] | None = None, *, times: int = 1) -> Model:
    """Fix a model, and see that it computes the same, with the operators that should be left."""
    before = with_weights(from_text(text))
    after, done = fixed(before, rule)
    assert done == times
    if left is not None:
        assert [node.op_type for node in after.proto.graph.node] == list(left)
    feeds = feeds_of(before.proto)
    for old, new in zip(run(before.proto, feeds), run(after.proto, feeds), strict=True):
        bound = ROUNDING[helper.np_dtype_to_tensor_dtype(old.dtype)]
        old, new = (np.asarray(made, np.float64) for made in (old, new))  # noqa: PLW2901 - as doubles
        assert np.linalg.norm(old) > 0
        assert np.linalg.norm(new - old) <= bound * np.linalg.norm(old)
    return after


def cases() -> Iterator[Any]:
    for rule in RULES:
        for case in import_module(rule.__module__).CASES:
            if isinstance(case, Flags):
                times = 2 if case.title.endswith("one finding") else 1
                yield pytest.param(rule, case, times, id=f"{rule.code}-{case.title}")


@pytest.mark.parametrize(("rule", "case", "times"), list(cases()))
def test_what_a_rule_flags_is_fixed(rule: type[Rule], case: Flags, times: int) -> None:
    """Every case that a rule must find is rewritten, and nothing is left of it then."""
    check(case.onnx_text, rule(**case.options), times=times)


def network(nodes: str, weights: str, x: str = MAP, made: str = "y") -> str:
    return f"agraph ({x}) => ({made}) <{weights}> {{ {nodes} }}"


NORM = "float[6] s, float[6] b, float[6] m, float[6] v"
BN = "BatchNormalization"

FOLDED = {
    "grouped, dilated, with a stride and a bias": (
        network(f"c = Conv <group = 3, dilations = [2,2], strides = [2,2], pads = [1,1,2,2]> "
                f"(x, w, o) y = {BN} (c, s, b, m, v)", f"float[6,2,3,3] w, float[6] o, {NORM}"),
        ["Conv"],
    ),
    "depthwise, padded as the map needs": (
        network(f"""c = Conv <group = 6, auto_pad = "SAME_UPPER", strides = [2,2]> (x, w)
            y = {BN} <epsilon = 0.1> (c, s, b, m, v)""", f"float[6,1,3,3] w, {NORM}"),
        ["Conv"],
    ),
    "one axis": (
        network(f"c = Conv (x, w) y = {BN} (c, s, b, m, v)", f"float[6,4,3] w, {NORM}",
                "float[N,4,W] x"),
        ["Conv"],
    ),
    "three axes": (
        network(f"c = Conv (x, w) y = {BN} (c, s, b, m, v)", f"float[6,4,3,2,1] w, {NORM}",
                "float[N,4,W,H,5] x"),
        ["Conv"],
    ),
    "a grouped transposed convolution": (
        network(f"""c = ConvTranspose <group = 2, strides = [2,2], output_padding = [1,1]> (x, w, o)
            y = {BN} (c, s, b, m, v)""", f"float[6,3,3,3] w, float[6] o, {NORM}"),
        ["ConvTranspose"],
    ),
    "Gemm with all its factors": (
        network(f"c = Gemm <alpha = 0.5, beta = -2.0, transB = 1> (x, w, o) "
                f"y = {BN} (c, s, b, m, v)", f"float[6,4] w, float[1,6] o, {NORM}",
                "float[N,4] x"),
        ["Gemm"],
    ),
    "Gemm of a transposed map, one number as its bias": (
        network(f"c = Gemm <transA = 1> (x, w, o) y = {BN} (c, s, b, m, v)",
                f"float[4,6] w, float[1] o, {NORM}", "float[4,5] x"),
        ["Gemm"],
    ),
    "a product, its bias and a normalisation": (
        network(f"c = MatMul (x, w) a = Add (o, c) y = {BN} (a, s, b, m, v)",
                f"float[4,6] w, float[6] o, {NORM}", "float[N,4] x"),
        ["Gemm"],
    ),
    "two normalisations with a scale, a shift and an Identity between them": (
        network(f"""c = Conv (x, w) n = {BN} (c, s, b, m, v) i = Identity (n) d = Div (i, k)
            u = Sub (l, d) y = {BN} (u, s, b, m, v)""",
                f"float[6,6,1,1] w, float[6,1,1] k, float[1] l, {NORM}"),
        ["Conv"],
    ),
    "behind it a scale, which stays": (
        network(f"c = Conv (x, w) n = {BN} (c, s, b, m, v) y = Mul (n, k)",
                f"float[6,6,1,1] w, float[6,1,1] k, {NORM}"),
        ["Conv", "Mul"],
    ),
    "double precision": (
        network(f"c = Gemm (x, w, o) y = {BN} (c, s, b, m, v)",
                f"double[4,6] w, double[6] o, {NORM.replace('float', 'double')}", "double[N,4] x"),
        ["Gemm"],
    ),
    "half precision": (
        network(f"c = Conv (x, w) y = {BN} (c, s, b, m, v)",
                f"float16[6,6,3,3] w, {NORM.replace('float', 'float16')}", "float16[N,6,H,W] x"),
        ["Conv"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "left"), FOLDED.values(), ids=FOLDED)
def test_normalisations_are_folded(text: str, left: list[str]) -> None:
    """Of maps of any size: the layer takes in what is behind it, up to the last normalisation."""
    check(text, UnfoldedNormalization(), left)


def test_a_weight_that_two_layers_read_stays_for_the_other() -> None:
    """The first layer gets a weight of its own; the second reads the old one."""
    text = network(
        f"c = Conv (x, w) n = {BN} (c, s, b, m, v) r = Relu (n) y = Conv (r, w)",
        f"float[6,6,1,1] w, {NORM}",
    )
    after = check(text, UnfoldedNormalization(), ["Conv", "Relu", "Conv"])
    read = [node.input[1] for node in after.proto.graph.node if node.op_type == "Conv"]
    assert read == ["fix0/weight", "w"]


def test_tiny_variances_and_negative_scales() -> None:
    """Where σ² is below ε, γ/√(σ² + ε) is some 300 times γ."""
    text = network(
        f"c = Conv (x, w, b) y = {BN} (c, s, b, m, v)",
        "float[6,6,1,1] w, float[6] s = {-1, -0.5, 2, 0, 1, -3}, float[6] m, float[6] b, "
        "float[6] v = {0, 1e-30, 1e-7, 1e-5, 1, 1e4}",
    )
    check(text, UnfoldedNormalization(), ["Conv"])


MERGED = {
    "RepVGG with a stride, in two groups, normalised": (
        f"""a = Conv <pads = [1,1,1,1], strides = [2,2], group = 2> (x, w)
        an = {BN} (a, s, b, m, v) c = Conv <strides = [2,2], group = 2> (x, p, o)
        cn = {BN} (c, s, b, m, v) y = Add (an, cn)""",
        "float[6,3,3,3] w, float[6,3,1,1] p, float[6] o, " + NORM,
        MAP,
    ),
    "a normalised identity beside groups of different widths": (
        f"""a = Conv <pads = [1,1,1,1], group = 2> (x, w) c = Conv <group = 6> (x, p)
        i = {BN} (x, s, b, m, v) y = Sum (a, c, i)""",
        f"float[6,3,3,3] w, float[6,1,1,1] p, {NORM}",
        MAP,
    ),
    "1×3 and 3×1 within a 3×5 that is padded to one side": (
        """a = Conv <pads = [2,2,0,2]> (x, w) c = Conv <pads = [0,1,0,1]> (x, p)
        d = Conv <pads = [2,0,0,0]> (x, q) t = Add (a, c) u = Add (t, d) y = Add (x, u)""",
        "float[6,6,3,5] w, float[6,6,1,3] p, float[6,6,3,1] q",
        MAP,
    ),
    "a dilated 3×3 within a 5×5, and a scaled identity": (
        """i = Mul (k, x) j = Sub (k, i) a = Conv <pads = [2,2,2,2]> (x, w)
        c = Conv <pads = [2,2,2,2], dilations = [2,2]> (x, p) t = Add (j, c) y = Add (a, t)""",
        "float[6,6,5,5] w, float[6,6,3,3] p, float[6,1,1] k",
        MAP,
    ),
    "one axis, dilated": (
        """a = Conv <pads = [2,2], dilations = [2]> (x, w) c = Conv (x, p)
        t = Add (a, c) y = Add (t, x)""",
        "float[6,6,3] w, float[6,6,1] p",
        "float[N,6,W] x",
    ),
}


@pytest.mark.parametrize(("nodes", "weights", "x"), MERGED.values(), ids=MERGED)
def test_branches_are_merged(nodes: str, weights: str, x: str) -> None:
    """Every tap of every branch comes to its place in the largest kernel."""
    check(network(nodes, weights, x), UnmergedBranches(), ["Conv"])


NORM16 = "float[16] s, float[16] b, float[16] m, float[16] v"
PAIRS = {
    "a stride and a dilation, normalised between them": (
        f"""a = Conv <pads = [2,2,2,2], dilations = [2,2], strides = [2,2]> (x, w, o)
        n = {BN} (a, s, b, m, v) y = Conv <strides = [2,1]> (n, p, q)""",
        f"float[16,6,3,3] w, float[16] o, {NORM16}, float[6,16,1,1] p, float[6] q",
        MAP,
    ),
    "a scaled 1×1 in front of a padded 3×3": (
        "a = Conv (x, p) k = Mul (e, a) y = Conv <pads = [1,1,1,1], strides = [2,2]> (k, w, q)",
        "float[32,6,1,1] p, float[32,1,1] e, float[6,32,3,3] w, float[6] q",
        MAP,
    ),
    "a shifted 1×1 in front of a 3×3 in other groups": (
        """a = Conv <group = 2> (x, p, o) i = Sub (e, a) j = Identity (i)
        y = Conv <group = 4> (j, w)""",
        "float[64,4,1,1] p, float[64] o, float[64,1,1] e, float[8,16,3,3] w",
        "float[N,8,H,W] x",
    ),
    "one axis": (
        "a = Conv <pads = [1,1]> (x, w) y = Conv (a, p, o)",
        "float[32,6,3] w, float[6,32,1] p, float[6] o",
        "float[N,6,W] x",
    ),
    "Gemm with factors, divided, and Gemm of the other layout": (
        """a = Gemm <alpha = 2.0, beta = 0.5, transB = 1> (x, w, o) d = Div (a, e)
        y = Gemm <beta = 3.0> (d, p, q)""",
        "float[32,6] w, float[32] o, float[32] e, float[32,6] p, float[1,6] q",
        "float[N,6] x",
    ),
    "Gemm and MatMul": (
        "a = Gemm (x, w, o) y = MatMul (a, p)",
        "float[6,32] w, float[32] o, float[32,6] p",
        "float[N,6] x",
    ),
    "two products with nothing added": (
        "a = MatMul (x, w) y = MatMul (a, p)",
        "float[6,32] w, float[32,5] p",
        "float[N,H,6] x",
    ),
}


@pytest.mark.parametrize(("nodes", "weights", "x"), PAIRS.values(), ids=PAIRS)
def test_pairs_are_multiplied(nodes: str, weights: str, x: str) -> None:
    """One layer does what two did, with what is between them."""
    after = check(network(nodes, weights, x), CollapsiblePair())
    assert len(after.proto.graph.node) == (2 if "Add" in _operators(after) else 1)


def _operators(model: Model) -> list[str]:
    return [node.op_type for node in model.proto.graph.node]


BOUNDS = "float zero = {0}, float six = {6}"
SIBLINGS = {
    "normalised, shifted and scaled, in the order of the Concat": (
        f"""p = Conv <strides = [2,2]> (x, a) q = Conv <strides = [2,2]> (x, c, o)
        n = {BN} (p, s, b, m, v) k = Mul (q, e) h = Clip (n, zero, six) i = Clip (k, zero, six)
        y = Concat <axis = 1> (i, h)""",
        f"float[6,6,3,3] a, float[4,6,3,3] c, float[4] o, float[4,1,1] e, {NORM}, {BOUNDS}",
        ["Conv", "Clip"],
    ),
    "between two others": (
        """p = Conv (x, a) q = Conv (x, c, o) t = Tanh (x) r = Sigmoid (p) u = Sigmoid (q)
        y = Concat <axis = -3> (x, r, u, t)""",
        "float[3,6,1,1] a, float[4,6,1,1] c, float[4] o",
        ["Tanh", "Conv", "Sigmoid", "Concat"],
    ),
}


@pytest.mark.parametrize(("nodes", "weights", "left"), SIBLINGS.values(), ids=SIBLINGS)
def test_siblings_are_stacked(nodes: str, weights: str, left: list[str]) -> None:
    """Kernels and biases stand in the order of the Concat, whatever that of the nodes."""
    after = check(network(nodes, weights, MAP), FragmentedBranches())
    assert sorted(_operators(after)) == sorted(left)


SCALED = {
    "a Div in front of a padded convolution, and a Sub from a number behind it": (
        "d = Div (x, k) c = Conv <pads = [1,1,1,1], group = 3> (d, w) y = Sub (e, c)",
        "float[6,2,3,3] w, float[6,1,1] k, float[1] e",
        MAP,
        ["Conv"],
    ),
    "a shift and a scale for each channel in front of groups": (
        "e = Sub (k, x) d = Mul (k, e) y = Conv <group = 2, strides = [2,1]> (d, w, o)",
        "float[4,3,3,3] w, float[4] o, float[6,1,1] k",
        MAP,
        ["Conv"],
    ),
    "behind a grouped transposed convolution": (
        "c = ConvTranspose <group = 2> (x, w, o) d = Div (c, k) y = Add (k, d)",
        "float[6,2,2,2] w, float[4] o, float[4,1,1] k",
        MAP,
        ["ConvTranspose"],
    ),
    "behind a Gemm without a bias": (
        "c = Gemm <alpha = 3.0> (x, w) d = Div (c, k) y = Sub (d, k)",
        "float[6,4] w, float[4] k",
        "float[N,6] x",
        ["Gemm"],
    ),
    "behind a product of three axes": (
        "c = MatMul (x, w) d = Add (k, c) y = Div (d, k)",
        "float[6,4] w, float[4] k",
        "float[N,H,6] x",
        ["MatMul", "Add"],
    ),
}


@pytest.mark.parametrize(("nodes", "weights", "x", "left"), SCALED.values(), ids=SCALED)
def test_scales_are_folded(nodes: str, weights: str, x: str, left: list[str]) -> None:
    """Both before a layer and behind it, in either order of the operands."""
    check(network(nodes, weights, x), UnfoldedScale(), left)


UNSURE = {
    "a scale that may be fed": (
        UnfoldedNormalization,
        network(f"c = Conv (x, w) y = {BN} (c, s, b, m, v)", f"float[6,6,1,1] w, {NORM}",
                "float[N,6,H,W] x, float[6] s"),
    ),
    "made of a number that may be fed": (
        WrittenOutActivation,
        network("""t = Neg (k) a = Sub (x, t) b = Clip (a, zero, six) c = Mul (x, b)
            y = Div (c, six)""", "float k = {3}, " + BOUNDS, "float[1,6,9,7] x, float k"),
    ),
    "a kernel of integers": (
        UnfoldedNormalization,
        network(f"w = DequantizeLinear (i, e) c = Conv (x, w) y = {BN} (c, s, b, m, v)",
                "int8[6,1,1,1] i = {1, 2, 3, 4, 5, 6}, float e = {0.1}, " + NORM,
                "float[N,1,H,W] x"),
    ),
    "a normalisation that learns": (
        UnfoldedNormalization,
        network(f"c = Conv (x, w) y, p, q = {BN} <training_mode = 1> (c, s, b, m, v)",
                f"float[6,6,1,1] w, {NORM}"),
    ),
    "something else reads the layer": (
        UnfoldedNormalization,
        network(f"c = Conv (x, w) n = {BN} (c, s, b, m, v) y = Add (n, c)",
                f"float[6,6,1,1] w, {NORM}"),
    ),
    "a bias that differs from row to row": (
        UnfoldedNormalization,
        network(f"c = Gemm (x, w, o) y = {BN} (c, s, b, m, v)",
                f"float[4,6] w, float[5,1] o, {NORM}", "float[5,4] x"),
    ),
    "a product of three axes, whose normalisation is not on the last": (
        UnfoldedNormalization,
        network(f"c = MatMul (x, w) y = {BN} (c, s, b, m, v)", f"float[4,6] w, {NORM}",
                "float[N,6,4] x"),
    ),
    "padding that depends on the size of the map": (
        UnmergedBranches,
        network("""a = Conv <auto_pad = "SAME_UPPER", strides = [2,2]> (x, w)
            c = Conv <auto_pad = "SAME_UPPER", strides = [2,2]> (x, p) y = Add (a, c)""",
                "float[6,6,3,3] w, float[6,6,3,3] p", MAP),
    ),
    "an output that is only for training": (
        AuxiliaryClassifier,
        import_module(AuxiliaryClassifier.__module__).CASES[0].onnx_text,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), UNSURE.values(), ids=UNSURE)
def test_what_is_not_sure_is_left(rule: type[Rule], text: str) -> None:
    """What may be fed, learns, is read elsewhere or depends on the size is not rewritten."""
    options: dict[str, Any] = {"min_elements": 1} if rule is WrittenOutActivation else {}
    assert not list(rule(**options).fixes(context_of(with_weights(from_text(text)), rule())))


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        pytest.param(
            "float16[1,1,1,1] w = {31571}, float16[1] s = {16384}, float16[1] b = {0}, "
            "float16[1] m = {0}, float16[1] v = {15360}",
            "the weights that the rewrite derives are not finite as float16",
            id="too-large-for-half-precision",
        ),
        pytest.param(
            "float16[1,1,1,1] w = {15360}, float16[1] s = {16384}, float16[1] b = {0}, "
            "float16[1] m = {0}, float16[1] v = {48128}",
            "the weights that the rewrite derives are not finite as float16",
            id="a-negative-variance",
        ),
        pytest.param(
            "float16[1,1,1,1] w = {15360}, float16[2] s = {0, 0}, float16[1] b = {0}, "
            "float16[1] m = {0}, float16[1] v = {15360}",
            "the weights that the rewrite would join do not fit together",
            id="scales-of-other-channels",
        ),
        pytest.param(
            "float16[1,1,1,1] w, float16[1] s = {16384}, float16[1] b = {0}, "
            "float16[1] m = {0}, float16[1] v = {15360}",
            "constant 'w' is not in the file",
            id="no-weight",
        ),
    ],
)
def test_weights_that_cannot_be_had(weights: str, reason: str) -> None:
    """The reason is told when the numbers are asked for; half precision stands there in its bits:
    31571 is 60000, 15360 is 1, 16384 is 2 and 48128 is -1."""
    text = network(f"c = Conv (x, w) y = {BN} (c, s, b, m, v)", weights, "float16[N,1,H,W] x")
    graph = load(from_text(text))
    (proposal,) = UnfoldedNormalization().fixes(RuleContext(graph, count(graph)))
    constants = constants_of(graph)
    assert constants is not None
    with pytest.raises(ModelReadError) as caught:
        realise(proposal, constants)
    assert caught.value.why == reason
