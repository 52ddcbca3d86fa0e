"""Shapes of operators that work on each element, with broadcasting where they have several
inputs."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Shape, broadcast
from archlint.analyzer.shapes.context import Context, Outputs, shapes


@shapes(
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Clip",
    "Cos", "Cosh", "CumSum", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish",
    "Hardmax", "Identity", "InstanceNormalization", "LRN", "LeakyRelu", "Log", "LogSoftmax",
    "LpNormalization", "MeanVarianceNormalization", "Mish", "Neg", "Not", "PRelu", "Reciprocal",
    "Relu", "ReverseSequence", "Round", "ScatterElements", "Scatter", "ScatterND", "Selu",
    "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish",
    "Tan", "Tanh", "ThresholdedRelu", "Trilu", "GroupNormalization", "RMSNormalization",
    "RotaryEmbedding", "SwiGLU", "TensorScatter", "CumProd", "ImageScaler", "ParametricSoftplus",
    "com.microsoft.Gelu", "com.microsoft.FastGelu", "com.microsoft.QuickGelu",
    "com.microsoft.BiasGelu",
)  # fmt: skip
def same_as_first(context: Context) -> Outputs:
    """The output is shaped as the first input."""
    return [(context.shape(0), context.dtype(0))]


@shapes(
    "Add", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Max", "Mean", "Min", "Mod",
    "Mul", "Pow", "Sub", "Sum",
)  # fmt: skip
def broadcasting(context: Context) -> Outputs:
    """Every input broadcast to one shape."""
    return [(_broadcast_all(context), context.dtype(0))]


@shapes(
    "And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Or", "Xor",
)  # fmt: skip
def comparing(context: Context) -> Outputs:
    """As broadcasting, with truth values."""
    return [(_broadcast_all(context), TensorProto.BOOL)]


@shapes("IsNaN", "IsInf")
def testing(context: Context) -> Outputs:
    """A truth value for each element."""
    return [(context.shape(0), TensorProto.BOOL)]


@shapes("Where")
def where(context: Context) -> Outputs:
    """Condition and both choices, broadcast."""
    return [(_broadcast_all(context), context.dtype(1))]


@shapes("Cast")
def cast(context: Context) -> Outputs:
    """Another data type, which operator sets before 6 name instead of number."""
    to = context.attribute("to", 0)
    return [(context.shape(0), TensorProto.DataType.Value(to) if isinstance(to, str) else int(to))]


@shapes("BitCast")
def bit_cast(context: Context) -> Outputs:
    """Another data type of the same width."""
    return [(context.shape(0), int(context.attribute("to", 0)))]


@shapes("CastLike")
def cast_like(context: Context) -> Outputs:
    """The data type of the second input."""
    return [(context.shape(0), context.dtype(1))]


@shapes("BatchNormalization")
def batch_normalization(context: Context) -> Outputs:
    """The map; in training also the statistics."""
    return [(context.shape(0), context.dtype(0)), *[(context.shape(1), context.dtype(1))] * 4]


@shapes("LayerNormalization", "SimplifiedLayerNormalization")
def layer_normalization(context: Context) -> Outputs:
    """The tensor, then mean and inverse deviation with the normalised axes as 1."""
    shape = context.shape(0)
    axis = context.axis(-1, len(shape))
    statistics = shape[:axis] + (1,) * (len(shape) - axis)
    return [(shape, context.dtype(0)), *[(statistics, TensorProto.FLOAT)] * 2]


@shapes("Dropout")
def dropout(context: Context) -> Outputs:
    """The tensor, and the mask of what was kept."""
    mask = TensorProto.BOOL if context.opset >= 10 else context.dtype(0)
    return [(context.shape(0), context.dtype(0)), (context.shape(0), mask)]


@shapes("QuantizeLinear")
def quantize_linear(context: Context) -> Outputs:
    """The data type of the zero point, or of ``output_dtype``, uint8 by default."""
    dtype = context.dtype(2) or int(context.attribute("output_dtype", 0)) or TensorProto.UINT8
    return [(context.shape(0), dtype)]


@shapes("DequantizeLinear")
def dequantize_linear(context: Context) -> Outputs:
    """The data type of the scale."""
    return [(context.shape(0), int(context.attribute("output_dtype", 0)) or context.dtype(1))]


@shapes("DynamicQuantizeLinear")
def dynamic_quantize_linear(context: Context) -> Outputs:
    """uint8 data with a scalar scale and zero point."""
    return [
        (context.shape(0), TensorProto.UINT8), ((), TensorProto.FLOAT), ((), TensorProto.UINT8),
    ]  # fmt: skip


def _broadcast_all(context: Context) -> Shape:
    if context.attribute("axis") is not None or context.opset < 7:
        return context.shape(0)  # before opset 7 the second input is fitted to the first
    return broadcast(*(context.shape(index) for index in range(len(context.inputs))))
