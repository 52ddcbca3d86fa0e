"""Operators as expressions of PyTorch, where they are no modules of torch.nn."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, prod

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.torch_layers import sides_of

_UNARY = {
    "Neg": "-{}", "Abs": "{}.abs()", "Sqrt": "{}.sqrt()", "Exp": "{}.exp()", "Log": "{}.log()",
    "Erf": "{}.erf()", "Reciprocal": "1 / {}", "Dropout": "{}",
}  # fmt: skip
_SIGNS = {"Add": "+", "Sum": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}
_LIMITS = {"Max": ("maximum", "min"), "Min": ("minimum", "max")}  # of two tensors, by a number


def expression_of(graph: Graph, node: Node, operands: Sequence[str]) -> str | None:
    """What computes the output of a node from its inputs, which are written as ``operands``, empty
    where they are no floats; None for what is not written here."""
    operator = node.operator
    if operator in _UNARY:
        return _UNARY[operator].format(operands[0])
    if all(operands) and (text := _joined(node, operands)):
        return text
    if operator == "Transpose":
        rank = len(graph.value(node.input(0)).shape or ())
        order = node.attributes.get("perm") or [*reversed(range(rank))]
        return f"{operands[0]}.permute({', '.join(map(str, order))})" if order else None
    if operator == "Reshape":
        return _reshape(graph, node, operands[0])
    if operator == "Flatten":
        return _flatten(graph, node, operands[0])
    if operator == "Pad":
        return _pad(graph, node, operands[0])
    return _mean(graph, node, operands[0]) if operator == "ReduceMean" else None


def _joined(node: Node, operands: Sequence[str]) -> str | None:
    """What computes the output of a node that treats all its inputs alike, or multiplies two."""
    operator = node.operator
    if operator in _SIGNS:
        return f" {_SIGNS[operator]} ".join(operands)
    if operator in _LIMITS:
        return _limit(operator, operands)
    if operator == "Concat":
        return f"torch.cat([{', '.join(operands)}], {node.attributes['axis']})"
    return " @ ".join(operands) if operator == "MatMul" else None


def is_number(text: str) -> bool:
    """Whether an operand is a number that is written out."""
    return not text[:1].isalpha()


def written(number: float) -> str:
    """A number as Python reads it again, wherever it stands."""
    text = repr(number) if isfinite(number) else f"float('{number}')"
    return text if is_number(text) and number >= 0 else f"({text})"


def _limit(operator: str, operands: Sequence[str]) -> str | None:
    function, bound = _LIMITS[operator]
    tensors = [one for one in operands if not is_number(one)]
    numbers = [one for one in operands if is_number(one)]
    if not tensors:
        return None
    text = tensors[0]
    for one in tensors[1:]:
        text = f"torch.{function}({text}, {one})"
    for one in numbers:
        text = f"{text}.clamp({bound}={one})"
    return text


def _whole(graph: Graph, name: str) -> list[int] | None:
    """The elements of a constant of whole numbers."""
    data = graph.value(name).data
    numbers = [] if data is None else data.reshape(-1).tolist()
    known = data is not None and all(isinstance(number, int) for number in numbers)
    return numbers if known else None


def _reshape(graph: Graph, node: Node, x: str) -> str | None:
    sizes = _whole(graph, node.input(1))
    if sizes is None or (0 in sizes and node.attributes.get("allowzero", 0)):
        return None
    dims = (str(size) if size else f"{x}.shape[{axis}]" for axis, size in enumerate(sizes))
    return f"{x}.reshape({', '.join(dims)})"


def _flatten(graph: Graph, node: Node, x: str) -> str | None:
    shape = graph.value(node.input(0)).static_shape
    if shape is None:
        return None
    axis = int(node.attributes.get("axis", 1))
    front = shape[: axis if axis >= 0 else axis + len(shape)]
    return f"{x}.reshape({prod(front)}, -1)"


def _pad(graph: Graph, node: Node, x: str) -> str | None:
    """Constants around a map; ``axes`` of opset 18 are not known here."""
    mode = node.attributes.get("mode", "constant")
    pads = node.attributes.get("pads") or _whole(graph, node.input(1))
    if mode != "constant" or pads is None or node.input(3):
        return None
    sides = ", ".join(map(str, sides_of([int(side) for side in pads])))
    given = graph.value(node.input(2)).data
    if given is None and node.input(2):
        return None
    number = node.attributes.get("value", 0.0) if given is None else float(given.reshape(-1)[0])
    return f"F.pad({x}, ({sides}){f', value={written(number)}' if number else ''})"


def _mean(graph: Graph, node: Node, x: str) -> str | None:
    axes = node.attributes.get("axes") or _whole(graph, node.input(1))
    if not axes:
        return None
    keep = ", keepdim=True" if node.attributes.get("keepdims", 1) else ""
    return f"{x}.mean({tuple(axes)}{keep})"
