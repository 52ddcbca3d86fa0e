"""ResNet-18, torchvision's ``resnet18``, on 224x224.

He, Zhang, Ren and Sun 2015, "Deep Residual Learning for Image Recognition" (arXiv 1512.03385),
table 1: 1.8 x 10^9. torchvision prints 11,689,512 parameters and 1.814 G. BatchNormalization is
kept as an operator; its scales and offsets are parameters, its running statistics are not.

    stem    112*112 * 64 * 7*7*3                      =   118,013,952 MACs
    layer1  2 * 231,211,008                           =   462,422,016 MACs
    layer2  179,830,784 + 231,211,008                 =   411,041,792 MACs
    layer3  179,830,784 + 231,211,008                 =   411,041,792 MACs
    layer4  179,830,784 + 231,211,008                 =   411,041,792 MACs
    fc      512*1000                                  =       512,000 MACs
    sum                                                 1,814,073,344 MACs

An identity block is 2 * 56*56 * 9*64*64 = 231,211,008 MACs at every stage: half the map, twice the
channels. The first block of a later stage is 1.5 of its 3x3 convolutions and a 1x1 projection:
784 * (9*64*128 + 9*128*128 + 64*128) = 179,830,784.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _resnet import residual_network
from archlint.analyzer.builder import WeightKind
from resnet_basic_block import basic_block


def build(weights: WeightKind = "structure") -> ModelProto:
    """Eight basic blocks in four stages."""
    return residual_network("resnet18", basic_block, (2, 2, 2, 2), weights)


if __name__ == "__main__":
    run(build, __file__)
