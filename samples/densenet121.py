"""DenseNet-121 (DenseNet-BC, k = 32), torchvision's ``densenet121``, on 224x224.

Huang, Liu, van der Maaten and Weinberger 2016, "Densely Connected Convolutional Networks" (arXiv
1608.06993), table 1. torchvision prints 7,978,856 parameters and 2.834 G. BatchNormalization is
kept as an operator; its scales and offsets are parameters, its running statistics are not.

    stem         112*112 * 64 * 7*7*3                      =   118,013,952 MACs
    block 1      3,136 * (128 * 864 + 6 * 36,864)          = 1,040,449,536 MACs
    block 2        784 * (128 * 3,648 + 12 * 36,864)       =   712,900,608 MACs
    block 3        196 * (128 * 14,976 + 24 * 36,864)      =   549,126,144 MACs
    block 4         49 * (128 * 12,032 + 16 * 36,864)      =   104,366,080 MACs
    transitions  3 * 3,136 * 256*128                       =   308,281,344 MACs
    classifier   1024*1000                                 =     1,024,000 MACs
    sum                                                      2,834,161,664 MACs

A layer that reads C channels is a 1x1 of 128*C weights and a 3x3 of 32 * 9*128 = 36,864; the first
number in each bracket is the sum of C over the block: 64, 96, ... 224 = 864 in block 1.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind
from dense_layer import dense_layer, norm_relu

DEPTHS = (6, 12, 24, 16)


def transition(b: GraphBuilder, x: str, scope: str) -> str:
    """A 1x1 convolution to half the channels, then half the rows and columns."""
    channels = b.channels(x) // 2
    x = b.conv(norm_relu(b, x, scope), channels, 1, bias=False, name=f"{scope}/conv/Conv")
    return b.pool("AveragePool", x, 2, stride=2, name=f"{scope}/pool/AveragePool")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, four dense blocks with three transitions between, classifier."""
    b = GraphBuilder("densenet121", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = b.conv(x, 64, 7, stride=2, bias=False, name="/features/conv0/Conv")
    x = norm_relu(b, x, "/features", "0")
    x = b.pool("MaxPool", x, 3, stride=2, pads=1, name="/features/pool0/MaxPool")
    for block, depth in enumerate(DEPTHS, start=1):
        for layer in range(1, depth + 1):
            x = dense_layer(b, x, f"/features/denseblock{block}/denselayer{layer}")
        if block < len(DEPTHS):
            x = transition(b, x, f"/features/transition{block}")
    x = b.batch_norm(x, name="/features/norm5/BatchNormalization")
    x = b.global_average_pool(b.relu(x, name="/Relu"), name="/GlobalAveragePool")
    x = b.flatten(x, name="/Flatten")
    b.output(b.linear(x, 1024, 1000, name="/classifier/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
