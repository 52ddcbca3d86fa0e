"""Conversions between floats and quantised integers."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, handles


@handles("QuantizeLinear", roles="xs")
def quantize(view: View) -> Work:
    """3 operations an element: divide, round, shift."""
    return Work(ops={"quantization": 3 * view.elements(0)})


@handles("DequantizeLinear", roles="ws")
def dequantize(view: View) -> Work:
    """2 operations an element: shift, scale."""
    return Work(ops={"quantization": 2 * view.elements(0)})


@handles("DynamicQuantizeLinear")
def dynamic_quantize(view: View) -> Work:
    """5 operations an element: minimum, maximum, divide, round, shift."""
    return Work(ops={"quantization": 5 * view.elements(0)})
