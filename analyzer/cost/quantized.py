"""Conversions between floats and quantised integers, and work on quantised integers.

What an operator on quantised integers does besides that of its floats, from one scale to another,
is not counted, unless it takes floats in or gives them out.
"""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, elementwise, handles
from archlint.analyzer.cost.movement import move
from archlint.analyzer.cost.pooling import reduce


@handles("QuantizeLinear", "com.microsoft.QuantizeLinear", roles="xs")
def quantize(view: View) -> Work:
    """3 operations an element: divide, round, shift."""
    return Work(ops={"quantization": 3 * view.elements(0)})


@handles("DequantizeLinear", "com.microsoft.DequantizeLinear", roles="ws")
def dequantize(view: View) -> Work:
    """2 operations an element: shift, scale."""
    return Work(ops={"quantization": 2 * view.elements(0)})


@handles("DynamicQuantizeLinear")
def dynamic_quantize(view: View) -> Work:
    """5 operations an element: minimum, maximum, divide, round, shift."""
    return Work(ops={"quantization": 5 * view.elements(0)})


handles("com.microsoft.QuantizeWithOrder", roles="xs")(quantize)
handles("com.microsoft.DequantizeWithOrder", roles="ws")(dequantize)
handles(
    "com.microsoft.QLinearAdd", "com.microsoft.QLinearMul", roles="xssxssss",
)(elementwise("elementwise"))  # fmt: skip
handles("com.microsoft.QLinearWhere", roles="sxssxssss")(elementwise("elementwise"))
handles("com.microsoft.MulInteger", roles="xsxs")(elementwise("elementwise"))
handles(
    "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearSigmoid", "com.microsoft.QOrderedGelu",
    roles="xs",
)(elementwise("activation"))  # fmt: skip
handles("com.microsoft.QLinearSoftmax", roles="xs")(elementwise("softmax", 5))
handles("com.microsoft.QLinearReduceMean", "com.microsoft.ReduceSumInteger", roles="xs")(reduce)
# A scale and a zero point stand behind each tensor.
handles("com.microsoft.QLinearConcat", roles="ss" + 100 * "wss")(move)


@handles("com.microsoft.QOrderedLayerNormalization", roles="xswws")
def ordered_layer_normalization(view: View) -> Work:
    """As LayerNormalization."""
    return Work(ops={"normalization": (6 + view.has(3)) * view.elements(0)})


@handles("com.microsoft.QEmbedLayerNormalization", roles="sswwwwws")
def quantised_embed_layer_normalization(view: View) -> Work:
    """As com.microsoft.EmbedLayerNormalization; 2 operations an embedded number to scale it."""
    numbers = view.out_elements()
    added = 1 + view.has(4)
    ops = {
        "elementwise": added * numbers,
        "normalization": 7 * numbers,
        "quantization": 2 * (added + 1) * numbers,
    }
    return Work(ops=ops, reads=dict.fromkeys((2, 3, 4), numbers))
