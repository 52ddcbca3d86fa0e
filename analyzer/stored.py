"""The weights of a model with what is among their numbers: they are read for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from onnx import GraphProto, SparseTensorProto, TensorProto

from archlint.analyzer.cost import CostTable
from archlint.analyzer.cost.parameters import Parameters
from archlint.analyzer.graph import Node, Value
from archlint.analyzer.reader.tally import Tally
from archlint.analyzer.text import safe

_NAME = 80  # characters of a name that a message shows
_QUANTIZING = frozenset({"QuantizeLinear", "DequantizeLinear"})
_NO_FILL = TensorProto(data_type=TensorProto.FLOAT, dims=[1], float_data=[0.0])


class _Stored(NamedTuple):
    tensor: TensorProto
    filled: bool = False


_Tensors = Mapping[str, _Stored]


@dataclass(frozen=True, slots=True)
class Weight:
    """A stored tensor that nodes of the graph, or of what they run, compute with.

    ``filled`` says that one number is stored, which a node repeats to the dims of the value; of a
    sparse tensor only the numbers that it stores are in the tally.
    """

    name: str
    value: Value
    tally: Tally
    readers: tuple[Node, ...]
    filled: bool = False

    @property
    def label(self) -> str:
        """Its name in quotes."""
        return f"'{safe(self.name, _NAME)}'"

    @property
    def elements(self) -> int:
        """How many elements it has; 0 if that is unknown."""
        elements = self.value.elements
        return elements if isinstance(elements, int) else 0

    @property
    def is_one_number(self) -> bool:
        """Whether it is several equal numbers and nothing else."""
        whole = self.filled or self.tally.numbers >= self.elements
        return self.elements > 1 and whole and self.tally.repeated


def weights(costs: CostTable) -> Iterator[Weight]:
    """The parameters and running statistics, in the order of their first readers.

    Those that the file declares without data are left out, as the notes of the graph tell, and
    those that cannot be read, as its tallies do.
    """
    parameters = costs.parameters
    yield from _read(costs, _readers(costs.graph.nodes, parameters))


def scales(costs: CostTable) -> Iterator[Weight]:
    """The scales by which nodes of the graph quantise and dequantise."""
    readers: dict[str, list[Node]] = {}
    for node in costs.graph.nodes:
        name = node.input(1)
        if node.op_type in _QUANTIZING and costs.graph.value(name).constant:
            readers.setdefault(name, []).append(node)
    yield from _read(costs, readers)


def _read(costs: CostTable, readers: Mapping[str, Iterable[Node]]) -> Iterator[Weight]:
    tallies = costs.graph.tallies
    if tallies is None:
        return
    tensors = _tensors(costs, tallies.model.proto.graph, {})
    for name, nodes in readers.items():
        if name not in tensors:  # declared without data, or random numbers
            continue
        tensor, filled = tensors[name]
        tally = tallies.of(tensor, name)
        if tally is not None:
            value = costs.parameters.stored(name)
            yield Weight(name, value, tally, tuple(nodes), filled)


def places(found: Iterable[Weight]) -> tuple[Node, ...]:
    """The nodes that read the weights, in topological order."""
    nodes = {node.id: node for weight in found for node in weight.readers}
    return tuple(nodes[place] for place in sorted(nodes))


def _readers(nodes: Iterable[Node], parameters: Parameters) -> dict[str, list[Node]]:
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        held = (parameters.of_node, parameters.buffers_of_node)
        for name in sorted(frozenset().union(*(names.get(node.id, ()) for names in held))):
            readers.setdefault(name, []).append(node)
    return readers


def _tensors(table: CostTable, proto: GraphProto | None, known: dict[int, _Tensors]) -> _Tensors:
    """The tensors behind the names of the weights of a graph; ``known`` are those of bodies."""
    tensors = {} if proto is None else _initializers(proto)
    for node in table.graph.nodes:
        tensor = _made(node)
        if tensor is not None:
            tensors[node.output(0)] = _Stored(tensor, filled=node.op_type != "Constant")
    for place, parts in table.inner.items():
        node = table.graph.nodes[place]
        for part in parts:
            outward = table.parameters.outward[place, part.body.name]
            body = node.attributes.get(part.body.name, node.attributes.get("body"))
            inside = _inside(part.table, body if isinstance(body, GraphProto) else None, known)
            for name, stored in inside.items():
                for outer in outward(frozenset({name})):
                    tensors.setdefault(outer, stored)
    return tensors


def _inside(table: CostTable, proto: GraphProto | None, known: dict[int, _Tensors]) -> _Tensors:
    """Those of a body that its nodes compute with; one that is called often is looked at once."""
    if id(table) not in known:
        tensors = _tensors(table, proto, known)
        wanted = _readers(table.graph.nodes, table.parameters)
        known[id(table)] = {name: tensors[name] for name in wanted if name in tensors}
    return known[id(table)]


def _initializers(proto: GraphProto) -> dict[str, _Stored]:
    dense = {tensor.name: _Stored(tensor) for tensor in proto.initializer}
    sparse = {tensor.values.name: _Stored(tensor.values) for tensor in proto.sparse_initializer}
    return dense | sparse


def _made(node: Node) -> TensorProto | None:
    """What a node stores that makes a constant of nothing else."""
    if node.op_type == "ConstantOfShape":
        fill = node.attributes.get("value", _NO_FILL)
        return fill if isinstance(fill, TensorProto) else None
    if node.op_type != "Constant":
        return None
    for key, value in node.attributes.items():
        if isinstance(value, TensorProto):
            return value
        if isinstance(value, SparseTensorProto):
            return value.values
        if key == "value_floats" and isinstance(value, list):
            numbers = [number for number in value if isinstance(number, float)]
            return TensorProto(data_type=TensorProto.FLOAT, dims=[len(value)], float_data=numbers)
    return None
