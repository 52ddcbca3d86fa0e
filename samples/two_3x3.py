"""Two 3x3 convolutions that see the same 5x5 window as ``large_kernel_5x5.py``.

Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision" (arXiv
1512.00567), section 3.1 and figure 1.

    2 x conv3x3  64 -> 64 on 56x56   2 * 56*56 * 64 * 3*3*64 = 231,211,008 MACs
    weights  2 * (64 * 3*3*64 + 64) = 73,856

18/25 = 0.72 of the 321,126,400 MACs of the 5x5.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """Two padded 3x3 convolutions, a Relu after each."""
    b = GraphBuilder("two_3x3", weights=weights)
    x = b.input("input", [1, 64, 56, 56])
    for name in ("conv3x3_1", "conv3x3_2"):
        x = b.relu(b.conv(x, 64, 3, name=name))
    b.output(x, [1, 64, 56, 56])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
