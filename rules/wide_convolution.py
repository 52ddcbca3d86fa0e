"""ARC101: a k×k convolution over many channels with no 1×1 reduction before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.activations import activation_after
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.finding import Confidence
from archlint.analyzer.patterns import (
    ConvSizes,
    conv_sizes,
    convolutions,
    in_reduced_branch,
)  # fmt: skip
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option

GRID = 16  # channels that onnxruntime's convolution kernels take at once with AVX-512


@dataclass(frozen=True)
class WideConvolution(CostRule):
    """A k×k convolution over many channels with no 1×1 reduction before it.

    Why it costs
        A convolution does k²·Ci·Co multiply-accumulates a pixel: every tap of the kernel mixes all
        input channels with all output channels. A 1×1 convolution to r channels in front makes that
        Ci·r + k²·r·Co. It saves while r is below the break-even width r* = k²·Ci·Co·Ho·Wo /
        (Ci·Hi·Wi + k²·Co·Ho·Wo). A 5×5 convolution 192→32 on 28×28 costs 28·28·32·5·5·192 =
        120,422,400 MACs; with a 1×1 to 16 channels in front 28·28·16·192 + 28·28·32·5·5·16 =
        12,443,648.

    What to do
        Put a 1×1 convolution to r channels, and the network's activation, before it, and retrain. r
        is a quarter of the narrower side, on the grid of 16 channels that CPU kernels compute at
        once: between two multiples of 16 time does not fall with r.

    When not to apply
        A trained network that cannot be retrained: the new 1×1 starts from nothing. Where the last
        points of accuracy count: SqueezeNet rose from 80.3 to 86.0 % (top 5) as its 1×1 grew from
        an eighth to three quarters of the width behind it (section 5.2), so raise ``reduction``
        before giving up. With fewer than 32 channels the width hardly shows in the time: 3×3 16→16
        on 112×112 takes as long (1.00) behind a 1×1 to 8 (onnxruntime 1.31, CPU, one thread).

    Not flagged
        Branches that a 1×1 convolution already reduces, directly, through pointwise operators or
        through the other k×k convolutions of the branch; grouped and depthwise convolutions; stems
        over few channels; savings under ``min_share`` of the model.

    Known limits
        A 1×1 is looked for along one chain of operators: one behind a Concat, a pooling or the sum
        of a residual block does not count, which flags the second bottleneck of a C2f block of
        YOLO. Weights are not read, so the rank that a trained kernel needs is unknown and the width
        is a plain share. What is saved is told in MACs; ``--verify`` measures the time. Bodies of
        If and Loop, QLinearConv and ConvTranspose are not looked at.

    References
        Szegedy et al., Going Deeper with Convolutions, 2014, arXiv:1409.4842, section 4.
        Iandola et al., SqueezeNet, 2016, arXiv:1602.07360, sections 3.1 and 5.2.
    """

    code = "ARC101"
    name = "wide-convolution"
    confidence = Confidence.HIGH

    min_channels: int = option(64, "input channels from which a convolution is wide", minimum=2)
    reduction: float = option(
        0.25, "width of the 1×1 as a share of the narrower side", minimum=0.01, maximum=1.0
    )
    width: int | None = option(None, "width of the 1×1, instead of reduction", minimum=1)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Ungrouped convolutions that no 1×1 feeds and for which a reduction clearly pays."""
        for conv in convolutions(context.graph):
            wide = (
                conv.groups == 1 and min(conv.kernel) >= 3 and conv.in_channels >= self.min_channels
            )
            if not wide or in_reduced_branch(context.graph, conv.node):
                continue
            even = break_even(conv)
            if self.width is None and 2 * self._width(conv) > even:
                continue
            yield Match(
                (conv.node,),
                f"{kernel_text(conv.kernel)} convolution over {conv.in_channels} channels has no "
                f"1×1 reduction before it; any below {even:.0f} channels saves",
                {"break_even_width": round(even, 1), "width": self._width(conv)},
            )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """1×1 to r channels, the activation, the k×k."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        width = self._width(conv)
        builder, x = draft(context.graph, "bottleneck", match.nodes)
        reduced = builder.conv(
            x, width, (1,) * len(conv.kernel), pads=0, bias=conv.bias, name="reduce"
        )
        reduced = activation_after(context.graph, conv.node).write(builder, reduced)
        output = conv.node.output(0)
        builder.conv(
            reduced, conv.out_channels, conv.kernel, stride=conv.strides, pads=conv.pads,
            dilations=conv.dilations, bias=conv.bias, name="expand", output=output,
        )  # fmt: skip
        builder.output(output)
        title = f"a 1×1 bottleneck of {width} channels"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())

    def _width(self, conv: ConvSizes) -> int:
        narrow = min(conv.in_channels, conv.out_channels)
        return self.width or on_grid(self.reduction * narrow)


def on_grid(channels: float) -> int:
    """The nearest multiple of 16, a tie upwards, at least 16."""
    return max(GRID, int(channels / GRID + 0.5) * GRID)


def break_even(conv: ConvSizes) -> float:
    """The width below which a 1×1 in front saves MACs."""
    whole = conv.taps * conv.in_channels * conv.out_channels * prod(conv.out_map)
    each = conv.in_channels * prod(conv.in_map) + conv.taps * conv.out_channels * prod(conv.out_map)
    return whole / each


CASES = (
    Flags(
        "the 5×5 branch of a naive Inception module",
        """agraph (float[1,192,28,28] x) => (float[1,32,28,28] y) <float[32,192,5,5] w> {
            [conv] y = Conv <pads = [2,2,2,2]> (x, w)
        }""",
        at="conv",
        macs=(28 * 28 * 32 * 5 * 5 * 192, 28 * 28 * (16 * 192 + 32 * 5 * 5 * 16)),
    ),
    Flags(
        "with the width that the user sets, on a map that is not square",
        """agraph (float[1,200,30,40] x) => (float[1,55,30,40] y) <float[55,200,5,5] w> {
            [conv] y = Conv <pads = [2,2,2,2]> (x, w)
        }""",
        at="conv",
        macs=(30 * 40 * 55 * 5 * 5 * 200, 30 * 40 * (20 * 200 + 55 * 5 * 5 * 20)),
        options={"width": 20},
    ),
    Flags(
        "a stride: the 1×1 runs on the large map, the 3×3 on the small one",
        """agraph (float[1,128,56,56] x) => (float[1,256,28,28] y) <float[256,128,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1], strides = [2,2]> (x, w)
        }""",
        at="conv",
        macs=(28 * 28 * 256 * 9 * 128, 56 * 56 * 128 * 32 + 28 * 28 * 256 * 9 * 32),
    ),
    Flags(
        "behind a sum of two branches, one of them a 1×1 shortcut",
        """agraph (float[1,64,28,28] x) => (float[1,128,28,28] y)
        <float[128,64,1,1] s, float[128,64,1,1] p, float[128,128,3,3] w> {
            a = Conv (x, s)
            b = Conv (x, p)
            c = Add (a, b)
            [conv] y = Conv <pads = [1,1,1,1]> (c, w)
        }""",
        at="conv",
        macs=(28 * 28 * 128 * 9 * 128, 28 * 28 * (128 * 32 + 128 * 9 * 32)),
    ),
    Passes(
        "a 1×1 feeds it through normalisation and activation",
        """agraph (float[1,192,28,28] x) => (float[1,128,28,28] y)
        <float[96,192,1,1] r, float[96] s, float[96] b, float[96] m, float[96] v,
        float[128,96,3,3] w> {
            a = Conv (x, r)
            n = BatchNormalization (a, s, b, m, v)
            g = Sigmoid (n)
            h = Mul (n, g)
            y = Conv <pads = [1,1,1,1]> (h, w)
        }""",
    ),
    Passes(
        "the second 3×3 of a branch that a 1×1 reduced",
        """agraph (float[1,256,28,28] x) => (float[1,96,28,28] y)
        <float[64,256,1,1] r, float[96,64,3,3] v, float[96,96,3,3] w> {
            a = Conv (x, r)
            b = Relu (a)
            c = Conv <pads = [1,1,1,1]> (b, v)
            d = Relu (c)
            y = Conv <pads = [1,1,1,1]> (d, w)
        }""",
    ),
    Passes(
        "a stem over three channels",
        """agraph (float[1,3,224,224] x) => (float[1,64,112,112] y) <float[64,3,7,7] w> {
            y = Conv <pads = [3,3,3,3], strides = [2,2]> (x, w)
        }""",
    ),
    Passes(
        "a grouped convolution",
        """agraph (float[1,256,28,28] x) => (float[1,256,28,28] y) <float[256,8,3,3] w> {
            y = Conv <pads = [1,1,1,1], group = 32> (x, w)
        }""",
    ),
    Passes(
        "too few output channels for a reduction to pay clearly",
        """agraph (float[1,64,28,28] x) => (float[1,4,28,28] y) <float[4,64,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
)
