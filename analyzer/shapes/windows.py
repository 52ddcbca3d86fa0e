"""Shapes of convolutions and poolings, and of what picks regions of a map."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, causes_of, is_static
from archlint.analyzer.geometry import Window, window
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, shapes
from archlint.analyzer.shapes.partial import elements_or_symbols


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
    x, w, group = _map_and_weight(context, data, weight)
    _must_equal(x[1], w[1] * group, "channels of the map and of the weight")
    _must_divide(w[0], group)
    return (x[0], w[0], *_sliding(context, x[2:], w[2:]).outputs(x[2:]))


def _sliding(context: Context, spatial: Shape, kernel: Shape | None = None) -> Window:
    """The window of the node; raises Unresolved where its weight has a kernel of unknown size."""
    if not context.attribute("kernel_shape") and not is_static(kernel or ()):
        raise Unresolved(causes_of(kernel or ()))
    return window(context.node.attributes, spatial, kernel)


def _map_and_weight(context: Context, data: int, weight: int) -> tuple[Shape, Shape, int]:
    x, w, group = context.shape(data), context.shape(weight), int(context.attribute("group", 1))
    if len(x) != len(w) or len(x) < 3:
        raise ValueError(f"a map of rank {len(x)} and a weight of rank {len(w)}")
    if group < 1:
        raise ValueError(f"{group} groups")
    return x, w, group


def _must_equal(left: Dim, right: Dim, what: str) -> None:
    if isinstance(left, int) and isinstance(right, int) and left != right:
        raise ValueError(f"{what} are {left} and {right}")


def _must_divide(channels: Dim, group: int) -> None:
    if isinstance(channels, int) and channels % group:
        raise ValueError(f"{channels} channels in {group} groups")


@shapes("ConvTranspose")
def conv_transpose(context: Context) -> Outputs:
    """[N, C, spatial...] and [C, M/group, kernel...] to [N, M, spatial...]: as ``output_shape``
    says; in · stride for ``auto_pad`` SAME; else stride · (in - 1) + output padding + reach of the
    kernel - pads."""
    x, w, group = _map_and_weight(context, 0, 1)
    _must_equal(x[1], w[0], "channels of the map and of the weight")
    _must_divide(w[0], group)
    rank = len(x) - 2
    given: Sequence[Dim] | None = context.attribute("output_shape")
    if given and len(given) not in (rank, rank + 2):
        raise ValueError(f"output_shape {list(given)} for {rank} spatial dims")
    spatial = given[-rank:] if given else _transposed(context, x[2:], w[2:])
    return [((x[0], w[1] * group, *spatial), context.dtype(0))]


def _transposed(context: Context, spatial: Shape, kernel: Shape) -> list[Dim]:
    if context.attribute("auto_pad") in ("SAME_UPPER", "SAME_LOWER"):
        strides = context.attribute("strides") or (1,) * len(spatial)
        if min(strides) < 1:
            raise ValueError(f"strides {strides} must be positive")
        return [size * stride for size, stride in zip(spatial, strides, strict=True)]
    extra = context.attribute("output_padding") or (0,) * len(spatial)
    sizes = _spread(_sliding(context, spatial, kernel), spatial)
    return [size + more for size, more in zip(sizes, extra, strict=True)]


def _spread(slide: Window, spatial: Sequence[Dim]) -> list[Dim]:
    """The map that sliding this window gives these dims of."""
    pads = slide.pads or (0,) * (2 * len(spatial))
    return [
        (size - 1) * slide.strides[axis]
        + (slide.reach[axis] - pads[axis] - pads[axis + len(spatial)])
        for axis, size in enumerate(spatial)
    ]


@shapes("CausalConvWithState")
def causal_conv(context: Context) -> Outputs:
    """Shaped as the input, and the last kernel - 1 positions of each channel."""
    x, w = context.shape(0), context.shape(1)
    if len(x) != 3 or len(w) != 3 or w[2] == 0:
        raise ValueError(f"a sequence of rank {len(x)} and a weight of rank {len(w)}")
    _must_equal(x[1], w[0], "channels of the sequence and of the weight")
    return [(x, context.dtype(0)), ((x[0], x[1], w[2] - 1), context.dtype(0))]


@shapes("MaxPool", "AveragePool", "LpPool")
def pool(context: Context) -> Outputs:
    """[N, C, spatial...] with fewer windows; MaxPool may also give their indices."""
    x = _pooled_map(context)
    shape = (*x[:2], *_sliding(context, x[2:]).outputs(x[2:]))
    return [(shape, context.dtype(0)), (shape, TensorProto.INT64)]


@shapes("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(context: Context) -> Outputs:
    """[N, C, 1...]."""
    x = _pooled_map(context)
    return [((*x[:2], *(1,) * (len(x) - 2)), context.dtype(0))]


@shapes("MaxUnpool")
def max_unpool(context: Context) -> Outputs:
    """The map that pooling gives the input of, or the one that the third input says."""
    x = _pooled_map(context)
    if context.has(2):
        return [(tuple(elements_or_symbols(context, 2, len(x))), context.dtype(0))]
    return [((*x[:2], *_spread(_sliding(context, x[2:]), x[2:])), context.dtype(0))]


def _pooled_map(context: Context) -> Shape:
    x = context.shape(0)
    if len(x) < 3:
        raise ValueError(f"a map of rank {len(x)}")
    return x


@shapes("RoiAlign", "MaxRoiPool")
def roi_pool(context: Context) -> Outputs:
    """[rois, C, height, width]."""
    x, rois = context.shape(0), context.shape(1)
    if len(x) != 4 or len(rois) != 2:
        raise ValueError(f"regions of rank {len(rois)} on a map of rank {len(x)}")
    pooled = context.attribute("pooled_shape") or (
        context.attribute("output_height", 1), context.attribute("output_width", 1),
    )  # fmt: skip
    if len(pooled) != 2 or min(pooled) < 1:
        raise ValueError(f"regions of {list(pooled)}")
    return [((rois[0], x[1], *pooled), context.dtype(0))]


@shapes("NonMaxSuppression")
def non_max_suppression(context: Context) -> Outputs:
    """[selected, 3]: only the data tells how many."""
    return [((context.fresh("selected", "how many boxes it keeps depends on the data"), 3),
             TensorProto.INT64)]  # fmt: skip
