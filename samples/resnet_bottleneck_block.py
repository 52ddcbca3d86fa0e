"""A bottleneck residual block: 1x1 to C/4 = 64, 3x3 at 64, 1x1 back to C = 256, on 14x14.

He et al. 2015, "Deep Residual Learning for Image Recognition" (arXiv 1512.03385), figure 5 right.
BatchNormalization is kept as an operator.

    conv1x1  256 -> 64   196 * 64*256     = 3,211,264 MACs
    conv3x3   64 -> 64   196 * 64 * 9*64  = 7,225,344 MACs
    conv1x1   64 -> 256  196 * 256*64     = 3,211,264 MACs
    sum                                    13,647,872 MACs
    weights  69,632 + 2 * (64 + 64 + 256) of BatchNormalization = 70,400

Two 3x3 convolutions at C (``resnet_basic_block.py``) are 231,211,008 MACs.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _resnet import add_shortcut, conv_bn
from archlint.analyzer.builder import GraphBuilder, WeightKind

EXPANSION = 4


def bottleneck_block(b: GraphBuilder, x: str, scope: str, width: int, *, stride: int = 1) -> str:
    """1x1, 3x3, 1x1 and the shortcut; the 3x3 carries the stride, as in torchvision (v1.5)."""
    branch = b.relu(conv_bn(b, x, width, 1, scope, 1), name=f"{scope}/relu/Relu")
    branch = b.relu(conv_bn(b, branch, width, 3, scope, 2, stride), name=f"{scope}/relu_1/Relu")
    branch = conv_bn(b, branch, EXPANSION * width, 1, scope, 3)
    return b.relu(add_shortcut(b, x, branch, scope, stride), name=f"{scope}/relu_2/Relu")


def build(weights: WeightKind = "structure") -> ModelProto:
    """One block with an identity shortcut."""
    b = GraphBuilder("resnet_bottleneck_block", weights=weights)
    x = b.input("input", [1, 256, 14, 14])
    b.output(bottleneck_block(b, x, "/block", 64), [1, 256, 14, 14])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
