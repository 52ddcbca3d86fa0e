"""PyTorch code for a small graph, as a start for the user's own module."""

from __future__ import annotations

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.torch_layers import layer_of

_GATES = {"nn.Sigmoid()": "nn.SiLU()", "nn.Hardsigmoid()": "nn.Hardswish()"}  # times its input


def pytorch(graph: Graph) -> str:
    """``nn.Sequential`` of the graph's operators; empty if they are no chain that it can write."""
    lines: list[str] = []
    nodes = list(graph.operators())
    while nodes:
        node = nodes.pop(0)
        layer = layer_of(graph, node)
        if layer is None:
            return ""
        *padding, module = layer.modules
        if module in _GATES and nodes and _gates(node, nodes[0]):
            nodes.pop(0)
            module = _GATES[module]
        lines += (*padding, module)
    body = "".join(f"    {line},\n" for line in lines)
    return f"nn.Sequential(\n{body})" if lines else ""


def _gates(node: Node, product: Node) -> bool:
    """Whether a node's output is multiplied by what the node reads, and nothing else."""
    return product.op_type == "Mul" and {*product.inputs} == {node.input(0), node.output(0)}
