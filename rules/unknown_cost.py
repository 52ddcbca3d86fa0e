"""ARC714: nodes that no total can count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.reasons import by_cause, told
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import plural


@dataclass(frozen=True)
class UnknownCost(Rule):
    """Nodes whose cost is unknown, so that every total is only a lower bound.

    Why it matters
        What is not counted is in no total and in no share of the model, and no rule looks at it. A
        job that holds a model to its costs, or that wants no findings, has to know that all of it
        was looked at: with this rule a model that is counted in part fails.

    What to do
        Do what the reasons say: bind the dims that they name (``--dim``, ``--input-shape``), let
        archlint run the model once (``--execute``), or describe a foreign operator in a plugin.

    When not to apply
        Where a part of the model cannot be counted by anybody, such as a detector's choice of boxes
        whose number depends on the image: raise ``min_nodes`` to what is accepted, or ignore the
        nodes by name. For a first look the reasons in the report are enough.

    Not flagged
        Nodes that cost nothing on purpose; fewer nodes than ``min_nodes``. The report tells the
        same reasons anyway; the rule is on request, for those who want it to be a fault.

    Known limits
        It counts nodes, not what they weigh: one unknown convolution may be more than a hundred
        unknown additions. A node whose shapes were observed in one run (``--execute``) counts as
        known, although another input can give others.

    References
        ONNX, Operator Schemas, 2024.
    """

    code = "ARC714"
    name = "unknown-cost"
    group = RuleGroup.PEDANTIC
    severity = Severity.WARNING
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = (
        "bind the dims that the reasons name, run the model once with --execute, or describe a "
        "foreign operator in a plugin"
    )

    min_nodes: int = option(1, "nodes of unknown cost from which it is told", minimum=1)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All nodes without a cost, those within bodies by the node that runs them."""
        costs = context.costs
        if len(costs.unknown) >= self.min_nodes:
            whole = plural(costs.node_count, "node")
            reasons = told(by_cause(costs.unknown))
            yield Match(
                tuple(node for node in context.graph.nodes if node.id in costs.uncosted),
                f"the cost of {len(costs.unknown):,} of {whole} is unknown: {reasons}",
                {"nodes": len(costs.unknown)},
            )


CASES = (
    Flags(
        "an operator that nobody knows",
        """<ir_version: 8, opset_import: ["" : 17, "some.domain" : 1]>
agraph (float[1,4] x) => (y) { [odd] y = some.domain.Odd (x) }""",
        at="odd",
    ),
    Flags(
        "a dim that is not bound",
        """agraph (float[1,length,8] x) => (y) <float[8,8] w> { [fc] y = MatMul (x, w) }""",
        at="fc",
    ),
    Passes(
        "fewer nodes than the floor",
        """agraph (float[1,length,8] x) => (y) <float[8,8] w> { y = MatMul (x, w) }""",
        options={"min_nodes": 2},
    ),
    Passes(
        "a leading dim that is taken as 1",
        "agraph (float[batch,8] x) => (y) <float[8,8] w> { y = MatMul (x, w) }",
    ),
    Passes(
        "what costs nothing whatever its shape",
        "agraph (float[1,length,8] x) => (y) { y = Identity (x) }",
    ),
)
