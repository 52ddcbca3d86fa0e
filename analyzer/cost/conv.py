"""Convolutions: one multiply-accumulate for each tap of each window, padding included."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import View, Work, handles


@handles("Conv", roles="xwwx")
def conv(view: View) -> Work:
    """N·M·Π(out) · Π(kernel)·C/group MACs; a bias adds N·M·Π(out) operations."""
    return _conv(view, weight=1, bias=2)


@handles("DeformConv", roles="xwxwx")
def deform_conv(view: View) -> Work:
    """As Conv; each of N·C·Π(kernel)·Π(out) taps is interpolated from 2^d pixels of d axes, 2
    operations a pixel, and one more where a mask weighs it."""
    work = _conv(view, weight=1, bias=3)
    kernel = view.shape(1)[2:]
    taps = prod(view.shape(0)[:2]) * prod(kernel) * prod(view.out()[2:])
    each = 2 * 2 ** len(kernel) + view.has(4)
    return Work(work.macs, {**work.ops, "interpolation": each * taps})


@handles("CausalConvWithState", roles="xwwx")
def causal_conv(view: View) -> Work:
    """N·C·L·k MACs: a kernel of k a channel; a bias and an activation are an operation each an
    element."""
    elements = view.elements(0)
    ops = _bias(view, 2, elements)
    if view.attribute("activation", "none") != "none":
        ops["activation"] = elements
    return Work(elements * view.shape(1)[2], ops)


@handles("ConvInteger", roles="xws")
def conv_integer(view: View) -> Work:
    """As Conv, on integers."""
    return _conv(view, weight=1, bias=None)


@handles("QLinearConv", roles="xsswssssw")
def qlinear_conv(view: View) -> Work:
    """As Conv, on integers, with the weight as fourth input."""
    return _conv(view, weight=3, bias=8)


def _conv(view: View, weight: int, bias: int | None) -> Work:
    per_output = prod(view.shape(weight)[1:])
    outputs = view.out_elements()
    return Work(outputs * per_output, _bias(view, bias, outputs))


@handles("ConvTranspose", roles="xwwx")
def conv_transpose(view: View) -> Work:
    """N·C·Π(in) · Π(kernel)·M/group MACs: each input element meets the whole kernel; a bias adds
    N·M·Π(out) operations."""
    per_input = prod(view.shape(1)[1:])
    return Work(view.elements(0) * per_input, _bias(view, 2, view.out_elements()))


def _bias(view: View, index: int | None, outputs: int) -> dict[str, int]:
    return {"bias": outputs} if index is not None and view.has(index) else {}
