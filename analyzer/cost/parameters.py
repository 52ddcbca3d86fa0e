"""Which constants are parameters, and of which nodes.

A parameter is traced back from the operator that computes with it, through whatever depends on no
input (Identity, Cast, Transpose, Reshape, Concat, DequantizeLinear, arithmetic on weights …), to
the tensors that are stored: initializers, Constant nodes, and generators such as ConstantOfShape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from onnx import TensorProto

from archlint.analyzer.cost.base import HANDLERS, UnknownCost, View
from archlint.analyzer.cost.contrib_packed import numbers as packed_numbers
from archlint.analyzer.graph import Body, Graph, Node, Value
from archlint.analyzer.shapes.context import CONTRADICTIONS

_FEW_BITS = frozenset({
    TensorProto.INT8, TensorProto.UINT8, TensorProto.INT4, TensorProto.UINT4, TensorProto.INT2,
    TensorProto.UINT2,
})  # fmt: skip
_QUANTIZED = _FEW_BITS | {TensorProto.INT32}  # in which biases are kept
_MOST_STEPS = 5_000_000  # of all traces together: chains of thousands of constants, each read

Names = frozenset[str]
Outward = Callable[[Names], Names]
_NONE: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Parameters:
    """The stored tensors behind each node's weights, by node id, and behind constant values.

    ``buffers`` are running statistics, which no optimiser trains. ``stored`` are the stored tensors
    by name, ``packed`` how many numbers those hold whose elements are not one each. ``outward``
    turns the names of a body (by node id and name of the body) into those of the graph that runs
    it.
    """

    of_node: Mapping[int, Names]
    buffers_of_node: Mapping[int, Names]
    behind: Callable[[str], Names]
    stored: Callable[[str], Value]
    packed: Mapping[str, int]
    outward: Mapping[tuple[int, str], Outward]

    @property
    def names(self) -> Names:
        """The stored tensors behind all nodes' weights."""
        return frozenset().union(*self.of_node.values())

    def count(self, nodes: Iterable[Node]) -> int:
        """Parameters of these nodes, a shared one once."""
        return self.elements(_union(self.of_node, nodes))

    def count_buffers(self, nodes: Iterable[Node]) -> int:
        """Elements of the running statistics of these nodes, shared ones once."""
        return self.elements(_union(self.buffers_of_node, nodes))

    def stored_bytes(self, value: str) -> int:
        """Bytes of the stored tensors behind a constant value."""
        return sum(_stored(self.stored(name)) for name in self.behind(value))

    def elements(self, names: Names) -> int:
        """How many numbers these stored tensors hold."""
        if not names:
            return 0
        sizes = (self.packed.get(name) or self.stored(name).elements for name in names)
        return sum(size for size in sizes if isinstance(size, int))


@dataclass(slots=True)
class _Tracer:
    """Finds the stored tensors behind constants, each constant traced once.

    ``inner`` are stored tensors of bodies by the names that they get here.
    """

    graph: Graph
    traced: dict[str, Names] = field(default_factory=dict)
    inner: dict[str, Value] = field(default_factory=dict)
    packed: dict[str, int] = field(default_factory=dict)
    steps: int = 0

    def stored(self, name: str) -> Value:
        """A stored tensor of the graph or of one of its bodies."""
        return self.inner.get(name) or self.graph.value(name)

    def behind(self, name: str) -> Names:
        """The stored tensors behind a constant value."""
        if self.graph.producer(name) is None:
            return _itself(self.graph.value(name))
        found = self.traced.get(name)
        if found is None:
            found = self.traced[name] = self._traced(name)
        return found

    def _traced(self, start: str) -> Names:
        seen = {start}
        waiting = [start]
        stored: set[str] = set()
        while waiting:
            name = waiting.pop()
            self.steps += 1
            node = self.graph.producer(name)
            if name in self.traced:
                stored |= self.traced[name]
                continue
            fed = None if node is None or self.steps > _MOST_STEPS else _fed(self.graph, node)
            if fed is None:
                stored |= _itself(self.graph.value(name))
                continue
            waiting += [source for source in fed if source not in seen]
            seen.update(fed)
        return frozenset(stored)


def find_parameters(
    graph: Graph, bodies: Mapping[int, Iterable[tuple[Body, Parameters]]]
) -> Parameters:
    """The parameters and buffers of every node that runs at inference.

    ``bodies`` are those of the nodes that run graphs, with their own parameters."""
    tracer = _Tracer(graph)
    of_node: dict[int, Names] = {}
    buffers: dict[int, Names] = {}
    outward: dict[tuple[int, str], Outward] = {}
    values = graph.values
    for node in graph.nodes:
        if node.id in bodies:
            parts = [*bodies[node.id]]
            for body, parameters in parts:
                outward[node.id, body.name] = _outward(node, body, parameters, tracer)
            ways = [(outward[node.id, body.name], parameters) for body, parameters in parts]
            of_node[node.id] = frozenset().union(*(out(p.names) for out, p in ways))
            buffers[node.id] = frozenset().union(
                *(out(frozenset().union(*p.buffers_of_node.values())) for out, p in ways)
            )
            continue
        constants = [
            (index, value)
            for index, name in enumerate(node.inputs)
            if (value := values.get(name)) is not None and value.constant
        ]
        if constants and not graph.is_constant(node):
            of_node[node.id], buffers[node.id] = _by_role(graph, node, constants, tracer)
    return Parameters(of_node, buffers, tracer.behind, tracer.stored, tracer.packed, outward)


def _outward(node: Node, body: Body, parameters: Parameters, tracer: _Tracer) -> Outward:
    """From names in a body to names around it; the body's own tensors get a name of their own."""
    graph = tracer.graph
    # A function's constants are stored once however often it is called, and those of a loop's body
    # however often it runs; branches may use one name for two tensors.
    prefix = node.operator if body.actual is not None else node.label
    prefix += f"/{body.name}/" if body.alternative else "/"

    def own(name: str) -> Names:
        tracer.inner[prefix + name] = parameters.stored(name)
        return frozenset({prefix + name})

    def around(name: str) -> Names:
        if body.actual is None:
            captured = body.graph.producer(name) is None and name in graph.values
            names = tracer.behind(name) if captured else own(name)
        else:
            names = tracer.behind(body.actual[name]) if name in body.actual else own(name)
        if name in parameters.packed:
            tracer.packed.update(dict.fromkeys(names, parameters.packed[name]))
        return names

    return lambda names: _NONE.union(*map(around, names))


def _fed(graph: Graph, node: Node) -> list[str] | None:
    """The inputs that a constant node's output is made of; None if it is stored itself."""
    handler = HANDLERS.get(node.operator)
    fed = [
        name
        for index, name in enumerate(node.inputs)
        if name and (handler is None or handler.role(index) != "s")
    ]
    if node.op_type == "Cast" and fed and not graph.value(node.input(0)).is_float:
        return []  # positions and masks turned into floats
    if not fed and (node.op_type == "Range" or _sized_by_activations(graph, node)):
        return []  # positions and anchors: nothing that was trained
    return fed or None


def _sized_by_activations(graph: Graph, node: Node) -> bool:
    """Whether what a generator makes is as large as some activation, which no weight is."""
    waiting, seen = list(node.inputs), set(node.inputs)
    while waiting:
        maker = graph.producer(waiting.pop())
        if maker is None:
            continue
        if maker.op_type in ("Shape", "Size"):
            return not graph.value(maker.input(0)).constant
        waiting += [name for name in maker.inputs if name not in seen]
        seen.update(maker.inputs)
    return False


def _itself(value: Value) -> Names:
    """A stored tensor, unless it can be no weight: a truth value, an index, a single number."""
    weight = value.is_float or value.dtype in _QUANTIZED
    return frozenset({value.name}) if weight and value.elements != 1 else _NONE


def _by_role(
    graph: Graph, node: Node, constants: Iterable[tuple[int, Value]], tracer: _Tracer
) -> tuple[Names, Names]:
    """The parameters and the buffers among a node's constants; without a formula all could be
    data."""
    handler = HANDLERS.get(node.operator)
    found: tuple[list[Names], list[Names]] = [], []
    for index, value in constants:
        role = handler.role(index) if handler else "x"
        if role == "s" or (role == "x" and not _may_be_trained(value)):
            continue
        stored = graph.producer(value.name) is None
        names = frozenset({value.name}) if stored else tracer.behind(value.name)
        found[role == "b"].append(names)
        if node.domain and (count := _numbers(graph, node, index)) is not None:
            tracer.packed.update(dict.fromkeys(names, count))
    parameters, buffers = found
    return _NONE.union(*parameters), _NONE.union(*buffers)


def _may_be_trained(value: Value) -> bool:
    """Whether data can be a weight: floats or few bits, and more than one number.

    A single number that an element-wise operator reads belongs to the formula, as in x / √d.
    """
    return (value.is_float or value.dtype in _FEW_BITS) and value.elements != 1


def _numbers(graph: Graph, node: Node, index: int) -> int | None:
    """How many numbers a packed weight holds, where its node tells."""
    try:
        return packed_numbers(View(node, graph.input_values(node), ()), index)
    except (UnknownCost, *CONTRADICTIONS):
        return None


def _union(of_node: Mapping[int, Names], nodes: Iterable[Node]) -> Names:
    return frozenset().union(*(of_node.get(node.id, _NONE) for node in nodes))


def _stored(value: Value) -> int:
    size = value.elements
    return (value.bytes_of(size) or 0) if isinstance(size, int) else 0
