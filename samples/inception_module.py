"""Module 3a of GoogLeNet with its 1x1 reductions, 28x28x192 to 28x28x256.

Szegedy et al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842), figure 2(b) and table 1,
row 3a (the paper prints 128 M operations and 159 K parameters).

    branch1x1    784 * 64*192                              =   9,633,792 MACs
    branch3x3    784 * (96*192 + 128 * 9*96)               = 101,154,816 MACs
    branch5x5    784 * (16*192 + 32 * 25*16)               =  12,443,648 MACs
    branch_pool  784 * 32*192                              =   4,816,896 MACs
    sum          784 * 163,328                             = 128,049,152 MACs
    weights      163,328 + 368 biases                      = 163,696

159 K is 163,328 / 1024 rounded down. ``inception_module_naive.py`` is figure 2(a).
"""

from __future__ import annotations

from typing import NamedTuple

from onnx import ModelProto

from _command import run
from _layers import conv_relu
from archlint.analyzer.builder import GraphBuilder, WeightKind


class Widths(NamedTuple):
    """The columns of table 1: output channels of the six convolutions."""

    conv1x1: int
    reduce3x3: int
    conv3x3: int
    reduce5x5: int
    conv5x5: int
    pool_proj: int


MODULE_3A = Widths(64, 96, 128, 16, 32, 32)


def inception_module(b: GraphBuilder, x: str, scope: str, widths: Widths) -> str:
    """Four branches over one input, concatenated."""
    branch1x1 = conv_relu(b, x, widths.conv1x1, 1, f"{scope}/branch1x1")
    branch3x3 = conv_relu(b, x, widths.reduce3x3, 1, f"{scope}/branch3x3/reduce")
    branch3x3 = conv_relu(b, branch3x3, widths.conv3x3, 3, f"{scope}/branch3x3")
    branch5x5 = conv_relu(b, x, widths.reduce5x5, 1, f"{scope}/branch5x5/reduce")
    branch5x5 = conv_relu(b, branch5x5, widths.conv5x5, 5, f"{scope}/branch5x5")
    pool = b.pool("MaxPool", x, 3, stride=1, pads=1, name=f"{scope}/branch_pool/pool/MaxPool")
    pool = conv_relu(b, pool, widths.pool_proj, 1, f"{scope}/branch_pool")
    return b.concat([branch1x1, branch3x3, branch5x5, pool], name=f"{scope}/Concat")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Module 3a alone."""
    b = GraphBuilder("inception_module", weights=weights)
    x = b.input("input", [1, 192, 28, 28])
    b.output(inception_module(b, x, "/inception_3a", MODULE_3A), [1, 256, 28, 28])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
