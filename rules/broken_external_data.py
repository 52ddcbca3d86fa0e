"""ARC702: weights whose file is missing or too short."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Passes, ProblemRule


@dataclass(frozen=True)
class BrokenExternalData(ProblemRule):
    """Weights whose file is missing, too short for them, or described by numbers that are none.

    Why it matters
        No runtime can load the model. It happens when a model is moved or committed without the
        files beside it, or when those are pointers of Git LFS that were not fetched.

    What to do
        Put the files beside the model (git lfs pull), or export it again. Costs need only the
        shapes of the weights, so the rest of the report holds.

    When not to apply
        Where a job reads structures alone and the weights are left to Git LFS or to a later step on
        purpose, the finding is expected: ignore it with a reason. A model that is only counted
        needs no weights.

    Not flagged
        Weights that the model leaves out altogether: a structure without data.

    Known limits
        The file is looked up, not read: whether its content is that of the model, or a text of as
        many bytes, is not asked, and the checksum that ONNX allows is not compared. A file that is
        too long is no fault, for several tensors may share it.

    References
        ONNX, External Data, 2024, keys location, offset and length.
    """

    code = "ARC702"
    name = "broken-external-data"
    severity = Severity.ERROR
    about = ProblemKind.BROKEN_EXTERNAL_DATA
    advice = "put the files beside the model (git lfs pull), or export it again"


CASES = (
    Flags(
        "a file that is not there",
        """<ir_version: 10, opset_import: ["" : 17]>
agraph (float[1,4] x) => (float[1,4] y) <float[4,4] w = ["location": "no such file.bin"]> {
    y = MatMul (x, w)
}""",
        at="",
    ),
    Passes("weights in the model", "g (float[1,2] x) => (y) <float[2] w = {1, 2}> {y = Add(x, w)}"),
    Passes("weights left out", "g (float[1,2] x) => (y) <float[2] w> {y = Add(x, w)}"),
)
