"""Linear branches of one value as one convolution: their kernels and biases added."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from archlint.analyzer.affine import affine
from archlint.analyzer.constants import Constants
from archlint.analyzer.linear_chains import Branch
from archlint.analyzer.linear_layers import LinearLayer, with_affine
from archlint.analyzer.patterns import ConvSizes


def merged(
    constants: Constants, branches: Iterable[Branch], window: ConvSizes, groups: int
) -> LinearLayer:
    """The sum of branches as one layer with the taps of a window that reaches all of theirs.

    The identity is a kernel of one tap, 1 from each channel to itself.
    """
    channels, width = window.out_channels, window.in_channels // groups
    kernel, bias = np.zeros((channels, width, *window.kernel)), np.zeros(channels)
    for branch in branches:
        layer = _branch(constants, branch, window).in_groups(groups)
        kernel[(slice(None), slice(None), *_places(branch.conv, window))] += layer.kernel
        bias += layer.bias
    return LinearLayer(kernel, bias, groups)


def _branch(constants: Constants, branch: Branch, window: ConvSizes) -> LinearLayer:
    if branch.conv is not None:
        return with_affine(constants, branch.nodes)
    channels = window.out_channels
    passed = affine(constants, branch.nodes, branch.source, channels)
    kernel = passed.scale.reshape(channels, 1, *(1 for _ in window.kernel))
    return LinearLayer(kernel, passed.shift, channels)


def _places(conv: ConvSizes | None, window: ConvSizes) -> tuple[slice, ...]:
    """Where the taps of a convolution, or the one of the identity, are among those of a window."""
    rank = len(window.kernel)
    places = []
    for axis in range(rank):
        step, begin = window.dilations[axis], window.pads[axis]
        if conv is None:
            first, count, stride = begin // step, 1, 1
        else:
            first = (begin - conv.pads[axis]) // step
            count, stride = conv.kernel[axis], max(1, conv.dilations[axis] // step)
        places.append(slice(first, first + (count - 1) * stride + 1, stride))
    return tuple(places)
