"""From the layers of a graph and their weights to the plain report of what these use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from math import prod
from typing import Final

from archlint.analyzer import low_rank
from archlint.analyzer.cost import CostTable
from archlint.analyzer.describe import describe
from archlint.analyzer.factor.layers import Layer
from archlint.analyzer.factor.spectrum import Spectrum
from archlint.analyzer.factor.titles import title_of
from archlint.analyzer.factor.unfoldings import Unfolding
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.report.weights import (
    ENERGIES,
    KernelReport,
    NarrowedReport,
    UnfoldingReport,
    WeightReport,
)
from archlint.analyzer.targets import Target
from archlint.analyzer.text import safe

MOST: Final = 40  # layers that are told
_SHARE: Final = 0.01  # of the MACs from which a layer is told
_LABEL = 40  # columns of a name that progress shows

Told = Callable[[str], None]


def weigh(costs: CostTable, progress: Told) -> None:
    """Read the weights of the layers that do most: who asks for their spectra does not wait."""
    _read(costs.graph, _chosen(costs, ())[:MOST], progress)


def weight_report(
    costs: CostTable, flagged: Iterable[Node], energy: float, target: Target, progress: Told
) -> WeightReport:
    """What the weights use of the layers that do a hundredth of the MACs or more, and of the k×k
    that are ``flagged``; ``progress`` is told which are read."""
    chosen = _chosen(costs, {node.id for node in flagged})
    shown = chosen[:MOST]
    _read(costs.graph, shown, progress)
    kernels = [_kernel(costs.graph, layer, macs, energy, target) for layer, macs in shown]
    return WeightReport(energy, target.name, tuple(kernels), len(chosen) - len(shown))


def _chosen(costs: CostTable, flagged: Collection[int]) -> list[tuple[Layer, int]]:
    """The layers that are told, those that do most first."""
    least = _SHARE * costs.total().macs
    found = [
        (layer, macs)
        for layer, macs in low_rank.counted_layers(costs)
        if macs >= least or (layer.node.id in flagged and prod(layer.shape[2:]) > 1)
    ]
    return sorted(found, key=lambda one: (-one[1], one[0].node.id))


def _read(graph: Graph, layers: Sequence[tuple[Layer, int]], progress: Told) -> None:
    for place, (layer, _) in enumerate(layers, start=1):
        progress(f"weights {place} of {len(layers)}: {safe(layer.node.label, _LABEL)}")
        low_rank.spectra_of(graph, layer)


def _kernel(graph: Graph, layer: Layer, macs: int, energy: float, target: Target) -> KernelReport:
    spectra = low_rank.spectra_of(graph, layer)
    narrowed = low_rank.narrowest(layer, macs, spectra.of, energy, target)
    pairs = (low_rank.tucker_ranks(spectra.of, share) for share in ENERGIES)
    return KernelReport(
        layer.node.label,
        layer.node.operator,
        describe(graph, layer.node),
        layer.shape,
        macs,
        tuple(_unfolding(side, one, len(spectra.of)) for side, one in spectra.of.items()),
        tuple(pair for pair in pairs if pair is not None),
        None if narrowed is None else _narrowed(layer, narrowed),
        spectra.why,
    )


def _unfolding(side: Unfolding, spectrum: Spectrum, count: int) -> UnfoldingReport:
    first, second, third = (spectrum.rank(share) for share in ENERGIES)
    return UnfoldingReport(
        str(side) if count > 1 else "matrix",
        spectrum.full,
        (first, second, third),
        spectrum.effective_rank,
    )


def _narrowed(layer: Layer, one: low_rank.Narrowed) -> NarrowedReport:
    title = title_of(layer, one.form, one.ranks)
    return NarrowedReport(title, str(one.form), one.ranks, one.macs, one.effort, one.pays)
