"""The rows of a table of times: by node, by operator or by module scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.choices import By, TimeKey
from archlint.analyzer.cost import Cost
from archlint.analyzer.cost.base import total
from archlint.analyzer.timing.nodes.latency import Latency, NodeTime, Profile, Shares, shares

ADDED = "(added by onnxruntime)"  # the scope of kernels that stand for no node
_OPERATORS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Timed:
    """A model with what it takes on each provider that could run it."""

    model: Analysis
    latencies: tuple[Latency, ...]


@dataclass(frozen=True, slots=True)
class TimeRow:
    """Kernels that are told together, with their nodes.

    ``time`` is in nanoseconds of a run, ``time_share`` of the time of all kernels. The cost is of
    the nodes whose cost is known, ``unknown`` are the others; ``shares`` are None where one is, and
    where there are no nodes.
    """

    name: str
    operator: str
    parts: tuple[NodeTime, ...]
    time: float
    time_share: float
    cost: Cost
    unknown: int
    shares: Shares | None

    @property
    def kernels(self) -> int:
        """How many kernels it has."""
        return sum(len(part.kernels) for part in self.parts)

    @property
    def macs_per_second(self) -> float | None:
        """MACs a second; None where their number is unknown."""
        return self._rate(self.cost.macs)

    @property
    def bytes_per_second(self) -> float | None:
        """Bytes of the static cost a second; None where their number is unknown."""
        return self._rate(self.cost.bytes)

    def _rate(self, count: int) -> float | None:
        return 1e9 * count / self.time if self.shares is not None and self.time else None


_KEYS: dict[TimeKey, Callable[[TimeRow], float]] = {
    TimeKey.TIME: lambda row: row.time,
    TimeKey.MACS: lambda row: row.cost.macs,
    TimeKey.BYTES: lambda row: row.cost.bytes,
    TimeKey.EXCESS: lambda row: row.shares.excess if row.shares and row.time else 0.0,
}


def rows(
    profile: Profile, by: By, sort: TimeKey, top: int | None = None, depth: int | None = None
) -> list[TimeRow]:
    """The rows of a profile's table; ``depth`` cuts module scopes to that many parts."""
    found = by_node(profile) if by is By.NODE else _grouped(profile, by, depth)
    if sort is not TimeKey.GRAPH:
        found.sort(key=_KEYS[sort], reverse=True)
    return found[:top]


def by_node(profile: Profile) -> list[TimeRow]:
    """A row for each set of nodes that kernels stand for, and for what onnxruntime added."""
    return [_row(part.label, _operators(part), (part,), profile) for part in profile.nodes]


def _grouped(profile: Profile, by: By, depth: int | None) -> list[TimeRow]:
    groups: dict[str, list[NodeTime]] = {}
    for part in profile.nodes:
        scope = ".".join(part.scope[:depth]) if part.nodes else ADDED
        key = _added(part) if by is By.OP else scope
        groups.setdefault(key, []).append(part)
    return [_row(name, "", parts, profile) for name, parts in groups.items()]


def _row(name: str, operator: str, parts: Sequence[NodeTime], profile: Profile) -> TimeRow:
    time = sum(part.time for part in parts)
    cost = total(part.cost for part in parts if part.cost is not None)
    unknown = sum(part.cost is None for part in parts if part.nodes)
    stands_for_nodes = any(part.nodes for part in parts)
    known = shares(time, cost, profile) if stands_for_nodes and not unknown else None
    share = time / profile.time if profile.time else 0.0
    return TimeRow(name, operator, tuple(parts), time, share, cost, unknown, known)


def _added(part: NodeTime) -> str:
    """The operator; of a kernel for which there is no node it is onnxruntime's."""
    return part.operator if part.nodes else f"{part.operator} {ADDED}"


def _operators(part: NodeTime) -> str:
    """The operator of the leading node, then those that share its kernels."""
    others = dict.fromkeys(op for _, op in part.nodes if op != part.operator)
    shown = "+".join([_added(part), *others][:_OPERATORS_SHOWN])
    return f"{shown}+…" if len(others) >= _OPERATORS_SHOWN else shown
