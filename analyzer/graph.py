"""The graph of a model: operators as nodes of a networkx MultiDiGraph, tensors as its edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray
from onnx import TensorProto

from archlint.analyzer.dims import Cause, Dim, Shape, is_static, volume
from archlint.analyzer.problem import Problem

if TYPE_CHECKING:
    import networkx as nx

    from archlint.analyzer.reader.tallies import Tallies

T = TypeVar("T")

Data = NDArray[Any]  # object arrays of Python numbers and symbolic dims

# Bits of one element; strings have no fixed size. Older onnx packages lack the last ones.
_BITS_BY_NAME = {
    "FLOAT": 32, "UINT8": 8, "INT8": 8, "UINT16": 16, "INT16": 16, "INT32": 32, "INT64": 64,
    "BOOL": 8, "FLOAT16": 16, "DOUBLE": 64, "UINT32": 32, "UINT64": 64, "COMPLEX64": 64,
    "COMPLEX128": 128, "BFLOAT16": 16, "FLOAT8E4M3FN": 8, "FLOAT8E4M3FNUZ": 8, "FLOAT8E5M2": 8,
    "FLOAT8E5M2FNUZ": 8, "FLOAT6E2M3": 6, "FLOAT6E3M2": 6, "UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4,
    "FLOAT8E8M0": 8, "UINT2": 2, "INT2": 2,
}  # fmt: skip
_TYPES: dict[str, int] = dict(TensorProto.DataType.items())
_BITS = {_TYPES[name]: bits for name, bits in _BITS_BY_NAME.items() if name in _TYPES}
FLOATS = frozenset(number for name, number in _TYPES.items() if "FLOAT" in name or name == "DOUBLE")


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor: its ONNX data type (0 if unknown) and its shape (None if even the rank is unknown).

    ``constant`` says that it depends on no graph input; ``data`` holds the elements of small
    constants and shape computations, Python numbers and symbolic dims in an object array. A
    sequence of tensors has an ``element``, which is what all of them have in common, and its
    ``items`` where their number is known; its own shape is unknown. An optional is what it holds.
    """

    name: str
    dtype: int = 0
    shape: Shape | None = None
    constant: bool = False
    data: Data | None = field(default=None, compare=False, repr=False)
    causes: frozenset[Cause] = frozenset()
    element: Value | None = None
    items: tuple[Value, ...] | None = None

    @property
    def elements(self) -> Dim | None:
        """Number of elements; None if the rank is unknown."""
        return None if self.shape is None else volume(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating-point numbers of any width."""
        return self.dtype in FLOATS

    @property
    def bits(self) -> int | None:
        """Bits of an element; None if its type has no fixed size."""
        return _BITS.get(self.dtype)

    def bytes_of(self, elements: int) -> int | None:
        """Bytes that this many of its elements take, packed; None if its type has no fixed size."""
        bits = _BITS.get(self.dtype)
        return None if bits is None else (elements * bits + 7) // 8

    @property
    def static_shape(self) -> tuple[int, ...] | None:
        """The shape if every dim is a number."""
        if self.shape is None or not is_static(self.shape):
            return None
        return self.shape  # type: ignore[return-value]  # is_static says so


def operator_name(domain: str, op_type: str) -> str:
    """An operator as rules and formulas are registered for it: ``Op``, or ``domain.Op`` where the
    domain is not the empty one of ai.onnx."""
    return f"{domain}.{op_type}" if domain else op_type


@dataclass(frozen=True, slots=True)
class Node:
    """An operator: ``id`` is its place in topological order, ``position`` its place in the file.

    ``captured`` are the outer values that its subgraphs read. ``scope`` is the module path,
    ``overload`` tells functions of one name apart.
    """

    id: int
    op_type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(compare=False, repr=False)
    position: int
    scope: tuple[str, ...] = ()
    captured: tuple[str, ...] = ()
    overload: str = ""

    @property
    def label(self) -> str:
        """What a person calls the node: its name, or the value that it makes where it has none."""
        return self.name or next((output for output in self.outputs if output), f"#{self.position}")

    @property
    def operator(self) -> str:
        """The operator with its domain, unless that is ai.onnx."""
        return operator_name(self.domain, self.op_type)

    def cause(self, why: str) -> Cause:
        """Why something about this node is unknown."""
        return Cause(f"{self.operator} node '{self.label}': {why}")

    def input(self, index: int) -> str:
        """Name of an input, empty if it is absent."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def output(self, index: int) -> str:
        """Name of an output, empty if it is absent."""
        return self.outputs[index] if index < len(self.outputs) else ""


@dataclass(frozen=True, slots=True)
class Body:
    """A graph that a node runs: a branch of an If, the body of a loop, a function.

    ``trips`` is how often it runs each time that the node does. Of the ``alternative`` bodies of a
    node only one runs. ``actual`` leads from the inputs of a function to the values of a call;
    a subgraph reads the values around it by their own names.
    """

    name: str
    graph: Graph
    trips: Dim = 1
    alternative: bool = False
    actual: Mapping[str, str] | None = None


@dataclass(frozen=True, eq=False)  # one graph is equal to itself alone, and can be a key
class Graph:
    """A model's operators in topological order, with its values.

    ``network`` is a MultiDiGraph of node ids; an edge leads from the producer of a value to a
    consumer and carries the Value as ``value``. ``inputs`` are the graph inputs that are fed at run
    time, ``overridable`` the initializers that may be fed as well. ``bodies`` are the graphs that
    nodes run, by the ids of the nodes. ``notes`` are assumptions that a report must tell,
    ``problems`` what is wrong with the model; ``read_weights`` tells what only the weights do, and
    ``tallies`` counts what is among the numbers of each; bodies have none of their own."""

    nodes: tuple[Node, ...]
    values: Mapping[str, Value]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    opset: int
    notes: tuple[str, ...] = ()
    bodies: Mapping[int, tuple[Body, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    overridable: frozenset[str] = frozenset()
    read_weights: Callable[[], tuple[Problem, ...]] = tuple
    tallies: Tallies | None = None

    @cached_property
    def weight_problems(self) -> tuple[Problem, ...]:
        """What is wrong with the weights; they are read when this is first asked."""
        return self.read_weights()

    @property
    def unread_weights(self) -> str:
        """Which weights that were asked for could not be read, and why; empty if there are none."""
        return "" if self.tallies is None else self.tallies.unread

    @cached_property
    def network(self) -> nx.MultiDiGraph[int]:
        """The graph for networkx's algorithms."""
        import networkx as nx  # late: counting alone does not need its algorithms

        network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        network.add_nodes_from((node.id, {"node": node}) for node in self.nodes)
        network.add_edges_from(
            (producer.id, node.id, {"value": self.values[name]})
            for node in self.nodes
            for name in (*node.inputs, *node.captured)
            if (producer := self._producers.get(name)) is not None
        )
        return network

    @cached_property
    def _producers(self) -> dict[str, Node]:
        return {output: node for node in self.nodes for output in node.outputs if output}

    @cached_property
    def _consumers(self) -> dict[str, tuple[Node, ...]]:
        consumers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys((*node.inputs, *node.captured)):
                consumers.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in consumers.items()}

    def producer(self, value: str) -> Node | None:
        """The node that makes a value; None for inputs and initializers."""
        return self._producers.get(value)

    def consumers(self, value: str) -> tuple[Node, ...]:
        """The nodes that read a value, in topological order."""
        return self._consumers.get(value, ())

    def value(self, name: str) -> Value:
        """A value by name; an empty or unknown name is a value of which nothing is known."""
        return self.values.get(name) or Value(name)

    def input_values(self, node: Node) -> tuple[Value | None, ...]:
        """The values of a node's inputs, None for absent ones."""
        values = self.values
        return tuple([(values.get(n) or Value(n)) if n else None for n in node.inputs])

    def is_constant(self, node: Node) -> bool:
        """Whether the node depends on no graph input: a runtime evaluates it once, at load."""
        for name in node.outputs:  # noqa: SIM110 - a generator would take twice as long
            if name and not self.value(name).constant:
                return False
        return True

    def operators(self) -> Iterator[Node]:
        """The nodes that run at every inference, in topological order."""
        return iter(self._operators)

    @cached_property
    def _operators(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not self.is_constant(node))


def per_graph(function: Callable[[Graph], T]) -> Callable[[Graph], T]:
    """A function of a graph that is asked often: its result is kept with the graph."""
    key = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(graph: Graph) -> T:
        results = vars(graph)
        if key not in results:
            results[key] = function(graph)
        found: T = results[key]
        return found

    return kept
