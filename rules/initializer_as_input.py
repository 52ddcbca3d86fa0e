"""ARC710: weights that are also inputs, so that a runtime cannot take them for constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, option
from archlint.analyzer.text import plural


@dataclass(frozen=True)
class InitializerAsInput(Rule):
    """Weights that are listed as inputs of the graph, which makes them defaults that may change.

    Why it matters
        Since IR version 4 an initializer that is an input as well is the input's default value: a
        caller may feed another one at any run. A runtime can neither fold it, nor merge a
        BatchNormalization into it, nor lay it out in blocks. The time of networks once the weights
        are taken out of the inputs, as a share of that before (onnxruntime 1.31, CPU, one thread):
        mobilenetv2 0.37, efficientnet_b0 0.40, a U-Net 0.58, resnet18 0.63, vit_base 0.84.

    What to do
        Remove the weights from the inputs of the graph and keep them as initializers:
        ``python -m onnxruntime.tools.remove_initializer_from_input --input IN --output OUT``, or
        ``keep_initializers_as_inputs=False`` where PyTorch exports the model. ``archlint fix`` does
        it with the weights; with all initializers where the file lists every one of them.

    When not to apply
        Where a caller feeds weights on purpose, such as an adapter that is swapped at run time or a
        model that is trained on the device: leave those that are fed among the inputs and take out
        the others. A runtime that reads no IR version above 3 needs every initializer among the
        inputs.

    Not flagged
        IR versions below 4, in which every initializer has to be an input and is a constant all the
        same; defaults that are no weights, such as the first state of a recurrent network or a
        threshold; less than ``min_share`` of the weights.

    Known limits
        Whether anybody feeds them the graph cannot say. The gain depends on what could be folded:
        it is largest where a BatchNormalization stands behind each convolution or the layout in
        blocks is lost, and small for products of matrices. Initializers of bodies are not looked
        at.

    References
        ONNX, Open Neural Network Exchange Intermediate Representation, 2024, section Graphs.
        onnxruntime, Troubleshooting, 2025, https://onnxruntime.ai/docs/performance/tune-performance/troubleshooting.html
        onnxruntime, pull request 1324, 2019, https://github.com/microsoft/onnxruntime/pull/1324
    """

    code = "ARC710"
    name = "initializer-as-input"
    fixes_unbound = True
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = (
        "take the weights out of the graph's inputs (python -m "
        "onnxruntime.tools.remove_initializer_from_input): on one thread of a CPU onnxruntime 1.31 "
        "then ran resnet18 in 0.63 of the time, mobilenetv2 in 0.37, vit_base in 0.84"
    )

    min_share: float = option(
        0.01, "smallest share of the weights' numbers that may be fed", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The graph, if some of its weights may be fed."""
        if not context.graph.overridable:
            return
        parameters = context.costs.parameters
        weights = _weights(context)
        fed = sorted(weights & context.graph.overridable)
        enough = self.min_share * parameters.elements(weights)
        if fed and parameters.elements(frozenset(fed)) >= enough:
            of_all = f"{len(fed):,} of {plural(len(weights), 'weight')}"
            verb = "is an input" if len(fed) == 1 else "are inputs"
            yield Match(
                (),
                f"{of_all} {verb} of the graph too, '{fed[0]}' for one: a runtime must take them "
                "as they are fed and cannot fold them",
                {"weights": len(fed)},
            )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """The graph whose weights may not be fed.

        A file that lists every initializer was written by a program that lists them all: then none
        is meant as the default of an input.
        """
        graph = context.graph
        closed = _weights(context) & graph.overridable
        if closed and graph.overridable == _initializers(graph):
            closed = graph.overridable
        if closed:
            title = f"the graph without {plural(len(closed), 'initializer')} among its inputs"
            yield Proposal(title, FixKind.EQUIVALENT, (), closes=tuple(sorted(closed)))


def _weights(context: RuleContext) -> frozenset[str]:
    """The parameters and running statistics."""
    parameters = context.costs.parameters
    return parameters.names.union(*parameters.buffers_of_node.values())


def _initializers(graph: Graph) -> frozenset[str]:
    stored = (v for v in graph.values.values() if v.constant)
    return frozenset(v.name for v in stored if graph.producer(v.name) is None)


def _conv(version: int, inputs: str = ", float[8,4,1,1] w") -> str:
    return f"""<ir_version: {version}, opset_import: ["" : 13]>
agraph (float[1,4,1,1] x{inputs}) => (float[1,8,1,1] y)
    <float[8,4,1,1] w = {{{", ".join(["1"] * 32)}}}> {{
        y = Conv (x, w)
    }}"""


CASES = (
    Flags("a kernel that may be fed", _conv(8), at=""),
    Flags("in the first IR version in which it may", _conv(4), at=""),
    Passes("a kernel that is no input", _conv(8, inputs="")),
    Passes(
        "a bias, which is a small share of the weights",
        """<ir_version: 8, opset_import: ["" : 13]>
        agraph (float[1,64] x, float[2] b) => (float[1,2] y)
        <float[64,2] w, float[2] b = {0, 0}> { y = Gemm (x, w, b) }""",
        options={"min_share": 0.02},
    ),
    Passes("an IR version in which it has to be listed", _conv(3)),
    Passes(
        "the first state of a recurrent network",
        """agraph (float[1,1,2] x, float[1,1,2] h) => (y)
        <float[1,2,2] w, float[1,2,2] r, float[1,1,2] h = {0, 0}> {
            y = RNN <hidden_size = 2> (x, w, r, , , h)
        }""",
    ),
)
