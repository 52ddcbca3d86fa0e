"""An mlpconv block: 1x1 convolutions as a small perceptron over the channels of each pixel.

Lin, Chen and Yan 2013, "Network In Network" (arXiv 1312.4400); the first block of the CIFAR-10
network that the authors released: 5x5 to 192, then 1x1 to 160 and to 96, each with a Relu.

    conv1  3 -> 192, 5x5 on 32x32   1024 * 192 * 25*3 = 14,745,600 MACs
    cccp1  192 -> 160, 1x1          1024 * 160*192    = 31,457,280 MACs
    cccp2  160 -> 96, 1x1           1024 * 96*160     = 15,728,640 MACs
    sum                                                 61,931,520 MACs
    weights  14,400 + 30,720 + 15,360 + 448 biases    = 60,928
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import conv_relu
from archlint.analyzer.builder import GraphBuilder, WeightKind

LAYERS = {"conv1": (192, 5), "cccp1": (160, 1), "cccp2": (96, 1)}


def build(weights: WeightKind = "structure") -> ModelProto:
    """The first mlpconv block of the CIFAR-10 network, without its pooling."""
    b = GraphBuilder("mlpconv", weights=weights)
    x = b.input("input", [1, 3, 32, 32])
    for name, (channels, kernel) in LAYERS.items():
        x = conv_relu(b, x, channels, kernel, f"/mlpconv1/{name}")
    b.output(x, [1, 96, 32, 32])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
