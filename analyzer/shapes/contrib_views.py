"""An operator seen as the plain one that it is but for the places of its inputs and the order of
its axes."""

from __future__ import annotations

from dataclasses import replace

from archlint.analyzer.dims import Shape
from archlint.analyzer.graph import Value
from archlint.analyzer.shapes.context import (
    SHAPE_RULES,
    Context,
    Outputs,
    ShapeRule,
    Unresolved,
    shapes,
)


def same(operator: str, *others: str) -> None:
    """Give other operators the rule of one of ai.onnx."""
    shapes(*others)(rule_of(operator))


def rule_of(operator: str) -> ShapeRule:
    """The rule of an operator of ai.onnx, wherever it is registered."""

    def rule(context: Context) -> Outputs:
        return SHAPE_RULES[operator](context)

    rule.__doc__ = f"As {operator}."
    return rule


def seen_as(operator: str, context: Context, *picked: int, last: bool = False) -> Shape:
    """The shape that an operator of ai.onnx gives its first output, of the picked inputs.

    ``last`` says that the first input and the output have their channels last: the rule sees them
    in the place where it looks for them.
    """
    inputs = [context.inputs[place] if place < len(context.inputs) else None for place in picked]
    if last and inputs[0] is not None and inputs[0].shape is not None:
        inputs[0] = replace(inputs[0], shape=_channels_second(inputs[0].shape), data=None)
    first = SHAPE_RULES[operator](replace(context, inputs=tuple(inputs)))[0]
    shape = first.shape if isinstance(first, Value) else first[0]
    if shape is None:
        raise Unresolved(context.because("its shape is unknown"))
    return (shape[0], *shape[2:], shape[1]) if last else shape


def _channels_second(shape: Shape) -> Shape:
    if len(shape) < 2:
        raise ValueError(f"a map of rank {len(shape)}")
    return (shape[0], shape[-1], *shape[1:-1])
