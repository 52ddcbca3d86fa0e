"""The blocked layout of a target: which convolutions are computed in it.

It holds the channels of a pixel in blocks that fill a vector (Liu et al., 2018, arXiv:1809.02697).
What enters it in onnxruntime, its core/optimizer/nchwc_transformer.cc says.
"""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.graph import Graph
from archlint.analyzer.patterns import ConvSizes
from archlint.analyzer.targets import Target


def may_be_blocked(graph: Graph, conv: ConvSizes, target: Target) -> bool:
    """Whether the target has a blocked layout for convolutions of this data type and rank."""
    floats = graph.value(conv.node.input(0)).dtype == TensorProto.FLOAT
    return target.block > 1 and floats and len(conv.kernel) == 2


def is_blocked(graph: Graph, conv: ConvSizes, target: Target) -> bool:
    """Whether a convolution is computed in the blocked layout."""
    return may_be_blocked(graph, conv, target) and fits(conv, target.block, target.entry)


def fits(conv: ConvSizes, block: int, entry: int) -> bool:
    """Whether the channels of a 2-D convolution fit blocks of ``block``, entered by ``entry``."""
    channels, filters = widths(conv)
    if conv.groups == 1:
        return channels < block or channels % entry == 0
    if channels == filters == 1:
        return conv.groups % entry == 0
    return channels % block == 0 and filters % block == 0


def widths(conv: ConvSizes) -> tuple[int, int]:
    """Input channels and filters of one group."""
    return conv.in_channels // conv.groups, conv.out_channels // conv.groups
