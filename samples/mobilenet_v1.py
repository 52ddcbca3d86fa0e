"""MobileNet of width 1.0 on 224x224.

Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications" (arXiv 1704.04861), table 1: 569 M mult-adds, 4.2 M parameters. The last depthwise
layer has stride 1: the table prints 2 but keeps its map at 7x7. BatchNormalization is kept as an
operator.

    stem       112*112 * 32 * 3*3*3          =  10,838,016 MACs   1.91 %
    depthwise  13 layers, rows*columns*9*C   =  17,385,984 MACs   3.06 %
    pointwise  13 layers, rows*columns*C*C'  = 539,492,352 MACs  94.86 %
    fc         1024*1000                     =   1,024,000 MACs   0.18 %
    sum                                        568,740,352 MACs
    weights    3,185,088 convolution + 21,888 of BatchNormalization + 1,025,000 fc = 4,231,976
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import conv_bn_relu
from archlint.analyzer.builder import GraphBuilder, WeightKind
from depthwise_separable_block import depthwise_separable

BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
"""Output channels and stride of the depthwise separable blocks."""


def build(weights: WeightKind = "structure") -> ModelProto:
    """A full 3x3 convolution, thirteen depthwise separable blocks, classifier."""
    b = GraphBuilder("mobilenet_v1", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = conv_bn_relu(b, x, 32, 3, "/stem", stride=2)
    for number, (channels, stride) in enumerate(BLOCKS, start=1):
        x = depthwise_separable(b, x, channels, f"/block{number}", stride=stride)
    x = b.flatten(b.global_average_pool(x, name="/avgpool/GlobalAveragePool"), name="/Flatten")
    x = b.linear(x, 1024, 1000, name="/fc/Gemm")
    b.output(b.node("Softmax", x, name="/Softmax", output="prob", axis=1), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
