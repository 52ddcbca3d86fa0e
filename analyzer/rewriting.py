"""Nodes of a model written again in what is proposed."""

from __future__ import annotations

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.graph import Graph, Node


def again(
    builder: GraphBuilder, graph: Graph, node: Node, x: str, output: str | None = None
) -> str:
    """Add an operator once more, on another first input; returns the value that it makes.

    Its other inputs must be constants: single numbers are kept, tensors are made up.
    """
    constants = []
    for place, name in enumerate(node.inputs[1:], start=1):
        value = graph.value(name)
        if not name:
            constants.append("")
        elif value.data is not None and value.data.size == 1:
            constants.append(builder.constant(f"bound{place}", float(value.data.reshape(-1)[0])))
        else:
            constants.append(builder.weight(f"weight{place}", value.static_shape or ()))
    return builder.node(node.op_type, x, *constants, output=output, **node.attributes)
