"""ARC714: nodes that no total can count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.reasons import by_cause, told
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup
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

    Not flagged
        Nodes that cost nothing on purpose. The report tells the same reasons anyway; the rule is on
        request, for those who want it to be a fault.

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

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All nodes without a cost, those within bodies by the node that runs them."""
        costs = context.costs
        if costs.unknown:
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
        "a leading dim that is taken as 1",
        "agraph (float[batch,8] x) => (y) <float[8,8] w> { y = MatMul (x, w) }",
    ),
    Passes(
        "what costs nothing whatever its shape",
        "agraph (float[1,length,8] x) => (y) { y = Identity (x) }",
    ),
)
