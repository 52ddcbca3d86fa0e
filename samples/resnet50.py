"""ResNet-50 v1.5 (the stride in the 3x3), torchvision's ``resnet50``, on 224x224.

He, Zhang, Ren and Sun 2015, "Deep Residual Learning for Image Recognition" (arXiv 1512.03385),
table 1: 3.8 x 10^9, with the stride in the first 1x1 (3,857,973,248 MACs). torchvision carries it
in the 3x3 and prints 25,557,032 parameters and 4.089 G. BatchNormalization is kept as an operator;
its scales and offsets are parameters, its running statistics are not.

    stem    112*112 * 64 * 7*7*3            =   118,013,952 MACs
    layer1  231,211,008 + 2 * 218,365,952   =   667,942,912 MACs
    layer2  372,506,624 + 3 * 218,365,952   = 1,027,604,480 MACs
    layer3  372,506,624 + 5 * 218,365,952   = 1,464,336,384 MACs
    layer4  372,506,624 + 2 * 218,365,952   =   809,238,528 MACs
    fc      2048*1000                       =     2,048,000 MACs
    sum                                       4,089,184,256 MACs

An identity block is 3,136 * (256*64 + 9*64*64 + 64*256) = 218,365,952 MACs at every stage. The
first of layer1 reads 64 channels and projects them: 3,136 * (64*64 + 9*64*64 + 2 * 64*256) =
231,211,008. The first of a later stage has its 1x1 on the larger map and projects with stride 2:
3,136 * 256*128 + 784 * (9*128*128 + 128*512 + 256*512) = 372,506,624.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _resnet import residual_network
from archlint.analyzer.builder import WeightKind
from resnet_bottleneck_block import bottleneck_block


def build(weights: WeightKind = "structure") -> ModelProto:
    """Sixteen bottleneck blocks in four stages."""
    return residual_network("resnet50", bottleneck_block, (3, 4, 6, 3), weights)


if __name__ == "__main__":
    run(build, __file__)
