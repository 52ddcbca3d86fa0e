"""A wide 5x5 convolution on a map of 30 rows and 40 columns.

A worked example, on a map that is not square, of the cost that the 1x1 reductions of Szegedy et
al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842), take away.

    conv5x5  200 -> 55 on 30x40   30*40 * 55 * 5*5*200 = 330,000,000 MACs
    weights  55 * 5*5*200 + 55 = 275,055

``wide_5x5_bottleneck.py`` puts 20 channels between: 37,800,000 MACs, a ratio of 0.115.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """One padded 5x5 convolution and its Relu."""
    b = GraphBuilder("wide_5x5", weights=weights)
    x = b.input("input", [1, 200, 30, 40])
    x = b.conv(x, 55, 5, name="conv5x5")
    b.output(b.relu(x), [1, 55, 30, 40])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
