"""ARC708: nodes that lead to no output of the graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.pinned import pinned
from archlint.analyzer.proposal import FixKind, Priced, Proposal
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, option
from archlint.analyzer.text import plural

# Operators of other domains may do more than make a value, such as print it.
_PURE = frozenset({"", "ai.onnx.ml", "com.microsoft"})


@dataclass(frozen=True)
class DeadNode(Rule):
    """Nodes that lead to no output of the graph: they are computed and thrown away.

    Why it costs
        onnxruntime removes initializers that nothing reads, and runs every node: a 3×3 convolution
        64→64 on 28×28 whose result nobody reads does its 28·28·64·9·64 multiply-accumulates at each
        inference. Behind an equal one that is read it takes as long as that: without it the model
        runs in 0.53 of the time (1.31, CPU, one thread). Its weights are loaded too. Dead code is
        seldom written: other changes of the graph leave it behind.

    What to do
        Remove the nodes, and the initializers that only they read. No output changes. If one of
        them should have been an output, the export has lost it. ``archlint fix`` removes all that
        make a value, those of foreign domains too.

    When not to apply
        Where the nodes are there for a side effect, such as one that prints or logs, and where they
        should have been an output: then declare that instead of removing what makes it. A compiler
        of models removes such nodes by itself (Li et al.), so that for one only the file shrinks.

    Not flagged
        Branches that a subgraph of an If or a Loop reads; nodes whose other output is used;
        operators of foreign domains and what leads to them; less than ``min_share`` of the
        operations and of the parameters.

    Known limits
        Nodes in the bodies of If, Loop and Scan are not looked at, nor one output of several that
        nobody reads. A node of a foreign domain is taken to do more than make its value, and with
        it all that leads to it. What an output needs but the caller never asks for is not dead: the
        graph cannot tell.

    References
        Li et al., The Deep Learning Compiler, 2020, arXiv:2002.03794, section 4.3.3.
        onnxruntime, pull request 20497, 2024, https://github.com/microsoft/onnxruntime/pull/20497
    """

    code = "ARC708"
    name = "dead-node"
    fixes_unbound = True
    confidence = Confidence.HIGH
    kind = FixKind.EQUIVALENT

    min_share: float = option(
        0.001,
        "share of the model's operations, or of its parameters, from which it is told",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All nodes that no output depends on, together."""
        dead = _dead(context.graph)
        if dead:
            verb = "leads" if len(dead) == 1 else "lead"
            yield Match(
                dead,
                f"{plural(len(dead), 'node')} {verb} to no output of the graph",
                {"nodes": len(dead)},
            )

    def propose(self, match: Match, context: RuleContext) -> Proposal:  # noqa: ARG002 - nothing new
        """The graph without the nodes."""
        remark = "If one of them should be an output, the export has lost it."
        return Proposal(
            f"the graph without {'it' if len(match.nodes) == 1 else 'them'}",
            self.kind,
            match.nodes,
            remark=remark,
        )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """The graph without all nodes that no output depends on, of any domain."""
        dead = _dead(context.graph, any_domain=True)
        if dead:
            title = f"the graph without {plural(len(dead), 'node')}"
            yield Proposal(title, self.kind, dead)

    def pays(self, priced: Priced, context: RuleContext, times: int) -> bool:
        """Whether the nodes are a large enough share of the model; of unknown ones nobody knows."""
        costs = context.costs
        if any(costs.cost(node) is None for node in priced.proposal.replaces):
            return True
        saved = (
            (priced.before.flops, costs.total().flops),
            (priced.saved_parameters, costs.parameter_count),
        )
        return any(times * part >= max(1, self.min_share * whole) for part, whole in saved)


def _dead(graph: Graph, *, any_domain: bool = False) -> tuple[Node, ...]:
    """The nodes that no output depends on, constants among them, in one pass from the end."""
    needed = {*graph.outputs, *(pinned(graph) if any_domain else ())}
    dead = []
    for node in reversed(graph.nodes):
        pure = any_domain or node.domain in _PURE
        if needed.isdisjoint(node.outputs) and pure and any(node.outputs):
            dead.append(node)
        else:
            needed.update(node.inputs, node.captured)
    return tuple(reversed(dead))


CASES = (
    Flags(
        "a convolution that nothing reads",
        """agraph (float[1,64,28,28] x) => (float[1,64,28,28] y)
        <float[64,64,3,3] v, float[64,64,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, v)
            [dead] z = Conv <pads = [1,1,1,1]> (y, w)
        }""",
        at="dead",
        macs=(28 * 28 * 64 * 9 * 64, 0),
    ),
    Flags(
        "a branch of several nodes, with the constants that only it reads",
        """agraph (float[1,8,4,4] x) => (float[1,8,4,4] y) <float[8,8,1,1] v> {
            dims = Constant <value_ints = [8,8,1,1]> ()
            w = ConstantOfShape <value = float[1] {1}> (dims)
            [head] a = Conv (x, w)
            b = Relu (a)
            y = Conv (x, v)
        }""",
        at="head",
        macs=(4 * 4 * 8 * 8, 0),
    ),
    Passes(
        "a second output that is not used",
        """agraph (float[1,8,4,4] x) => (float[1,4,4,4] y) {
            y, z = Split <axis = 1, num_outputs = 2> (x)
        }""",
    ),
    Passes(
        "what a subgraph reads",
        """agraph (bool c, float[1,8] x) => (float[1,8] y) <float[8,8] w> {
            a = MatMul (x, w)
            y = If (c) <
                then_branch = yes () => (float[1,8] p) { p = Identity (a) },
                else_branch = no () => (float[1,8] q) { q = Identity (x) }
            >
        }""",
    ),
    Passes(
        "a node of no weight",
        """agraph (float[1,64,28,28] x) => (float[1,64,28,28] y) <float[64,64,3,3] v> {
            y = Conv <pads = [1,1,1,1]> (x, v)
            s = Shape (y)
        }""",
    ),
)
