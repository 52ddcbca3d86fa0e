"""ARC407: quantised convolutions that run in floating point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.quantization import dequantizer, quantizer, starts_at_zero
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import plural

_CUTTING = frozenset({"Relu", "Clip"})


@dataclass(frozen=True)
class UnquantizedOutput(Rule):
    """Quantised convolutions whose output is not quantised, so that they run in floating point.

    Why it matters
        onnxruntime makes an integer convolution of DequantizeLinear → Conv → QuantizeLinear. Where
        the last one is missing it dequantises data and weights at every inference and convolves
        floats: the network has the errors of quantisation and is slower than the one that was
        quantised. A Relu in between is allowed if the smallest integer stands for 0, which it does
        not with symmetric activations (zero point 0 of int8).

    What to do
        Quantise the outputs of convolutions, too. onnxruntime's quantiser does, and with
        ``ActivationSymmetric`` off it takes a Relu into the range of the QuantizeLinear behind it.

    When not to apply
        For TensorRT, which takes such models as they are: by default, says its guide, the outputs
        of weighted layers are not to be quantised. Leave a layer in floats, too, where quantising
        its output costs more accuracy than its time is worth.

    Not flagged
        Convolutions of floats with quantised weights alone; convolutions that together do less than
        ``min_share`` of the model's MACs, as a head may that is left in floats for its accuracy.

    Known limits
        Products of matrices are not looked at. Where the integers of a QuantizeLinear are computed,
        not stored, a Relu before it is taken for one that onnxruntime can join. An activation other
        than Relu and Clip between the convolution and its QuantizeLinear counts as unquantised, as
        it is on onnxruntime's CPU provider; other devices have integer kernels for some.

    References
        Jacob et al., Quantization and Training, 2017, arXiv:1712.05877, section 2.4.
        onnxruntime, pull request 11696, 2022, https://github.com/microsoft/onnxruntime/pull/11696
        NVIDIA, Working with Quantized Types, 2025, https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/work-quantized-types.html
    """

    code = "ARC407"
    name = "unquantized-output"
    group = RuleGroup.TARGET
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = (
        "quantise what they make: a 3×3 convolution of 64 channels on 56×56 and the one behind it "
        "then took 0.2 to 0.4 of the time (onnxruntime 1.31, CPU, one thread)"
    )

    min_share: float = option(
        0.05, "smallest share of the model's MACs that they must do", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All of them in one finding."""
        graph, costs = context.graph, context.costs
        nodes = tuple(node for node in graph.operators() if _runs_in_floats(graph, node))
        if nodes and costs.total(nodes).macs >= self.min_share * costs.total().macs:
            yield Match(
                nodes,
                f"the output of {plural(len(nodes), 'quantised convolution')} is not quantised, "
                "so that onnxruntime convolves in floating point",
                {"nodes": len(nodes)},
            )


def _runs_in_floats(graph: Graph, node: Node) -> bool:
    """Whether a convolution of integers makes no integers."""
    if node.operator != "Conv" or not all(dequantizer(graph, name) for name in node.inputs[:2]):
        return False
    value = node.output(0)
    if quantizer(graph, value) is not None:
        return False
    readers = graph.consumers(value)
    if len(readers) != 1 or value in graph.outputs or readers[0].operator not in _CUTTING:
        return True
    behind = quantizer(graph, readers[0].output(0))
    return behind is None or not starts_at_zero(graph, behind)


def _quantised(nodes: str, result: str = "uint8") -> str:
    """A quantised convolution ``c`` and what is behind it."""
    return f"""agraph (uint8[1,64,56,56] x, float[1,64,56,56] f) => ({result}[1,64,56,56] y)
        <int8[64,64,3,3] w> {{
            s = Constant <value = float {{0.02}}> ()
            z = Constant <value = uint8 {{128}}> ()
            i = Constant <value = int8 {{0}}> ()
            d = DequantizeLinear (x, s, z)
            v = DequantizeLinear (w, s, i)
            {nodes}
        }}"""


_CONV = "[conv] c = Conv <pads = [1,1,1,1]> (d, v)"

CASES = (
    Flags("an addition reads it", _quantised(f"{_CONV} y = Add (c, f)", result="float"), at="conv"),
    Flags(
        "a Relu behind which the smallest integer is no zero",
        _quantised(f"{_CONV} r = Relu (c) y = QuantizeLinear (r, s, i)", result="int8"),
        at="conv",
    ),
    Passes("a quantised output", _quantised(f"{_CONV} y = QuantizeLinear (c, s, z)")),
    Passes(
        "a Relu behind which the smallest integer is zero",
        _quantised(f"{_CONV} r = Relu (c) y = QuantizeLinear (r, s)"),
    ),
    Passes(
        "only the weights are quantised",
        _quantised("c = Conv <pads = [1,1,1,1]> (f, v) y = Add (c, f)", result="float"),
    ),
    Passes(
        "a head that does little of the work",
        """agraph (uint8[1,64,56,56] x, float[1,64,56,56] f) => (float[1,1,56,56] y, q)
        <int8[1,64,1,1] w, float[64,64,3,3] u> {
            s = Constant <value = float {0.02}> ()
            i = Constant <value = int8 {0}> ()
            q = Conv <pads = [1,1,1,1]> (f, u)
            d = DequantizeLinear (x, s)
            v = DequantizeLinear (w, s, i)
            y = Conv (d, v)
        }""",
    ),
)
