"""ARC202: an n×n convolution on a medium map that 1×n and n×1 factorise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.activations import activation_after
from archlint.analyzer.patterns import ConvSizes, conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option
from archlint.analyzer.text import percent


@dataclass(frozen=True)
class SquareKernel(CostRule):
    """A square n×n convolution on a medium map where 1×n and n×1 see as much.

    Why it costs
        An n×n convolution C→C does n²·C² multiply-accumulates a pixel, 1×n and n×1 do 2·n·C²: with
        n = 7 that is 71 % less. A 7×7 192→192 on 17×17 costs 522,031,104 MACs, the pair
        149,151,744; by the clock it took 0.23 to 0.27 of the time (onnxruntime 1.31, CPU, one
        thread), with OpenVINO 0.29 to 0.35.

    What to do
        Use 1×n, the activation, n×1 and retrain. The authors found it to work on maps of 12 to 20
        pixels and not in early layers.

    When not to apply
        In early layers, where the authors found that it does not work well. On devices where two
        thin kernels take longer than a square one: the second waits for the first. For 3×3, which
        are not flagged for it: 1×3 and 3×1 take 0.69 of the time with one thread, 0.77 to 0.94 with
        two (onnxruntime 1.31, CPU).

    Not flagged
        Kernels under ``min_kernel``: a 3×3 saves a third of its MACs, of which onnxruntime's CPU
        provider gives back little with several threads; other maps, strides, dilations, groups.

    Known limits
        The range of maps is what was tried on ImageNet with images of 299 pixels; other tasks may
        allow another one. It looks at square kernels without strides, dilations and groups. Weights
        are not read: a trained kernel is in general no product of a row and a column. Where ARC201
        finds the same convolution, the one that saves more is told.

    References
        Szegedy et al., Rethinking the Inception Architecture, 2015, arXiv:1512.00567, section 3.2.
    """

    code = "ARC202"
    name = "square-kernel"

    min_kernel: int = option(5, "smallest side of the kernel", minimum=3)
    min_map: int = option(12, "smallest side of the map", minimum=1)
    max_map: int = option(20, "largest side of the map", minimum=1)
    min_channels: int = option(32, "channels of the narrower side from which it pays", minimum=1)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Square kernels of stride 1 on maps of the range in which the factorisation works."""
        for conv in convolutions(context.graph):
            if self._fits(conv):
                side, height, width = conv.kernel[0], *conv.out_map
                both = conv.in_channels, conv.out_channels
                pair = percent(min(both) * sum(both), side * prod(both))
                yield Match(
                    (conv.node,),
                    f"{side}×{side} convolution on a map of {height}×{width} where 1×{side} and "
                    f"{side}×1 see as many pixels for {pair} of the MACs an output",
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """1×n, the activation, n×1; each pads the axis that it slides over."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None or conv.square is None:
            return None
        side = conv.square
        top, left, bottom, right = conv.pads
        builder, value = draft(context.graph, "factorised", match.nodes)
        value = builder.conv(
            value, min(conv.in_channels, conv.out_channels), (1, side), pads=(0, left, 0, right),
            bias=conv.bias, name="row",
        )  # fmt: skip
        value = activation_after(context.graph, conv.node).write(builder, value)
        output = conv.node.output(0)
        builder.conv(
            value, conv.out_channels, (side, 1), pads=(top, 0, bottom, 0), bias=conv.bias,
            name="column", output=output,
        )  # fmt: skip
        builder.output(output)
        title = f"1×{side} and {side}×1 convolutions"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())

    def _fits(self, conv: ConvSizes) -> bool:
        return (
            conv.square is not None
            and conv.square >= self.min_kernel
            and conv.groups == 1
            and {*conv.strides, *conv.dilations} == {1}
            and min(conv.in_channels, conv.out_channels) >= self.min_channels
            and all(self.min_map <= side <= self.max_map for side in conv.out_map)
        )


CASES = (
    Flags(
        "the 7×7 of the paper's medium grid",
        """agraph (float[1,192,17,17] x) => (float[1,192,17,17] y) <float[192,192,7,7] w> {
            [conv] y = Conv <pads = [3,3,3,3]> (x, w)
        }""",
        at="conv",
        macs=(17 * 17 * 192 * 49 * 192, 17 * 17 * 192 * (7 + 7) * 192),
    ),
    Flags(
        "a 3×3 where the user asks for it",
        """agraph (float[1,64,14,14] x) => (float[1,64,14,14] y) <float[64,64,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
        at="conv",
        macs=(14 * 14 * 64 * 9 * 64, 14 * 14 * 64 * (3 + 3) * 64),
        options={"min_kernel": 3},
    ),
    Passes(
        "an early layer on a large map",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y) <float[64,64,7,7] w> {
            y = Conv <pads = [3,3,3,3]> (x, w)
        }""",
    ),
    Passes(
        "it is factorised already",
        """agraph (float[1,192,17,17] x) => (float[1,192,17,17] y)
        <float[192,192,1,7] v, float[192,192,7,1] w> {
            a = Conv <pads = [0,3,0,3]> (x, v)
            y = Conv <pads = [3,0,3,0]> (a, w)
        }""",
    ),
    Passes(
        "a 3×3, by default",
        """agraph (float[1,64,14,14] x) => (float[1,64,14,14] y) <float[64,64,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
)
