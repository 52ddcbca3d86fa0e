"""ARC709: weights that are stored twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Match, Passes, ProblemRule, RuleContext, RuleGroup


@dataclass(frozen=True)
class DuplicateInitializer(ProblemRule):
    """Tensors that hold the same numbers and are stored, and loaded, each by itself.

    Why it matters
        Each copy takes its bytes in the file, in memory and in the caches. onnxruntime does not
        merge them: of two equal matrices of 256 kB both are there after all its optimisations
        (1.31, CPU). Exporters write tied weights, an embedding that is the classifier as well, once
        for each use: of 50,257 tokens by 768 numbers 154.4 MB each.

    What to do
        Store the numbers once and let every node read that one tensor; a Transpose of it that
        depends on no input is computed once, when the model is loaded.

    Not flagged
        Tensors of up to 1 kB, of elements that are no whole bytes, of other dims or another type
        than their like, and those in other files, which archlint does not open. Of tensors above
        1 MiB that agree at both ends 64 parts are compared, 1 MiB in all. The rule is on request
        alone because nothing else reads the weights.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, section Graphs.
        Press and Wolf, Using the Output Embedding, 2016, arXiv:1608.05859, section 3.
    """

    code = "ARC709"
    name = "duplicate-initializer"
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    about = ProblemKind.DUPLICATE
    advice = "store the numbers once and let every node read that tensor: the file shrinks by them"

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Every problem of the kind; the weights are read for it."""
        for problem in context.graph.weight_problems:
            if problem.kind is self.about:
                yield Match((), problem.message)


def _numbers(first: int, count: int = 257) -> str:
    return ", ".join(str(number) for number in range(first, first + count))


def _two(first: str, second: str, dims: str = "257") -> str:
    return f"""agraph (float[1,257] x) => (float[1,257] y)
    <float[257] a = {{{first}}}, float[{dims}] b = {{{second}}}> {{
        t = Add (x, a)
        y = Mul (t, b)
    }}"""


CASES = (
    Flags("257 numbers twice: 1,028 bytes", _two(_numbers(0), _numbers(0)), at=""),
    Passes("the last number differs", _two(_numbers(0), _numbers(0, 256) + ", 0")),
    Passes("other dims", _two(_numbers(0), _numbers(0), "1, 257")),
    Passes(
        "256 numbers twice: 1 kB",
        f"""agraph (float[1,256] x) => (float[1,256] y)
    <float[256] a = {{{_numbers(0, 256)}}}, float[256] b = {{{_numbers(0, 256)}}}> {{
        t = Add (x, a)
        y = Mul (t, b)
    }}""",
    ),
    Passes(
        "weights without data",
        """agraph (float[1,512] x) => (float[1,512] y) <float[512] a, float[512] b> {
            t = Add (x, a)
            y = Mul (t, b)
        }""",
    ),
)
