"""Shapes of quantised operators of com.microsoft that are no products, convolutions or poolings."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import broadcast
from archlint.analyzer.shapes.context import Context, Outputs, shapes
from archlint.analyzer.shapes.contrib_views import same, seen_as
from archlint.analyzer.shapes.elementwise import same_as_first

same("QuantizeLinear", "com.microsoft.QuantizeLinear")
same("DequantizeLinear", "com.microsoft.DequantizeLinear")
shapes(
    "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearSigmoid",
    "com.microsoft.QLinearSoftmax",
)(same_as_first)  # fmt: skip


@shapes("com.microsoft.QLinearAdd", "com.microsoft.QLinearMul")
def qlinear_binary(context: Context) -> Outputs:
    """The first and the fourth input, broadcast."""
    return [(broadcast(context.shape(0), context.shape(3)), context.dtype(0))]


@shapes("com.microsoft.MulInteger")
def integer_product(context: Context) -> Outputs:
    """The first and the third input, broadcast, in int32."""
    return [(broadcast(context.shape(0), context.shape(2)), TensorProto.INT32)]


@shapes("com.microsoft.QLinearWhere")
def qlinear_where(context: Context) -> Outputs:
    """Condition and both choices, broadcast."""
    every = (context.shape(0), context.shape(1), context.shape(4))
    return [(broadcast(*every), context.dtype(1))]


@shapes("com.microsoft.QLinearConcat")
def qlinear_concat(context: Context) -> Outputs:
    """As Concat of every third input from the third on."""
    places = range(2, len(context.inputs), 3)
    return [(seen_as("Concat", context, *places), context.dtype(2))]


@shapes("com.microsoft.QLinearReduceMean")
def qlinear_mean(context: Context) -> Outputs:
    """As ReduceMean."""
    return [(seen_as("ReduceSum", context, 0), context.dtype(0))]


@shapes("com.microsoft.ReduceSumInteger")
def integer_sum(context: Context) -> Outputs:
    """As ReduceSum, in 32 bits."""
    signed = context.dtype(0) == TensorProto.INT8
    return [(seen_as("ReduceSum", context, 0), TensorProto.INT32 if signed else TensorProto.UINT32)]


@shapes("com.microsoft.QuantizeWithOrder")
def quantise_with_order(context: Context) -> Outputs:
    """In int8."""
    return [(context.shape(0), TensorProto.INT8)]


@shapes("com.microsoft.DequantizeWithOrder")
def dequantise_with_order(context: Context) -> Outputs:
    """In the data type ``to``."""
    return [(context.shape(0), int(context.attribute("to", TensorProto.FLOAT)))]
