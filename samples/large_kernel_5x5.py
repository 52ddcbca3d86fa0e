"""A 5x5 convolution that keeps its 64 channels, on a 56x56 map.

Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision" (arXiv
1512.00567), section 3.1, replaces it by two 3x3 convolutions (``two_3x3.py``): 18/25 = 0.72.

    conv5x5  64 -> 64 on 56x56   56*56 * 64 * 5*5*64 = 321,126,400 MACs
    weights  64 * 5*5*64 + 64 = 102,464
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """One padded 5x5 convolution and its Relu."""
    b = GraphBuilder("large_kernel_5x5", weights=weights)
    x = b.input("input", [1, 64, 56, 56])
    x = b.conv(x, 64, 5, name="conv5x5")
    b.output(b.relu(x), [1, 64, 56, 56])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
