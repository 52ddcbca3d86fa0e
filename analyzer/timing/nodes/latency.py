"""What a model takes on a provider: all of it, and its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archlint.analyzer.cost import Cost
from archlint.analyzer.cost.base import total
from archlint.analyzer.timing.attribution.regions import Kind
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.statistics import Clock, Interval

_NOTABLE = 0.02  # of the time of all kernels
_LEAST = 10_000  # nanoseconds, below which what profiling adds hides what a kernel takes
_EXCESS = 2.0  # times the larger of the shares of MACs and of bytes


@dataclass(frozen=True, slots=True)
class KernelTime:
    """A kernel that ran, and the nanoseconds of a run that it took, without those of its bodies."""

    name: str
    operator: str
    provider: str
    time: float


@dataclass(frozen=True, slots=True)
class NodeTime:
    """Kernels and the nodes that they stand for, which no clock can part.

    ``label``, ``operator`` and ``scope`` are those of the node that costs most; of kernels that
    onnxruntime added they are what the kernels work on, and ``nodes`` is empty. The cost is of all
    nodes, None where one is unknown. ``ids`` are those of the nodes of the whole graph that these
    are, or whose bodies they are in, that of the leading one first.
    """

    label: str
    operator: str
    scope: tuple[str, ...]
    kind: Kind
    kernels: tuple[KernelTime, ...]
    nodes: tuple[tuple[str, str], ...]  # label and operator of each
    cost: Cost | None
    ids: tuple[int, ...] = ()

    @property
    def time(self) -> float:
        """Nanoseconds of a run."""
        return sum(kernel.time for kernel in self.kernels)


@dataclass(frozen=True, slots=True)
class Spread:
    """Nanoseconds of the runs that count: their median with its interval, and their tenths."""

    median: float
    interval: Interval
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Profile:
    """What profiled runs told of kernels: nanoseconds of wall time.

    ``runs`` are those that count; of their time, which was ``took`` in the median, the process had
    ``cores``. They are ``disturbed`` if other programs interrupted all, or nearly all. Profiling
    lengthens a run by ``overhead`` nanoseconds a kernel, which are taken off the times of nodes.
    ``idle`` are labels of nodes whose kernels did not run, ``removed`` those of nodes that no
    kernel stands for. ``lacking`` says why the optimised model is unknown, if it is: then kernels
    are known by their names alone.
    """

    runs: int
    took: float
    cores: float
    disturbed: bool
    overhead: float
    nodes: tuple[NodeTime, ...]
    idle: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lacking: str = ""

    @cached_property
    def time(self) -> float:
        """Nanoseconds of all kernels."""
        return sum(node.time for node in self.nodes)

    @cached_property
    def cost(self) -> Cost:
        """What is known of the cost of the nodes that ran."""
        return total(node.cost for node in self.nodes if node.cost is not None)

    def share(self, *kinds: Kind) -> float:
        """Share of the time of all kernels that those of some kinds took."""
        part = sum(node.time for node in self.nodes if node.kind in kinds)
        return part / self.time if self.time else 0.0


@dataclass(frozen=True, slots=True)
class Latency:
    """What a run takes on a provider: unprofiled runs, and apart from them what kernels do.

    ``wall`` is the median of wall time; ``cores`` is how much CPU time the process had of it.
    ``kernels`` are how many each provider ran, ``copies`` those of them that only copy between
    devices. ``profile`` is None where ``why`` says why nodes have no times.
    """

    provider: Provider
    threads: int
    clock: Clock
    runtime: str
    spread: Spread
    runs: int
    disturbed: int
    wall: float
    cores: float
    kernels: Mapping[str, int]
    copies: int
    synthetic: bool
    profile: Profile | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shares:
    """What a part that takes so many ``nanoseconds`` has of the whole: of the time of all kernels,
    of all MACs, of all bytes."""

    nanoseconds: float
    time: float
    macs: float
    bytes: float

    @property
    def excess(self) -> float:
        """How many times the larger of the shares of MACs and bytes that of time is."""
        due = max(self.macs, self.bytes)
        return self.time / due if due else float("inf")

    @property
    def out_of_proportion(self) -> bool:
        """Whether it is notable and takes a multiple of what MACs and bytes let one expect."""
        notable = self.nanoseconds >= _LEAST and self.time >= _NOTABLE
        return notable and self.excess >= _EXCESS


def shares(time: float, cost: Cost, profile: Profile) -> Shares:
    """What a part of a profile has of it."""
    whole = profile.cost
    return Shares(
        time,
        time / profile.time if profile.time else 0.0,
        cost.macs / whole.macs if whole.macs else 0.0,
        cost.bytes / whole.bytes if whole.bytes else 0.0,
    )
