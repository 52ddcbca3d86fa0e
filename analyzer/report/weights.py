"""What the weights of layers use of their channels: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ENERGIES: Final = (0.9, 0.95, 0.99)
"""The shares of the energy, the sum of all squares, that ranks are told for."""


@dataclass(frozen=True, slots=True)
class UnfoldingReport:
    """The singular values of a kernel as a matrix: ``full`` is how many there are, ``ranks`` how
    many hold each of ENERGIES. ``side`` is ``input``, ``output``, ``spatial``, or ``matrix`` where
    both sides have the same."""

    side: str
    full: int
    ranks: tuple[int, int, int]
    effective_rank: float


@dataclass(frozen=True, slots=True)
class NarrowedReport:
    """The form of a layer that takes least of those that keep the energy: its ranks on the grid,
    the MACs of a run, the share of what the layer takes by its MACs, weights and outputs, and
    whether that is small enough to be worth anything."""

    title: str
    form: str
    ranks: tuple[int, ...]
    macs: int
    effort: float
    pays: bool


@dataclass(frozen=True, slots=True)
class KernelReport:
    """A layer, ``shape`` that of its kernel, [Cout, Cin, *k] or [N, K], with its MACs now.

    ``tucker`` are the ranks of both sides that together hold each of ENERGIES; none for kernels of
    one tap. ``narrowed`` is None where no form fits. ``why`` says why nothing is known.
    """

    label: str
    operator: str
    described: str
    shape: tuple[int, ...]
    macs: int
    unfoldings: tuple[UnfoldingReport, ...] = ()
    tucker: tuple[tuple[int, int], ...] = ()
    narrowed: NarrowedReport | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class WeightReport:
    """The layers that do most, largest first; ``more`` are not among them.

    ``energy`` is the share that the narrowed layers keep, ``target`` the device whose grid their
    ranks are on.
    """

    energy: float
    target: str
    kernels: tuple[KernelReport, ...] = ()
    more: int = 0
