"""Layers that several samples share, named in the module scopes of the torch exporter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archlint.analyzer.builder import GraphBuilder

Layer = tuple[str, int, int | Sequence[int]]
"""Name of the module, output channels, kernel (rows, columns)."""


def conv_relu(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: int,
    scope: str,
    *,
    stride: int = 1,
    pads: int | None = None,
) -> str:
    """Convolution with bias, then Relu."""
    x = b.conv(x, channels, kernel, stride=stride, pads=pads, name=f"{scope}/conv/Conv")
    return b.relu(x, name=f"{scope}/Relu")


def conv_bn_relu(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: int | Sequence[int],
    scope: str,
    *,
    stride: int = 1,
    pads: int | None = None,
    groups: int = 1,
    epsilon: float = 1e-5,
) -> str:
    """Convolution without bias, BatchNormalization, Relu."""
    x = b.conv(
        x,
        channels,
        kernel,
        stride=stride,
        pads=pads,
        groups=groups,
        bias=False,
        name=f"{scope}/conv/Conv",
    )
    x = b.batch_norm(x, epsilon=epsilon, name=f"{scope}/bn/BatchNormalization")
    return b.relu(x, name=f"{scope}/Relu")


def inception_v3_branch(
    b: GraphBuilder, x: str, scope: str, layers: Iterable[Layer], *, last_stride: int = 1
) -> str:
    """A chain of Inception-v3 layers; a last one of stride 2 is unpadded."""
    chain = list(layers)
    for place, (name, channels, kernel) in enumerate(chain, start=1):
        stride = last_stride if place == len(chain) else 1
        pads = 0 if stride > 1 else None
        x = conv_bn_relu(
            b, x, channels, kernel, f"{scope}/{name}", stride=stride, pads=pads, epsilon=1e-3
        )
    return x


def inception_v3_pool(b: GraphBuilder, x: str, scope: str, channels: int) -> str:
    """3x3 average of stride 1 that counts the padding, projected by a 1x1 convolution."""
    x = b.node(
        "AveragePool",
        x,
        name=f"{scope}/AveragePool",
        kernel_shape=[3, 3],
        strides=[1, 1],
        pads=[1] * 4,
        count_include_pad=1,
    )
    return inception_v3_branch(b, x, scope, [("branch_pool", channels, 1)])


def classifier(b: GraphBuilder, x: str, layers: Mapping[int, tuple[int, int]]) -> str:
    """Fully connected layers by their place in torchvision's ``classifier``, Relu between them."""
    for place, (inputs, outputs) in layers.items():
        last = place == max(layers)
        name = f"/classifier/classifier.{place}/Gemm"
        x = b.linear(x, inputs, outputs, name=name, output="logits" if last else None)
        if not last:
            x = b.relu(x, name=f"/classifier/classifier.{place + 1}/Relu")
    return x
