"""MobileNetV3-Large of width 1.0, torchvision's ``mobilenet_v3_large``, on 224x224.

Howard, Sandler, Chu et al. 2019, "Searching for MobileNetV3" (arXiv 1905.02244), table 1: 219 M
multiply-adds, 5.4 M parameters; torchvision prints 0.217 G and 5,483,032. BatchNormalization is
kept as an operator.

    stem        112*112 * 16 * 3*3*3              =   5,419,008 MACs
    1x1         rows*columns * C*C' of 29 layers  = 181,235,712 MACs
    depthwise   rows*columns * k*k*C of 15 layers =  18,392,640 MACs
    gates       2 * C*squeezed of 8 blocks        =   1,507,200 MACs
    head        7*7 * 160*960                     =   7,526,400 MACs
    classifier  960*1280 + 1280*1000              =   2,508,800 MACs
    sum                                             216,589,760 MACs
"""

from __future__ import annotations

from functools import partial

from onnx import ModelProto

from _command import run
from _mobile import (
    conv_bn,
    hard_sigmoid,
    hard_swish,
    inverted_residual,
    pooled,
    relu,
    squeeze_excite,
)
from archlint.analyzer.builder import GraphBuilder, WeightKind

BLOCKS = (
    (3, 16, 16, 0, relu, 1),
    (3, 64, 24, 0, relu, 2),
    (3, 72, 24, 0, relu, 1),
    (5, 72, 40, 24, relu, 2),
    (5, 120, 40, 32, relu, 1),
    (5, 120, 40, 32, relu, 1),
    (3, 240, 80, 0, hard_swish, 2),
    (3, 200, 80, 0, hard_swish, 1),
    (3, 184, 80, 0, hard_swish, 1),
    (3, 184, 80, 0, hard_swish, 1),
    (3, 480, 112, 120, hard_swish, 1),
    (3, 672, 112, 168, hard_swish, 1),
    (5, 672, 160, 168, hard_swish, 2),
    (5, 960, 160, 240, hard_swish, 1),
    (5, 960, 160, 240, hard_swish, 1),
)
"""Kernel, expanded and output channels, squeezed channels (a quarter of the expanded ones, in
eights), activation, stride: the columns of table 1."""


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, fifteen inverted residuals, a 1x1 to 960, classifier behind the pooling."""
    b = GraphBuilder("mobilenet_v3_large", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = conv_bn(b, x, 16, 3, "/stem", stride=2, activation=hard_swish)
    for number, (kernel, expanded, channels, squeezed, activation, stride) in enumerate(BLOCKS):
        gate = partial(squeeze_excite, squeezed=squeezed, inner=relu, gate=hard_sigmoid)
        x = inverted_residual(
            b, x, f"/block{number}",
            kernel=kernel, expanded=expanded, channels=channels, stride=stride,
            activation=activation, excite=gate if squeezed else None,
        )  # fmt: skip
    x = pooled(b, conv_bn(b, x, 960, 1, "/head", activation=hard_swish))
    x = b.linear(x, 960, 1280, name="/classifier.0/Gemm")
    x = hard_swish(b, x, name="/classifier.1")
    b.output(b.linear(x, 1280, 1000, name="/classifier.3/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
