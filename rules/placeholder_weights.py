"""ARC715: weights that are one number over and over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.cost import CostTable
from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.graph import Node
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.stored import Weight, places, weights
from archlint.analyzer.text import percent, plural
from archlint.analyzer.weighted import is_weighted

_SHOWN = 8  # weights whose nodes a finding names, the first ones
_TABLES = frozenset({"Gather", "GatherBlockQuantized"})


@dataclass(frozen=True)
class PlaceholderWeights(Rule):
    """Weights of layers that are one number over and over: a structure that was not trained.

    Why it matters
        A layer whose weights are all equal gives every channel the same numbers, and one of zeros
        gives none: what the model computes means nothing. They are left over from a structure that
        was written without weights, a checkpoint of which a part was not loaded, or a layer that
        died. Times and sizes mislead too: a tool that finds two layers of equal weights merges
        them, as onnxruntime does with two equal ConstantOfShape nodes, so that a model with weights
        takes longer and more memory. archlint makes up numbers that differ where it measures.

    What to do
        Load the trained weights, and compare the output with that of the network that they were
        trained in. A layer that training made 0 can be left out with what only reads it.

    When not to apply
        To models that hold no weights on purpose, such as test data of which the structure alone
        matters, and to adapters before their training, as ControlNet's convolutions of zeros.

    Not flagged
        Biases, scales and whatever has less than two dims: zeros and ones are where their training
        begins. Tensors that are no kernel, matrix or table of a layer, such as states, masks and
        what is averaged with. Layers that hold less than ``min_share`` of the parameters, as a
        convolution that stands for an average of its window.

    Known limits
        One number in each filter, or random numbers that were never trained, are not seen. Of
        quantised weights the stored integers are compared, without their scales. The first 64 GiB
        are read.

    References
        ONNX, Operators, 2024, ConstantOfShape.
        Zhang et al., ControlNet, 2023, arXiv:2302.05543, section 3.1.
    """

    code = "ARC715"
    name = "placeholder-weights"
    group = RuleGroup.SUSPICIOUS
    severity = Severity.WARNING
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    reads_weights = True
    advice = "load the trained weights before you look at more than the structure"

    min_share: float = option(
        0.05, "share of the parameters that are one number over and over", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The layers whose weights are one number each, if they hold enough parameters."""
        costs = context.costs
        found = [weight for weight in weights(costs) if _is_placeholder(costs, weight)]
        part = costs.parameters.elements(frozenset(weight.name for weight in found))
        whole = costs.parameter_count
        if not found or part < self.min_share * whole:
            return
        all_zero = all(weight.tally.only_zeros for weight in found)
        first = found[0].label
        others = f" and {plural(len(found) - 1, 'other')}" if len(found) > 1 else ""
        yield Match(
            places(found[:_SHOWN]),
            f"{part:,} of the parameters ({percent(part, whole)}) are "
            f"{'0' if all_zero else 'one number over and over'}: {first}{others}",
            {"parameters": part, "weights": len(found)},
        )


def _is_placeholder(costs: CostTable, weight: Weight) -> bool:
    return weight.is_one_number and any(_is_layer(costs, node, weight) for node in weight.readers)


def _is_layer(costs: CostTable, node: Node, weight: Weight) -> bool:
    """Whether it multiplies by a matrix that is the weight or picks rows of it, or runs what may
    do so."""
    if node.id in costs.graph.bodies:
        return len(weight.value.shape or ()) > 1
    if node.op_type not in _TABLES and not is_weighted(costs.graph, node):
        return False
    read = map(costs.graph.value, filter(None, node.inputs))
    matrices = (value for value in read if value.constant and len(value.shape or ()) > 1)
    return any(weight.name in costs.parameters.behind(value.name) for value in matrices)


def _model(weights: str) -> str:
    return f"""agraph (float[1,8] x) => (float[1,8] y) {weights} {{
        dims = Constant <value_ints = [8,8]> ()
        w = ConstantOfShape <value = float[1] {{0.02}}> (dims)
        [filled] t = MatMul (x, w)
        y = MatMul (t, v)
    }}"""


def _stored(numbers: str, kind: str = "float") -> str:
    return f"""agraph ({kind}[1,2] x) => ({kind}[1,2] y) <{kind}[2,2] w = {{{numbers}}}> {{
        [layer] y = MatMul (x, w)
    }}"""


CASES = (
    Flags("a fill that is half of the parameters", _model("<float[8,8] v>"), at="filled"),
    Flags("a stored matrix of one number", _stored("0.02, 0.02, 0.02, 0.02"), at="layer"),
    Flags("a stored matrix of zeros, some of them -0", _stored("0, -0.0, 0, -0.0"), at="layer"),
    Flags(
        "quantised weights of one integer",
        """agraph (float[1,2] x) => (float[1,2] y)
        <int8[2,2] w = {7, 7, 7, 7}, float s = {0.1}, int8 z = {0}> {
            t = DequantizeLinear (w, s, z)
            [layer] y = MatMul (x, t)
        }""",
        at="layer",
    ),
    Flags(
        "a table of zeros",
        """agraph (int64[1,3] x) => (float[1,3,2] y) <float[4,2] w = {0, 0, 0, 0, 0, 0, 0, 0}> {
            [layer] y = Gather (w, x)
        }""",
        at="layer",
    ),
    Passes("less than the floor", _model("<float[8,8] v>"), {"min_share": 0.6}),
    Passes("one number that differs", _stored("0.02, 0.02, 0.02, 0.03")),
    Passes(
        "zeros of a bias, and ones of a scale",
        """agraph (float[1,2] x) => (float[1,2] y)
        <float[2,2] w = {1, 2, 3, 4}, float[2] b = {0, 0}, float[2] a = {1, 1}> {
            t = Gemm (x, w, b)
            y = LayerNormalization (t, a, b)
        }""",
    ),
    Passes(
        "zeros of a state",
        """agraph (float[3,1,2] x) => (float[3,1,1,2] y)
        <float[1,2,2] w = {1, 2, 3, 4}, float[1,2,2] r = {5, 6, 7, 8}, float[1,1,2] h = {0, 0}> {
            y = RNN <hidden_size = 2> (x, w, r, , , h)
        }""",
    ),
    Passes(
        "a fill that is no weight",
        """agraph (float[1,8] x) => (float[1,8] y) <float[8,8] w> {
            dims = Constant <value_ints = [1,8]> ()
            zeros = ConstantOfShape (dims)
            t = MatMul (x, w)
            y = Max (t, zeros)
        }""",
    ),
    Passes(
        "weights without data",
        """agraph (float[1,2] x) => (float[1,2] y) <float[2,2] w> { y = MatMul (x, w) }""",
    ),
)
