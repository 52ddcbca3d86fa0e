"""ARC501: a k×k convolution whose input channels do not fit the blocked layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.constants import Constants
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.graph import Node
from archlint.analyzer.layout import is_blocked, may_be_blocked
from archlint.analyzer.patterns import conv_sizes, convolutions
from archlint.analyzer.proposal import Derivation, FixKind, Proposal, draft
from archlint.analyzer.rule import Flags, LayoutRule, Match, Passes, RuleContext, option

_PADS_AS_INPUT = 11  # the operator set since which the pads of Pad are no attribute


@dataclass(frozen=True)
class MisalignedChannels(LayoutRule):
    """A k×k convolution whose input channels do not fit the blocked layout.

    Why it costs
        A CPU computes a block of channels at once, 16 with AVX-512 and 8 with AVX2, and onnxruntime
        reads them in a layout of such blocks. Input channels that are no multiple of 4 do not
        enter it: the convolution lays out a matrix first, and a product of matrices follows. A 3×3
        convolution of 63 channels on 28×28, 28,005,264 MACs, took 1.3 to 1.5 times as long as one
        of 64 (onnxruntime 1.31, AVX-512, one thread).

    What to do
        Fill up the input with channels of zeros, and the weights with zeros for them: the sum does
        not change. Behind a copy of its input such a convolution took 0.61 to 0.94 of the time (3×3
        and 5×5, 27 to 511 channels). Better still, give the layer before it a multiple of 16
        channels: then there is nothing to copy. More threads narrow the gap. ``archlint fix
        --pad-channels`` fills them up.

    When not to apply
        With another runtime: with OpenVINO it saves 2 to 9 % (127 and 63 channels on 28×28, one
        thread). With quantisation, which takes other kernels. Where the layer before can be made
        wider instead, which needs training but no copy.

    Not flagged
        1×1 and 7×7 convolutions, where the copy takes what the layout saves; channels that lie so
        far below the next block that ``max_padding`` is exceeded; fewer channels than a block,
        which need not be blocked; groups, other data types, and targets without such a layout.

    Known limits
        It goes by the rules by which onnxruntime's graph optimisation chooses the layout, at its
        highest level, with the block of the chosen profile; the figures are of AVX-512. How long
        the copy takes is not estimated but bounded by ``max_padding`` and ``max_taps``: on small
        maps and with many threads less is left (0.89 for 511 channels on 7×7). What reorders maps
        between layers is not counted.

    References
        Liu et al., Optimizing CNN Model Inference on CPUs, 2018, arXiv:1809.02697, section 3.1.
        Radu et al., Performance Aware CNN Channel Pruning, 2020, arXiv:2002.08697.
    """

    code = "ARC501"
    name = "misaligned-channels"

    max_padding: float = option(
        0.2,
        "most channels that fill the last block, as a share of the channels",
        minimum=0.0,
        maximum=1.0,
    )
    max_taps: int = option(
        25, "elements of the kernel above which laying out a matrix pays", minimum=2
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Ungrouped k×k convolutions whose channels the blocked layout does not take."""
        target = context.target
        for conv in convolutions(context.graph):
            sized = conv.groups == 1 and 1 < conv.taps <= self.max_taps
            near = -conv.in_channels % target.block <= self.max_padding * conv.in_channels
            if not (sized and near and may_be_blocked(context.graph, conv, target)):
                continue
            if not is_blocked(context.graph, conv, target):
                yield Match(
                    (conv.node,),
                    f"{kernel_text(conv.kernel)} convolution over {conv.in_channels} channels: "
                    f"only multiples of {target.entry} are computed in blocks of {target.block}",
                    {"channels": conv.in_channels, "target": target.name},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The input filled up with zeros, the convolution over it."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        more = -conv.in_channels % context.target.entry
        builder, x = draft(context.graph, "aligned", match.nodes)
        zeros = [0] * (len(conv.kernel) + 2)
        pads = [*zeros, 0, more, *zeros[2:]]
        channels = conv.in_channels + more
        if context.graph.opset < _PADS_AS_INPUT:
            filled = builder.node("Pad", x, channels=channels, pads=pads)
        else:
            filled = builder.node("Pad", x, builder.constant("zeros", pads), channels=channels)
        output = conv.node.output(0)
        builder.conv(
            filled, conv.out_channels, conv.kernel, stride=conv.strides, pads=conv.pads,
            dilations=conv.dilations, bias=conv.bias, name="conv", output=output,
        )  # fmt: skip
        builder.output(output)
        graph = builder.graph()
        weights = next(node.input[1:] for node in graph.node if node.op_type == "Conv")
        return Proposal(
            f"the same over {channels} channels, {more} of them zeros",
            FixKind.EQUIVALENT,
            match.nodes,
            graph,
            remark=f"It saves time with {context.target.title}, not MACs.",
            derive=_filled_up(conv.node, more, *weights),
        )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """None: they make the model larger, and faster only on some targets."""
        del context
        return iter(())

    def padded(self, context: RuleContext) -> Iterator[Proposal]:
        """Those that pay for their copy: ``fixes`` for whoever asks for it."""
        for match in self.match(context):
            if context.costs.total(match.nodes).macs >= self.min_macs:
                proposal = self.propose(match, context)
                if proposal is not None:
                    yield proposal


def _filled_up(conv: Node, more: int, weight: str, bias: str = "") -> Derivation:
    """The weights of a convolution with zeros for so many more input channels."""

    def derive(constants: Constants) -> dict[str, NDArray[Any]]:
        kernel = constants(conv.input(1))
        ends = [(0, 0), (0, more), *((0, 0) for _ in kernel.shape[2:])]
        derived = {weight: np.pad(kernel, ends)}
        if bias:
            derived[bias] = constants(conv.input(2))
        return derived

    return derive


CASES = (
    Flags(
        "63 channels",
        """agraph (float[1,63,28,28] x) => (float[1,63,28,28] y) <float[63,63,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
        at="conv",
        macs=(28 * 28 * 63 * 9 * 63, 28 * 28 * 63 * 9 * 64),
    ),
    Flags(
        "a stride, dilation, bias and another width, on a map that is not square",
        """agraph (float[2,46,30,40] x) => (float[2,80,13,18] y) <float[80,46,3,3] w, float[80] b> {
            [conv] y = Conv <strides = [2,2], dilations = [2,2]> (x, w, b)
        }""",
        at="conv",
        macs=(2 * 13 * 18 * 80 * 9 * 46, 2 * 13 * 18 * 80 * 9 * 48),
    ),
    Flags(
        "far below the block, as the user allows",
        """agraph (float[1,54,28,28] x) => (float[1,64,28,28] y) <float[64,54,3,3] w> {
            [conv] y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
        at="conv",
        macs=(28 * 28 * 64 * 9 * 54, 28 * 28 * 64 * 9 * 56),
        options={"max_padding": 0.25},
    ),
    Passes(
        "multiples of 4 enter the layout",
        """agraph (float[1,60,28,28] x) => (float[1,63,28,28] y) <float[63,60,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
    Passes(
        "two channels above a block: what the next one computes in vain takes as long",
        """agraph (float[1,34,56,56] x) => (float[1,64,56,56] y) <float[64,34,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
    Passes(
        "a 1×1 convolution, which lays out no matrix",
        """agraph (float[1,63,56,56] x) => (float[1,64,56,56] y) <float[64,63,1,1] w> {
            y = Conv (x, w)
        }""",
    ),
    Passes(
        "a stem over three channels",
        """agraph (float[1,3,224,224] x) => (float[1,64,112,112] y) <float[64,3,3,3] w> {
            y = Conv <pads = [1,1,1,1], strides = [2,2]> (x, w)
        }""",
    ),
    Passes(
        "half precision has no blocked layout",
        """agraph (float16[1,63,28,28] x) => (float16[1,64,28,28] y) <float16[64,63,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
    ),
    Passes(
        "a one-dimensional convolution",
        """agraph (float[1,63,4000] x) => (float[1,64,4000] y) <float[64,63,9] w> {
            y = Conv <pads = [4,4]> (x, w)
        }""",
    ),
)
