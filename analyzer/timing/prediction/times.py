"""The time that a model takes, predicted from its graph and what was measured on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archlint.analyzer.cost import CostTable
from archlint.analyzer.graph import Node
from archlint.analyzer.timing.prediction.estimates import Estimator, Unpredictable
from archlint.analyzer.timing.prediction.lowering import Lowered, lower
from archlint.analyzer.timing.prediction.machine import MachineProfile


@dataclass(frozen=True, eq=False)
class Prediction:
    """Nanoseconds of each node of a graph by its id; a node that runs is in ``times`` or, with the
    reason, in ``unpredicted``.

    ``lowered`` is how the graph is run. ``by_bytes`` are those of ``times`` that only count what a
    node moves. ``inner`` are the predictions of the bodies that a node runs, in the order of its
    cost table's, each of one trip.
    """

    table: CostTable
    profile: MachineProfile
    lowered: Lowered
    times: Mapping[int, float]
    unpredicted: Mapping[int, str]
    by_bytes: frozenset[int]
    inner: Mapping[int, tuple[Prediction, ...]]

    @property
    def total_ns(self) -> float:
        """Of a run of the whole graph, as far as its nodes are predicted."""
        return self.profile.run + sum(self.times.values())

    def of(self, nodes: Iterable[Node]) -> float:
        """The nanoseconds of those of the nodes that are predicted."""
        return sum(self.times.get(node.id, 0.0) for node in nodes)

    def at(self, place: tuple[int, ...]) -> float | None:
        """The nanoseconds of a row of the cost table (see Row.place); None if it is unpredicted."""
        node, *rest = place
        if not rest:
            return None if node in self.unpredicted else self.times.get(node, 0.0)
        part = self.table.inner[node][rest[0]]
        if not part.counted:
            return 0.0
        inner = self.inner[node][rest[0]].at(tuple(rest[1:]))
        return None if inner is None or part.trips is None else inner * part.trips


def predict(
    table: CostTable, profile: MachineProfile, lowered: Lowered | None = None
) -> Prediction:
    """How long a graph runs on a machine, node by node; all is read from the cost table.

    ``lowered`` spares finding out again how the graph is run (see ``lowered_for``).
    """
    lowered = lowered or lowered_for(table, profile)
    return _predict(table, profile, lowered, table.total().weight_bytes)


def lowered_for(table: CostTable, profile: MachineProfile) -> Lowered:
    """How the provider of a profile runs a graph."""
    return lower(table.graph, profile.tiles.block if profile.tiles else 0)


def _predict(
    table: CostTable, profile: MachineProfile, lowered: Lowered, weight_bytes: int
) -> Prediction:
    estimator = Estimator(table, profile, lowered, weight_bytes)
    times: dict[int, float] = {}
    unpredicted: dict[int, str] = {}
    by_bytes: set[int] = set()
    inner: dict[int, tuple[Prediction, ...]] = {}
    for node in table.graph.operators():
        try:
            if node.id in table.inner:
                parts = table.inner[node.id]
                inner[node.id] = tuple(
                    _predict(part.table, profile, lowered_for(part.table, profile), weight_bytes)
                    for part in parts
                )
                times[node.id] = profile.node + _of_bodies(table, node, inner[node.id])
            else:
                estimate = estimator.estimate(node)
                times[node.id] = estimate.nanoseconds
                if estimate.by_bytes:
                    by_bytes.add(node.id)
        except Unpredictable as reason:
            unpredicted[node.id] = str(reason)
        except OverflowError:
            unpredicted[node.id] = "its numbers are larger than any machine's"
    return Prediction(table, profile, lowered, times, unpredicted, frozenset(by_bytes), inner)


def _of_bodies(table: CostTable, node: Node, predictions: tuple[Prediction, ...]) -> float:
    """The time of what a node runs, all trips; raises Unpredictable unless all of it is known."""
    total = 0.0
    for part, prediction in zip(table.inner[node.id], predictions, strict=True):
        if not part.counted:
            continue
        if part.trips is None:
            raise Unpredictable("how often its body runs is unknown")
        if prediction.unpredicted:
            raise Unpredictable(next(iter(prediction.unpredicted.values())))
        total += part.trips * sum(prediction.times.values())
    return total
