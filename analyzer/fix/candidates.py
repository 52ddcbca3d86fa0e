"""What each layer could be instead, with what that saves and the error that it brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.constants import Constants
from archlint.analyzer.cost import CostTable
from archlint.analyzer.factor.effort import form_effort, layer_effort
from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.layers import Layer, layer_of
from archlint.analyzer.factor.moments import weighted
from archlint.analyzer.factor.proposals import options
from archlint.analyzer.factor.spectrum import Spectrum, spectrum_of
from archlint.analyzer.factor.unfoldings import Unfolding, unfolded
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.passes import MACS_A_PASS
from archlint.analyzer.proof.moments import Moment, Wanted

_DEAR_OPERATORS: Final = frozenset({"LRN", "LogSoftmax", "Softmax"})
_DEAR: Final = 1_000
"""MACs of a convolution that take as long as an element of these: with onnxruntime 1.31 on one core
23 ns of a Softmax over a short axis (YOLOv8n, 134,400 elements), where a nanosecond is 45 MACs."""
_WORTHWHILE: Final = 0.97  # of a layer's effort, above which an option is none
_SHRINKAGE: Final = 0.05
"""The share of the mean variance in the second moments of a few samples (Ledoit and Wolf, A
well-conditioned estimator for large-dimensional covariance matrices, 2004). Without it the error of
YOLOv8n (nudenet 3.4, at two thirds of its MACs) on a picture that was not among the four samples
was 0.056, with it 0.039."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is known of the data of a layer: the second moment of what it reads, that of what it
    makes about its mean, and this mean."""

    inputs: NDArray[np.float64] | None = None
    outputs: NDArray[np.float64] | None = None
    mean: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form of a layer: the MACs that it saves, its effort saved (see ``effort``), and the
    relative error of the layer."""

    layer: Layer
    form: Form
    ranks: tuple[int, ...]
    macs: int
    effort: float
    error: float


def layers_of(graph: Graph) -> tuple[Layer, ...]:
    """The layers of a graph that have other forms, each with a weight that no other node reads."""
    found = (layer_of(graph, node) for node in graph.operators())
    return tuple(
        layer
        for layer in found
        if layer is not None and len(graph.consumers(layer.node.input(1))) == 1
    )


def wanted(layers: Sequence[Layer]) -> list[Wanted]:
    """The values whose moments say what the layers are fed with, and make."""
    axes: dict[str, int] = {}
    for layer in layers:
        axis = 1 if layer.conv is not None else -1
        for name in (layer.node.input(0), layer.node.output(0)):
            axes.setdefault(name, axis)
    return [Wanted(name, axis) for name, axis in axes.items()]


def moments_of(layer: Layer, known: Mapping[str, Moment]) -> Moments:
    """What is known of the data of a layer, shrunk towards equal and unrelated channels."""
    read, made = known.get(layer.node.input(0)), known.get(layer.node.output(0))
    if read is None or made is None or len(read.second) != layer.shape[1]:
        return Moments()
    spread = made.second - np.outer(made.mean, made.mean)
    return Moments(_shrunk(read.second), _shrunk(spread), made.mean)


def _shrunk(second: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = float(np.trace(second)) / len(second)
    return (1 - _SHRINKAGE) * second + _SHRINKAGE * mean * np.eye(len(second))


class Measured:
    """A layer with the spectra of its weights, seen by the data where moments are known."""

    def __init__(
        self, graph: Graph, layer: Layer, constants: Constants, moments: Moments, grid: int
    ) -> None:
        self.layer = layer
        self.moments = moments
        self._graph = graph
        self._constants = constants
        self._grid = grid

    def candidates(self) -> list[Candidate]:
        """Its forms that save MACs and effort, each with its relative error."""
        rows = _rows(self.layer)
        whole = layer_effort(self.layer, rows, self._grid)
        found = []
        for form, ranks in options(self._graph, self.layer.node):
            left = form_effort(self.layer, form, ranks, rows, self._grid)
            if left <= _WORTHWHILE * whole:
                macs = rows * (self.layer.whole_macs - self.layer.macs(form, ranks))
                error = self._error(form, ranks)
                found.append(Candidate(self.layer, form, ranks, macs, whole - left, error))
        return found

    def _error(self, form: Form, ranks: tuple[int, ...]) -> float:
        """The least error of a form with these ranks; of ``TUCKER`` a bound from above: its two
        sides are cut one after the other (De Lathauwer et al. 2000)."""
        if form is Form.SPATIAL:
            return self._spatial.error(ranks[0])
        if form is Form.TUCKER:
            return sqrt(self._inputs.error(ranks[0]) ** 2 + self._responses(ranks[1]) ** 2)
        if form is Form.OUTPUT or (form is Form.MATRIX and self.moments.outputs is not None):
            return self._responses(ranks[0])
        return self._inputs.error(ranks[0])

    @cached_property
    def _kernel(self) -> NDArray[Any]:
        kernel = self.layer.weights(self._constants)[0]
        return weighted(kernel, self.moments.inputs)

    @cached_property
    def _inputs(self) -> Spectrum:
        return spectrum_of(unfolded(self._kernel, Unfolding.INPUT))

    @cached_property
    def _spatial(self) -> Spectrum:
        return spectrum_of(unfolded(self._kernel, Unfolding.SPATIAL))

    @cached_property
    def _outputs(self) -> Spectrum:
        second = self.moments.outputs
        if second is None:
            return spectrum_of(unfolded(self._kernel, Unfolding.OUTPUT))
        return Spectrum(np.linalg.eigvalsh(second)[::-1].clip(0))

    def _responses(self, rank: int) -> float:
        """The error of responses that keep so many directions; their mean is kept."""
        error, mean, second = self._outputs.error(rank), self.moments.mean, self.moments.outputs
        if mean is None or second is None:
            return error
        spread = float(np.trace(second))
        size = spread + float(mean @ mean)
        return error * sqrt(spread / size) if size else 0.0


def _rows(layer: Layer) -> int:
    """Images of a batch, or rows of a matrix."""
    dims = layer.dims[:1] if layer.conv is not None else layer.dims[:-1]
    return prod(dim for dim in dims if isinstance(dim, int))


def whole_effort(costs: CostTable, grid: int) -> float:
    """What a whole model takes: its layers, and a pass for what every other operator writes beside
    the MACs that it does."""
    layers = {layer.node.id: layer for layer in layers_of(costs.graph)}
    return sum(
        layer_effort(layers[node.id], _rows(layers[node.id]), grid)
        if node.id in layers
        else _other(costs, node)
        for node in costs.graph.operators()
    )


def _other(costs: CostTable, node: Node) -> float:
    cost = costs.cost(node)
    if cost is None:
        return 0.0
    written = sum(_elements(costs.graph, node)) if cost.bytes_written else 0
    return float(cost.macs + (_DEAR if node.op_type in _DEAR_OPERATORS else MACS_A_PASS) * written)


def _elements(graph: Graph, node: Node) -> Iterator[int]:
    for name in node.outputs:
        elements = graph.value(name).elements
        yield elements if isinstance(elements, int) else 0
