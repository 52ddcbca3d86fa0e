"""AlexNet as one tower, torchvision's ``alexnet``, on 224x224.

Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional Neural
Networks" (NIPS; not on arXiv), in the single-tower form of Krizhevsky 2014, "One Weird Trick for
Parallelizing Convolutional Neural Networks" (arXiv 1404.5997). torchvision prints 61,100,840
parameters and 0.714 G.

    conv1    55*55 *  64 * 11*11*3                 =  70,276,800 MACs
    conv2    27*27 * 192 * 5*5*64                  = 223,948,800 MACs
    conv3    13*13 * 384 * 3*3*192                 = 112,140,288 MACs
    conv4    13*13 * 256 * 3*3*384                 = 149,520,384 MACs
    conv5    13*13 * 256 * 3*3*256                 =  99,680,256 MACs
    linear   9216*4096 + 4096*4096 + 4096*1000     =  58,621,952 MACs
    sum                                              714,188,480 MACs
    weights  2,469,696 convolution + 58,631,144 linear = 61,100,840, 96 % in the linear layers

torchvision's adaptive average pooling to 6x6 is the identity at this size and is left out, as is
Dropout.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import classifier
from archlint.analyzer.builder import GraphBuilder, WeightKind

CONVOLUTIONS = {
    0: (64, 11, 4, 2),
    3: (192, 5, 1, 2),
    6: (384, 3, 1, 1),
    8: (256, 3, 1, 1),
    10: (256, 3, 1, 1),
}
"""Place in torchvision's ``features``: channels, kernel, stride, padding."""
POOLED = {0, 3, 10}
LINEAR = {1: (256 * 6 * 6, 4096), 4: (4096, 4096), 6: (4096, 1000)}
"""Place in torchvision's ``classifier``: inputs, outputs."""


def build(weights: WeightKind = "structure") -> ModelProto:
    """Five convolutions, three fully connected layers."""
    b = GraphBuilder("alexnet", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    for place, (channels, kernel, stride, pads) in CONVOLUTIONS.items():
        name = f"/features/features.{place}/Conv"
        x = b.conv(x, channels, kernel, stride=stride, pads=pads, name=name)
        x = b.relu(x, name=f"/features/features.{place + 1}/Relu")
        if place in POOLED:
            x = b.pool("MaxPool", x, 3, stride=2, name=f"/features/features.{place + 2}/MaxPool")
    x = b.flatten(x, name="/Flatten")
    b.output(classifier(b, x, LINEAR), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
