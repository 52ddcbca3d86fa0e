"""A basic residual block: two 3x3 convolutions of 256 channels on 14x14 and an identity.

He et al. 2015, "Deep Residual Learning for Image Recognition" (arXiv 1512.03385), figure 5 left,
at the width of stage conv4. BatchNormalization is kept as an operator.

    2 x conv3x3  256 -> 256   2 * 14*14 * 256 * 9*256 = 231,211,008 MACs
    weights  2 * 589,824 + 2 * 512 (scale and bias of BatchNormalization) = 1,180,672

``resnet_bottleneck_block.py`` has the same input and output: 13,647,872 MACs, 0.059 of it.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _resnet import add_shortcut, conv_bn
from archlint.analyzer.builder import GraphBuilder, WeightKind


def basic_block(b: GraphBuilder, x: str, scope: str, width: int, *, stride: int = 1) -> str:
    """3x3, 3x3 and the shortcut; the first 3x3 carries the stride."""
    branch = b.relu(conv_bn(b, x, width, 3, scope, 1, stride), name=f"{scope}/relu/Relu")
    branch = conv_bn(b, branch, width, 3, scope, 2)
    return b.relu(add_shortcut(b, x, branch, scope, stride), name=f"{scope}/relu_1/Relu")


def build(weights: WeightKind = "structure") -> ModelProto:
    """One block with an identity shortcut."""
    b = GraphBuilder("resnet_basic_block", weights=weights)
    x = b.input("input", [1, 256, 14, 14])
    b.output(basic_block(b, x, "/block", 256), [1, 256, 14, 14])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
