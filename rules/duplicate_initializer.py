"""ARC709: weights that are stored twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import (
    Flags,
    Match,
    Passes,
    ProblemRule,
    RuleContext,
    RuleGroup,
    option,
)  # fmt: skip


@dataclass(frozen=True)
class DuplicateInitializer(ProblemRule):
    """Tensors that hold the same numbers and are stored, and loaded, each by itself.

    Why it matters
        Each copy takes its bytes in the file, in memory and in the caches. onnxruntime does not
        merge them: of two equal matrices of 256 kB both are there after all its optimisations
        (1.31, CPU). Exporters have written shared weights once for each use, such as those of an
        embedding that is the classifier as well: of 50,257 tokens by 768 numbers that is 154.4 MB
        each.

    What to do
        Store the numbers once and let every node read that one tensor.

    When not to apply
        Copies that are equal by chance and train apart, such as biases that are still zero, must
        stay two in a file that is trained further. A copy on purpose, one for each device or part
        of a model that is split later, is none too many.

    Not flagged
        Copies of fewer than ``min_bytes`` together, and tensors of up to 1 kB; of elements that are
        no whole bytes, of other dims or another type than their like, and those in other files,
        which archlint does not open. The rule is on request alone because nothing else reads the
        weights.

    Known limits
        A transposed copy has other bytes and is not found, and PyTorch's exporter folds a Transpose
        into tied weights (issue 108342). A Transpose of the shared tensor in the file saves no
        memory with a runtime that folds it at load (onnxruntime, issue 20709). Of tensors above 1
        MiB that agree at both ends 64 parts are compared, 1 MiB in all; at most 5,000 tensors are,
        the largest.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, section Graphs.
        Press and Wolf, Using the Output Embedding, 2016, arXiv:1608.05859.
        PyTorch, pull request 68202, 2021, https://github.com/pytorch/pytorch/pull/68202
        PyTorch, issue 108342, 2023, https://github.com/pytorch/pytorch/issues/108342
        onnxruntime, issue 20709, 2024, https://github.com/microsoft/onnxruntime/issues/20709
    """

    code = "ARC709"
    name = "duplicate-initializer"
    group = RuleGroup.COST
    reads_weights = True
    severity = Severity.NOTE
    about = ProblemKind.DUPLICATE
    advice = "store the numbers once and let every node read that tensor: the file shrinks by them"

    min_bytes: int = option(65_536, "bytes of all copies from which they are told", minimum=0)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Every problem of the kind; the weights are read for it."""
        for problem in context.graph.weight_problems:
            if problem.kind is self.about and problem.wasted >= self.min_bytes:
                yield Match((), problem.message, {"bytes": problem.wasted})


def _numbers(first: int, count: int = 257) -> str:
    return ", ".join(str(number) for number in range(first, first + count))


def _two(first: str, second: str, dims: str = "257") -> str:
    return f"""agraph (float[1,257] x) => (float[1,257] y)
    <float[257] a = {{{first}}}, float[{dims}] b = {{{second}}}> {{
        t = Add (x, a)
        y = Mul (t, b)
    }}"""


CASES = (
    Flags(
        "257 numbers twice: 1,028 bytes",
        _two(_numbers(0), _numbers(0)),
        at="",
        options={"min_bytes": 1028},
    ),
    Passes(
        "fewer bytes than the floor",
        _two(_numbers(0), _numbers(0)),
        options={"min_bytes": 1029},
    ),
    Passes(
        "the last number differs",
        _two(_numbers(0), _numbers(0, 256) + ", 0"),
        options={"min_bytes": 0},
    ),
    Passes("other dims", _two(_numbers(0), _numbers(0), "1, 257"), options={"min_bytes": 0}),
    Passes(
        "256 numbers twice: 1 kB",
        f"""agraph (float[1,256] x) => (float[1,256] y)
    <float[256] a = {{{_numbers(0, 256)}}}, float[256] b = {{{_numbers(0, 256)}}}> {{
        t = Add (x, a)
        y = Mul (t, b)
    }}""",
        options={"min_bytes": 0},
    ),
    Passes(
        "weights without data",
        """agraph (float[1,512] x) => (float[1,512] y) <float[512] a, float[512] b> {
            t = Add (x, a)
            y = Mul (t, b)
        }""",
        options={"min_bytes": 0},
    ),
)
