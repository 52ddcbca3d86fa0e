"""ARC706: a graph that the standard forbids and archlint reads all the same."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Passes, ProblemRule


@dataclass(frozen=True)
class MalformedGraph(ProblemRule):
    """A graph that the standard forbids: unsorted nodes, values made twice or by nothing.

    Why it matters
        Other tools refuse the model, or read it otherwise than it was meant. archlint sorts the
        nodes, takes the first of two makers of a value and calls the shape of a value that nothing
        makes unknown; a missing operator set is read as the newest one.

    What to do
        Correct the exporter or the script that edited the model; onnx.checker.check_model tells
        more.

    When not to apply
        Where every program that reads the model sorts nodes by itself, unsorted nodes do no harm,
        and a file of an old exporter that is frozen for good may stay as it is: ignore it with a
        reason. A value that is made twice or by nothing is always worth a look, for readers differ
        in what they make of it.

    Not flagged
        Cycles: such a file cannot be analysed. Values that the file declares without data: weights
        that were left out.

    Known limits
        An output of the graph that nothing makes is not told, and of several values that nothing
        makes the first is named. It is no replacement for onnx.checker, which looks at attributes,
        types and names as well.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, section Graphs.
    """

    code = "ARC706"
    name = "malformed-graph"
    about = ProblemKind.MALFORMED
    advice = "correct the exporter or the script that edited the model"


CASES = (
    Flags("nodes out of order", "g (float[1,2] x) => (y) {y = Relu(a) a = Abs(x)}", at=""),
    Flags("a value made twice", "g (float[1,2] x) => (y) {y = Relu(x) y = Abs(x)}", at=""),
    Flags("a value that nothing makes", "g (float[1,2] x) => (y) {y = Add(x, a)}", at=""),
    Passes("nodes in order", "g (float[1,2] x) => (y) {a = Abs(x) y = Relu(a)}"),
    Passes("a weight without data", "g (float[1,2] x) => (y) <float[2] a> {y = Add(x, a)}"),
)
