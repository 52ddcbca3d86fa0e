"""What a node is, without its name, its place, and the sizes of what flows through it."""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum

from archlint.analyzer.compare.attributes import WERE_ATTRIBUTES, attributes_of, given_of, rank_of
from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.dims import Shape
from archlint.analyzer.graph import FLOATS, Graph, Node, Value

# A size of an activation rather than a part of the architecture.
_SIZES = frozenset({"output_shape", "output_size", "shape", "starts", "ends"})


class TypeClass(StrEnum):
    """The kind of number that an operator makes: halving its width does not change what it is."""

    FLOAT = "float"
    INTEGER = "int"
    BOOLEAN = "bool"
    OTHER = "other"


_CLASSES = {9: TypeClass.BOOLEAN, 8: TypeClass.OTHER, 14: TypeClass.OTHER, 15: TypeClass.OTHER}


def type_class(graph: Graph, node: Node) -> TypeClass:
    """The kind of number of the first output; one of unknown type is taken for a float."""
    dtype = graph.value(node.output(0)).dtype
    if not dtype or dtype in FLOATS:
        return TypeClass.FLOAT
    return _CLASSES.get(dtype, TypeClass.INTEGER)


def weights_of(graph: Graph, node: Node) -> tuple[Shape | None, ...]:
    """The shapes of the constants that a node computes with, in order.

    Indices, shapes, scales and single numbers are none of them: exporters write those in several
    ways.
    """
    values, handler = graph.values, HANDLERS.get(node.operator)
    found: list[Shape | None] = []
    for index, name in enumerate(node.inputs):
        value = values.get(name)
        if value is None or not value.constant:
            continue
        role = "x" if handler is None else handler.role(index)
        if role != "s" and (role == "w" or not _is_single(value)):
            found.append(value.shape)
    return tuple(found)


def _is_single(value: Value) -> bool:
    return value.shape is not None and value.elements == 1


def shape_text(shape: Shape | None) -> str:
    """``64x3x7x7``; ``scalar`` without axes, ``?`` where nothing is known."""
    if shape is None:
        return "?"
    return "x".join([str(d) if isinstance(d, int) else "?" for d in shape]) or "scalar"


class Keys:
    """The keys of a graph's nodes, each text made once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._texts: dict[Hashable, str] = {}

    def of(self, node: Node) -> str:
        """Operator, attributes, shapes of the weights, kind of number."""
        signature = self._signature(node)
        text = self._texts.get(signature)
        if text is None:
            text = self._texts[signature] = self._text(node)
        return text

    def _signature(self, node: Node) -> Hashable:
        """What decides the key: attributes are told apart by the object that holds them."""
        values = self._graph.values
        made = values.get(node.output(0))
        parts: list[Hashable] = [
            node.op_type, node.domain, id(node.attributes), made.dtype if made else 0
        ]  # fmt: skip
        for name in node.inputs:
            value = values.get(name)
            parts.append(value.shape if value is not None and value.constant else None)
        counts_axes = node.op_type in WERE_ATTRIBUTES
        if counts_axes or "axis" in node.attributes:
            parts.append(rank_of(self._graph, node))
        if counts_axes:
            parts.append(given_of(self._graph, node))
        return tuple(parts)

    def _text(self, node: Node) -> str:
        graph = self._graph
        attributes = [
            f"{name}={value}" for name, value in attributes_of(graph, node) if name not in _SIZES
        ]
        weights = map(shape_text, weights_of(graph, node))
        parts = [node.operator, *attributes, "", *weights, "", type_class(graph, node)]
        return "\x1f".join(parts)
