"""ARC705: a tensor whose data does not fit its dims."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Passes, ProblemRule


@dataclass(frozen=True)
class MismatchedPayload(ProblemRule):
    """A stored tensor with more or fewer bytes than its dims and its data type ask for.

    Why it matters
        Runtimes refuse the model, or read numbers that belong to something else. The file was cut,
        or a tool changed dims without the data. Costs follow the dims.

    What to do
        Export the model again.

    When not to apply
        Where only costs are wanted of a file that was cut on purpose: they follow from dims and
        types, and the report holds. Such a file runs nowhere, though.

    Not flagged
        Tensors without any data: a structure whose weights were left out.

    Known limits
        Lengths are compared, not numbers: weights that were overwritten with others of the same
        length pass. Where several tensors have the same fault the first is named with their number.
        Strings and types that the installed onnx does not know have no length to compare.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, TensorProto.
    """

    code = "ARC705"
    name = "mismatched-payload"
    severity = Severity.ERROR
    about = ProblemKind.PAYLOAD
    advice = "export the model again"


CASES = (
    Flags(
        "more numbers than its dims",
        "g (float[1,2] x) => (y) <float[2] w = {1, 2, 3}> {y = Add(x, w)}",
        at="",
    ),
    Flags(
        "fewer numbers than its dims",
        "g (float[1,4] x) => (y) <float[4] w = {1, 2, 3}> {y = Add(x, w)}",
        at="",
    ),
    Passes("as many as its dims", "g (float[1,2] x) => (y) <float[2] w = {1, 2}> {y = Add(x, w)}"),
    Passes("none at all", "g (float[1,2] x) => (y) <float[2] w> {y = Add(x, w)}"),
)
