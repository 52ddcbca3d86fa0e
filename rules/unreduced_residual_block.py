"""ARC102: equal-width 3×3 convolutions of a deep block that do not stand between two 1×1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.activations import activation_after
from archlint.analyzer.finding import Confidence
from archlint.analyzer.patterns import (
    ConvSizes,
    conv_sizes,
    convolutions,
    ends_in_addition,
    in_reduced_branch,
)  # fmt: skip
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option
from archlint.rules.wide_convolution import on_grid


@dataclass(frozen=True)
class UnreducedResidualBlock(CostRule):
    """A wide equal-width 3×3 convolution that does not stand between two 1×1.

    Why it costs
        A 3×3 convolution C→C does 9·C² multiply-accumulates a pixel. Between two 1×1 convolutions
        at r = C/4 it is 2·C·r + 9·r² = 1.0625·C²: a ratio of 0.118. On 14×14 with 256 channels that
        is 115,605,504 MACs against 13,647,872.

    What to do
        Use the bottleneck of the deep residual networks, 1×1 to C/4, 3×3, 1×1 back to C, and
        retrain.

    When not to apply
        Where the accuracy must stay without other changes: He et al. did not narrow ResNet-34 but
        gave its blocks bottlenecks on four times the channels, for as many operations (3.8 against
        3.6 G) and 22.85 instead of 25.03 % error; narrowed alone, a block keeps an eighth of its
        weights. In a plain stack the depth triples, which is hard to train without shortcuts and
        normalisation: their plain networks got worse from 18 to 34 layers (27.94 to 28.54 %).

    Not flagged
        Fewer than ``min_channels`` channels, strides, groups, and 3×3 convolutions that a 1×1
        already reduces.

    Known limits
        Every 3×3 is looked at by itself, so that a block of two becomes six layers; the message
        only says whether the output is added to another branch. A 1×1 is looked for along one chain
        of operators, as in ARC101. Kernels of other sizes, of one or three axes, with strides or
        changing widths are not looked at. Weights are not read.

    References
        He et al., Deep Residual Learning, 2015, arXiv:1512.03385, figure 5 and tables 1 to 3.
    """

    code = "ARC102"
    name = "unreduced-residual-block"
    confidence = Confidence.HIGH

    min_channels: int = option(256, "channels from which the bottleneck is proposed", minimum=16)
    reduction: float = option(
        0.25, "width of the bottleneck as a share of the channels", minimum=0.01, maximum=0.9
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """3×3 convolutions of stride 1 that keep a large number of channels."""
        for conv in convolutions(context.graph):
            if not self._is_wide(conv) or in_reduced_branch(context.graph, conv.node):
                continue
            residual = ends_in_addition(context.graph, conv.node)
            where = "residual block" if residual else "plain stack"
            yield Match(
                (conv.node,),
                f"3×3 convolution of a {where} keeps all {conv.in_channels} channels and does not "
                "stand between two 1×1",
                {"block": where, "width": self._width(conv)},
            )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """1×1 to C/4, 3×3, 1×1 back to C, with the network's activation between them."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        width = self._width(conv)
        activation = activation_after(context.graph, conv.node)
        builder, value = draft(context.graph, "bottleneck", match.nodes)
        value = builder.conv(value, width, 1, bias=conv.bias, name="reduce")
        value = activation.write(builder, value)
        value = builder.conv(
            value, width, 3, pads=conv.pads, dilations=conv.dilations, bias=conv.bias, name="mix"
        )
        value = activation.write(builder, value)
        output = conv.node.output(0)
        builder.conv(value, conv.out_channels, 1, bias=conv.bias, name="restore", output=output)
        builder.output(output)
        title = f"a bottleneck of {width} channels"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())

    def _is_wide(self, conv: ConvSizes) -> bool:
        return (
            conv.square == 3
            and conv.groups == 1
            and set(conv.strides) == {1}
            and conv.in_channels == conv.out_channels >= self.min_channels
        )

    def _width(self, conv: ConvSizes) -> int:
        return on_grid(self.reduction * conv.in_channels)


_BASIC_BLOCK = """agraph (float[1,256,14,14] x) => (float[1,256,14,14] y)
    <float[256,256,3,3] v, float[256,256,3,3] w> {
        [first] a = Conv <pads = [1,1,1,1]> (x, v)
        b = Relu (a)
        [second] c = Conv <pads = [1,1,1,1]> (b, w)
        d = Add (c, x)
        y = Relu (d)
    }"""
_CONV_MACS = (14 * 14 * 256 * 9 * 256, 14 * 14 * (256 * 64 + 64 * 9 * 64 + 64 * 256))

CASES = (
    Flags("the first 3×3 of a basic residual block", _BASIC_BLOCK, at="first", macs=_CONV_MACS),
    Flags("the second 3×3 of a basic residual block", _BASIC_BLOCK, at="second", macs=_CONV_MACS),
    Flags(
        "a plain stack on a dilated map",
        """agraph (float[1,512,14,14] x) => (float[1,512,14,14] y) <float[512,512,3,3] w> {
            [conv] y = Conv <pads = [2,2,2,2], dilations = [2,2]> (x, w)
        }""",
        at="conv",
        macs=(14 * 14 * 512 * 9 * 512, 14 * 14 * (2 * 512 * 128 + 128 * 9 * 128)),
    ),
    Passes(
        "it stands between two 1×1",
        """agraph (float[1,1024,14,14] x) => (float[1,1024,14,14] y)
        <float[256,1024,1,1] r, float[256,256,3,3] w, float[1024,256,1,1] e> {
            a = Conv (x, r)
            b = Relu (a)
            c = Conv <pads = [1,1,1,1]> (b, w)
            d = Relu (c)
            y = Conv (d, e)
        }""",
    ),
    Passes(
        "a stride: the block changes the map",
        """agraph (float[1,256,28,28] x) => (float[1,256,14,14] y) <float[256,256,3,3] w> {
            y = Conv <pads = [1,1,1,1], strides = [2,2]> (x, w)
        }""",
    ),
    Passes(
        "the width changes",
        """agraph (float[1,256,14,14] x) => (float[1,384,14,14] y) <float[384,256,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
    Passes(
        "a narrow block",
        """agraph (float[1,128,28,28] x) => (float[1,128,28,28] y) <float[128,128,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
)
