"""ARC203: a local response normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.finding import Confidence
from archlint.analyzer.proposal import FixKind, Priced, Proposal, draft
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, option

_NANOSECONDS = 50  # an element, of one core with AVX-512: onnxruntime 1.31
_MACS_AN_ELEMENT = 1000  # that networks of convolutions do in that time: 17 to 37 a nanosecond


@dataclass(frozen=True)
class LocalResponseNormalization(Rule):
    """A local response normalisation: much time that no count of multiply-accumulates shows.

    Why it costs
        Every element is divided by a power of the squares around it: size + 5 operations, one of
        them a power, in a pass of its own that is not fused with its neighbours. No count of
        MACs shows it, but onnxruntime 1.31 takes some 50 ns an element on one CPU core, as long as
        for a thousand MACs of a convolution. AlexNet's two normalise 96·54·54 + 256·26·26 = 452,992
        elements: 22 of its 63 ms. Without them AlexNet takes 0.62 of its time, ZFNet-512 0.49 and
        Inception v1 0.48.

    What to do
        Remove it and retrain. VGG trained one network with it and without: it does not improve the
        accuracy. Where training needs a normalisation, take batch normalisation, which runtimes
        fold into the convolution before it.

    When not to apply
        A network that cannot be retrained: without it the numbers that follow change. A shallow
        network without another normalisation: AlexNet's authors measured 1.4 points of top-1 error
        for theirs (Krizhevsky et al., 2012, section 3.3), and Ioffe and Szegedy removed that of
        Inception without loss only once it had batch normalisation. Also where it is not the CPU
        that computes it.

    Not flagged
        Maps of fewer than ``min_elements``; normalisations that take less than ``min_share`` of the
        time, as estimated from the model's MACs; other normalisations.

    Known limits
        Only the operator LRN is recognised: PyTorch exports nn.LocalResponseNorm as Pad,
        AveragePool, Pow and Div. The time is a constant an element of one processor (another one
        took 26 ns) and does not depend on ``size``. Totals of MACs do not show what it saves, nor
        do those with all proposals.

    References
        Simonyan and Zisserman, VGG, 2014, arXiv:1409.1556, sections 2.1 and 4.1.
        Ioffe and Szegedy, Batch Normalization, 2015, arXiv:1502.03167, section 4.2.1.
    """

    code = "ARC203"
    name = "local-response-normalization"
    confidence = Confidence.HIGH

    min_elements: int = option(
        5_000, "elements from which it is worth a finding: some 0.2 ms of a CPU's core", minimum=1
    )
    min_share: float = option(
        0.01,
        "smallest share of the time, an element counted as 1000 of the model's MACs",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The normalisations of maps whose size is known."""
        for node in context.graph.operators():
            shape = context.graph.value(node.output(0)).static_shape
            if node.operator == "LRN" and shape is not None and node.output(0):
                elements = prod(shape)
                size = node.attributes.get("size", 1)
                yield Match(
                    (node,),
                    f"local response normalisation of {elements:,} elements over {size} channels: "
                    f"no MACs, but some {_NANOSECONDS * elements / 1e6:.1f} ms of a CPU's core; "
                    "VGG was no worse without one",
                    {"elements": elements},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """Nothing in its place: the value that it read."""
        builder, x = draft(context.graph, "removed", match.nodes)
        builder.output(builder.node("Identity", x, output=match.nodes[0].output(0)))
        title = "no normalisation in its place"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())

    def may_pay(self, match: Match, context: RuleContext, times: int) -> bool:
        """Whether it takes long enough, by its elements: it has no MACs to go by."""
        elements = int(match.evidence["elements"])
        worth = _MACS_AN_ELEMENT * elements * times
        enough = worth >= self.min_share * (worth + context.costs.total().macs)
        return enough and elements >= self.min_elements

    def worth(self, match: Match, priced: Priced) -> int:  # noqa: ARG002 - as the base has it
        """By its elements, as it has no MACs to save."""
        return _MACS_AN_ELEMENT * int(match.evidence["elements"])


CASES = (
    Flags(
        "AlexNet's first normalisation",
        """agraph (float[1,3,224,224] x) => (float[1,96,26,26] y) <float[96,3,11,11] w> {
            a = Conv <strides = [4,4]> (x, w)
            b = Relu (a)
            [norm] c = LRN <size = 5, alpha = 0.0001, beta = 0.75> (b)
            y = MaxPool <kernel_shape = [3,3], strides = [2,2]> (c)
        }""",
        at="norm",
        macs=(0, 0),
    ),
    Flags(
        "one whose output is that of the model, in a network of a wide convolution",
        """agraph (float[1,256,56,56] x) => (float[1,256,56,56] y) <float[256,256,3,3] w> {
            a = Conv <pads = [1,1,1,1]> (x, w)
            [norm] y = LRN <size = 5> (a)
        }""",
        at="norm",
        macs=(0, 0),
    ),
    Passes(
        "a map of a few elements",
        "g (float[1,64,8,8] x) => (float[1,64,8,8] y) {y = LRN <size = 5> (x)}",
    ),
    Passes(
        "a small share of the time: 2·16·16·1000 of 512·512·16·16·9 MACs",
        """agraph (float[1,512,16,16] x) => (float[1,512,16,16] y, float[1,2,16,16] z)
        <float[512,512,3,3] w, float[2,512,1,1] v> {
            y = Conv <pads = [1,1,1,1]> (x, w)
            a = Conv (x, v)
            z = LRN <size = 1> (a)
        }""",
        options={"min_elements": 1},
    ),
    Passes(
        "a batch normalisation",
        """agraph (float[1,96,54,54] x) => (float[1,96,54,54] y)
        <float[96] s, float[96] b, float[96] m, float[96] v> {
            y = BatchNormalization (x, s, b, m, v)
        }""",
    ),
    Passes(
        "a constant, which a runtime evaluates at load",
        """agraph (float[1,96,54,54] x) => (float[1,96,54,54] y) <float[1,96,54,54] w> {
            n = LRN <size = 5> (w)
            y = Add (x, n)
        }""",
    ),
)
