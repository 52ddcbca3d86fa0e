"""The weights of convolutions and products in one layout, and what becomes of them.

Convolutions, transposed convolutions, Gemm and MatMul with constant weights are alike here: a
kernel ``[out, in / groups, *taps]`` and a bias ``[out]``, in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd, prod

import numpy as np

from archlint.analyzer.affine import Affine, Doubles, affine, per_channel
from archlint.analyzer.constants import Constants
from archlint.analyzer.graph import Graph, Node

_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
_MATRIX = 2  # axes of the weight of a product


@dataclass(frozen=True, slots=True)
class LinearLayer:
    """A linear map of the channels around each pixel."""

    kernel: Doubles
    bias: Doubles
    groups: int = 1

    @property
    def weights(self) -> tuple[Doubles, Doubles]:
        """The kernel and the bias."""
        return self.kernel, self.bias

    @property
    def in_channels(self) -> int:
        """The channels that it reads."""
        return int(self.kernel.shape[1]) * self.groups

    def then(self, behind: Affine) -> LinearLayer:
        """It with a scale and a shift of its outputs."""
        scale = behind.scale.reshape(-1, *(1,) * (self.kernel.ndim - 1))
        bias = self.bias * behind.scale + behind.shift
        return replace(self, kernel=self.kernel * scale, bias=bias)

    def after(self, before: Affine) -> LinearLayer:
        """It with a scale and a shift of its inputs; the shift holds where it reads no padding."""
        out = len(self.kernel) // self.groups
        scale, shift = (
            np.repeat(numbers.reshape(self.groups, -1), out, axis=0)  # [out, in / groups]
            for numbers in (before.scale, before.shift)
        )
        taps = self.kernel.reshape(*self.kernel.shape[:2], -1).sum(2)
        kernel = self.kernel * scale.reshape(*scale.shape, *(1,) * (self.kernel.ndim - 2))
        return replace(self, kernel=kernel, bias=self.bias + (taps * shift).sum(1))

    def in_groups(self, groups: int) -> LinearLayer:
        """It in fewer groups, with zeros between channels that had no group in common."""
        many = self.groups // groups
        if many == 1:
            return self
        out, width, *taps = self.kernel.shape
        kernel = np.zeros((groups, many, out // self.groups, many, width, *taps))
        parts = self.kernel.reshape(groups, many, out // self.groups, width, *taps)
        for place in range(many):
            kernel[:, place, :, place] = parts[:, place]
        return replace(self, kernel=kernel.reshape(out, many * width, *taps), groups=groups)


def linear_layer(constants: Constants, node: Node) -> LinearLayer:
    """The weights of a layer; Gemm's factors are in them.

    Raises ModelReadError for weights that cannot be had.
    """
    kernel = np.asarray(constants(node.input(1)), np.float64)
    groups = int(node.attributes.get("group", 1)) if node.op_type in _CONVOLUTIONS else 1
    if node.op_type == "ConvTranspose":  # [in, out / groups, *taps]
        kernel = _swapped(kernel, groups)
    elif node.op_type == "MatMul" or (node.op_type == "Gemm" and not _is_out_first(node)):
        kernel = kernel.T
    bias = np.zeros(len(kernel))
    if name := node.input(2):
        bias = per_channel(constants(name), len(kernel))
    if node.op_type == "Gemm":
        kernel = kernel * float(node.attributes.get("alpha", 1.0))
        bias = bias * float(node.attributes.get("beta", 1.0))
    return LinearLayer(kernel, bias, groups)


def with_affine(constants: Constants, nodes: Sequence[Node]) -> LinearLayer:
    """A layer, the first of the nodes, with what scales and shifts its channels behind it."""
    layer, *behind = nodes
    made = linear_layer(constants, layer)
    return made.then(affine(constants, behind, layer.output(0), len(made.bias)))


def as_stored(node: Node, layer: LinearLayer) -> Doubles:
    """A kernel in the layout in which a node has its weight."""
    if node.op_type == "ConvTranspose":
        return _swapped(layer.kernel, layer.groups)
    if node.op_type == "MatMul" or (node.op_type == "Gemm" and not _is_out_first(node)):
        return layer.kernel.T
    return layer.kernel


def _is_out_first(node: Node) -> bool:
    return bool(node.attributes.get("transB", 0))


def _swapped(kernel: Doubles, groups: int) -> Doubles:
    """Between the layouts of a convolution and of a transposed one."""
    rows, columns, *taps = kernel.shape
    parts = kernel.reshape(groups, rows // groups, columns, *taps)
    return parts.swapaxes(1, 2).reshape(groups * columns, rows // groups, *taps)


def out_channels(graph: Graph, node: Node) -> int | None:
    """The channels that a layer with a constant weight makes, whatever the size of its map."""
    weight = graph.value(node.input(1))
    shape = weight.static_shape
    if not weight.constant or shape is None or len(shape) < _MATRIX:
        return None
    if node.operator == "ConvTranspose":
        return shape[1] * int(node.attributes.get("group", 1))
    if node.operator == "Conv" or (node.operator == "Gemm" and _is_out_first(node)):
        return shape[0]
    is_product = node.operator in ("Gemm", "MatMul") and len(shape) == _MATRIX
    return shape[1] if is_product else None


def product(first: LinearLayer, second: LinearLayer) -> LinearLayer:
    """Two layers in a row as one, in the groups that both have in common.

    One of the two kernels has a single tap; the bias holds where the second reads no padding or the
    first has no bias.
    """
    groups = gcd(first.groups, second.groups)
    first, second = first.in_groups(groups), second.in_groups(groups)
    taps = max((layer.kernel.shape[2:] for layer in (first, second)), key=prod)
    middle = second.kernel.shape[1]
    ones = first.kernel.reshape(groups, middle, first.kernel.shape[1], -1)
    twos = second.kernel.reshape(groups, -1, middle, prod(second.kernel.shape[2:]))
    parts = [np.tensordot(two, one, (1, 0)) for one, two in zip(ones, twos, strict=True)]
    # [groups, out, taps of the second, in, taps of the first]: one of the taps is one alone
    kernel = np.moveaxis(np.stack(parts), 2, 3).reshape(
        len(second.kernel), first.kernel.shape[1], *taps
    )
    passed = Affine(np.ones(len(first.bias)), first.bias)
    return LinearLayer(kernel, second.after(passed).bias, groups)
