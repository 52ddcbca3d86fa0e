"""ARC302: a training-only head left in the graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Flags, Match, ParameterRule, Passes, RuleContext, option
from archlint.analyzer.text import plural

_MOST_OUTPUTS = 32  # a network with more is no classifier


@dataclass(frozen=True)
class AuxiliaryClassifier(ParameterRule):
    """A second output of the same size that branches off early: a training-only head.

    Why it costs
        Auxiliary classifiers help to train deep networks and are thrown away at inference. Left in
        the exported graph they are computed for every input, and loaded with their weights:
        GoogLeNet's two heads hold 6,379,728 of its 13,378,280 parameters.

    What to do
        Export the network in evaluation mode, or remove the output and all that leads to it alone.
        The other outputs do not change.

    When not to apply
        Where the output is read at inference: exits for easy inputs (BranchyNet),
        averages of several heads, pruning of nested networks. Who fetches all outputs by position
        or by name must be told that one is gone.

    Not flagged
        Outputs of another shape; outputs of about the same cost (the heads of a network with
        several tasks, two towers); heads after which the trunk does not go on.

    Known limits
        It goes by shapes and costs alone: a second task with outputs of the same shape that
        branches off early looks the same. The output with the most MACs is taken for the main one;
        outputs of another shape, heads without MACs and graphs with more than 32 outputs are not
        looked at.

    References
        Szegedy et al., Going Deeper with Convolutions, 2014, arXiv:1409.4842, section 5.
        Szegedy et al., Rethinking the Inception Architecture, 2015, arXiv:1512.00567, section 4.
        Teerapittayanon et al., BranchyNet, 2017, arXiv:1709.01686.
    """

    code = "ARC302"
    name = "auxiliary-classifier"
    kind = FixKind.EQUIVALENT

    min_share: float = option(
        0.001,
        "smallest share of the model's MACs that the proposal must save",
        minimum=0.0,
        maximum=1.0,
    )
    min_trunk: float = option(
        0.1, "share of the model's MACs that must lie behind the branch", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Outputs shaped as the main one that only a cheap early branch leads to."""
        graph, costs = context.graph, context.costs
        outputs = dict.fromkeys(graph.outputs)
        if not 1 < len(outputs) <= _MOST_OUTPUTS:
            return
        reach = {name: _reach(graph, name) for name in outputs}

        def macs(ids: frozenset[int]) -> int:
            return costs.total(graph.nodes[place] for place in ids).macs

        main = max(reach, key=lambda name: macs(reach[name]))
        shape = graph.value(main).static_shape
        for name, ids in reach.items():
            if name == main or shape is None or graph.value(name).static_shape != shape:
                continue
            others = (found for other, found in reach.items() if other != name)
            own = ids - frozenset().union(*others)
            head, behind, shared = macs(own), macs(reach[main] - ids), macs(ids & reach[main])
            early = behind >= self.min_trunk * costs.total().macs and head < behind / 2
            if early and 0 < head < shared:
                own_nodes = (graph.nodes[place] for place in sorted(own))
                nodes = tuple(node for node in own_nodes if not graph.is_constant(node))
                size = plural(len(nodes), "node")
                yield Match(
                    nodes,
                    f"output '{name}' is a head of {size} that branches off before the rest of "
                    f"the network and is shaped as '{main}': used in training only?",
                    {"output": name, "nodes": len(nodes)},
                )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:  # noqa: ARG002 - as the base has it
        """None: without an output the model is another one to whoever calls it."""
        return iter(())

    def propose(self, match: Match, context: RuleContext) -> Proposal:  # noqa: ARG002 - as the base has it
        """The graph without the output and the nodes that lead to it alone."""
        output = str(match.evidence["output"])
        title = f"the graph without the output '{output}'"
        remark = "It holds for every other output; keep this one if something reads it."
        return Proposal(title, self.kind, match.nodes, drops=(output,), remark=remark)


def _reach(graph: Graph, output: str) -> frozenset[int]:
    """The nodes that an output depends on."""
    producer: Node | None = graph.producer(output)
    if producer is None:
        return frozenset()
    import networkx as nx  # late: most models have one output and never get here

    return frozenset({producer.id, *nx.ancestors(graph.network, producer.id)})


_TRUNK = """agraph (float[1,64,14,14] x) => (float[1,10] main, float[1,10] aux)
    <float[64,64,3,3] a, float[64,64,3,3] b, float[10,64] v, float[10,64] w> {
        t = Conv <pads = [1,1,1,1]> (x, a)
        r = Relu (t)
        [pool] p = GlobalAveragePool (r)
        [flat] f = Flatten (p)
        [head] aux = Gemm <transB = 1> (f, v)
        u = Conv <pads = [1,1,1,1]> (r, b)
        q = GlobalAveragePool (u)
        g = Flatten (q)
        main = Gemm <transB = 1> (g, w)
    }"""

CASES = (
    Flags(
        "a head on the middle of a network",
        _TRUNK,
        at="head",
        macs=(64 * 10, 0),
        options={"min_share": 0.0, "min_macs": 0},
    ),
    Passes(
        "two heads at the end of one trunk",
        """agraph (float[1,64,14,14] x) => (float[1,10] main, float[1,10] other)
        <float[64,64,3,3] a, float[10,64] v, float[10,64] w> {
            t = Conv <pads = [1,1,1,1]> (x, a)
            p = GlobalAveragePool (t)
            f = Flatten (p)
            other = Gemm <transB = 1> (f, v)
            main = Gemm <transB = 1> (f, w)
        }""",
        options={"min_share": 0.0, "min_macs": 0},
    ),
    Passes(
        "an intermediate map of another shape",
        """agraph (float[1,64,14,14] x) => (float[1,10] main, float[1,64,14,14] features)
        <float[64,64,3,3] a, float[64,64,3,3] b, float[10,64] w> {
            features = Conv <pads = [1,1,1,1]> (x, a)
            u = Conv <pads = [1,1,1,1]> (features, b)
            q = GlobalAveragePool (u)
            g = Flatten (q)
            main = Gemm <transB = 1> (g, w)
        }""",
        options={"min_share": 0.0, "min_macs": 0},
    ),
    Passes(
        "two towers that share nothing",
        """agraph (float[1,512] x, float[1,64] z) => (float[1,10] main, float[1,10] other)
        <float[10,512] v, float[10,64] w> {
            main = Gemm <transB = 1> (x, v)
            other = Gemm <transB = 1> (z, w)
        }""",
        options={"min_share": 0.0, "min_macs": 0},
    ),
)
