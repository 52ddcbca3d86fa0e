"""ARC709: weights that are stored twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from onnx import TensorProto

from archlint.analyzer.finding import Severity
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.pinned import pinned
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.duplicates import equal_tensors
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
        Store the numbers once and let every node read that one tensor. ``archlint fix`` does for
        initializers and Constant nodes of more than 1 kB: it compares all their bytes, also those
        in other files.

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
    fixes_unbound = True
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

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """The graph with one tensor in place of each several equal ones of more than 1 kB."""
        graph = context.graph
        if graph.tallies is None:
            return
        model = graph.tallies.model
        stored = list(_stored(graph, model))
        for group in equal_tensors(model, [one.tensor for one in stored]):
            first, *others = (stored[place] for place in group)
            yield Proposal(
                f"one tensor in place of {len(group):,} equal ones",
                FixKind.EQUIVALENT,
                tuple(one.node for one in others if one.node is not None),
                renames={one.name: first.name for one in others},
                discards=tuple(one.name for one in others if one.node is None),
            )


class _Stored(NamedTuple):
    """A tensor by the name of its value; one that no node makes is an initializer."""

    name: str
    tensor: TensorProto
    node: Node | None


def _stored(graph: Graph, model: Model) -> Iterator[_Stored]:
    """The constants of the main graph that nobody else knows by name, nodes behind the others."""
    known = pinned(graph) | graph.overridable | frozenset(graph.outputs)
    times = Counter(tensor.name for tensor in model.proto.graph.initializer)
    for tensor in model.proto.graph.initializer:
        if tensor.name not in known and times[tensor.name] == 1:
            yield _Stored(tensor.name, tensor, None)
    for node in graph.nodes:
        held = node.attributes.get("value") if node.operator == "Constant" else None
        if isinstance(held, TensorProto) and node.output(0) not in known:
            yield _Stored(node.output(0), held, node)


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
