"""ARC404: nodes that change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.idle import does_nothing, removals, undone
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import plural


@dataclass(frozen=True)
class LeftoverNoOp(Rule):
    """Nodes that hand on what they read: left by training, by an exporter, by an edit.

    Why it matters
        They are in the way of whoever reads the graph and of tools that look for patterns: a
        Dropout or an Identity between a convolution and its activation hides the pair. Time they
        hardly take: onnxruntime 1.31 removes Dropout, Identity, a Cast to the same type, pairs of
        Transpose, a Slice whose ends are 2⁶³ − 1 and a Pad before a convolution or a pooling when
        it loads the model. What it leaves copies its map: any other Pad or Slice, a Concat of one
        input, a Transpose that keeps the order.

    What to do
        Export in evaluation mode, or simplify the file (onnxsim, onnxslim). ``archlint fix`` takes
        them out, also among the constants, a Slice where its ends are at least 2³¹ − 1; the outputs
        keep their names.

    When not to apply
        Where onnxruntime alone runs the model there is nothing to gain: with a Dropout removed the
        time was 1.01 of that before (onnxruntime 1.31, CPU, one thread). Keep the Dropout in a file
        that is meant to be trained further, and an Identity that carries a name which other tools
        or a list of outputs ask for.

    Not flagged
        An Identity that gives an input or a weight the name of an output; a Dropout that drops, or
        whose mask is read; a Slice with other ends than at least 10⁹, which cuts off something at
        other sizes; a first Transpose of two that something else reads; what does not depend on the
        input; less than ``min_share`` of the model's nodes.

    Known limits
        Seven operators are looked at: a Reshape to the shape that is there, a product with 1 or a
        sum with 0 is not told. Nodes in the bodies of If, Loop and Scan and of functions are not
        looked at. Two Transposes that undo each other with operators between them, which
        onnxruntime removes as well, are not told.

    References
        Li et al., The Deep Learning Compiler, 2020, arXiv:2002.03794, sections 4.3.1 and 4.3.2.
        ONNX, Operator Schemas, 2024, Dropout, Identity, Cast, Pad, Slice, Concat and Transpose.
    """

    code = "ARC404"
    name = "leftover-no-op"
    fixes_unbound = True
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = (
        "simplify the file (onnxsim, onnxslim) if other tools read it; onnxruntime removes most of "
        "them when it loads the model (Dropout: ×1.01 time with onnxruntime 1.31, CPU, one thread)"
    )

    min_share: float = option(
        0.01, "smallest share of the model's nodes that they must be", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All of them in one finding."""
        graph = context.graph
        found = {node.id: node for node in graph.operators() if does_nothing(graph, node)}
        for node in graph.operators():
            found |= {one.id: one for one in undone(graph, node)}
        nodes = tuple(found[place] for place in sorted(found))
        if nodes and len(nodes) >= self.min_share * len(graph.nodes):
            counts = sorted(Counter(node.op_type for node in nodes).items())
            what = ", ".join(f"{count:,} {op_type}" for op_type, count in counts)
            do = "does" if len(nodes) == 1 else "do"
            yield Match(
                nodes,
                f"{plural(len(nodes), 'node')} {do} nothing: {what}",
                {"nodes": len(nodes)},
            )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """The graph without them, and without those of constants: one for each value."""
        for removal in removals(context.graph):
            count, hands = len(removal.nodes), "hand" if len(removal.nodes) > 1 else "hands"
            title = f"the graph without {plural(count, 'node')} that {hands} on a value"
            yield Proposal(title, FixKind.EQUIVALENT, tuple(removal.nodes), renames=removal.renames)


CASES = (
    Flags(
        "a Dropout and an Identity: one finding",
        """agraph (float[1,64] x) => (float[1,10] y) <float[64,10] w> {
            [drop] d = Dropout (x)
            i = Identity (d)
            y = MatMul (i, w)
        }""",
        at="drop",
    ),
    Flags(
        "a Pad of nothing",
        """agraph (float[1,8,9,9] x) => (float[1,8,7,7] y) <float[8,8,3,3] w> {
            p = Constant <value = int64[8] {0, 0, 0, 0, 0, 0, 0, 0}> ()
            [pad] a = Pad (x, p)
            y = Conv (a, w)
        }""",
        at="pad",
    ),
    Flags(
        "two Transposes that undo each other",
        """agraph (float[1,8,9,9] x) => (float[1,8,9,9] y) {
            a = Transpose <perm = [0,2,3,1]> (x)
            [back] b = Transpose <perm = [0,3,1,2]> (a)
            y = Relu (b)
        }""",
        at="back",
    ),
    Flags(
        "a Slice of everything",
        """agraph (float[1,8,9,9] x) => (float[1,8,9,9] y) {
            s = Constant <value = int64[1] {0}> ()
            e = Constant <value = int64[1] {9223372036854775807}> ()
            a = Constant <value = int64[1] {2}> ()
            [cut] c = Slice (x, s, e, a)
            y = Relu (c)
        }""",
        at="cut",
    ),
    Flags(
        "a Cast to the type that it reads, and a Concat of one",
        """agraph (float[1,8,9,9] x) => (float[1,8,9,9] y) {
            [cast] a = Cast <to = 1> (x)
            b = Concat <axis = 1> (a)
            y = Relu (b)
        }""",
        at="cast",
    ),
    Passes(
        "an Identity that names an output, a Cast to another type",
        """agraph (float[1,64] x) => (float[1,64] y, float16[1,64] z) {
            y = Identity (x)
            z = Cast <to = 10> (x)
        }""",
    ),
    Passes(
        "a Slice that cuts off nothing of a batch of one alone",
        """agraph (float[batch,8] x) => (float[1,8] y) {
            s = Constant <value = int64[1] {0}> ()
            e = Constant <value = int64[1] {1}> ()
            a = Constant <value = int64[1] {0}> ()
            c = Slice (x, s, e, a)
            y = Relu (c)
        }""",
    ),
    Passes(
        "a small share of the nodes",
        """agraph (float[1,8] x) => (float[1,8] y) {
            d = Dropout (x)
            a = Relu (d)
            y = Sigmoid (a)
        }""",
        options={"min_share": 0.34},
    ),
    Passes(
        "two Transposes that do not undo each other, and a Slice that turns the order round",
        """agraph (float[1,8,9,9] x) => (float[9,9,1,8] y, float[1,8,9,9] z) {
            a = Transpose <perm = [0,2,3,1]> (x)
            y = Transpose <perm = [1,2,0,3]> (a)
            s = Constant <value = int64[1] {-1}> ()
            e = Constant <value = int64[1] {-9223372036854775807}> ()
            i = Constant <value = int64[1] {2}> ()
            d = Constant <value = int64[1] {-1}> ()
            z = Slice (x, s, e, i, d)
        }""",
    ),
    Passes(
        "the first of two Transposes is read by another node",
        """agraph (float[1,8,9,9] x) => (float[1,8,9,9] y, float[1,9,9,8] z) {
            a = Transpose <perm = [0,2,3,1]> (x)
            y = Transpose <perm = [0,3,1,2]> (a)
            z = Relu (a)
        }""",
    ),
    Passes(
        "a Dropout that drops, a Pad that pads",
        """agraph (float[1,8,9,9] x) => (float[1,8,11,11] y) {
            r = Constant <value = float {0.5}> ()
            t = Constant <value = bool {1}> ()
            d = Dropout (x, r, t)
            p = Constant <value = int64[8] {0, 0, 1, 1, 0, 0, 1, 1}> ()
            y = Pad (d, p)
        }""",
    ),
)
