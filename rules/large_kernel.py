"""ARC201: a 5×5 or 7×7 convolution where a stack of 3×3 sees as much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from archlint.analyzer.activations import activation_after
from archlint.analyzer.patterns import conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option
from archlint.analyzer.text import percent


@dataclass(frozen=True)
class LargeKernel(CostRule):
    """A 5×5 or 7×7 convolution where a stack of 3×3 sees as much for less.

    Why it costs
        Two 3×3 convolutions see 5×5 pixels, three see 7×7. At equal width C they do 2·9·C² and
        3·9·C² multiply-accumulates a pixel instead of 25·C² and 49·C²: 28 % and 45 % less. A 5×5
        64→64 on 56×56 costs 321,126,400 MACs, two 3×3 cost 231,211,008; by the clock two took 0.51
        to 0.80 of the time of the one (onnxruntime 1.31, CPU, one thread, and OpenVINO).

    What to do
        Stack 3×3 convolutions with the activation between them, at the narrower of the two widths,
        and retrain. A VGG with a 5×5 in place of each pair of 3×3 had 7 % more error; with the
        activation between the two an Inception network reached 77.2 %, without it 76.2 %.

    When not to apply
        Where the large kernel is the point: RepLKNet does better with a few large kernels than with
        stacks of small ones (Ding et al.). Where memory is short: each layer of the stack
        writes a map of its own. The narrower side is the width in between, so the stack behind a
        narrow 1×1 may be too narrow to replace a kernel that widens, as in 5×5 32→96.

    Not flagged
        Stems (fewer than ``min_channels`` input channels: three 3×3 in place of a 7×7 over an RGB
        image triple its MACs), strides, dilations, groups.

    Known limits
        Only square kernels of 5 and 7 of two axes with stride 1 are looked at. The stack sees the
        same pixels, but pads in two or three steps: at the border the numbers differ. Weights are
        not read; a trained 5×5 is in general no product of two 3×3. A large kernel of a small
        branch stays below ``min_share``.

    References
        Simonyan and Zisserman, VGG, 2014, arXiv:1409.1556, sections 2.3 and 4.1.
        Szegedy et al., Rethinking the Inception Architecture, 2015, arXiv:1512.00567, section 3.1.
        Ding et al., Scaling Up Your Kernels to 31×31, 2022, arXiv:2203.06717.
    """

    code = "ARC201"
    name = "large-kernel"

    min_channels: int = option(16, "input channels below which it is a stem", minimum=1)
    min_saving: float = option(
        0.2, "smallest share of the convolution's own MACs to save", minimum=0.0, maximum=1.0
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Square kernels of 5 or 7 whose stack of 3×3 is clearly cheaper."""
        for conv in convolutions(context.graph):
            side = conv.square
            plain = conv.groups == 1 and {*conv.strides, *conv.dilations} == {1}
            if side not in (5, 7) or not plain or conv.in_channels < self.min_channels:
                continue
            before = conv.taps * conv.in_channels * conv.out_channels
            after = sum(9 * a * b for a, b in _widths(side, conv.in_channels, conv.out_channels))
            if after <= (1 - self.min_saving) * before:
                yield Match(
                    (conv.node,),
                    f"{side}×{side} convolution where {(side - 1) // 2} stacked 3×3 see as many "
                    f"pixels for {percent(after, before)} of the MACs an output",
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """3×3 convolutions with the activation between them; together they pad as the large one."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None or conv.square is None:
            return None
        activation = activation_after(context.graph, conv.node)
        builder, value = draft(context.graph, "stack", match.nodes)
        widths = _widths(conv.square, conv.in_channels, conv.out_channels)
        left = list(conv.pads)
        for place, (_, channels) in enumerate(widths):
            last = place == len(widths) - 1
            pads = left if last else [min(1, side) for side in left]
            left = [side - taken for side, taken in zip(left, pads, strict=True)]
            output = conv.node.output(0) if last else None
            value = builder.conv(
                value, channels, 3, pads=pads, bias=conv.bias, name=f"conv{place + 1}",
                output=output,
            )  # fmt: skip
            if not last:
                value = activation.write(builder, value)
        builder.output(value)
        title = f"{len(widths)} stacked 3×3 convolutions"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())


def _widths(side: int, before: int, after: int) -> list[tuple[int, int]]:
    """Input and output channels of each 3×3: the narrower side in between."""
    count = (side - 1) // 2
    stations = [before, *[min(before, after)] * (count - 1), after]
    return list(pairwise(stations))


CASES = (
    Flags(
        "a 5×5 of equal width",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y) <float[64,64,5,5] w> {
            [conv] y = Conv <pads = [2,2,2,2]> (x, w)
        }""",
        at="conv",
        macs=(56 * 56 * 64 * 25 * 64, 56 * 56 * 2 * 64 * 9 * 64),
    ),
    Flags(
        "a 7×7 without padding: each 3×3 shrinks the map by two",
        """agraph (float[1,32,30,30] x) => (float[1,32,24,24] y) <float[32,32,7,7] w> {
            [conv] y = Conv (x, w)
        }""",
        at="conv",
        macs=(24 * 24 * 32 * 49 * 32, (28 * 28 + 26 * 26 + 24 * 24) * 32 * 9 * 32),
    ),
    Passes(
        "a stem over three channels, where the stack costs more",
        """agraph (float[1,3,224,224] x) => (float[1,64,224,224] y) <float[64,3,7,7] w> {
            y = Conv <pads = [3,3,3,3]> (x, w)
        }""",
    ),
    Passes(
        "a depthwise 7×7",
        """agraph (float[1,96,56,56] x) => (float[1,96,56,56] y) <float[96,1,7,7] w> {
            y = Conv <pads = [3,3,3,3], group = 96> (x, w)
        }""",
    ),
    Passes(
        "a stride",
        """agraph (float[1,96,55,55] x) => (float[1,256,26,26] y) <float[256,96,5,5] w> {
            y = Conv <pads = [0,0,0,0], strides = [2,2]> (x, w)
        }""",
    ),
)
