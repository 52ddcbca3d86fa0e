"""ARC405: a maximum of integers that is taken of floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.quantization import dequantizer, encoding, quantizer
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option

_POOLS_INTEGERS = 12  # the first operator set whose MaxPool takes integers of eight bits
_CUTTING = frozenset({"Relu", "Clip"})


@dataclass(frozen=True)
class QuantizationIsland(Rule):
    """A MaxPool between integers whose output has another scale than its input.

    Why it matters
        The largest of some integers is the integer of the largest number: a MaxPool works on
        integers as it is, as long as one scale and one zero point hold before and behind it. With
        two, every runtime has to turn the map into floats, pool them and turn them back: three
        passes over four times the bytes, and a layout that is left and entered again. Between two
        3×3 convolutions of 64 channels on 56×56 that was a quarter of the time of all three
        (onnxruntime 1.31, CPU, one thread). It rounds twice, too, and gains nothing: no maximum
        lies outside the range of the input.

    What to do
        Let the quantiser share the encoding of a MaxPool's input with its output, as onnxruntime's
        does from operator set 12 on, or copy the scale and the zero point of the DequantizeLinear
        before it to the QuantizeLinear behind it and to what reads that.

    When not to apply
        Where the scale behind is chosen for a Concat whose inputs must share one, as TensorFlow
        Lite demands: the conversion then only moves behind the MaxPool. On a runtime that has no
        kernel for a MaxPool of integers in its layout nothing is gained: without a quantised
        convolution before it, pooling integers took 4 to 5 times as long as the detour through
        floats (64 channels on 56×56, onnxruntime 1.31, CPU, one thread).

    Not flagged
        One scale and one zero point; integers that no convolution makes, for the reason above; a
        MaxPool whose output is used as floats; other operators, which make numbers that the range
        before does not hold; operator sets below 12, whose MaxPool takes no integers; inputs of
        fewer than ``min_elements``.

    Known limits
        A scale or zero point that is computed, not stored, is unknown, and the MaxPool silent. Only
        Relu and Clip may stand between the convolution and the QuantizeLinear; maps that were added
        or joined before they are pooled are not looked at. Whether the encodings differ by more
        than rounding is not asked.

    References
        Jacob et al., Quantization and Training, 2017, arXiv:1712.05877, section 2.1.
        TensorFlow Lite, 8-bit quantization specification, 2019, https://www.tensorflow.org/lite/performance/quantization_spec
        onnxruntime, Quantize ONNX models, 2025, https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """

    code = "ARC405"
    name = "quantization-island"
    group = RuleGroup.SUSPICIOUS
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = (
        "quantise its output with the scale and the zero point of its input: then it pools "
        "integers (convolution, MaxPool, convolution: ×0.78 time with onnxruntime 1.31, CPU, one "
        "thread)"
    )

    min_elements: int = option(
        16_384, "elements of its input below which it is silent: some 0.05 ms", minimum=0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Poolings between two encodings that are known and differ."""
        graph = context.graph
        if graph.opset < _POOLS_INTEGERS:
            return
        for node in graph.operators():
            if node.operator != "MaxPool" or (node.output(1) and graph.consumers(node.output(1))):
                continue
            before, after = dequantizer(graph, node.input(0)), quantizer(graph, node.output(0))
            if before is None or after is None or not _is_convolved(graph, before.input(0)):
                continue
            if self._is_large(graph, node) and _recodes(graph, before, after):
                yield Match(
                    (before, node, after),
                    "a MaxPool of what a quantised convolution makes has another scale or zero "
                    "point behind it than before it, so it is computed in floating point",
                )

    def _is_large(self, graph: Graph, node: Node) -> bool:
        elements = graph.value(node.input(0)).elements
        return not isinstance(elements, int) or elements >= self.min_elements


def _recodes(graph: Graph, before: Node, after: Node) -> bool:
    """Whether the integers behind mean other numbers than those before; False if unknown."""
    one, other = encoding(graph, before), encoding(graph, after)
    types = {graph.value(before.input(0)).dtype, graph.value(after.output(0)).dtype}
    return one is not None and other is not None and (one != other or len(types) > 1)


def _is_convolved(graph: Graph, integers: str) -> bool:
    """Whether a convolution makes the integers, with nothing but a cut between."""
    maker = graph.producer(integers)
    if maker is None or maker.op_type != "QuantizeLinear":
        return maker is not None and maker.op_type == "QLinearConv"
    layer = graph.producer(maker.input(0))
    if layer is not None and layer.op_type in _CUTTING:
        layer = graph.producer(layer.input(0))
    return layer is not None and layer.op_type == "Conv"


def _pooled(scale: float, zero: int, between: str = "", *, convolved: bool = True) -> str:
    """A pooling whose output, or what is made of it, has this encoding."""
    read = "b" if convolved else "x"
    return f"""agraph (uint8[1,64,56,56] x) => (uint8[1,64,28,28] y) <int8[64,64,1,1] w> {{
            s = Constant <value = float {{0.02}}> ()
            z = Constant <value = uint8 {{128}}> ()
            t = Constant <value = float {{{scale}}}> ()
            n = Constant <value = uint8 {{{zero}}}> ()
            a = DequantizeLinear (x, s, z)
            v = DequantizeLinear (w, s)
            c = Conv (a, v)
            r = Relu (c)
            b = QuantizeLinear (r, s, z)
            d = DequantizeLinear ({read}, s, z)
            [pool] p = MaxPool <kernel_shape = [2,2], strides = [2,2]> (d)
            {between}
            y = QuantizeLinear ({"q" if between else "p"}, t, n)
        }}"""


CASES = (
    Flags("another scale behind it", _pooled(0.03, 128), at="pool"),
    Flags("another zero point behind it", _pooled(0.02, 0), at="pool"),
    Passes("one encoding", _pooled(0.02, 128)),
    Passes("integers that no convolution makes", _pooled(0.03, 128, convolved=False)),
    Passes(
        "an operator set whose MaxPool takes no integers",
        f'<ir_version: 6, opset_import: ["" : 11]>\n{_pooled(0.03, 128)}',
    ),
    Passes("a small map", _pooled(0.03, 128).replace("56,56", "14,14").replace("28,28", "7,7")),
    Passes("its output is used as floats", _pooled(0.03, 128, "q = Sigmoid (p)")),
    Passes(
        "another operator, which makes other numbers",
        """agraph (uint8[1,64,56,56] x) => (uint8[1,64,28,28] y) {
            s = Constant <value = float {0.02}> ()
            t = Constant <value = float {0.03}> ()
            d = DequantizeLinear (x, s)
            p = AveragePool <kernel_shape = [2,2], strides = [2,2]> (d)
            y = QuantizeLinear (p, t)
        }""",
    ),
)
