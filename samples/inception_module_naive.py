"""Module 3a of GoogLeNet in the naive form: the 3x3 and the 5x5 read all 192 channels.

Szegedy et al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842), figure 2(a). The pooled
branch keeps its 1x1 projection, so that the output is that of ``inception_module.py``.

    branch1x1    784 * 64*192        =   9,633,792 MACs
    branch3x3    784 * 128 * 9*192   = 173,408,256 MACs
    branch5x5    784 * 32 * 25*192   = 120,422,400 MACs
    branch_pool  784 * 32*192        =   4,816,896 MACs
    sum          784 * 393,216       = 308,281,344 MACs
    weights      393,216 + 256 biases = 393,472

The reduced module takes 128,049,152 MACs, 0.415 of it.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import conv_relu
from archlint.analyzer.builder import GraphBuilder, WeightKind

BRANCHES = {"branch1x1": (64, 1), "branch3x3": (128, 3), "branch5x5": (32, 5)}


def build(weights: WeightKind = "structure") -> ModelProto:
    """Module 3a without reductions."""
    scope = "/inception_3a"
    b = GraphBuilder("inception_module_naive", weights=weights)
    x = b.input("input", [1, 192, 28, 28])
    parts = [
        conv_relu(b, x, channels, kernel, f"{scope}/{name}")
        for name, (channels, kernel) in BRANCHES.items()
    ]
    pool = b.pool("MaxPool", x, 3, stride=1, pads=1, name=f"{scope}/branch_pool/pool/MaxPool")
    parts.append(conv_relu(b, pool, 32, 1, f"{scope}/branch_pool"))
    b.output(b.concat(parts, name=f"{scope}/Concat"), [1, 256, 28, 28])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
