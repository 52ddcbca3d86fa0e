"""Which constants are parameters, and of which nodes.

A parameter is traced back from the operator that computes with it, through whatever depends on no
input (Identity, Cast, Transpose, Reshape, Concat, DequantizeLinear, arithmetic on weights …), to
the tensors that are stored: initializers, Constant nodes, and generators such as ConstantOfShape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onnx import TensorProto

from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.graph import Graph, Node, Value

_QUANTIZED = frozenset({
    TensorProto.INT8, TensorProto.UINT8, TensorProto.INT4, TensorProto.UINT4, TensorProto.INT32,
})  # fmt: skip

Names = frozenset[str]
_NONE: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Parameters:
    """The stored tensors behind each node's weights, by node id, and behind each constant value.

    ``buffers`` are running statistics, which no optimiser trains.
    """

    of_node: Mapping[int, Names]
    buffers_of_node: Mapping[int, Names]
    behind: Mapping[str, Names]
    values: Mapping[str, Value]

    def count(self, nodes: Iterable[Node]) -> int:
        """Parameters of these nodes, a shared one once."""
        return self._elements(self.of_node, nodes)

    def count_buffers(self, nodes: Iterable[Node]) -> int:
        """Elements of the running statistics of these nodes, shared ones once."""
        return self._elements(self.buffers_of_node, nodes)

    def count_bytes(self, nodes: Iterable[Node]) -> int:
        """Bytes of parameters and buffers as they are stored, shared ones once."""
        listed = list(nodes)
        names = _union(self.of_node, listed) | _union(self.buffers_of_node, listed)
        return sum(_stored(self.values[name]) for name in names)

    def stored_bytes(self, value: str) -> int:
        """Bytes of the stored tensors behind a constant value."""
        return sum(_stored(self.values[name]) for name in self.behind.get(value, _NONE))

    def _elements(self, of_node: Mapping[int, Names], nodes: Iterable[Node]) -> int:
        names = _union(of_node, nodes)
        sizes = (self.values[name].elements for name in names)
        return sum(size for size in sizes if isinstance(size, int))


def find_parameters(graph: Graph) -> Parameters:
    """The parameters and buffers of every node that runs at inference."""
    behind: dict[str, Names] = {}
    of_node: dict[int, Names] = {}
    buffers: dict[int, Names] = {}
    for node in graph.nodes:
        if graph.is_constant(node):
            behind.update(
                (name, _behind(graph, node, name, behind)) for name in node.outputs if name
            )
            continue
        of_node[node.id] = _by_role(graph, node, behind, "xw")
        buffers[node.id] = _by_role(graph, node, behind, "b")
    return Parameters(of_node, buffers, behind, graph.values)


def _behind(graph: Graph, node: Node, output: str, behind: Mapping[str, Names]) -> Names:
    """The stored tensors behind a constant node's output: itself if only shapes feed it."""
    handler = HANDLERS.get(node.operator)
    fed = [
        name
        for index, name in enumerate(node.inputs)
        if name and (handler is None or handler.role(index) != "s")
    ]
    if not fed:
        return _itself(graph.value(output))
    if node.op_type == "Cast" and not graph.value(node.input(0)).is_float:
        return _NONE  # positions and masks turned into floats
    stored = (behind.get(name, _itself(graph.value(name))) for name in fed)
    return frozenset().union(*stored)


def _itself(value: Value) -> Names:
    """A stored tensor, unless it can be no weight: a truth value, an index, a single number."""
    weight = value.is_float or value.dtype in _QUANTIZED
    return frozenset({value.name}) if weight and value.elements != 1 else _NONE


def _by_role(graph: Graph, node: Node, behind: Mapping[str, Names], roles: str) -> Names:
    handler = HANDLERS.get(node.operator)
    if handler is None:
        return _NONE if roles == "b" else _guessed(graph, node, behind)
    found = [
        behind.get(name, frozenset({name}))
        for index, name in enumerate(node.inputs)
        if name and handler.role(index) in roles
        and _is_parameter(graph.value(name), handler.role(index))
    ]  # fmt: skip
    return frozenset().union(*found)


def _guessed(graph: Graph, node: Node, behind: Mapping[str, Names]) -> Names:
    """Of an operator without a formula: every constant that could be data."""
    values = [graph.value(name) for name in node.inputs if name]
    found = [behind.get(v.name, frozenset({v.name})) for v in values if _is_parameter(v, "x")]
    return frozenset().union(*found)


def _is_parameter(value: Value, role: str) -> bool:
    """A single number that an element-wise operator reads belongs to the formula, as in x/√d."""
    if not value.constant:
        return False
    return role != "x" or (value.is_float and value.elements != 1)


def _union(of_node: Mapping[int, Names], nodes: Iterable[Node]) -> Names:
    return frozenset().union(*(of_node.get(node.id, _NONE) for node in nodes))


def _stored(value: Value) -> int:
    size = value.elements
    return (value.bytes_of(size) or 0) if isinstance(size, int) else 0
