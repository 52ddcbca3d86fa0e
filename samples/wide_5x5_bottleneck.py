"""The wide 5x5 convolution of ``wide_5x5.py`` behind a 1x1 reduction to 20 channels.

The reduction is that of Szegedy et al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842).

    conv1x1  200 -> 20 on 30x40   30*40 * 20 * 200    =  4,800,000 MACs
    conv5x5   20 -> 55 on 30x40   30*40 * 55 * 5*5*20 = 33,000,000 MACs
    sum                                                 37,800,000 MACs
    weights  (20*200 + 20) + (55 * 5*5*20 + 55) = 31,575

Of the 330,000,000 MACs of the 5x5 alone 0.115 are left.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """A 1x1 and a 5x5 convolution, a Relu after each."""
    b = GraphBuilder("wide_5x5_bottleneck", weights=weights)
    x = b.input("input", [1, 200, 30, 40])
    x = b.relu(b.conv(x, 20, 1, name="conv1x1"))
    x = b.relu(b.conv(x, 55, 5, name="conv5x5"))
    b.output(x, [1, 55, 30, 40])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
