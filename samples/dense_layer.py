"""A layer of DenseNet-BC: its 32 new channels are concatenated to the 256 that it read.

Huang et al. 2016, "Densely Connected Convolutional Networks" (arXiv 1608.06993): BN-ReLU-Conv1x1
to 4k channels, BN-ReLU-Conv3x3 to k, growth rate k = 32, on 28x28.

    conv1x1  256 -> 128   784 * 128*256      = 25,690,112 MACs
    conv3x3  128 -> 32    784 * 32 * 9*128   = 28,901,376 MACs
    sum                                        54,591,488 MACs
    weights  32,768 + 36,864 + 2 * (256 + 128) of BatchNormalization = 70,400
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind

GROWTH = 32
BOTTLENECK = 4


def norm_relu(b: GraphBuilder, x: str, scope: str, number: str = "") -> str:
    """Pre-activation: BatchNormalization, Relu."""
    x = b.batch_norm(x, name=f"{scope}/norm{number}/BatchNormalization")
    return b.relu(x, name=f"{scope}/relu{number}/Relu")


def dense_layer(b: GraphBuilder, x: str, scope: str) -> str:
    """The input with the layer's k channels behind it."""
    y = norm_relu(b, x, scope, "1")
    y = b.conv(y, BOTTLENECK * GROWTH, 1, bias=False, name=f"{scope}/conv1/Conv")
    y = norm_relu(b, y, scope, "2")
    y = b.conv(y, GROWTH, 3, bias=False, name=f"{scope}/conv2/Conv")
    return b.concat([x, y], name=f"{scope}/Concat")


def build(weights: WeightKind = "structure") -> ModelProto:
    """One layer of the second dense block, with 256 channels before it."""
    b = GraphBuilder("dense_layer", weights=weights)
    x = b.input("input", [1, 256, 28, 28])
    b.output(dense_layer(b, x, "/denselayer"), [1, 256 + GROWTH, 28, 28])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
