"""Shapes of convolutions, poolings and what changes the size of maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, apply, derived
from archlint.analyzer.geometry import window
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, shapes


@shapes("Conv", "DeformConv")
def conv(context: Context) -> Outputs:
    """[N, C, spatial...] and [M, C/group, kernel...] to [N, M, spatial...]."""
    return [(_convolved(context, 0, 1), context.dtype(0))]


@shapes("ConvInteger")
def conv_integer(context: Context) -> Outputs:
    """As Conv, in int32."""
    return [(_convolved(context, 0, 1), TensorProto.INT32)]


@shapes("QLinearConv")
def qlinear_conv(context: Context) -> Outputs:
    """As Conv, in the data type of the output's zero point."""
    return [(_convolved(context, 0, 3), context.dtype(7))]


def _convolved(context: Context, data: int, weight: int) -> Shape:
    x, w = context.shape(data), context.shape(weight)
    if len(x) != len(w) or len(x) < 3:
        raise ValueError(f"a map of rank {len(x)} and a weight of rank {len(w)}")
    channels, per_group, group = x[1], w[1], context.attribute("group", 1)
    if isinstance(channels, int) and isinstance(per_group, int) and channels != per_group * group:
        raise ValueError(f"{channels} channels, and a weight for {per_group} x {group} groups")
    slide = window(context.node.attributes, x[2:], w[2:])
    return (x[0], w[0], *slide.outputs(x[2:]))


@shapes("ConvTranspose")
def conv_transpose(context: Context) -> Outputs:
    """[N, C, spatial...] and [C, M/group, kernel...] to [N, M, spatial...]."""
    x, w = context.shape(0), context.shape(1)
    group = context.attribute("group", 1)
    rank = len(x) - 2
    given = context.attribute("output_shape")
    if given:
        spatial: Sequence[Dim] = given[-rank:]
    else:
        attributes = dict(context.node.attributes)
        same = str(attributes.pop("auto_pad", "NOTSET")).startswith("SAME")
        slide = window(attributes, x[2:], w[2:])
        extra = context.attribute("output_padding") or (0,) * rank
        pads = slide.pads or (0,) * (2 * rank)
        spatial = [
            size * slide.strides[axis] if same
            else (size - 1) * slide.strides[axis] + extra[axis] + slide.reach[axis]
            - pads[axis] - pads[axis + rank]
            for axis, size in enumerate(x[2:])
        ]  # fmt: skip
    return [((x[0], w[1] * group, *spatial), context.dtype(0))]


@shapes("MaxPool", "AveragePool", "LpPool")
def pool(context: Context) -> Outputs:
    """[N, C, spatial...] with fewer windows; MaxPool may also give their indices."""
    x = context.shape(0)
    shape = (*x[:2], *window(context.node.attributes, x[2:]).outputs(x[2:]))
    return [(shape, context.dtype(0)), (shape, TensorProto.INT64)]


@shapes("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(context: Context) -> Outputs:
    """[N, C, 1...]."""
    x = context.shape(0)
    return [((*x[:2], *(1,) * (len(x) - 2)), context.dtype(0))]


@shapes("Resize")
def resize(context: Context) -> Outputs:
    """Sizes as given, or each dim times its scale, rounded down."""
    x = context.shape(0)
    axes = context.attribute("axes") or range(len(x))
    sizes_at, scales_at = (3, 2) if context.opset >= 11 else (-1, 1)
    scales = context.data(scales_at)
    if scales is not None and scales.size:
        return [(_scaled(x, axes, list(scales.reshape(-1))), context.dtype(0))]
    if sizes_at < 0 or not context.has(sizes_at):
        raise Unresolved(context.because("its scales are computed from the data"))
    sizes = context.elements(sizes_at)
    if context.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
        sizes = _keep_aspect(context, x, axes, sizes)
    shape = list(x)
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    return [(tuple(shape), context.dtype(0))]


def _keep_aspect(
    context: Context, x: Shape, axes: Sequence[int], sizes: Sequence[Any]
) -> list[Any]:
    known = [x[axis] for axis in axes]
    ratios = [s / d for s, d in zip(sizes, known, strict=True) if isinstance(d, int) and d]
    if len(ratios) != len(sizes):
        raise Unresolved(context.because("its aspect ratio depends on unknown dims"))
    policy = context.attribute("keep_aspect_ratio_policy")
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return [int(scale * dim + 0.5) for dim in known if isinstance(dim, int)]


@shapes("Upsample")
def upsample(context: Context) -> Outputs:
    """Each dim times its scale, rounded down."""
    x = context.shape(0)
    scales = context.attribute("scales") or context.elements(1)
    return [(_scaled(x, range(len(x)), scales), context.dtype(0))]


def _scaled(x: Shape, axes: Sequence[int], scales: Sequence[float]) -> Shape:
    shape = list(x)
    for axis, scale in zip(axes, scales, strict=True):
        shape[axis] = _times(x[axis], float(scale))
    return tuple(shape)


def _times(dim: Dim, scale: float) -> Dim:
    if scale == int(scale):
        return dim * int(scale)
    return apply(lambda n: int(n * scale), f"floor({{}}*{scale:g})", dim)


@shapes("DepthToSpace")
def depth_to_space(context: Context) -> Outputs:
    """[N, C, H, W] to [N, C / b^2, H b, W b]."""
    block = int(context.attribute("blocksize", 1))
    n, c, h, w = context.shape(0)
    return [((n, c // block**2, h * block, w * block), context.dtype(0))]


@shapes("SpaceToDepth")
def space_to_depth(context: Context) -> Outputs:
    """[N, C, H, W] to [N, C b^2, H / b, W / b]."""
    block = int(context.attribute("blocksize", 1))
    n, c, h, w = context.shape(0)
    return [((n, c * block**2, h // block, w // block), context.dtype(0))]


@shapes("GridSample")
def grid_sample(context: Context) -> Outputs:
    """[N, C, spatial of the grid...]."""
    return [((*context.shape(0)[:2], *context.shape(1)[1:-1]), context.dtype(0))]


@shapes("RoiAlign", "MaxRoiPool")
def roi_pool(context: Context) -> Outputs:
    """[rois, C, height, width]."""
    pooled = context.attribute("pooled_shape") or (
        context.attribute("output_height", 1), context.attribute("output_width", 1),
    )  # fmt: skip
    return [((context.shape(1)[0], context.shape(0)[1], *pooled), context.dtype(0))]


@shapes("Pad")
def pad(context: Context) -> Outputs:
    """Each dim with what is added before and behind it."""
    x = context.shape(0)
    given = context.attribute("paddings") or context.integers(1, "pads") or []
    axes = [axis % len(x) for axis in context.elements(3)] if context.has(3) else range(len(x))
    half = len(given) // 2
    shape = list(x)
    for place, axis in enumerate(axes):
        shape[axis] = shape[axis] + given[place] + given[place + half]
    return [(tuple(shape), context.dtype(0))]


@shapes("NonMaxSuppression")
def non_max_suppression(context: Context) -> Outputs:
    """[selected, 3]: only the data tells how many."""
    return [((context.fresh("selected", "how many boxes it keeps depends on the data"), 3),
             TensorProto.INT64)]  # fmt: skip


@shapes("Col2Im")
def col2im(context: Context) -> Outputs:
    """[N, C * block, L] to [N, C, image...]."""
    n, channels = context.shape(0)[:2]
    block: Dim = 1
    for dim in context.elements(2):
        block = block * dim
    image = context.elements(1)
    if any(not isinstance(dim, int) for dim in image):
        image = [derived(str(dim), dim) for dim in image]
    return [((n, channels // block, *image), context.dtype(0))]
