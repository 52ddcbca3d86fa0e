"""ARC405: a maximum of integers that is taken of floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.quantization import dequantizer, encoding, quantizer
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup


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
        Let the quantiser share the encoding of a MaxPool's input with its output (onnxruntime's and
        PyTorch's do), or copy the scale and the zero point of the DequantizeLinear before it to the
        QuantizeLinear behind it and to what reads that.

    Not flagged
        One scale and one zero point; a MaxPool whose output is used as floats; other operators,
        which make numbers that the range before does not hold.

    References
        Jacob et al., Quantization and Training, 2017, arXiv:1712.05877, section 2.
        Wu et al., Integer Quantization for Deep Learning Inference, 2020, arXiv:2004.09602.
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

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Poolings between two encodings that are known and differ."""
        graph = context.graph
        for node in graph.operators():
            if node.operator != "MaxPool" or (node.output(1) and graph.consumers(node.output(1))):
                continue
            before, after = dequantizer(graph, node.input(0)), quantizer(graph, node.output(0))
            if before is None or after is None:
                continue
            one, other = encoding(graph, before), encoding(graph, after)
            types = {graph.value(before.input(0)).dtype, graph.value(after.output(0)).dtype}
            if one is not None and other is not None and (one != other or len(types) > 1):
                yield Match(
                    (before, node, after),
                    "a MaxPool between integers has another scale or zero point behind it than "
                    "before it, so it is computed in floating point",
                )


def _pooled(scale: float, zero: int, between: str = "") -> str:
    """A pooling whose output, or what is made of it, has this encoding."""
    return f"""agraph (uint8[1,64,56,56] x) => (uint8[1,64,28,28] y) {{
            s = Constant <value = float {{0.02}}> ()
            z = Constant <value = uint8 {{128}}> ()
            t = Constant <value = float {{{scale}}}> ()
            n = Constant <value = uint8 {{{zero}}}> ()
            d = DequantizeLinear (x, s, z)
            [pool] p = MaxPool <kernel_shape = [2,2], strides = [2,2]> (d)
            {between}
            y = QuantizeLinear ({"r" if between else "p"}, t, n)
        }}"""


CASES = (
    Flags("another scale behind it", _pooled(0.03, 128), at="pool"),
    Flags("another zero point behind it", _pooled(0.02, 0), at="pool"),
    Passes("one encoding", _pooled(0.02, 128)),
    Passes("its output is used as floats", _pooled(0.03, 128, "r = Sigmoid (p)")),
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
