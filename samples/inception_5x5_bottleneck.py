"""The 5x5 branch of GoogLeNet's module 3a: a 1x1 reduction to 16 channels, then the 5x5.

Szegedy et al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842), table 1, row 3a,
columns "#5x5 reduce" = 16 and "#5x5" = 32.

    conv1x1  192 -> 16 on 28x28   28*28 * 16 * 192    =  2,408,448 MACs
    conv5x5   16 -> 32 on 28x28   28*28 * 32 * 5*5*16 = 10,035,200 MACs
    sum                                                 12,443,648 MACs
    weights  (16*192 + 16) + (32 * 5*5*16 + 32) = 15,920

Without the reduction (``inception_5x5.py``) it is 120,422,400 MACs; the ratio is 0.103.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """A 1x1 and a 5x5 convolution, a Relu after each."""
    b = GraphBuilder("inception_5x5_bottleneck", weights=weights)
    x = b.input("input", [1, 192, 28, 28])
    x = b.relu(b.conv(x, 16, 1, name="conv1x1"))
    x = b.relu(b.conv(x, 32, 5, name="conv5x5"))
    b.output(x, [1, 32, 28, 28])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
