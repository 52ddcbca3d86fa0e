"""What the transformers and ConvNeXt share: layers on channels that come last."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from archlint.analyzer.builder import GraphBuilder

Projected = tuple[str, str, str]
"""Queries, keys and values."""


def layer_norm(b: GraphBuilder, x: str, width: int, scope: str, *, epsilon: float = 1e-6) -> str:
    """Normalisation over the last axis, with scale and offset."""
    parts = [b.weight(f"{scope}.{part}", (width,), fan_in=2) for part in ("weight", "bias")]
    name = f"{scope}/LayerNormalization"
    return b.node("LayerNormalization", x, *parts, name=name, axis=-1, epsilon=epsilon)


def linear(
    b: GraphBuilder, x: str, inputs: int, outputs: int, scope: str, *, bias: bool = True
) -> str:
    """A product with a matrix of weights, and a bias, as the exporters write a linear layer."""
    matrix = b.weight(f"{scope}.weight", (inputs, outputs), fan_in=inputs)
    x = b.node("MatMul", x, matrix, name=f"{scope}/MatMul")
    if not bias:
        return x
    offset = b.weight(f"{scope}.bias", (outputs,), fan_in=2 * inputs)
    return b.node("Add", x, offset, name=f"{scope}/Add")


def gelu(b: GraphBuilder, x: str, scope: str) -> str:
    """x * (1 + erf(x / sqrt(2))) / 2 in the operators of opset 17."""
    root, one, half = (b.constant(f"{scope}/const", value) for value in (sqrt(2), 1.0, 0.5))
    error = b.node("Erf", b.node("Div", x, root, name=f"{scope}/Div"), name=f"{scope}/Erf")
    x = b.node("Mul", x, b.node("Add", error, one, name=f"{scope}/Add"), name=f"{scope}/Mul")
    return b.node("Mul", x, half, name=f"{scope}/Mul_1")


def mlp(b: GraphBuilder, x: str, width: int, scope: str) -> str:
    """Two linear layers, four times as wide between."""
    x = gelu(b, linear(b, x, width, 4 * width, f"{scope}/fc1"), f"{scope}/act")
    return linear(b, x, 4 * width, width, f"{scope}/fc2")


def reshape(b: GraphBuilder, x: str, shape: Sequence[int], scope: str) -> str:
    """The same elements in another shape."""
    return b.node("Reshape", x, b.constant(f"{scope}/shape", shape), name=f"{scope}/Reshape")


def transpose(b: GraphBuilder, x: str, perm: Sequence[int], scope: str) -> str:
    """The axes in another order."""
    return b.node("Transpose", x, name=f"{scope}/Transpose", perm=list(perm))


def projections(
    b: GraphBuilder, x: str, shape: tuple[int, int, int], heads: int, scope: str
) -> Projected:
    """Queries, keys transposed and values of ``shape`` (windows, tokens, width), head by head."""
    windows, tokens, width = shape
    projected = []
    for name, perm in (("q", (0, 2, 1, 3)), ("k", (0, 2, 3, 1)), ("v", (0, 2, 1, 3))):
        value = linear(b, x, width, width, f"{scope}/{name}")
        value = reshape(b, value, (windows, tokens, heads, width // heads), f"{scope}/{name}")
        projected.append(transpose(b, value, perm, f"{scope}/{name}"))
    queries, keys, values = projected
    return queries, keys, values


def attention(
    b: GraphBuilder,
    x: str,
    shape: tuple[int, int, int],
    heads: int,
    scope: str,
    *,
    position: str | None = None,
) -> str:
    """softmax(q k / sqrt(d) + position) v, projected (Vaswani et al. 2017, section 3.2)."""
    windows, tokens, width = shape
    queries, keys, values = projections(b, x, shape, heads, scope)
    scale = b.constant(f"{scope}/scale", 1 / sqrt(width // heads))
    scores = b.node("MatMul", queries, keys, name=f"{scope}/scores/MatMul")
    scores = b.node("Mul", scores, scale, name=f"{scope}/Mul")
    if position is not None:
        scores = b.node("Add", scores, position, name=f"{scope}/Add")
    weights = b.node("Softmax", scores, name=f"{scope}/Softmax", axis=-1)
    x = b.node("MatMul", weights, values, name=f"{scope}/context/MatMul")
    x = transpose(b, x, (0, 2, 1, 3), f"{scope}/context")
    x = reshape(b, x, (windows, tokens, width), f"{scope}/context")
    return linear(b, x, width, width, f"{scope}/proj")
