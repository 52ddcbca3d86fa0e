"""ShuffleNetV2 of width 1.0, torchvision's ``shufflenet_v2_x1_0``, on 224x224.

Ma, Zhang, Zheng and Sun 2018, "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture
Design" (arXiv 1807.11164), table 5: 146 M multiply-adds, 2.3 M parameters; torchvision prints
0.145 G and 2,278,604. BatchNormalization is kept as an operator.

    stem        112*112 * 24 * 3*3*3             =   8,128,512 MACs
    1x1         rows*columns * C*C' of 35 layers = 108,314,304 MACs
    depthwise   rows*columns * 9*C of 19 layers  =   4,159,512 MACs
    conv5       7*7 * 464*1024                   =  23,281,664 MACs
    classifier  1024*1000                        =   1,024,000 MACs
    sum                                            144,907,992 MACs
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _mobile import conv_bn, pooled, relu
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = ((116, 4, 28), (232, 8, 14), (464, 4, 7))
"""Channels, units, and the side of the map."""


class ShuffleBuilder(GraphBuilder):
    """A builder that can halve channels."""

    def half(self, x: str, *, upper: bool, scope: str) -> str:
        """The lower or the upper half of the channels."""
        middle = self.channels(x) // 2
        bounds = (middle, 2 * middle) if upper else (0, middle)
        parts = [self.constant(f"{scope}/bound", [bound]) for bound in bounds]
        axes = self.constant(f"{scope}/axes", [1])
        value = self.node("Slice", x, *parts, axes, name=f"{scope}/Slice")
        self._channels[value] = middle
        return value


def shuffle(b: ShuffleBuilder, x: str, side: int, scope: str) -> str:
    """Mix two groups of channels: the rows of a [2, C/2] matrix become columns."""
    half = b.channels(x) // 2
    apart = b.constant(f"{scope}/apart", [1, 2, half, side, side])
    x = b.node("Reshape", x, apart, name=f"{scope}/Reshape")
    x = b.node("Transpose", x, name=f"{scope}/Transpose", perm=[0, 2, 1, 3, 4])
    joined = b.constant(f"{scope}/joined", [1, 2 * half, side, side])
    return b.node("Reshape", x, joined, name=f"{scope}/Reshape")


def unit(b: ShuffleBuilder, x: str, channels: int, side: int, stride: int, scope: str) -> str:
    """Half of the channels pass a bottleneck, the others stay; all of them pass one where the map
    is halved (figure 3, c and d)."""
    half = channels // 2
    if stride == 1:
        kept = b.half(x, upper=False, scope=scope)
        x = b.half(x, upper=True, scope=scope)
    else:
        width = b.channels(x)
        kept = conv_bn(b, x, width, 3, f"{scope}/branch1.0", stride=2, groups=width)
        kept = conv_bn(b, kept, half, 1, f"{scope}/branch1.2", activation=relu)
    x = conv_bn(b, x, half, 1, f"{scope}/branch2.0", activation=relu)
    x = conv_bn(b, x, half, 3, f"{scope}/branch2.3", stride=stride, groups=half)
    x = conv_bn(b, x, half, 1, f"{scope}/branch2.5", activation=relu)
    return shuffle(b, b.concat([kept, x], name=f"{scope}/Concat"), side, scope)


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, three stages of units, a 1x1 to 1024, classifier."""
    b = ShuffleBuilder("shufflenet_v2", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = conv_bn(b, x, 24, 3, "/conv1", stride=2, activation=relu)
    x = b.pool("MaxPool", x, 3, stride=2, pads=1, name="/maxpool/MaxPool")
    for stage, (channels, units, side) in enumerate(STAGES, start=2):
        for number in range(units):
            scope = f"/stage{stage}/stage{stage}.{number}"
            x = unit(b, x, channels, side, 2 if number == 0 else 1, scope)
    x = pooled(b, conv_bn(b, x, 1024, 1, "/conv5", activation=relu))
    b.output(b.linear(x, 1024, 1000, name="/fc/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
