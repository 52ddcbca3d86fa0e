"""From the kernels that a profile tells of to the nodes that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archlint.analyzer.cost import Cost, CostTable
from archlint.analyzer.cost.base import total
from archlint.analyzer.cost.table import dearness
from archlint.analyzer.runtime.messages import plain
from archlint.analyzer.timing.attribution.marking import Marked
from archlint.analyzer.timing.attribution.matching import match
from archlint.analyzer.timing.attribution.optimised import Kernel, read_kernels
from archlint.analyzer.timing.attribution.regions import Region, attribute
from archlint.analyzer.timing.nodes.answer import Answer
from archlint.analyzer.timing.nodes.kernel_clock import KernelClock
from archlint.analyzer.timing.nodes.latency import KernelTime, NodeTime, Profile
from archlint.analyzer.timing.nodes.places import Placed, Places
from archlint.analyzer.timing.statistics import median


def node_times(answer: Answer, marked: Marked, costs: CostTable, threads: int) -> Profile:
    """What the nodes of a marked model took.

    Raises ValueError where the optimised model cannot be read; where there is none, the names of
    kernels alone tell of their nodes.
    """
    kernels: list[Kernel] = []
    if answer.optimised is not None:
        kernels = read_kernels(answer.optimised)
    numbers = match(kernels, {key: ran.operator for key, ran in answer.kernels.items()})
    clock = KernelClock.of(answer, threads)
    times = {
        numbers[key]: KernelTime(key[-1], ran.operator, ran.provider, time)
        for (key, ran), time in zip(
            answer.kernels.items(), clock.times(answer.kernels).values(), strict=True
        )
    }
    attribution = attribute(marked, kernels)
    names = _Names(marked, Places(costs))
    nodes = [
        names.node_time(region, [times[number] for number in region.kernels if number in times])
        for region in attribution.regions
    ]
    profiled = [answer.profiled[place] for place in clock.counted]
    return Profile(
        runs=len(profiled),
        took=median([sample.wall for sample in profiled]),
        cores=median([sample.cpu / sample.wall for sample in profiled]),
        disturbed=clock.share is not None,
        overhead=clock.overhead,
        nodes=tuple(node for node in nodes if node.kernels),
        idle=tuple(label for node in nodes if not node.kernels for label, _ in node.nodes),
        removed=tuple(placed.label for placed in names.placed(attribution.removed)),
        lacking="" if answer.optimised is not None else plain(answer.lacking),
    )


class _Names:
    """Tells what regions are about."""

    def __init__(self, marked: Marked, places: Places) -> None:
        self._marked = marked
        self._places = places
        self._makers = {name: node for node in marked.nodes for name in node.outputs if name}

    def placed(self, numbers: Iterable[int]) -> list[Placed]:
        """The nodes of these numbers."""
        found = []
        for number in numbers:
            node = self._marked.nodes[number]
            placed = self._places.at(node.place)
            found.append(placed or Placed(node.label, node.operator, (), None))
        return found

    def node_time(self, region: Region, kernels: Sequence[KernelTime]) -> NodeTime:
        """A region with the kernels of it that ran."""
        nodes = self.placed(region.nodes)
        ids: dict[int, None] = {}
        if nodes:
            leading = max(nodes, key=_weight)
            first = region.nodes[nodes.index(leading)]
            ids = dict.fromkeys(map(self._id, (first, *region.nodes)))
            known = [node.cost for node in nodes if node.cost is not None]
            cost = total(known) if len(known) == len(nodes) else None
            operator = leading.operator
        else:
            leading, cost = self._worked_on(region.value), None
            operator = kernels[0].operator if kernels else ""
        return NodeTime(
            label=leading.label,
            operator=operator,
            scope=leading.scope,
            kind=region.kind,
            kernels=tuple(kernels),
            nodes=tuple([(node.label, node.operator) for node in nodes]),
            cost=cost,
            ids=tuple(ids),
        )

    def _id(self, number: int) -> int:
        """The id of a node of the whole graph: of this one, or of the one in whose bodies it is."""
        return int(self._marked.nodes[number].place[0])

    def _worked_on(self, value: str) -> Placed:
        """What makes a value: a node, or nothing where it is an input or a weight."""
        maker = self._makers.get(value)
        if maker is None:
            return Placed(value, "", (), None)
        return self.placed([maker.number])[0]


def _weight(node: Placed) -> tuple[tuple[int, int, int], bool]:
    return dearness(node.cost or Cost()), node.cost is None
