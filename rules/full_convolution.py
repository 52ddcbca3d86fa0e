"""ARC103: a convolution that mixes space and channels at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.activations import activation_after
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.patterns import conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, RuleGroup, option
from archlint.analyzer.text import percent


@dataclass(frozen=True)
class FullConvolution(CostRule):
    """A convolution that mixes space and channels at once, where two steps would be cheaper.

    Why it costs
        A k×k convolution does k²·Ci·Co multiply-accumulates a pixel; a depthwise k×k and a 1×1 do
        Ci·(k² + Co), a share of 1/Co + 1/k². A 3×3 512→512 on 14×14 costs 462,422,016 MACs,
        its depthwise-separable form 52,283,392.

    What to do
        Replace it by a depthwise k×k, the activation and a 1×1, and retrain. By default it is only
        listed as an alternative to what other rules find, because it holds for nearly every
        convolution of every classic network, and because time falls less than MACs do, for a
        depthwise convolution waits for memory: with 0.11 to 0.13 of the MACs it took 0.21 to 0.32
        of the time on 112×112 and 0.11 to 0.23 on smaller maps (onnxruntime 1.31, CPU, one thread),
        with OpenVINO 0.33 to 0.58 and 0.13 to 0.31.

    When not to apply
        Where a point of accuracy counts: MobileNet lost 1.1 (71.7 to 70.6 % on ImageNet) for an
        eighth of the multiply-adds (table 4). On GPUs and other hardware that is fast at dense
        products: EfficientNetV2 puts dense 3×3 back into its early stages, with which a V100 trains
        216 instead of 155 images a second (Tan and Le, table 3).

    Not flagged
        Grouped convolutions, fewer than ``min_channels`` channels on either side.

    Known limits
        It finds nearly every dense convolution of every network and cannot tell which of them
        matter for the accuracy. The MACs that it tells promise more than the clock gives, most of
        all on large maps. Only convolutions without groups are looked at; weights are not read.

    References
        Howard et al., MobileNets, 2017, arXiv:1704.04861, section 3.1 and table 4.
        Chollet, Xception, 2016, arXiv:1610.02357.
        Tan and Le, EfficientNetV2, 2021, arXiv:2104.00298, section 3.2.
    """

    code = "ARC103"
    name = "full-convolution"
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    confidence = Confidence.LOW

    min_channels: int = option(32, "channels of the narrower side from which it pays", minimum=2)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Ungrouped k×k convolutions between many channels."""
        for conv in convolutions(context.graph):
            narrow = min(conv.in_channels, conv.out_channels)
            if conv.groups == 1 and min(conv.kernel) >= 3 and narrow >= self.min_channels:
                kernel, whole = kernel_text(conv.kernel), conv.taps * conv.out_channels
                yield Match(
                    (conv.node,),
                    f"{kernel} convolution {conv.in_channels}→{conv.out_channels} mixes space and "
                    f"channels at once; a depthwise {kernel} and a 1×1 do "
                    f"{percent(conv.taps + conv.out_channels, whole)} of its MACs",
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """A depthwise k×k, the activation, a 1×1."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        builder, value = draft(context.graph, "separable", match.nodes)
        value = builder.conv(
            value, conv.in_channels, conv.kernel, stride=conv.strides, pads=conv.pads,
            dilations=conv.dilations, groups=conv.in_channels, bias=conv.bias, name="depthwise",
        )  # fmt: skip
        value = activation_after(context.graph, conv.node).write(builder, value)
        output = conv.node.output(0)
        builder.conv(
            value, conv.out_channels, (1,) * len(conv.kernel), bias=conv.bias, name="pointwise",
            output=output,
        )  # fmt: skip
        builder.output(output)
        title = "a depthwise-separable convolution"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())


CASES = (
    Flags(
        "a 3×3 of equal width",
        """agraph (float[1,512,14,14] x) => (float[1,512,14,14] y) <float[512,512,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
        at="conv",
        macs=(14 * 14 * 512 * 9 * 512, 14 * 14 * 512 * (9 + 512)),
    ),
    Flags(
        "a 1-D convolution with a stride",
        """agraph (float[1,64,400] x) => (float[1,128,200] y) <float[128,64,3] w> {
            [conv] y = Conv <pads = [1,1], strides = [2]> (x, w)
        }""",
        at="conv",
        macs=(200 * 128 * 3 * 64, 200 * 64 * (3 + 128)),
    ),
    Passes(
        "a depthwise convolution",
        """agraph (float[1,512,14,14] x) => (float[1,512,14,14] y) <float[512,1,3,3] w> {
            y = Conv <pads = [1,1,1,1], group = 512> (x, w)
        }""",
    ),
    Passes(
        "a 1×1 convolution",
        """agraph (float[1,512,14,14] x) => (float[1,512,14,14] y) <float[512,512,1,1] w> {
            y = Conv (x, w)
        }""",
    ),
    Passes(
        "a stem over three channels",
        """agraph (float[1,3,224,224] x) => (float[1,32,112,112] y) <float[32,3,3,3] w> {
            y = Conv <pads = [1,1,1,1], strides = [2,2]> (x, w)
        }""",
    ),
)
