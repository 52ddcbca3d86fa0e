"""What the mobile samples share: activations, squeeze-and-excitation, inverted residuals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from archlint.analyzer.builder import GraphBuilder

Write = Callable[..., str]
"""Adds an activation: builder, value and, as a keyword, the name of the node."""


def relu(b: GraphBuilder, x: str, *, name: str) -> str:
    """max(x, 0)."""
    return b.relu(x, name=f"{name}/Relu")


def relu6(b: GraphBuilder, x: str, *, name: str) -> str:
    """min(max(x, 0), 6)."""
    bounds = [b.constant(f"{name}/{part}", value) for part, value in (("min", 0.0), ("max", 6.0))]
    return b.node("Clip", x, *bounds, name=f"{name}/Clip")


def hard_swish(b: GraphBuilder, x: str, *, name: str) -> str:
    """x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, section 5.2)."""
    return b.node("HardSwish", x, name=f"{name}/HardSwish")


def hard_sigmoid(b: GraphBuilder, x: str, *, name: str) -> str:
    """min(max(x + 3, 0), 6) / 6."""
    return b.node("HardSigmoid", x, name=f"{name}/HardSigmoid", alpha=1 / 6, beta=0.5)


def sigmoid(b: GraphBuilder, x: str, *, name: str) -> str:
    """1 / (1 + exp(-x))."""
    return b.node("Sigmoid", x, name=f"{name}/Sigmoid")


def silu(b: GraphBuilder, x: str, *, name: str) -> str:
    """x * sigmoid(x)."""
    return b.node("Mul", x, sigmoid(b, x, name=name), name=f"{name}/Mul")


def conv_bn(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: int,
    scope: str,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: Write | None = None,
) -> str:
    """Convolution without bias, BatchNormalization, activation if any."""
    x = b.conv(
        x, channels, kernel, stride=stride, groups=groups, bias=False, name=f"{scope}/conv/Conv"
    )
    x = b.batch_norm(x, name=f"{scope}/bn/BatchNormalization")
    return x if activation is None else activation(b, x, name=scope)


def squeeze_excite(
    b: GraphBuilder, x: str, squeezed: int, scope: str, inner: Write, gate: Write
) -> str:
    """Scale each channel by a gate that sees the mean of all of them (Hu et al. 2018)."""
    channels = b.channels(x)
    mean = b.global_average_pool(x, name=f"{scope}/avgpool/GlobalAveragePool")
    mean = inner(b, b.conv(mean, squeezed, 1, name=f"{scope}/fc1/Conv"), name=f"{scope}/act")
    mean = gate(b, b.conv(mean, channels, 1, name=f"{scope}/fc2/Conv"), name=f"{scope}/gate")
    return b.node("Mul", mean, x, name=f"{scope}/Mul")


def inverted_residual(
    b: GraphBuilder,
    x: str,
    scope: str,
    *,
    kernel: int,
    expanded: int,
    channels: int,
    stride: int,
    activation: Write,
    excite: partial[str] | None = None,
) -> str:
    """A 1x1 that widens, a depthwise convolution, a gate if any, a linear 1x1 that narrows; the
    block's input is added where it has the same shape (Sandler et al. 2018, figure 3)."""
    shortcut, width = x, b.channels(x)
    if expanded != width:
        x = conv_bn(b, x, expanded, 1, f"{scope}/expand", activation=activation)
    x = conv_bn(
        b, x, expanded, kernel, f"{scope}/depthwise",
        stride=stride, groups=expanded, activation=activation,
    )  # fmt: skip
    if excite is not None:
        x = excite(b, x, scope=f"{scope}/se")
    x = conv_bn(b, x, channels, 1, f"{scope}/project")
    if stride == 1 and channels == width:
        x = b.node("Add", shortcut, x, name=f"{scope}/Add")
    return x


def pooled(b: GraphBuilder, x: str) -> str:
    """The mean of each channel, [1, C]."""
    x = b.global_average_pool(x, name="/avgpool/GlobalAveragePool")
    return b.flatten(x, name="/Flatten")
