"""Operators that work on each element: one operation an output element, whatever the function."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, elementwise, handles

handles(
    "Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu",
    "Shrink", "Sigmoid", "Softplus", "Softsign", "Swish", "Tanh", "ThresholdedRelu",
    "com.microsoft.FastGelu", "com.microsoft.Gelu", "com.microsoft.QuickGelu",
)(elementwise("activation"))  # fmt: skip
handles("PRelu", roles="xw")(elementwise("activation"))
handles("Clip", roles="xs")(elementwise("activation"))
handles(
    "Abs", "Acos", "Acosh", "Add", "And", "Asin", "Asinh", "Atan", "Atanh", "BitShift",
    "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Ceil", "Cos", "Cosh", "Div", "Equal",
    "Erf", "Exp", "Floor", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual",
    "Log", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal", "Round", "Sign", "Sin", "Sinh",
    "Sqrt", "Sub", "Tan", "Where", "Xor",
)(elementwise("elementwise"))  # fmt: skip


@handles("Max", "Min", "Sum", "Mean")
def variadic(view: View) -> Work:
    """One operation an output element for each input after the first; Mean divides once more."""
    times = len(view.inputs) - 1 + (view.node.op_type == "Mean")
    return Work(ops={"elementwise": times * view.out_elements()})


@handles("SwiGLU")
def swiglu(view: View) -> Work:
    """An activation and a product an element."""
    elements = view.out_elements()
    return Work(ops={"activation": elements, "elementwise": elements})


@handles("CumSum", "CumProd", roles="xs")
def cumulative_sum(view: View) -> Work:
    """One operation an element."""
    return Work(ops={"reduction": view.elements(0)})
