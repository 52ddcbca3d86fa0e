"""MobileNetV2 of width 1.0, torchvision's ``mobilenet_v2``, on 224x224.

Sandler, Howard, Zhu, Zhmoginov and Chen 2018, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks" (arXiv 1801.04381), table 2: 300 M multiply-adds, 3.4 M parameters; torchvision prints
0.301 G and 3,504,872. BatchNormalization is kept as an operator.

    stem        112*112 * 32 * 3*3*3             =  10,838,016 MACs
    1x1         rows*columns * C*C' of 33 layers = 247,869,440 MACs
    depthwise   rows*columns * 9*C of 17 layers  =  20,716,416 MACs
    head        7*7 * 320*1280                   =  20,070,400 MACs
    classifier  1280*1000                        =   1,280,000 MACs
    sum                                            300,774,272 MACs
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _mobile import conv_bn, inverted_residual, pooled, relu6
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, output channels, blocks, stride of the first one: the columns of table 2."""


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, seventeen inverted residuals, a 1x1 to 1280, classifier."""
    b = GraphBuilder("mobilenet_v2", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = conv_bn(b, x, 32, 3, "/stem", stride=2, activation=relu6)
    for stage, (expansion, channels, blocks, first_stride) in enumerate(STAGES, start=1):
        for block in range(blocks):
            x = inverted_residual(
                b, x, f"/stage{stage}/block{block}",
                kernel=3, expanded=expansion * b.channels(x), channels=channels,
                stride=first_stride if block == 0 else 1, activation=relu6,
            )  # fmt: skip
    x = pooled(b, conv_bn(b, x, 1280, 1, "/head", activation=relu6))
    b.output(b.linear(x, 1280, 1000, name="/classifier/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
