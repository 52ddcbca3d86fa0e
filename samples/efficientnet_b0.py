"""EfficientNet-B0, torchvision's ``efficientnet_b0``, on 224x224.

Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (arXiv
1905.11946), table 1: 0.39 G multiply-adds, 5.3 M parameters; torchvision prints 0.386 G and
5,288,548. BatchNormalization is kept as an operator.

    stem        112*112 * 32 * 3*3*3              =  10,838,016 MACs
    1x1         rows*columns * C*C' of 31 layers  = 318,467,072 MACs
    depthwise   rows*columns * k*k*C of 16 layers =  34,532,064 MACs
    gates       2 * C*squeezed of 16 blocks       =     627,200 MACs
    head        7*7 * 320*1280                    =  20,070,400 MACs
    classifier  1280*1000                         =   1,280,000 MACs
    sum                                             385,814,752 MACs
"""

from __future__ import annotations

from functools import partial

from onnx import ModelProto

from _command import run
from _mobile import conv_bn, inverted_residual, pooled, sigmoid, silu, squeeze_excite
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, output channels, blocks, stride of the first one: the rows of table 1."""


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, sixteen inverted residuals with gates of a quarter of their input, classifier."""
    b = GraphBuilder("efficientnet_b0", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = conv_bn(b, x, 32, 3, "/stem", stride=2, activation=silu)
    for stage, (expansion, kernel, channels, blocks, first_stride) in enumerate(STAGES, start=1):
        for block in range(blocks):
            width = b.channels(x)
            x = inverted_residual(
                b, x, f"/stage{stage}/block{block}",
                kernel=kernel, expanded=expansion * width, channels=channels,
                stride=first_stride if block == 0 else 1, activation=silu,
                excite=partial(squeeze_excite, squeezed=width // 4, inner=silu, gate=sigmoid),
            )  # fmt: skip
    x = pooled(b, conv_bn(b, x, 1280, 1, "/head", activation=silu))
    b.output(b.linear(x, 1280, 1000, name="/classifier/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
