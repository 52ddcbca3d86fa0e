"""Count a graph: the cost of every node, its parameters, and totals over any set of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from archlint.analyzer.cost import attention as _attention  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import conv as _conv  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import elementwise as _elementwise  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import matmul as _matmul  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import movement as _movement  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import normalization as _normalization  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import pooling as _pooling  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import quantized as _quantized  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import recurrent as _recurrent  # noqa: F401 - registers its formulas
from archlint.analyzer.cost.base import HANDLERS, Cost, UnknownCost, View, total
from archlint.analyzer.cost.parameters import Parameters, find_parameters
from archlint.analyzer.dims import Cause
from archlint.analyzer.graph import Graph, Node, Value

__all__ = ["Cost", "CostTable", "Group", "count"]


@dataclass(frozen=True, slots=True)
class Group:
    """Some nodes that are counted together, with their cost and parameters (shared ones once)."""

    name: str
    nodes: tuple[Node, ...]
    cost: Cost
    parameters: int
    unknown: int


@dataclass(frozen=True)
class CostTable:
    """The cost of each node by its id; a node is in ``costs`` or, with the reasons, in
    ``uncosted``.

    A cost of nothing means free on purpose. Parameters are names of constants, so that a shared one
    counts once in any total.
    """

    graph: Graph
    costs: Mapping[int, Cost]
    uncosted: Mapping[int, frozenset[Cause]]
    parameters: Parameters

    def cost(self, node: Node) -> Cost | None:
        """The cost of a node; None if it is unknown."""
        return self.costs.get(node.id)

    def total(self, nodes: Iterable[Node] | None = None) -> Cost:
        """The cost of the nodes that can be counted among these, by default all."""
        if nodes is None:
            return self._whole
        return total(self.costs[node.id] for node in nodes if node.id in self.costs)

    @cached_property
    def _whole(self) -> Cost:
        return total(self.costs.values())

    @cached_property
    def parameter_count(self) -> int:
        """Parameters of the model, shared ones once."""
        return self.parameters.count(self.graph.nodes)

    @cached_property
    def folded_macs(self) -> int:
        """MACs of nodes that depend on no input: a runtime evaluates them once, at load."""
        return self.total(node for node in self.graph.nodes if self.graph.is_constant(node)).macs

    def group(self, name: str, nodes: Iterable[Node]) -> Group:
        """Nodes counted together."""
        listed = tuple(nodes)
        return Group(
            name,
            listed,
            self.total(listed),
            self.parameters.count(listed),
            sum(node.id in self.uncosted for node in listed),
        )

    def counted(self) -> Iterator[Node]:
        """The nodes of a cost table: all but those that cost nothing and only make constants."""
        for node in self.graph.nodes:
            if self.costs.get(node.id) != Cost() or not self.graph.is_constant(node):
                yield node

    def by_operator(self) -> list[Group]:
        """One group an operator, in order of appearance."""
        return self._grouped(lambda node: node.operator)

    def by_scope(self, depth: int | None = None) -> list[Group]:
        """One group a module scope, cut to ``depth`` parts, in order of appearance."""
        return self._grouped(lambda node: ".".join(node.scope[:depth]))

    def _grouped(self, key: Callable[[Node], str]) -> list[Group]:
        groups: dict[str, list[Node]] = {}
        for node in self.counted():
            groups.setdefault(key(node), []).append(node)
        return [self.group(name, nodes) for name, nodes in groups.items()]


def count(graph: Graph) -> CostTable:
    """The cost of every node of a graph whose shapes and operator are known."""
    parameters = find_parameters(graph)
    costs: dict[int, Cost] = {}
    uncosted: dict[int, frozenset[Cause]] = {}
    for node in graph.nodes:
        outputs = tuple(graph.value(name) for name in node.outputs if name)
        view = View(node, graph.input_values(node), outputs)
        try:
            costs[node.id] = _cost(view, parameters)
        except UnknownCost as unknown:
            uncosted[node.id] = unknown.causes
    return CostTable(graph, costs, uncosted, parameters)


def _cost(view: View, parameters: Parameters) -> Cost:
    handler = HANDLERS.get(view.node.operator)
    if handler is None:
        raise UnknownCost(view.because("archlint has no formula for it"))
    try:
        work = handler.formula(view)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise UnknownCost(view.because(f"its shapes contradict its formula ({error})")) from error
    ops = tuple(sorted((family, number) for family, number in work.ops.items() if number))
    if not work.moves:
        return Cost(work.macs, ops)
    constant = all(value.constant for value in view.outputs)
    read = weights = 0
    for index, value in enumerate(view.inputs):
        if value is None or (value.constant and handler.role(index) == "s"):
            continue
        size = _bytes(view, value, work.reads.get(index))
        if value.constant:
            weights += min(size, parameters.stored_bytes(value.name) or size)
        else:
            read += size
    written = 0 if constant else sum(_bytes(view, value) for value in view.outputs)
    return Cost(work.macs, ops, read, written, 0 if constant and not work.macs else weights)


def _bytes(view: View, value: Value, elements: int | None = None) -> int:
    if elements is None:
        elements = 1
        for dim in view.static(value):
            elements *= dim
    size = value.bytes_of(elements)
    if size is None:
        raise UnknownCost(view.because(f"elements of '{value.name}' have no fixed size"))
    return size
