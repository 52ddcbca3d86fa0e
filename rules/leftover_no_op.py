"""ARC404: nodes that change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup
from archlint.analyzer.text import plural


@dataclass(frozen=True)
class LeftoverNoOp(Rule):
    """Nodes that hand on what they read: left by training, by an exporter, by an edit.

    Why it matters
        They are in the way of whoever reads the graph and of tools that look for patterns (a
        Dropout or an Identity between a convolution and its activation hides the pair). Time they
        hardly take: onnxruntime 1.31 removes Dropout, Identity, Cast, Slice and pairs of Transpose
        when it loads the model. A Pad of nothing (unless a convolution is behind it), a Concat of
        one input and a Transpose that keeps the order it leaves, and each copies its map.

    What to do
        Export in evaluation mode, or simplify the file (onnxsim, onnxslim).

    Not flagged
        An Identity that gives an input or a weight the name of an output; a Dropout that drops, or
        whose mask is read; a Slice that turns the order round; a first Transpose of two that
        something else reads; what does not depend on the input.

    References
        ONNX, Operator Schemas, 2024, Dropout, Identity, Cast, Pad, Slice, Concat and Transpose.
    """

    code = "ARC404"
    name = "leftover-no-op"
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = (
        "simplify the file (onnxsim, onnxslim) if other tools read it; onnxruntime removes all but "
        "Pad, Concat and single Transposes when it loads it (Dropout: ×1.01 time with onnxruntime "
        "1.31, CPU, one thread)"
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All of them in one finding."""
        graph = context.graph
        found = {node.id: node for node in graph.operators() if _does_nothing(graph, node)}
        for node in graph.operators():
            found |= {one.id: one for one in _undone(graph, node)}
        nodes = tuple(found[place] for place in sorted(found))
        if nodes:
            counts = sorted(Counter(node.op_type for node in nodes).items())
            what = ", ".join(f"{count:,} {op_type}" for op_type, count in counts)
            do = "does" if len(nodes) == 1 else "do"
            yield Match(
                nodes,
                f"{plural(len(nodes), 'node')} {do} nothing: {what}",
                {"nodes": len(nodes)},
            )


def _does_nothing(graph: Graph, node: Node) -> bool:
    idle = _IDLE.get(node.operator)
    return idle is not None and idle(graph, node)


def _integers(graph: Graph, node: Node, index: int, attribute: str) -> list[int] | None:
    """Integers that were an attribute in old operator sets and are an input since; None if they are
    not known."""
    given = node.attributes.get(attribute)
    if isinstance(given, list):
        return given
    data = graph.value(node.input(index)).data
    numbers = [] if data is None else data.reshape(-1).tolist()
    return numbers if data is not None and all(isinstance(n, int) for n in numbers) else None


def _identity(graph: Graph, node: Node) -> bool:
    named = node.output(0) in graph.outputs
    return not (named and graph.producer(node.input(0)) is None)


def _dropout(graph: Graph, node: Node) -> bool:
    mask = node.output(1)
    if mask and (graph.consumers(mask) or mask in graph.outputs):
        return False
    if graph.opset < 7:
        return bool(node.attributes.get("is_test", 0))
    training = graph.value(node.input(2)).data
    return not node.input(2) or (training is not None and not training.any())


def _cast(graph: Graph, node: Node) -> bool:
    return graph.value(node.input(0)).dtype == node.attributes.get("to", 0) != 0


def _pad(graph: Graph, node: Node) -> bool:
    pads = _integers(graph, node, 1, "paddings" if graph.opset < 2 else "pads")
    return pads is not None and not any(pads)


def _slice(graph: Graph, node: Node) -> bool:
    """Whether it takes all of every axis, in order."""
    starts = _integers(graph, node, 1, "starts")
    steps = _integers(graph, node, 4, "steps") if node.input(4) else []
    if starts is None or steps is None or any(starts) or any(step != 1 for step in steps):
        return False
    before, after = (graph.value(name).static_shape for name in (node.input(0), node.output(0)))
    return before is not None and before == after


def _concat(_graph: Graph, node: Node) -> bool:
    return len(node.inputs) == 1


def _transpose(graph: Graph, node: Node) -> bool:
    order = _order(graph, node)
    return order is not None and order == sorted(order)


def _order(graph: Graph, node: Node) -> list[int] | None:
    """The order of axes that a Transpose makes; None where it is unknown."""
    rank = len(graph.value(node.input(0)).shape or ())
    order = node.attributes.get("perm", list(reversed(range(rank))))
    if not isinstance(order, list) or not all(isinstance(axis, int) for axis in order):
        return None
    return order if sorted(order) == list(range(rank)) else None


def _undone(graph: Graph, second: Node) -> tuple[Node, ...]:
    """A Transpose and the one before that it undoes, unless something else reads that one."""
    first = graph.producer(second.input(0))
    if first is None or {first.operator, second.operator} != {"Transpose"}:
        return ()
    orders = _order(graph, first), _order(graph, second)
    if orders[0] is None or orders[1] is None:
        return ()
    pair = [orders[0][axis] for axis in orders[1]] == sorted(orders[0])
    value = first.output(0)
    alone = len(graph.consumers(value)) == 1 and value not in graph.outputs
    return (first, second) if pair and alone and orders[0] != sorted(orders[0]) else ()


_IDLE: dict[str, Callable[[Graph, Node], bool]] = {
    "Identity": _identity,
    "Dropout": _dropout,
    "Cast": _cast,
    "Pad": _pad,
    "Slice": _slice,
    "Concat": _concat,
    "Transpose": _transpose,
}

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
