"""Recognise operators that do the same work: networks repeat their blocks hundreds of times."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from archlint.analyzer.graph import Node, Value

_MAX_ELEMENTS = 16  # of known data that is compared


def signature(node: Node, inputs: Iterable[Value | None]) -> Hashable | None:
    """What decides the shapes and the cost of a node: its operator, its attributes, its inputs.

    None where that is more than is worth comparing. It holds while the nodes of the graph are
    alive: attributes are told apart by the object that holds them.
    """
    parts: list[Hashable] = [node.op_type, node.domain, id(node.attributes), len(node.outputs)]
    for value in inputs:
        if value is None:
            parts.append(None)
        elif value.data is None:
            if value.shape is None:
                return None
            parts.append((value.dtype, value.shape, value.constant))
        elif value.data.size <= _MAX_ELEMENTS:
            elements = tuple(value.data.reshape(-1).tolist())
            parts.append((value.dtype, value.shape, value.constant, elements))
        else:
            return None
    return tuple(parts)
