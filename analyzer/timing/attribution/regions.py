"""Which nodes of a model each kernel of the optimised graph stands for.

Three things lead back from a kernel: its name, which mostly holds that of a node; its values, of
which many keep their names; and the model's own graph between such values. Kernels that hand each
other values that the model lacks are one region with all nodes between its ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archlint.analyzer.timing.attribution.labels import is_reorder, label, numbers_in
from archlint.analyzer.timing.attribution.marking import Marked
from archlint.analyzer.timing.attribution.optimised import Kernel
from archlint.analyzer.timing.attribution.origins import Origins

# What takes most of a network's time: two of them are never one region.
_HEAVY = frozenset({
    "Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Attention", "ConvInteger",
    "MatMulInteger", "QLinearConv", "QLinearMatMul", "Einsum",
})  # fmt: skip
# What onnxruntime names by the convolution whose bias it has quantised.
_HELPERS = frozenset({"DequantizeLinear"})


class Kind(StrEnum):
    """How kernels and nodes belong together."""

    EXACT = "exact"  # one kernel, one node
    FUSED = "fused"  # one kernel, several nodes
    GROUP = "group"  # several kernels
    LAYOUT = "layout"  # a change of layout that onnxruntime added
    COPY = "copy"  # between devices
    NONE = "none"  # kernels that stand for no node


@dataclass(frozen=True, slots=True)
class Region:
    """Kernels and the nodes that they stand for, by their numbers, in order.

    ``value`` is what kernels without nodes copy or lay out anew.
    """

    kind: Kind
    kernels: tuple[int, ...]
    nodes: tuple[int, ...]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Every kernel is in one region, every node in at most one.

    ``removed`` are the nodes in none that depend on an input: merged with an equal one, folded when
    the model was loaded, or needless.
    """

    regions: tuple[Region, ...]
    removed: tuple[int, ...]


def attribute(marked: Marked, kernels: Sequence[Kernel]) -> Attribution:
    """The regions of an optimised graph in the order of their first kernels."""
    return _Attributor(marked, kernels).attribution()


class _Attributor:
    def __init__(self, marked: Marked, kernels: Sequence[Kernel]) -> None:
        self._origins = Origins(marked)
        self._kernels = kernels
        self._labels = label(kernels, self._origins)
        self._group = _joined(kernels, self._pairs(), self._heavy())
        self._owner: dict[int, int] = {}
        self._named: dict[int, list[int]] = {}  # nodes in the names of a group's kernels
        for kernel in kernels:
            group = self._group[kernel.number]
            for number in self._anchored(kernel):
                if self._owner.setdefault(number, group) == group:
                    self._named.setdefault(group, []).append(number)
        made = {self._labels[name] for k in kernels for name in k.outputs if name in self._labels}
        self._made = {self._origins.number(value) for value in made}

    def _anchored(self, kernel: Kernel) -> list[int]:
        nodes = self._origins.nodes
        return [n for n in numbers_in(kernel.name) if n < len(nodes)]

    def _heavy(self) -> list[bool]:
        """Whether each kernel surely stands for a heavy node."""
        nodes = self._origins.nodes
        return [
            (
                kernel.operator not in _HELPERS
                and any(nodes[n].proto.op_type in _HEAVY for n in self._anchored(kernel))
            )
            or kernel.operator.rpartition(".")[2] in _HEAVY
            for kernel in self._kernels
        ]

    def _pairs(self) -> list[tuple[int, int]]:
        """Kernels that belong together: named for the same node, the second reading a value of the
        first that the model lacks, or giving on what it reads in another form."""
        named: dict[int, int] = {}
        pairs = [
            (named.setdefault(number, kernel.number), kernel.number)
            for kernel in self._kernels
            for number in self._anchored(kernel)
        ]
        makers = {name: kernel.number for kernel in self._kernels for name in kernel.outputs}
        for kernel in self._kernels:
            made = {self._labels[name] for name in kernel.outputs if name in self._labels}
            for name in filter(makers.__contains__, kernel.inputs):
                value = self._labels.get(name)
                if value is None or (value in made and not is_reorder(kernel)):
                    pairs.append((makers[name], kernel.number))
        return pairs

    def attribution(self) -> Attribution:
        """What belongs together."""
        groups: dict[int, list[Kernel]] = {}
        for kernel in self._kernels:
            groups.setdefault(self._group[kernel.number], []).append(kernel)
        for group, members in groups.items():
            self._claim(group, members)
        nodes: dict[int, list[int]] = {}
        for number, group in self._owner.items():
            nodes.setdefault(group, []).append(number)
        regions = [
            self._region(members, sorted(nodes.get(group, ()))) for group, members in groups.items()
        ]
        removed = [
            node.number
            for node in self._origins.nodes
            if not node.opened
            and node.number not in self._owner
            and node.number not in self._origins.constant
        ]
        return Attribution(tuple(regions), tuple(removed))

    def _claim(self, group: int, members: Sequence[Kernel]) -> None:
        """Give a group the nodes between its ends that no other has."""
        if all(is_reorder(kernel) or not kernel.outputs for kernel in members):
            return  # what is known by its name alone stands for the node in its name
        ends = self._ends(name for kernel in members for name in kernel.inputs)
        starts = self._ends(name for kernel in members for name in kernel.outputs)
        named = (self._origins.nodes[number] for number in self._named.get(group, ()))
        starts |= {name for node in named for name in node.outputs if name}
        stops = {self._origins.number(name) for name in ends}
        waiting = list(starts)
        seen = set(starts)
        while waiting:
            maker = self._origins.makers.get(waiting.pop())
            if maker is None or maker in self._origins.constant:
                continue
            if self._owner.setdefault(maker, group) != group:
                continue
            for name in self._origins.nodes[maker].inputs:
                if name and name not in seen:
                    seen.add(name)
                    number = self._origins.number(name)
                    if number not in stops and number not in self._made:
                        waiting.append(name)

    def _ends(self, names: Iterable[str]) -> set[str]:
        return {self._labels[name] for name in names if name in self._labels}

    def _region(self, members: Sequence[Kernel], nodes: Sequence[int]) -> Region:
        kernels = tuple(kernel.number for kernel in members)
        if nodes:
            several = Kind.FUSED if len(nodes) > 1 else Kind.EXACT
            return Region(Kind.GROUP if len(kernels) > 1 else several, kernels, tuple(nodes))
        ends = (name for kernel in members for name in (*kernel.outputs, *kernel.inputs))
        value = next((self._labels[name] for name in ends if name in self._labels), "")
        if all(map(is_reorder, members)):
            return Region(Kind.LAYOUT, kernels, (), value)
        copies = all(kernel.operator.startswith("Memcpy") for kernel in members)
        return Region(Kind.COPY if copies else Kind.NONE, kernels, (), value)


def _joined(
    kernels: Sequence[Kernel], pairs: Iterable[tuple[int, int]], heavy: list[bool]
) -> list[int]:
    """The group of each kernel; pairs are joined unless both groups would hold a heavy one."""
    parents = list(range(len(kernels)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for pair in pairs:
        one, other = map(root, pair)
        if one != other and not (heavy[one] and heavy[other]):
            parents[other] = one
            heavy[one] = heavy[one] or heavy[other]
    return [root(number) for number in range(len(kernels))]
