"""VGG-16 (configuration D), torchvision's ``vgg16``, on 224x224.

Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(arXiv 1409.1556): 138 M parameters. torchvision prints 138,357,544 and 15.47 G.

    224x224  50,176 * 9 * (3*64 + 64*64)            =  1,936,392,192 MACs
    112x112  12,544 * 9 * (64*128 + 128*128)        =  2,774,532,096 MACs
    56x56     3,136 * 9 * (128*256 + 2 * 256*256)   =  4,624,220,160 MACs
    28x28       784 * 9 * (256*512 + 2 * 512*512)   =  4,624,220,160 MACs
    14x14       196 * 9 * 3 * 512*512               =  1,387,266,048 MACs
    linear   25088*4096 + 4096*4096 + 4096*1000     =    123,633,664 MACs
    sum                                               15,470,264,320 MACs
    weights  14,714,688 convolution + 123,642,856 linear = 138,357,544

torchvision's adaptive average pooling to 7x7 is the identity at this size and is left out, as is
Dropout.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import classifier
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and number of the 3x3 convolutions before each pooling."""
LINEAR = {0: (512 * 7 * 7, 4096), 3: (4096, 4096), 6: (4096, 1000)}
"""Place in torchvision's ``classifier``: inputs, outputs."""


def build(weights: WeightKind = "structure") -> ModelProto:
    """Thirteen 3x3 convolutions, three fully connected layers."""
    b = GraphBuilder("vgg16", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    place = 0
    for channels, depth in STAGES:
        for _ in range(depth):
            x = b.conv(x, channels, 3, name=f"/features/features.{place}/Conv")
            x = b.relu(x, name=f"/features/features.{place + 1}/Relu")
            place += 2
        x = b.pool("MaxPool", x, 2, stride=2, name=f"/features/features.{place}/MaxPool")
        place += 1
    x = b.flatten(x, name="/Flatten")
    b.output(classifier(b, x, LINEAR), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
