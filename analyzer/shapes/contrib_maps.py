"""Shapes of what onnxruntime writes for maps: fused, channels last, and in blocks of channels."""

from __future__ import annotations

from dataclasses import replace

from onnx import TensorProto

from archlint.analyzer.dims import derived
from archlint.analyzer.shapes.context import Context, Outputs, shapes
from archlint.analyzer.shapes.contrib_heads import positive
from archlint.analyzer.shapes.contrib_views import same, seen_as

_BLOCK = 16  # the most channels that onnxruntime keeps side by side (MLAS, by the vector unit)

same("Conv", "com.microsoft.FusedConv", "com.microsoft.nchwc.Conv")
same(
    "MaxPool", "com.microsoft.MaxpoolWithMask", "com.microsoft.nchwc.MaxPool",
    "com.microsoft.nchwc.AveragePool",
)  # fmt: skip
same(
    "GlobalMaxPool", "com.microsoft.nchwc.GlobalAveragePool", "com.microsoft.nchwc.GlobalMaxPool",
)  # fmt: skip
same("Upsample", "com.microsoft.nchwc.Upsample")
same("GridSample", "com.microsoft.GridSample")
same("GatherND", "com.microsoft.GatherND")
same("Pad", "com.microsoft.Pad")
same("Resize", "com.ms.internal.nhwc.Resize")  # its scales and sizes are in the order of the axes

# Their first input and their output have their channels last, all else is as ai.onnx has it.
_CHANNELS_LAST = {
    "com.microsoft.NhwcConv": "Conv",
    "com.microsoft.NhwcFusedConv": "Conv",
    "com.microsoft.NhwcMaxPool": "MaxPool",
    **{
        f"com.ms.internal.nhwc.{operator}": operator
        for operator in (
            "AveragePool", "Conv", "ConvTranspose", "DepthToSpace", "GlobalAveragePool",
            "GlobalLpPool", "GlobalMaxPool", "GridSample", "LpPool", "MaxPool", "SpaceToDepth",
        )
    },
}  # fmt: skip


@shapes(*_CHANNELS_LAST)
def channels_last(context: Context) -> Outputs:
    """As the operator of ai.onnx, with the channels last; MaxPool may also give indices."""
    operator = _CHANNELS_LAST[context.node.operator]
    shape = seen_as(operator, context, 0, 1, last=True)
    return [(shape, context.dtype(0)), (shape, TensorProto.INT64)]


@shapes("com.microsoft.QLinearConv", "com.ms.internal.nhwc.QLinearConv")
def qlinear_conv(context: Context) -> Outputs:
    """As Conv, in the data type of the output's zero point."""
    return [(seen_as("Conv", context, 0, 3, last=_is_last(context)), context.dtype(7))]


@shapes("com.ms.internal.nhwc.QLinearConvTranspose")
def qlinear_conv_transpose(context: Context) -> Outputs:
    """As ConvTranspose, in the data type of the output's zero point."""
    return [(seen_as("ConvTranspose", context, 0, 3, last=True), context.dtype(7))]


@shapes("com.microsoft.QLinearAveragePool", "com.ms.internal.nhwc.QLinearAveragePool")
def qlinear_pool(context: Context) -> Outputs:
    """As AveragePool."""
    return [(seen_as("AveragePool", context, 0, last=_is_last(context)), context.dtype(0))]


@shapes("com.microsoft.QLinearGlobalAveragePool")
def qlinear_global_pool(context: Context) -> Outputs:
    """As GlobalAveragePool."""
    return [(seen_as("GlobalAveragePool", context, 0, last=_is_last(context)), context.dtype(0))]


def _is_last(context: Context) -> bool:
    internal = context.node.domain == "com.ms.internal.nhwc"
    return internal or bool(context.attribute("channels_last", 0))


@shapes("com.microsoft.nchwc.ReorderInput")
def into_blocks(context: Context) -> Outputs:
    """[N, C, …] with C padded to whole blocks; how large these are the machine decides that the
    file was written on, unless C is whole in any."""
    x = context.shape(0)
    spatial, channels = x[2:], x[1]
    if context.attribute("channels_last", 0):
        spatial, channels = x[1:-1], x[-1]
    if not isinstance(channels, int):
        channels = derived(f"blocks({channels})", channels)
    elif channels % _BLOCK:
        why = f"{channels} channels are padded to blocks as the machine has them that optimised it"
        channels = context.fresh("channels", why)
    return [((x[0], channels, *spatial), context.dtype(0))]


@shapes("com.microsoft.nchwc.ReorderOutput")
def out_of_blocks(context: Context) -> Outputs:
    """[N, C, …] with the channels that the attribute tells."""
    batch, _, *spatial = context.shape(0)
    channels = positive(context, "channels")
    last = context.attribute("channels_last", 0)
    shape = (batch, *spatial, channels) if last else (batch, channels, *spatial)
    return [(shape, context.dtype(0))]


@shapes("com.microsoft.ConvTransposeWithDynamicPads")
def padded_conv_transpose(context: Context) -> Outputs:
    """As ConvTranspose, with the padding as third input."""
    attributes = dict(context.node.attributes)
    if context.has(2):
        attributes["pads"] = context.elements(2)
    plain = replace(context, node=replace(context.node, attributes=attributes))
    return [(seen_as("ConvTranspose", plain, 0, 1), context.dtype(0))]


@shapes("com.microsoft.CropAndResize")
def crop_and_resize(context: Context) -> Outputs:
    """[crops, channels, height, width]."""
    height, width = context.elements(3)
    shape = (context.shape(1)[0], context.shape(0)[1], height, width)
    return [(shape, context.dtype(0))]
