"""Convolutions and poolings as onnxruntime writes them: fused, channels last, and in blocks of
channels. Channels that fill up a block are computed, and counted, like all others."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, handles
from archlint.analyzer.cost.contrib_attention import known
from archlint.analyzer.cost.conv import conv, conv_transpose, qlinear_conv
from archlint.analyzer.cost.movement import move, pick, place
from archlint.analyzer.cost.normalization import batch_normalization, local_response, mean_variance
from archlint.analyzer.cost.pooling import global_pool, grid_sample, pool, resize

_INTERNAL = "com.ms.internal.nhwc"

handles(
    "com.microsoft.NhwcConv", f"{_INTERNAL}.Conv", roles="xww",
)(conv)  # fmt: skip
handles(f"{_INTERNAL}.ConvTranspose", roles="xww")(conv_transpose)
handles(
    "com.microsoft.QLinearConv", f"{_INTERNAL}.QLinearConv", roles="xsswssssw",
)(qlinear_conv)  # fmt: skip
handles(
    "com.microsoft.MaxpoolWithMask", "com.microsoft.NhwcMaxPool",
    "com.microsoft.QLinearAveragePool", "com.microsoft.nchwc.AveragePool",
    "com.microsoft.nchwc.MaxPool", f"{_INTERNAL}.AveragePool", f"{_INTERNAL}.LpPool",
    f"{_INTERNAL}.MaxPool", f"{_INTERNAL}.QLinearAveragePool", roles="xs",
)(pool)  # fmt: skip
handles(
    "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.nchwc.GlobalAveragePool",
    "com.microsoft.nchwc.GlobalMaxPool", f"{_INTERNAL}.GlobalAveragePool",
    f"{_INTERNAL}.GlobalLpPool", f"{_INTERNAL}.GlobalMaxPool", roles="xs",
)(global_pool)  # fmt: skip
handles("com.microsoft.nchwc.Upsample", f"{_INTERNAL}.Resize", roles="xs")(resize)
handles("com.microsoft.GridSample", f"{_INTERNAL}.GridSample")(grid_sample)
handles(f"{_INTERNAL}.BatchNormalization", roles="xwwbb")(batch_normalization)
handles(f"{_INTERNAL}.InstanceNormalization", roles="xww")(mean_variance)
handles(f"{_INTERNAL}.LRN")(local_response)
handles(
    "com.microsoft.nchwc.ReorderInput", "com.microsoft.nchwc.ReorderOutput",
    f"{_INTERNAL}.DepthToSpace", f"{_INTERNAL}.SpaceToDepth",
)(move)  # fmt: skip
handles("com.microsoft.Pad", roles="xs")(place)
handles("com.microsoft.GatherND", roles="xs")(pick)


@handles("com.microsoft.FusedConv", "com.microsoft.NhwcFusedConv", roles="xwwx")
def fused_conv(view: View) -> Work:
    """As Conv; an activation and an addend are operations of an output element."""
    work, outputs = conv(view), view.out_elements()
    active = bool(view.attribute("activation", ""))
    ops = {**work.ops, "activation": outputs * active, "elementwise": outputs * view.has(3)}
    return Work(work.macs, ops)


@handles("com.microsoft.nchwc.Conv", roles="xwwx")
def blocked_conv(view: View) -> Work:
    """As com.microsoft.FusedConv, over as many channels as its weight has: they fill whole
    blocks."""
    x, work = view.inputs[0], fused_conv(view)
    channels = view.shape(1)[1] * int(view.attribute("group", 1))
    if x is None or x.shape is None:
        return work
    batch, _, *spatial = x.shape
    return Work(work.macs, work.ops, reads={0: known(view, batch, channels, *spatial)})


@handles("com.microsoft.ConvTransposeWithDynamicPads", roles="xwsw")
def padded_conv_transpose(view: View) -> Work:
    """As ConvTranspose, with the bias as fourth input."""
    macs = view.elements(0) * (view.elements(1) // view.shape(1)[0])
    return Work(macs, {"bias": view.out_elements() * view.has(3)})


@handles(f"{_INTERNAL}.QLinearConvTranspose", roles="xsswssssw")
def qlinear_conv_transpose(view: View) -> Work:
    """As ConvTranspose, on integers."""
    macs = view.elements(0) * (view.elements(3) // view.shape(3)[0])
    return Work(macs, {"bias": view.out_elements() * view.has(8)})


@handles("com.microsoft.CropAndResize", roles="xsss")
def crop_and_resize(view: View) -> Work:
    """8 operations an output element: a product and a sum for each of 4 neighbours; none for the
    nearest one."""
    times = 0 if view.attribute("mode", "bilinear") == "nearest" else 8
    return Work(ops={"interpolation": times * view.out_elements()})
