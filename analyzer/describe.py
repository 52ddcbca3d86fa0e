"""Operators in a person's words: ``5×5 conv 192→32, stride 2``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.shapes.context import CONTRADICTIONS


def describe(graph: Graph, node: Node) -> str:
    """One short line that names an operator and its sizes."""
    describer = _DESCRIBERS.get(node.op_type)
    try:
        return describer(graph, node) if describer and not node.domain else node.operator
    except CONTRADICTIONS:  # attributes of other types than the operator has
        return node.operator


def kernel_text(kernel: Sequence[int]) -> str:
    """``5×5``; a 1-D kernel is ``5-tap``."""
    return "×".join(map(str, kernel)) if len(kernel) > 1 else f"{kernel[0]}-tap"


def _conv(graph: Graph, node: Node) -> str:
    weight = graph.value(node.input(1)).static_shape
    if weight is None:
        return "conv"
    group = int(node.attributes.get("group", 1))
    text = f"{kernel_text(weight[2:])} conv {weight[1] * group}→{weight[0]}"
    if group > 1:
        depthwise = weight[1] == 1 and weight[0] == group
        text = text.replace(" conv", " depthwise conv") if depthwise else f"{text}, {group} groups"
    strides = node.attributes.get("strides") or ()
    if any(stride != 1 for stride in strides):
        sizes = dict.fromkeys(strides)
        text += f", stride {next(iter(sizes)) if len(sizes) == 1 else kernel_text(strides)}"
    return text


def _gemm(graph: Graph, node: Node) -> str:
    weight = graph.value(node.input(1))
    shape = weight.static_shape
    if shape is None or len(shape) != 2 or not weight.constant:
        return node.op_type
    rows, columns = shape[0], shape[1]
    before, after = (columns, rows) if node.attributes.get("transB", 0) else (rows, columns)
    return f"fully connected {before:,}→{after:,}"


def _pool(graph: Graph, node: Node) -> str:
    kind = {"MaxPool": "max pool", "AveragePool": "average pool"}[node.op_type]
    return f"{kernel_text(node.attributes.get('kernel_shape', ()))} {kind}"


_DESCRIBERS: dict[str, Callable[[Graph, Node], str]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _gemm,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": lambda _graph, _node: "global average pool",
}
