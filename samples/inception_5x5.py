"""The 5x5 convolution of GoogLeNet's module 3a without its 1x1 reduction.

Szegedy et al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842).

    conv5x5  192 -> 32 on 28x28   28*28 * 32 * 5*5*192 = 120,422,400 MACs
    weights  32 * 5*5*192 + 32 = 153,632

``inception_5x5_bottleneck.py`` makes the same output from a tenth of the MACs (0.103).
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """One padded 5x5 convolution and its Relu."""
    b = GraphBuilder("inception_5x5", weights=weights)
    x = b.input("input", [1, 192, 28, 28])
    x = b.conv(x, 32, 5, name="conv5x5")
    b.output(b.relu(x), [1, 32, 28, 28])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
