"""ARC715: weights that are one number over and over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import percent, plural


@dataclass(frozen=True)
class PlaceholderWeights(Rule):
    """A model most of whose parameters are filled with one number: a structure without weights.

    Why it matters
        What it computes means nothing, and its times and its size mislead: a tool that finds two
        layers of equal weights merges them, as onnxruntime does with two equal ConstantOfShape
        nodes, so that a model with weights takes longer and more memory. archlint makes up numbers
        that differ where it measures.

    What to do
        Load trained or random weights before anything but the structure is looked at.

    Not flagged
        Models in which less than ``min_share`` of the parameters are filled so. Stored tensors of
        one number: they lie in the file unread.

    References
        ONNX, Operators, 2024, ConstantOfShape.
    """

    code = "ARC715"
    name = "placeholder-weights"
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = "load trained or random weights before you look at more than the structure"

    min_share: float = option(
        0.5, "share of the parameters that are one number over and over", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The graph, if nodes that repeat one number make most of its parameters."""
        graph, parameters = context.graph, context.costs.parameters
        names = parameters.names
        filled = frozenset(
            name
            for name in names
            if (maker := graph.producer(name)) is not None and maker.op_type == "ConstantOfShape"
        )
        part, whole = parameters.elements(filled), parameters.elements(names)
        if filled and part >= self.min_share * whole:
            yield Match(
                (),
                f"{part:,} of the parameters ({percent(part, whole)}) are the numbers of "
                f"{plural(len(filled), 'ConstantOfShape node')}: placeholders?",
                {"parameters": part},
            )


def _model(weights: str) -> str:
    return f"""agraph (float[1,8] x) => (float[1,8] y) {weights} {{
        dims = Constant <value_ints = [8,8]> ()
        w = ConstantOfShape <value = float[1] {{0.02}}> (dims)
        t = MatMul (x, w)
        y = MatMul (t, v)
    }}"""


CASES = (
    Flags("half of the parameters", _model("<float[8,8] v>"), at=""),
    Passes("less than half", _model("<float[8,9] v>").replace("float[1,8] y", "float[1,9] y")),
    Passes(
        "a fill that is no weight",
        """agraph (float[1,8] x) => (float[1,8] y) <float[8,8] w> {
            dims = Constant <value_ints = [1,8]> ()
            zeros = ConstantOfShape (dims)
            t = MatMul (x, w)
            y = Max (t, zeros)
        }""",
    ),
)
