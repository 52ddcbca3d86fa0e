"""ARC502: a grouped convolution whose groups are narrower than a block of channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.derivation import derived
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.layout import is_blocked, may_be_blocked, widths
from archlint.analyzer.linear_layers import linear_layer
from archlint.analyzer.patterns import ConvSizes, conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import Flags, LayoutRule, Match, Passes, RuleContext, option

_MOST_BLOCKS = 3  # that two groups become


@dataclass(frozen=True)
class NarrowGroups(LayoutRule):
    """A grouped convolution whose groups are narrower than a block of channels.

    Why it costs
        A CPU computes a block of channels at once, 16 with AVX-512 and 8 with AVX2. Groups whose
        channels are no multiple of it leave onnxruntime's blocked layout: each group lays out a
        matrix of its own, and a small product follows. Of 256 channels on 28×28, 32 groups of 8 do
        14,450,688 MACs in a 3×3 convolution and 16 groups of 16 twice as many, in 0.55 to 0.59 of
        the time (onnxruntime 1.31, AVX-512, one thread).

    What to do
        Make each block of channels a group, with zeros where a channel was in another group: the
        sum does not change. Of 3×3 convolutions, groups of 2 took 0.70 to 0.73 of the time, of 4
        0.56 to 0.74, of 8 0.46 to 0.68, of 24 0.63 to 0.92 (onnxruntime 1.31, AVX-512, one thread).
        Before training, take groups of 16 and use all of their weights.

    When not to apply
        With runtimes that have kernels for narrow groups: OpenVINO takes 0.97 to 1.27 of the time
        (groups of 8 and 24, one thread). Where the size of the file counts: the weights grow as the
        groups merge, to twice (groups of 8) up to eight times (of 2) as many. With quantisation,
        which takes other kernels.

    Not flagged
        Depthwise convolutions, which have a kernel of their own; 1×1 convolutions; groups of other
        widths, such as 12, 20 or 40, where the zeros take what the layout saves; numbers of groups
        that cannot be merged evenly; other data types, and targets without such a layout.

    Known limits
        It goes by the rules by which onnxruntime's graph optimisation chooses the layout, at its
        highest level, with the block of the chosen profile; the figures are of AVX-512 with one
        thread. The time that is saved is not estimated, and the MACs rise. Convolutions of one or
        three axes are not looked at.

    References
        Xie et al., Aggregated Residual Transformations, 2016, arXiv:1611.05431, table 2.
        Ma et al., ShuffleNet V2, 2018, arXiv:1807.11164, guideline 2.
    """

    code = "ARC502"
    name = "narrow-groups"

    min_share: float = option(
        0.002,
        "smallest share of the model's MACs that the flagged nodes must do, which take some ten "
        "times as long as others",
        minimum=0.0,
        maximum=1.0,
    )
    max_merged: int = option(8, "most groups that become one", minimum=2)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Grouped k×k convolutions, wider ones of which the blocked layout takes."""
        block = context.target.block
        for conv in convolutions(context.graph):
            channels, _ = widths(conv)
            grouped = conv.groups > 1 and channels > 1 and conv.taps > 1
            if not (grouped and may_be_blocked(context.graph, conv, context.target)):
                continue
            merged = self._merged(conv, block)
            if merged is not None and not is_blocked(context.graph, conv, context.target):
                yield Match(
                    (conv.node,),
                    f"{kernel_text(conv.kernel)} convolution in {conv.groups} groups of {channels} "
                    f"channels: only multiples of {block} are computed in blocks",
                    {"groups": conv.groups, "merged": merged, "target": context.target.name},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The same convolution in fewer groups."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        groups = conv.groups // int(match.evidence["merged"])
        builder, x = draft(context.graph, "merged", match.nodes)
        output = conv.node.output(0)
        builder.conv(
            x, conv.out_channels, conv.kernel, stride=conv.strides, pads=conv.pads,
            dilations=conv.dilations, groups=groups, bias=conv.bias, name="conv", output=output,
        )  # fmt: skip
        builder.output(output)
        wide = conv.in_channels // groups
        title = f"the same in groups of {wide} channels, with zeros between those of two groups"
        remark = f"It saves time with {context.target.title}, not MACs."
        kind = FixKind.EQUIVALENT
        proposal = Proposal(title, kind, match.nodes, builder.graph(), remark=remark)
        return derived(
            proposal,
            context.graph,
            lambda c: linear_layer(c, conv.node).in_groups(groups).weights,
        )

    def _merged(self, conv: ConvSizes, block: int) -> int | None:
        """The fewest groups that make one whose channels and filters fill blocks.

        More than two pay only where they make a single block: every block of them that holds
        nothing but zeros is computed too.
        """
        channels, filters = widths(conv)
        for count in range(2, min(self.max_merged, conv.groups) + 1):
            wide = channels * count
            pays = wide == block or (count == 2 and wide <= _MOST_BLOCKS * block)
            fills = wide % block == 0 and filters * count % block == 0
            if pays and fills and conv.groups % count == 0:
                return count
        return None


CASES = (
    Flags(
        "the grouped convolution of a ResNeXt block",
        """agraph (float[1,256,28,28] x) => (float[1,256,28,28] y) <float[256,8,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1], group = 32> (x, w)
        }""",
        at="conv",
        macs=(28 * 28 * 256 * 9 * 8, 28 * 28 * 256 * 9 * 16),
    ),
    Flags(
        "groups of 24, a stride and more filters than channels",
        """agraph (float[1,96,28,28] x) => (float[1,192,14,14] y)
        <float[192,24,3,3] w, float[192] b> {
            [conv] y = Conv <pads = [1,1,1,1], strides = [2,2], group = 4> (x, w, b)
        }""",
        at="conv",
        macs=(14 * 14 * 192 * 9 * 24, 14 * 14 * 192 * 9 * 48),
    ),
    Flags(
        "two groups that become an ordinary convolution",
        """agraph (float[1,48,56,56] x) => (float[1,48,56,56] y) <float[48,24,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1], group = 2> (x, w)
        }""",
        at="conv",
        macs=(56 * 56 * 48 * 9 * 24, 56 * 56 * 48 * 9 * 48),
    ),
    Passes(
        "groups of a block",
        """agraph (float[1,512,14,14] x) => (float[1,512,14,14] y) <float[512,16,3,3] w> {
            y = Conv <pads = [1,1,1,1], group = 32> (x, w)
        }""",
    ),
    Passes(
        "a depthwise convolution",
        """agraph (float[1,256,56,56] x) => (float[1,256,56,56] y) <float[256,1,3,3] w> {
            y = Conv <pads = [1,1,1,1], group = 256> (x, w)
        }""",
    ),
    Passes(
        "seven groups of 24: none but all of them become one",
        """agraph (float[1,168,28,28] x) => (float[1,168,28,28] y) <float[168,24,3,3] w> {
            y = Conv <pads = [1,1,1,1], group = 7> (x, w)
        }""",
    ),
    Passes(
        "groups of 20, four of which make five blocks",
        """agraph (float[1,160,28,28] x) => (float[1,160,28,28] y) <float[160,20,3,3] w> {
            y = Conv <pads = [1,1,1,1], group = 8> (x, w)
        }""",
    ),
    Passes(
        "a grouped 1×1 convolution",
        """agraph (float[1,256,28,28] x) => (float[1,256,28,28] y) <float[256,8,1,1] w> {
            y = Conv <group = 32> (x, w)
        }""",
    ),
    Passes(
        "no grouped convolution",
        """agraph (float[1,24,56,56] x) => (float[1,24,56,56] y) <float[24,24,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
)
