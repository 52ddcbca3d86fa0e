"""ARC707: weights that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.graph import Graph, Value
from archlint.analyzer.pinned import pinned
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, option
from archlint.analyzer.text import percent, plural, size


@dataclass(frozen=True)
class UnusedInitializer(Rule):
    """Weights that no node reads: bytes in the file that do nothing.

    Why it matters
        They are stored, sent and read from disk with every load of the model. onnxruntime then
        drops them with a warning, so that the time of an inference is the same. They are left
        behind where a head was cut off or a quantised copy took the place of a weight.

    What to do
        Remove the initializers from the graph. ``archlint fix`` does, whatever their size, unless
        a caller may feed them or an annotation of quantisation names them.

    When not to apply
        Where another program reads them by name, such as one that keeps labels, anchors or the
        means of a normalisation in the file; the metadata of the model is the better place for
        these. A file that is loaded once and runs for days gains nothing but its size on disk.

    Not flagged
        Less than ``min_bytes`` in all, or than ``min_share`` of the bytes of the weights; weights
        that only dead nodes read.

    Known limits
        Initializers of the main graph are looked at, not those of the bodies of If, Loop and Scan,
        and no values of Constant nodes. A weight that a dead node alone reads counts as read: see
        ARC708. Bytes are those of dims and types, also where the file holds no data.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, section Graphs.
        onnxruntime, issue 9258, 2021, https://github.com/microsoft/onnxruntime/issues/9258
    """

    code = "ARC707"
    name = "unused-initializer"
    fixes_unbound = True
    severity = Severity.NOTE
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = "remove them: the file shrinks by their bytes, an inference takes as long as before"

    min_bytes: int = option(65_536, "bytes in all from which they are told", minimum=0)
    min_share: float = option(
        0.01, "share of the bytes of all initializers from which it is told", minimum=0, maximum=1
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All initializers that nothing reads, together."""
        graph = context.graph
        unread = _unread(graph)
        wasted = sum(map(_bytes, unread))
        if not unread or wasted < self.min_bytes:
            return
        whole = sum(_bytes(value) for value in graph.values.values() if _is_stored(graph, value))
        if wasted >= self.min_share * whole:
            verb = "is" if len(unread) == 1 else "are"
            yield Match(
                (),
                f"{plural(len(unread), 'initializer')} of {size(wasted)} "
                f"({percent(wasted, whole)} of all) {verb} read by no node, "
                f"the largest '{max(unread, key=_bytes).name}'",
                {"initializers": len(unread), "bytes": wasted},
            )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """The graph without all that nothing reads and nobody may feed."""
        graph = context.graph
        known = pinned(graph) | graph.overridable
        unread = tuple(value.name for value in _unread(graph) if value.name not in known)
        if unread:
            title = f"the graph without {plural(len(unread), 'initializer')}"
            yield Proposal(title, FixKind.EQUIVALENT, (), discards=unread)


def _unread(graph: Graph) -> list[Value]:
    """The initializers that no node reads and that are no output."""
    read = {*graph.outputs, *chain.from_iterable((*n.inputs, *n.captured) for n in graph.nodes)}
    unread = [value for name, value in graph.values.items() if value.constant and name not in read]
    return [value for value in unread if _is_stored(graph, value)]


def _is_stored(graph: Graph, value: Value) -> bool:
    return value.constant and graph.producer(value.name) is None


def _bytes(value: Value) -> int:
    elements = value.elements
    return (value.bytes_of(elements) or 0) if isinstance(elements, int) else 0


def _graph(unread: int) -> str:
    numbers = ", ".join(["1"] * unread)
    return f"""agraph (float[1,8] x) => (float[1,8] y)
    <float[8,8] w, float[{unread}] left = {{{numbers}}}> {{
        y = MatMul (x, w)
    }}"""


CASES = (
    Flags("a weight that nothing reads", _graph(64), at="", options={"min_bytes": 4 * 64}),
    Passes("fewer bytes than the floor", _graph(64), options={"min_bytes": 4 * 64 + 1}),
    Passes(
        "a smaller share than the floor",
        _graph(64).replace("float[8,8] w,", "float[8,8] w = {" + ", ".join(["1"] * 64) + "},"),
        options={"min_bytes": 0, "min_share": 0.51},
    ),
    Passes(
        "a weight that a subgraph reads",
        """agraph (bool c, float[1,4] x) => (float[1,4] y) <float[4] w = {1, 2, 3, 4}> {
            y = If (c) <
                then_branch = yes () => (float[1,4] p) { p = Add (x, w) },
                else_branch = no () => (float[1,4] q) { q = Identity (x) }
            >
        }""",
        options={"min_bytes": 0},
    ),
    Passes(
        "a weight that is an output itself",
        """agraph (float[1,4] x) => (float[1,4] y, float[4] w) <float[4] w = {1, 2, 3, 4}> {
            y = Relu (x)
        }""",
        options={"min_bytes": 0},
    ),
)
