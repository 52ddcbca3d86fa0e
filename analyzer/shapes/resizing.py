"""Shapes of what changes the size of maps: interpolation, padding, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from archlint.analyzer.dims import Dim, Shape, SymbolicDim, apply, derived
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, normal_axis, shapes
from archlint.analyzer.shapes.partial import elements_or_symbols


@shapes("Resize")
def resize(context: Context) -> Outputs:
    """Sizes as given, or each dim times its scale, rounded down."""
    x = context.shape(0)
    axes = [normal_axis(axis, len(x)) for axis in context.attribute("axes") or range(len(x))]
    scales_at = 2 if context.opset >= 11 else 1
    if context.opset >= 11 and context.has(3) and context.value(3).shape != (0,):
        sizes = elements_or_symbols(context, 3, len(axes))
        if context.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
            sizes = _keep_aspect(context, [x[axis] for axis in axes], sizes)
        return [(_replaced(x, axes, sizes), context.dtype(0))]
    if context.attribute("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise Unresolved(context.because("it crops by a region that runtimes size differently"))
    scales = elements_or_symbols(context, scales_at, len(axes))
    return [(_scaled(x, axes, scales), context.dtype(0))]


def _keep_aspect(context: Context, dims: Sequence[Dim], sizes: Sequence[Any]) -> list[Any]:
    """Every dim times the smallest or largest ratio of a size to its dim, rounded half up."""
    known = [dim for dim in dims if isinstance(dim, int) and dim > 0]
    if len(known) != len(dims) or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise Unresolved(context.because("its aspect ratio depends on unknown sizes"))
    ratios = [Fraction(size, dim) for size, dim in zip(sizes, known, strict=True)]
    policies = {"not_larger": min, "not_smaller": max}
    scale = policies[context.attribute("keep_aspect_ratio_policy")](ratios)
    return [int(scale * dim + Fraction(1, 2)) for dim in known]


def _replaced(x: Shape, axes: Sequence[int], sizes: Sequence[Dim]) -> Shape:
    shape = list(x)
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    return tuple(shape)


@shapes("Upsample")
def upsample(context: Context) -> Outputs:
    """Each dim times its scale, rounded down; the scales were attributes before operator set 9."""
    x = context.shape(0)
    scales = context.attribute("scales")
    if scales is None and context.attribute("height_scale") is not None:
        scales = [1.0, 1.0, *(context.attribute(f"{side}_scale") for side in ("height", "width"))]
    if scales is None:
        scales = elements_or_symbols(context, 1, len(x))
    return [(_scaled(x, range(len(x)), scales), context.dtype(0))]


def _scaled(x: Shape, axes: Sequence[int], scales: Sequence[Any]) -> Shape:
    return _replaced(x, axes, [_times(x[axis], n) for axis, n in zip(axes, scales, strict=True)])


def _times(dim: Dim, scale: Any) -> Dim:
    """floor(dim · scale), in float32 as runtimes do it."""
    if isinstance(scale, SymbolicDim):
        return derived(f"floor({dim}*{scale})", dim, scale)
    if scale <= 0:
        raise ValueError(f"a scale of {scale}")
    if scale == int(scale):
        return dim * int(scale)
    factor = np.float32(scale)
    return apply(lambda n: int(np.float32(n) * factor), f"floor({{}}*{scale:g})", dim)


@shapes("DepthToSpace")
def depth_to_space(context: Context) -> Outputs:
    """[N, C, H, W] to [N, C / b^2, H b, W b]."""
    block = _block(context)
    n, c, h, w = context.shape(0)
    return [((n, _divided(c, block**2), h * block, w * block), context.dtype(0))]


@shapes("SpaceToDepth")
def space_to_depth(context: Context) -> Outputs:
    """[N, C, H, W] to [N, C b^2, H / b, W / b]."""
    block = _block(context)
    n, c, h, w = context.shape(0)
    return [((n, c * block**2, _divided(h, block), _divided(w, block)), context.dtype(0))]


def _block(context: Context) -> int:
    block = int(context.attribute("blocksize", 0))
    if block < 1:
        raise ValueError(f"blocks of {block}")
    return block


def _divided(dim: Dim, by: int) -> Dim:
    if isinstance(dim, int) and dim % by:
        raise ValueError(f"{dim} does not divide by {by}")
    return dim // by


@shapes("Col2Im")
def col2im(context: Context) -> Outputs:
    """[N, C * block, L] to [N, C, image...]."""
    n, columns, _ = context.shape(0)
    channels = columns
    for dim in elements_or_symbols(context, 2):
        if isinstance(dim, int) and dim < 1:
            raise ValueError(f"a block of {dim}")
        channels = _divided(channels, dim) if isinstance(dim, int) else channels // dim
    return [((n, channels, *elements_or_symbols(context, 1)), context.dtype(0))]


@shapes("GridSample")
def grid_sample(context: Context) -> Outputs:
    """[N, C, spatial of the grid...]."""
    x, grid = context.shape(0), context.shape(1)
    if len(x) != len(grid) or len(x) < 3 or (isinstance(grid[-1], int) and grid[-1] != len(x) - 2):
        raise ValueError(f"a grid {tuple(map(str, grid))} for a map of rank {len(x)}")
    return [((*x[:2], *grid[1:-1]), context.dtype(0))]


@shapes("Pad")
def pad(context: Context) -> Outputs:
    """Each dim with what is added before and behind it; the pads were an attribute before operator
    set 11."""
    x = context.shape(0)
    axes = [normal_axis(axis, len(x)) for axis in
            (context.elements(3) if context.has(3) else range(len(x)))]  # fmt: skip
    given = context.attribute("pads", context.attribute("paddings"))
    if given is None:
        given = elements_or_symbols(context, 1, 2 * len(axes))
    if len(given) != 2 * len(axes):
        raise ValueError(f"{len(given)} pads for {len(axes)} axes")
    shape = list(x)
    for place, axis in enumerate(axes):
        shape[axis] = shape[axis] + given[place] + given[place + len(axes)]
    return [(tuple(shape), context.dtype(0))]
