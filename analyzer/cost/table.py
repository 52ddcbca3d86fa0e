"""The costs of a graph and of the bodies that its nodes run, and totals over any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archlint.analyzer.cost.base import Cost, total
from archlint.analyzer.cost.parameters import Names, Parameters
from archlint.analyzer.dims import Cause
from archlint.analyzer.graph import Body, Graph, Node

_NOTHING = Cost()
_MOST_ROWS = 10_000  # of a body that is shown node by node


@dataclass(frozen=True, slots=True)
class Inner:
    """The costs of a body that a node runs; ``counted`` is false for a cheaper branch."""

    body: Body
    table: CostTable
    counted: bool = True

    @property
    def trips(self) -> int | None:
        """How often it runs each time that the node does; None if that is unknown."""
        return self.body.trips if isinstance(self.body.trips, int) else None


class Row(NamedTuple):  # which is made in a third of the time, and there is one a node
    """One operator of a cost table, those within bodies included; no cost means unknown.

    ``named`` says that the label is a name that the file gives, which needs no places around it.
    ``place`` is the id of its node; within bodies that of the node that runs them, the place of the
    body among its bodies, and so on inwards.
    """

    label: str
    operator: str
    scope: tuple[str, ...]
    cost: Cost | None
    parameters: Names
    named: bool = True
    place: tuple[int, ...] = ()


class Group(NamedTuple):
    """Some operators that are counted together, with their parameters (shared ones once).

    ``unknown`` is how many of them have no known cost.
    """

    name: str
    rows: tuple[Row, ...]
    cost: Cost
    parameters: int
    unknown: int


@dataclass(frozen=True, eq=False)
class CostTable:
    """The cost of each node by its id; a node is in ``costs`` or, with the reasons, in
    ``uncosted``.

    A cost of nothing means free on purpose. A node that runs bodies costs what they do, the dearest
    one where only one of them runs; ``inner`` are the tables of its bodies. Parameters are names of
    constants, so that a shared one counts once in any total.
    """

    graph: Graph
    costs: Mapping[int, Cost]
    uncosted: Mapping[int, frozenset[Cause]]
    parameters: Parameters
    inner: Mapping[int, tuple[Inner, ...]]

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
    def least(self) -> Cost:
        """The total if the cheapest branch ran wherever one of several does."""
        if not self.inner:
            return self._whole
        return total(self._least(place, cost) for place, cost in self.costs.items())

    def _least(self, place: int, cost: Cost) -> Cost:
        inner = self.inner.get(place)
        if inner is None:
            return cost
        costs = [part.table.least * (part.trips or 0) for part in inner]
        return min(costs, key=dearness) if inner[0].body.alternative else total(costs)

    @cached_property
    def unknown(self) -> tuple[tuple[Node, frozenset[Cause]], ...]:
        """The nodes whose cost is unknown with the reasons, those of each body once."""
        found = []
        for table in self.tables():
            found += [(table.graph.nodes[at], causes) for at, causes in table.uncosted.items()]
        return tuple(found)

    def tables(self) -> list[CostTable]:
        """The table itself and those of all bodies, each once."""
        every = {id(self): self}
        waiting = [self]
        while waiting:
            table = waiting.pop()
            for part in (part for parts in table.inner.values() for part in parts):
                if id(part.table) not in every:
                    every[id(part.table)] = part.table
                    waiting.append(part.table)
        return list(every.values())

    @cached_property
    def node_count(self) -> int:
        """How many nodes the graph and its bodies have, each counted once."""
        return sum(len(table.graph.nodes) for table in self.tables())

    @cached_property
    def parameter_count(self) -> int:
        """Parameters of the model, shared ones once."""
        return self.parameters.count(self.graph.nodes)

    @cached_property
    def folded_macs(self) -> int:
        """MACs of nodes that depend on no input: a runtime evaluates them once, at load."""
        return self.total(node for node in self.graph.nodes if self.graph.is_constant(node)).macs

    def rows(self) -> Iterator[Row]:
        """The operators, but for those that cost nothing and only make constants.

        A node that runs bodies is shown as what it runs, each row times the trips; a cheaper branch
        is one row that costs nothing.
        """
        for node in self.graph.nodes:
            cost = self.costs.get(node.id)
            if self.graph.is_constant(node) and cost == _NOTHING:
                continue
            parts = self.inner.get(node.id, ())
            if cost is None or not parts or _row_count(parts) > _MOST_ROWS:
                names = self.parameters.of_node.get(node.id, frozenset())
                named, place = bool(node.name), (node.id,)
                yield Row(node.label, node.operator, node.scope, cost, names, named, place)
                continue
            for number, part in enumerate(parts):
                yield from self._inner_rows(node, part, (node.id, number))

    def _inner_rows(self, node: Node, part: Inner, place: tuple[int, ...]) -> Iterator[Row]:
        label = f"{node.label}/{part.body.name}"
        outward = self.parameters.outward[node.id, part.body.name]
        if not part.counted:
            names = outward(part.table.parameters.names)
            operator = f"{node.operator} (cheaper branch)"
            yield Row(label, operator, node.scope, Cost(), names, place=place)
            return
        for row in part.table.rows():
            scope = (*node.scope, *row.scope) if part.body.actual is not None else row.scope
            own_name = row.named and part.body.actual is None
            yield Row(
                row.label if own_name else f"{label}/{row.label}",
                row.operator,
                scope or node.scope,
                None if row.cost is None else row.cost * (part.trips or 0),
                outward(row.parameters),
                own_name,
                (*place, *row.place),
            )

    @cached_property
    def row_count(self) -> int:
        """How many rows the graph takes if every body is shown node by node."""
        return len(self.graph.nodes) + sum(map(_row_count, self.inner.values()))

    def group(self, name: str, rows: Iterable[Row]) -> Group:
        """Operators counted together."""
        listed = tuple(rows)
        known = [row.cost for row in listed if row.cost is not None]
        parameters = frozenset().union(*(row.parameters for row in listed))
        return Group(
            name,
            listed,
            total(known),
            self.parameters.elements(parameters),
            len(listed) - len(known),
        )

    def by_node(self) -> list[Group]:
        """One group an operator of the graph, in topological order."""
        groups = []
        for row in self.rows():  # as group() does, for rows by the hundred thousand
            parameters = self.parameters.elements(row.parameters)
            unknown = int(row.cost is None)
            groups.append(Group(row.label, (row,), row.cost or _NOTHING, parameters, unknown))
        return groups

    def by_operator(self) -> list[Group]:
        """One group an operator type, in order of appearance."""
        return self._grouped(lambda row: row.operator)

    def by_scope(self, depth: int | None = None) -> list[Group]:
        """One group a module scope, cut to ``depth`` parts, in order of appearance."""
        return self._grouped(lambda row: ".".join(row.scope[:depth]))

    def _grouped(self, key: Callable[[Row], str]) -> list[Group]:
        groups: dict[str, list[Row]] = {}
        for row in self.rows():
            groups.setdefault(key(row), []).append(row)
        return [self.group(name, rows) for name, rows in groups.items()]


def _row_count(parts: Iterable[Inner]) -> int:
    return sum(part.table.row_count for part in parts)


def dearness(cost: Cost) -> tuple[int, int, int]:
    """What makes one cost dearer than another: MACs, then other operations, then bytes."""
    return cost.macs, cost.ops, cost.bytes
