"""ARC703: a shape that the file declares and its nodes do not make."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Passes, ProblemRule


@dataclass(frozen=True)
class ContradictedDeclaration(ProblemRule):
    """A value whose declared shape is not the one that the nodes of the model make.

    Why it matters
        Tools that trust declared shapes allocate, fuse and count wrongly, and onnxruntime warns at
        every run where it is an output. It is left behind by edits of the graph: another input
        size, a replaced head. archlint infers every shape from the inputs and uses no declared one.

    What to do
        Clear the declared shapes (the value_info of the graph) and infer them again, or correct the
        declared output.

    When not to apply
        Where a bound or assumed size makes the difference (``--dim``, ``--input-shape``, a batch
        taken as 1 where an output declares 8): bind the size that the model was declared for and
        look again before anything is changed.

    Not flagged
        Declared dims that are unknown or named, and values whose shape cannot be inferred.

    Known limits
        One contradiction is named, the first, with the number of the others: they mostly follow
        from it. Only values of the main graph whose shape archlint can infer are compared; the
        bodies of If and Loop and the declared types of elements are not. Names of dims are not
        compared, so that [n, n] declared for a map of 2×3 passes.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, section Graphs.
    """

    code = "ARC703"
    name = "contradicted-declaration"
    about = ProblemKind.DECLARED_SHAPE
    advice = "clear the declared shapes and infer them again, or correct the declared output"


CASES = (
    Flags("an output of another size", "g (float[1,4] x) => (float[1,5] y) {y = Relu(x)}", at=""),
    Flags("an output of another rank", "g (float[1,4] x) => (float[4] y) {y = Relu(x)}", at=""),
    Passes("a named dim", "g (float[1,4] x) => (float[1,n] y) {y = Relu(x)}"),
    Passes("the same shape", "g (float[1,4] x) => (float[1,4] y) {y = Relu(x)}"),
)
