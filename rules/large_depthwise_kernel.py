"""ARC204: a depthwise convolution with a kernel of 9×9 or more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.describe import kernel_text
from archlint.analyzer.patterns import ConvSizes, conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option


@dataclass(frozen=True)
class LargeDepthwiseKernel(CostRule):
    """A depthwise convolution with a large square kernel instead of a row and a column.

    Why it costs
        A depthwise convolution does k² multiply-accumulates an element, and runtimes compute it tap
        by tap: 31×31 on 96 channels of 56×56 takes 17 ms of one CPU core where 7×7 takes 0.9 ms. A
        1×k and a k×1 see the same pixels with 2·k. By onnxruntime 1.31's clock the pair takes 0.4
        to 0.8 of a 9×9, 0.3 to 0.5 of a 13×13, 0.2 of a 21×21 and 0.1 to 0.2 of a 31×31.

    What to do
        Put a 1×k and a k×1 depthwise convolution in its place and retrain. Consider 7×7 first: in
        ConvNeXt the accuracy did not rise any further beyond it.

    When not to apply
        Where the kernels are what the network lives by, and where the runtime has a kernel for
        them: in RepLKNet they took 49.5 % of the time, and 12.3 % with one written for them
        (section 3). A row and a column together are of rank one: not every trained kernel is near
        to that, so retrain, and compare with 7×7.

    Not flagged
        Kernels whose shorter side is below ``min_kernel``: at 7×7 the pair saves nothing or little
        (0.83 to 1.15); kernels of one axis; grouped convolutions that mix channels.

    Known limits
        Only kernels of two axes with one filter a channel are looked at, not those with several (a
        depth multiplier). The times are onnxruntime's on one core; other runtimes compute large
        kernels by other algorithms. Weights are not read, so it is unknown how well a row and a
        column would do.

    References
        Ding et al., Scaling Up Your Kernels to 31×31, 2022, arXiv:2203.06717, section 3.
        Lau et al., Large Separable Kernel Attention, 2023, arXiv:2309.01439, section 3.
        Liu et al., A ConvNet for the 2020s, 2022, arXiv:2201.03545, section 2.5.
    """

    code = "ARC204"
    name = "large-depthwise-kernel"

    min_kernel: int = option(9, "shorter side of the kernel from which it is large", minimum=3)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Depthwise convolutions of large kernels in two axes."""
        for conv in convolutions(context.graph):
            large = len(conv.kernel) == 2 and min(conv.kernel) >= self.min_kernel
            if large and _is_depthwise(conv):
                row, column = kernel_text((1, conv.kernel[1])), kernel_text((conv.kernel[0], 1))
                yield Match(
                    (conv.node,),
                    f"{kernel_text(conv.kernel)} depthwise convolution does {conv.taps} "
                    f"multiply-accumulates an element where {row} and {column} do "
                    f"{sum(conv.kernel)}",
                    {"channels": conv.in_channels},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """A row, then a column; each has the strides, dilations and pads of its axis."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        builder, value = draft(context.graph, "separable", match.nodes)
        top, left, bottom, right = conv.pads
        (down, across), (spread_down, spread_across) = conv.strides, conv.dilations
        output = conv.node.output(0)
        value = builder.conv(
            value, conv.out_channels, (1, conv.kernel[1]), stride=(1, across),
            pads=(0, left, 0, right), dilations=(1, spread_across), groups=conv.groups, bias=False,
            name="row",
        )  # fmt: skip
        builder.conv(
            value, conv.out_channels, (conv.kernel[0], 1), stride=(down, 1),
            pads=(top, 0, bottom, 0), dilations=(spread_down, 1), groups=conv.groups,
            bias=conv.bias, name="column", output=output,
        )  # fmt: skip
        builder.output(output)
        title = "a row and a column of the kernel"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())


def _is_depthwise(conv: ConvSizes) -> bool:
    return conv.groups == conv.in_channels == conv.out_channels > 1


CASES = (
    Flags(
        "a 31×31 of RepLKNet",
        """agraph (float[1,96,56,56] x) => (float[1,96,56,56] y) <float[96,1,31,31] w> {
            [conv] y = Conv <pads = [15,15,15,15], group = 96> (x, w)
        }""",
        at="conv",
        macs=(56 * 56 * 96 * 31 * 31, 56 * 56 * 96 * (31 + 31)),
    ),
    Flags(
        "strides and pads that differ between the axes: the row runs on all rows of the input",
        """agraph (float[1,64,64,96] x) => (float[1,64,29,32] y)
        <float[64,1,9,11] w, float[64] b> {
            [conv] y = Conv <pads = [1,4,0,4], strides = [2,3], group = 64> (x, w, b)
        }""",
        at="conv",
        macs=(29 * 32 * 64 * 9 * 11, 64 * (64 * 32 * 11 + 29 * 32 * 9)),
        options={"min_macs": 0},
    ),
    Passes(
        "the 7×7 of ConvNeXt",
        """agraph (float[1,96,56,56] x) => (float[1,96,56,56] y) <float[96,1,7,7] w> {
            y = Conv <pads = [3,3,3,3], group = 96> (x, w)
        }""",
    ),
    Passes(
        "a kernel of one axis, as in a Conformer",
        """agraph (float[1,512,2000] x) => (float[1,512,2000] y) <float[512,1,31] w> {
            y = Conv <pads = [15,15], group = 512> (x, w)
        }""",
    ),
    Passes(
        "a row alone",
        """agraph (float[1,96,56,56] x) => (float[1,96,56,56] y) <float[96,1,1,31] w> {
            y = Conv <pads = [0,15,0,15], group = 96> (x, w)
        }""",
    ),
    Passes(
        "groups that mix channels",
        """agraph (float[1,96,56,56] x) => (float[1,96,56,56] y) <float[96,3,11,11] w> {
            y = Conv <pads = [5,5,5,5], group = 32> (x, w)
        }""",
    ),
    Passes(
        "a map so small that it takes no time",
        """agraph (float[1,96,7,7] x) => (float[1,96,7,7] y) <float[96,1,13,13] w> {
            y = Conv <pads = [6,6,6,6], group = 96> (x, w)
        }""",
    ),
)
