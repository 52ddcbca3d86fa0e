"""ARC711: weights that are NaN or infinite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup
from archlint.analyzer.stored import Weight, places, scales, weights
from archlint.analyzer.text import plural
from archlint.analyzer.weighted import is_weighted

_EACH = 8  # tensors that are told one by one; of more, which is most of a broken model, all in one
_NEAR = 16  # nodes between a mask and the Softmax that it is for
_CHOOSING = frozenset({
    "Where", "Min", "Max", "Clip", "Pad", "Less", "LessOrEqual", "Greater", "GreaterOrEqual",
    "Equal",
})  # fmt: skip
_MASKED = frozenset({
    "Attention", "MultiHeadAttention", "DecoderMaskedMultiHeadAttention", "GroupQueryAttention",
    "PackedMultiHeadAttention", "PackedAttention",
})  # fmt: skip
_PASSING = frozenset({
    "Add", "Sub", "Sum", "Concat", "Expand", "Gather", "GatherElements", "GatherND", "Slice",
    "Split", "Tile", "Trilu", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Cast", "Identity",
    "ScatterND", "ScatterElements",
})  # fmt: skip
_SOFTMAX = frozenset({"Softmax", "LogSoftmax"})


@dataclass(frozen=True)
class NonFiniteWeights(Rule):
    """Weights that are no numbers: one NaN makes everything NaN that is computed from it.

    Why it matters
        A sum with one NaN is NaN, so one among the 9,408 weights of a first convolution of 64
        filters makes the whole map of its filter NaN, and the next layer, which reads all filters,
        makes everything NaN. An infinite weight does the same as soon as it meets a 0, as a Relu
        gives, or an infinity of the other sign. The file loads and runs without a complaint.

    What to do
        Go back to the last checkpoint without them, and find where they came from: a loss that
        overflowed, a running variance of no data, a cast to float16 of numbers beyond 65,504. A
        tensor whose bytes were damaged must be exported or fetched again.

    When not to apply
        Where an infinity is meant and archlint does not see what for: ignore the rule at the node
        that reads it.

    Not flagged
        Infinities that mask: in a tensor of 0 and -inf alone, in one that is added before a Softmax
        or read by an attention, and in what Where, Min, Max, Clip, Pad and comparisons choose from.
        Tensors that no node computes with, and single numbers, which belong to formulas.

    Known limits
        The numbers are looked at as they are stored: overflow in what a runtime folds from them, or
        in activations, is not seen. float8 of the type e4m3fn and the types with uz have no
        infinity, and float6 and float4 no NaN either. The first 64 GiB are read; weights that could
        not be read are told of.

    References
        Micikevicius et al., FP8 Formats for Deep Learning, 2022, arXiv:2209.05433, abstract.
        ONNX, Float stored in 4 bits, 2025.
    """

    code = "ARC711"
    name = "non-finite-weights"
    group = RuleGroup.CORRECTNESS
    severity = Severity.ERROR
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    reads_weights = True
    advice = "go back to a checkpoint without them: everything computed from a NaN is NaN"

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Each tensor that holds them; many of them in one."""
        graph = context.graph
        stored = [*weights(context.costs), *scales(context.costs)]
        bad = [weight for weight in stored if _is_broken(graph, weight)]
        if len(bad) <= _EACH:
            yield from map(_told, bad)
            return
        some = ", ".join(weight.label for weight in bad[:_EACH])
        nans = sum(weight.tally.nans for weight in bad)
        infinities = sum(weight.tally.infinities for weight in bad)
        yield Match(
            places(bad[:_EACH]),
            f"{len(bad):,} of {len(stored):,} weights hold {_counts(nans, infinities)}: "
            f"{some} and {len(bad) - _EACH:,} more",
            {"nan": nans, "infinite": infinities},
        )


def _counts(nans: int, infinities: int) -> str:
    kinds = (nans and f"{nans:,} NaN", infinities and plural(infinities, "infinite number"))
    return " and ".join(kind for kind in kinds if kind)


def _told(weight: Weight) -> Match:
    tally = weight.tally
    counts = _counts(tally.nans, tally.infinities)
    return Match(
        places([weight]),
        f"the weight {weight.label} of {plural(tally.numbers, 'number')} holds {counts}, the first "
        f"at {_index(weight)}",
        {"nan": tally.nans, "infinite": tally.infinities},
    )


def _index(weight: Weight) -> str:
    """Where the first one is: its index, or its place among the numbers that a file stores."""
    first, shape = weight.tally.first or 0, weight.value.static_shape or ()
    whole = weight.value.elements == weight.tally.numbers
    if not whole or not shape:
        return f"place {first:,}"
    return str([int(place) for place in np.unravel_index(first, shape)])


def _is_broken(graph: Graph, weight: Weight) -> bool:
    tally = weight.tally
    if tally.nans or not tally.infinities:
        return tally.nans > 0
    return not all(_is_meant(graph, weight, node) for node in weight.readers)


def _is_meant(graph: Graph, weight: Weight, reader: Node) -> bool:
    """Whether the node reads infinities as a mask or a bound."""
    if reader.op_type in _CHOOSING:
        return True
    if weight.tally.positive_infinities:
        return False
    if reader.op_type in _MASKED:
        return True
    if reader.op_type not in _PASSING and reader.id not in graph.bodies:
        return False
    return weight.tally.only_zeros or _reaches_softmax(graph, reader)


def _reaches_softmax(graph: Graph, node: Node) -> bool:
    """Whether a Softmax or an attention follows before the next layer."""
    waiting = [node]
    seen = {node.id}
    for found in waiting:
        if found.op_type in _SOFTMAX or found.op_type in _MASKED:
            return True
        if len(waiting) < _NEAR and not is_weighted(graph, found):
            waiting += _next(graph, found, seen)
    return False


def _next(graph: Graph, node: Node, seen: set[int]) -> list[Node]:
    """The readers of its outputs that were not seen."""
    readers = [reader for name in node.outputs if name for reader in graph.consumers(name)]
    fresh = [reader for reader in readers if reader.id not in seen]
    seen.update(reader.id for reader in fresh)
    return fresh


def _model(*numbers: str, middle: str = "y = MatMul (x, w)") -> str:
    return f"""agraph (float[1,2] x) => (float[1,2] y) <float[2,2] w = {{{", ".join(numbers)}}}> {{
        [read] {middle}
    }}"""


_MASK = "0, -inf, 0, 0"
_BIAS = "0, -inf, -0.5, 0"


CASES = (
    Flags("one NaN in a matrix", _model("1", "2", "nan", "4"), at="read"),
    Flags("an infinite number in a matrix", _model("1", "inf", "3", "4"), at="read"),
    Flags("0 and -inf alone, multiplied", _model(_MASK), at="read"),
    Flags(
        "a running variance that is NaN",
        """agraph (float[1,2,3,3] x) => (float[1,2,3,3] y)
        <float[2] a = {1, 1}, float[2] b = {0, 0}, float[2] m = {0, 0}, float[2] v = {1, nan}> {
            [read] y = BatchNormalization (x, a, b, m, v)
        }""",
        at="read",
    ),
    Flags(
        "a kernel behind a Transpose that is done at load",
        """agraph (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, 2, 3, nan}> {
            t = Transpose (w)
            [read] y = MatMul (x, t)
        }""",
        at="read",
    ),
    Flags(
        "an infinite scale of quantised weights",
        """agraph (float[1,2] x) => (float[1,2] y)
        <int8[2,2] w = {1, 2, 3, 4}, float s = {inf}, int8 z = {0}> {
            [read] t = DequantizeLinear (w, s, z)
            y = MatMul (x, t)
        }""",
        at="read",
    ),
    Flags(
        "-inf among others that no Softmax follows",
        _model(_BIAS, middle="y = Add (x, w)").replace("float[1,2] y", "float[2,2] y"),
        at="read",
    ),
    Passes(
        "finite numbers, the largest and the smallest", _model("3.4e38", "-3.4e38", "1e-40", "0")
    ),
    Passes(
        "a causal mask of 0 and -inf that is added",
        _model(_MASK, middle="y = Add (x, w)").replace("float[1,2] y", "float[2,2] y"),
    ),
    Passes(
        "a mask with position biases in it, before a Softmax",
        f"""agraph (float[1,2,2,4] q, float[1,2,4,2] k) => (float[1,2,2,2] y)
        <float[2,2] w = {{{_BIAS}}}> {{
            s = MatMul (q, k)
            t = Add (s, w)
            y = Softmax <axis = -1> (t)
        }}""",
    ),
    Passes(
        "-inf that Where fills in",
        _model("-inf", "-inf", "-1", "1", middle="y = Where (c, x, w)")
        .replace("float[1,2] x", "float[2,2] x, bool[2,2] c")
        .replace("float[1,2] y", "float[2,2] y"),
    ),
    Passes(
        "an infinite bound of a Clip",
        """agraph (float[1,2] x) => (float[1,2] y) <float low = {0}, float high = {inf}> {
            y = Clip (x, low, high)
        }""",
    ),
    Passes(
        "NaN in a tensor that no node reads",
        """agraph (float[1,2] x) => (float[1,2] y) <float[2,2] w = {nan, 1, 2, 3}> {
            y = Relu (x)
        }""",
    ),
    Passes(
        "weights without data",
        """agraph (float[1,2] x) => (float[1,2] y) <float[2,2] w> { y = MatMul (x, w) }""",
    ),
)
