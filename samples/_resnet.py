"""What the residual samples share: layers, the shortcut, and the network around the blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from onnx import ModelProto

from archlint.analyzer.builder import GraphBuilder, WeightKind


class Block(Protocol):
    """A residual block of torchvision: ``width`` is that of its 3x3 convolution."""

    def __call__(
        self, b: GraphBuilder, x: str, scope: str, width: int, *, stride: int = 1
    ) -> str: ...


def conv_bn(
    b: GraphBuilder, x: str, channels: int, kernel: int, scope: str, number: int, stride: int = 1
) -> str:
    """``convN`` without bias, then ``bnN``."""
    name = f"{scope}/conv{number}/Conv"
    x = b.conv(x, channels, kernel, stride=stride, bias=False, name=name)
    return b.batch_norm(x, name=f"{scope}/bn{number}/BatchNormalization")


def add_shortcut(b: GraphBuilder, x: str, branch: str, scope: str, stride: int) -> str:
    """Add the block's input, projected where its shape differs."""
    if stride > 1 or b.channels(x) != b.channels(branch):
        scopes = [f"{scope}/downsample/downsample.{place}" for place in (0, 1)]
        channels = b.channels(branch)
        x = b.conv(x, channels, 1, stride=stride, bias=False, name=f"{scopes[0]}/Conv")
        x = b.batch_norm(x, name=f"{scopes[1]}/BatchNormalization")
    return b.node("Add", branch, x, name=f"{scope}/Add")


def residual_network(
    name: str, block: Block, depths: Sequence[int], weights: WeightKind
) -> ModelProto:
    """Stem, four stages of blocks, global average, classifier, on [1, 3, 224, 224]."""
    b = GraphBuilder(name, weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = b.relu(conv_bn(b, x, 64, 7, "", 1, stride=2), name="/relu/Relu")
    x = b.pool("MaxPool", x, 3, stride=2, pads=1, name="/maxpool/MaxPool")
    for stage, depth in enumerate(depths):
        for place in range(depth):
            stride = 2 if stage > 0 and place == 0 else 1
            scope = f"/layer{stage + 1}/layer{stage + 1}.{place}"
            x = block(b, x, scope, 64 * 2**stage, stride=stride)
    features = b.channels(x)
    x = b.flatten(b.global_average_pool(x, name="/avgpool/GlobalAveragePool"), name="/Flatten")
    b.output(b.linear(x, features, 1000, name="/fc/Gemm", output="logits"), [1, 1000])
    return b.model()
