"""ARC704: a node whose inputs contradict its operator."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Passes, ProblemRule


@dataclass(frozen=True)
class ImpossibleShape(ProblemRule):
    """A node whose inputs have shapes that its operator cannot take.

    Why it matters
        The model fails when it gets there: inner dims of a product that differ, a kernel larger
        than its padded map, a reshape to another number of elements. What depends on the node has
        no known cost.

    What to do
        If a bound or assumed size is to blame (``--dim``, ``--input-shape``, a batch taken as 1),
        bind another one; else correct the node and export the model again.

    When not to apply
        Where the sizes are to blame: a batch that was taken as 1, or a bound side of an image that
        the strides of the network do not divide. The model is right for other sizes then; bind
        those that it is used with. An old model that broadcasts by rules of its own may run in the
        program that wrote it.

    Not flagged
        Nodes whose input shapes are unknown; nodes behind the one that is told.

    Known limits
        Shapes are compared, not numbers: an index beyond the end of a Gather is not seen, nor is a
        type that an operator does not take. Nodes in the bodies of If, Loop and Scan are not told;
        their costs are unknown. Operators that archlint has no rule for are left to onnx's shape
        inference.

    References
        ONNX, Operator Schemas, 2024.
    """

    code = "ARC704"
    name = "impossible-shape"
    about = ProblemKind.IMPOSSIBLE_SHAPE
    advice = "bind other sizes if bound or assumed ones are to blame; else correct the node"


CASES = (
    Flags(
        "inner dims that differ",
        "g (float[1,4] x) => (y) <float[5,6] w> {[fc] y = MatMul(x, w)}",
        at="fc",
    ),
    Flags(
        "a kernel larger than its map",
        "g (float[1,3,4,4] x) => (y) <float[8,3,7,7] w> {[conv] y = Conv(x, w)}",
        at="conv",
    ),
    Passes(
        "a kernel as large as its padded map",
        "g (float[1,3,4,4] x) => (y) <float[8,3,6,6] w> {y = Conv<pads=[1,1,1,1]>(x, w)}",
    ),
    Passes("dims that broadcast", "g (float[1,4] x) => (y) <float[3,1] w> {y = Add(x, w)}"),
)
