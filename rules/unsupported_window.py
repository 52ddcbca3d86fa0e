"""ARC505: kernels and strides that the chosen device does not compute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from archlint.analyzer.describe import describe
from archlint.analyzer.patterns import ConvSizes, convolutions
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.targets import Target


@dataclass(frozen=True)
class UnsupportedWindow(Rule):
    """A convolution whose kernel or stride the chosen device does not compute.

    Why it matters
        An NPU has a largest kernel and a largest stride. Its compiler leaves what is beyond them to
        the processor beside it, with a copy there and back: one such layer can take longer than the
        rest of the network. Arm's Ethos-U takes strides up to 3, so the 4×4 convolution with stride
        4 that cuts an image into patches does not run on it.

    What to do
        Two convolutions with stride 2 in place of one with stride 4, small kernels in place of a
        large or dilated one; or a rearrangement of pixels to channels before the model, where the
        windows do not overlap.

    When not to apply
        Where the layer is so small that the processor beside the device computes it in no time, or
        where the device is only meant for a part of the network. Where the compiler rewrites such a
        window by itself: Vela does so for strides along the width, if the width can be divided by
        them.

    Not flagged
        Kernels and strides within the limits of the target's profile; strides where there is only
        one place for the kernel; convolutions under ``min_share`` of the model's MACs; targets
        without limits, among them CPUs and GPUs.

    Known limits
        Only kernels and strides of convolutions are compared with the profile; poolings, transposed
        convolutions, data types, batch sizes and other operators that a device does not compute are
        not. The height of a convolution of one axis counts as 1, as compilers write it. How long
        the rest takes on the processor is unknown.

    References
        Xiao et al., Early Convolutions Help Transformers See Better, 2021, arXiv:2106.14881.
    """

    code = "ARC505"
    name = "unsupported-window"
    group = RuleGroup.TARGET
    kind = FixKind.DECISION
    advice: ClassVar[str] = (
        "use strides and kernels within the limits, such as two convolutions with stride 2 in "
        "place of one with stride 4; what is beyond runs on the processor beside the device"
    )

    min_share: float = option(
        0.001,
        "smallest share of the model's MACs that the convolution must do, which are far slower "
        "beside the device",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Convolutions beyond a limit of the target."""
        least = self.min_share * context.costs.total().macs
        for conv in convolutions(context.graph):
            limit = _exceeded(conv, context.target)
            if limit and context.costs.total((conv.node,)).macs >= least:
                what = describe(context.graph, conv.node)
                yield Match(
                    (conv.node,),
                    f"{what} does not run on {context.target.title}: {limit}",
                    {"target": context.target.name},
                )


def _exceeded(conv: ConvSizes, target: Target) -> str:
    """The limit that a convolution exceeds, in words; nothing where it exceeds none."""
    reach = [
        (size - 1) * dilation + 1
        for size, dilation in zip(conv.kernel, conv.dilations, strict=True)
    ]
    moves = [stride for stride, size in zip(conv.strides, conv.out_map, strict=True) if size > 1]
    if target.max_stride is not None and max(moves, default=1) > target.max_stride:
        return f"strides there go up to {target.max_stride}"
    height = reach[0] if len(reach) > 1 else 1
    if target.max_kernel is not None and height > target.max_kernel:
        return f"kernels there are up to {target.max_kernel} high, and this one is {height}"
    if target.max_taps is not None and prod(reach) > target.max_taps:
        most = f"{target.max_taps:,}"
        return f"kernels there have up to {most} elements, and this one has {prod(reach):,}"
    return ""


CASES = (
    Flags(
        "an image cut into patches of 4×4",
        """agraph (float[1,3,224,224] x) => (float[1,96,56,56] y) <float[96,3,4,4] w> {
            [patches] y = Conv <strides = [4,4]> (x, w)
        }""",
        at="patches",
        target="arm-ethos-u",
    ),
    Flags(
        "a kernel that dilation spreads over 65 rows",
        """agraph (float[1,8,128,64] x) => (float[1,8,64,64] y) <float[8,8,3,1] w> {
            [conv] y = Conv <dilations = [32,1]> (x, w)
        }""",
        at="conv",
        target="arm-ethos-u",
    ),
    Flags(
        "a kernel over more than 4,096 elements",
        """agraph (float[1,8,64,128] x) => (float[1,8,1,64] y) <float[8,8,64,65] w> {
            [conv] y = Conv (x, w)
        }""",
        at="conv",
        target="arm-ethos-u",
    ),
    Passes(
        "a stride of 3 and a kernel of 64×64",
        """agraph (float[1,8,64,64] x) => (float[1,8,1,1] y) <float[8,8,64,64] w> {
            y = Conv <strides = [3,3]> (x, w)
        }""",
        target="arm-ethos-u",
    ),
    Flags(
        "a stride of the width, which alone moves the kernel",
        """agraph (float[1,1,1,4410] x) => (float[1,36,1,520] y) <float[36,1,1,256] w> {
            [conv] y = Conv <strides = [1,8]> (x, w)
        }""",
        at="conv",
        target="arm-ethos-u",
    ),
    Passes(
        "a stride that moves the kernel to no other place",
        """agraph (float[1,8,16,16] x) => (float[1,8,1,1] y) <float[8,8,16,16] w> {
            y = Conv <strides = [16,16]> (x, w)
        }""",
        target="arm-ethos-u",
    ),
    Passes(
        "a kernel of one axis, which is as wide as it is long",
        """agraph (float[1,8,1000] x) => (float[1,8,936] y) <float[8,8,65] w> {
            y = Conv (x, w)
        }""",
        target="arm-ethos-u",
    ),
    Passes(
        "a small part of the model",
        """agraph (float[1,3,64,64] x) => (float[1,64,64,64] y, float[1,1,16,16] z)
        <float[64,3,3,3] v, float[64,64,3,3] w, float[1,3,4,4] s> {
            a = Conv <pads = [1,1,1,1]> (x, v)
            y = Conv <pads = [1,1,1,1]> (a, w)
            z = Conv <strides = [4,4]> (x, s)
        }""",
        target="arm-ethos-u",
    ),
    Passes(
        "a CPU computes every kernel",
        """agraph (float[1,3,224,224] x) => (float[1,96,56,56] y) <float[96,3,4,4] w> {
            y = Conv <strides = [4,4]> (x, w)
        }""",
    ),
)
