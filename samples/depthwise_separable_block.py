"""A MobileNet block: a 3x3 depthwise convolution and a 1x1, 512 channels on 14x14.

Howard et al. 2017, "MobileNets" (arXiv 1704.04861), table 3: 52.3 M mult-adds and 0.27 M
parameters against 462 M and 2.36 M of a full 3x3 convolution.

    depthwise 3x3        196 * 512 * 9      =     903,168 MACs
    pointwise 512 -> 512 196 * 512*512      =  51,380,224 MACs
    sum                                        52,283,392 MACs
    full 3x3             196 * 512 * 9*512  = 462,422,016 MACs   ratio 1/512 + 1/9 = 0.113
    weights  4,608 + 262,144 + 2 * (512 + 512) of BatchNormalization = 268,800
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import conv_bn_relu
from archlint.analyzer.builder import GraphBuilder, WeightKind


def depthwise_separable(
    b: GraphBuilder, x: str, channels: int, scope: str, *, stride: int = 1
) -> str:
    """One 3x3 filter a channel, then a 1x1; BatchNormalization and Relu after each."""
    width = b.channels(x)
    x = conv_bn_relu(b, x, width, 3, f"{scope}/depthwise", stride=stride, groups=width)
    return conv_bn_relu(b, x, channels, 1, f"{scope}/pointwise")


def build(weights: WeightKind = "structure") -> ModelProto:
    """One of the five equal blocks of the 14x14 stage."""
    b = GraphBuilder("depthwise_separable_block", weights=weights)
    x = b.input("input", [1, 512, 14, 14])
    b.output(depthwise_separable(b, x, 512, "/block"), [1, 512, 14, 14])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
