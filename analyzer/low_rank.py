"""How narrow the layers of a graph could be by the spectra of their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from numpy.typing import NDArray
from onnx import TensorProto

from archlint.analyzer.constants import constants_of
from archlint.analyzer.cost import CostTable
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.factor.effort import form_effort, layer_effort
from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.layers import Layer, layer_of
from archlint.analyzer.factor.spectrum import Spectrum, spectrum_of
from archlint.analyzer.factor.unfoldings import Unfolding, spectra
from archlint.analyzer.graph import Graph, Value, per_graph
from archlint.analyzer.targets import Target

ENERGY: Final = 0.9  # that is kept unless another share is asked for
_WORTHWHILE: Final = 0.97  # of a layer's effort, above which a form saves nothing

_MOST_BYTES = 1 << 28  # of weights that are made, which are not read in blocks
_MATRIX = 2  # axes of the kernel of a product
_UNFOLDINGS = {Form.OUTPUT: Unfolding.OUTPUT, Form.SPATIAL: Unfolding.SPATIAL}


@dataclass(frozen=True, slots=True)
class LayerSpectra:
    """The spectra of a layer's weights by unfolding, or why there are none."""

    of: Mapping[Unfolding, Spectrum] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A form of a layer that keeps a share of the energy of its weights, with the MACs of a run and
    the share of the layer's effort that it takes (see ``effort``)."""

    form: Form
    ranks: tuple[int, ...]
    macs: int
    effort: float

    @property
    def pays(self) -> bool:
        """Whether it takes less than the layer, by more than is worth nothing."""
        return self.effort <= _WORTHWHILE

    def sides(self, known: Mapping[Unfolding, Spectrum]) -> Iterator[tuple[Unfolding, int]]:
        """The unfoldings that it narrows, each with its rank."""
        return zip(_sides(self.form, known), self.ranks, strict=True)


def counted_layers(costs: CostTable) -> Iterator[tuple[Layer, int]]:
    """The layers of a graph that have other forms, each with the MACs of a run."""
    for node in costs.graph.operators():
        cost = costs.cost(node)
        layer = layer_of(costs.graph, node) if cost is not None and cost.macs else None
        if layer is not None and cost is not None:
            yield layer, cost.macs


def spectra_of(graph: Graph, layer: Layer) -> LayerSpectra:
    """The spectra of a layer's weights, which are read once, and not kept.

    A kernel of one tap and a matrix have one, which stands under ``INPUT``.
    """
    name, known = _stored(graph, layer), _known(graph)
    key = name, layer.shape
    if key not in known:
        known[key] = _read(graph, layer, name)
    return known[key]


@per_graph
def _known(_graph: Graph) -> dict[tuple[str, tuple[int, ...]], LayerSpectra]:
    return {}


def _stored(graph: Graph, layer: Layer) -> str:
    """The name of its weight, before it is transposed: a matrix then has the same spectrum."""
    name = layer.node.input(1)
    while len(layer.shape) == _MATRIX and (maker := graph.producer(name)) is not None:
        if maker.operator not in ("Identity", "Transpose"):
            break
        name = maker.input(0)
    return name


def _read(graph: Graph, layer: Layer, name: str) -> LayerSpectra:
    constants, maker = constants_of(graph), graph.producer(name)
    if constants is None:
        return LayerSpectra(why="the weights are not those of a file")
    if maker is not None and maker.op_type == "ConstantOfShape":
        return LayerSpectra(why="the weights are one number over and over")
    is_stored = maker is None or maker.op_type == "Constant"
    if not (is_stored or _is_small(graph.value(name))):
        return LayerSpectra(why="the weights are made of others, and are too many for that")
    try:
        weight: NDArray[Any] = constants(name)
        if len(layer.shape) == _MATRIX:
            return LayerSpectra({Unfolding.INPUT: spectrum_of(weight)})
        return LayerSpectra(spectra(weight))
    except ModelReadError as error:
        return LayerSpectra(why=error.why)
    except ValueError as error:
        return LayerSpectra(why=str(error))


def _is_small(made: Value) -> bool:
    """Whether what nodes make of other constants may be held as a whole."""
    elements = made.elements
    return isinstance(elements, int) and (made.bytes_of(elements) or 0) <= _MOST_BYTES


def narrowest(
    layer: Layer, macs: int, known: Mapping[Unfolding, Spectrum], energy: float, target: Target
) -> Narrowed | None:
    """The form that takes least of those that keep a share of the energy, their ranks multiples of
    what a target computes at once; None where none fits. ``macs`` are the layer's of a run."""
    grid = grid_of(target, layer.dtype)
    rows = macs // layer.whole_macs
    whole = layer_effort(layer, rows, grid)
    found = [
        Narrowed(form, ranks, rows * layer.macs(form, ranks),
                 form_effort(layer, form, ranks, rows, grid) / whole)
        for form in layer.forms
        if (ranks := _widths(form, known, energy, grid)) is not None
    ]  # fmt: skip
    return min(found, key=lambda one: (one.effort, one.macs), default=None)


def tucker_ranks(known: Mapping[Unfolding, Spectrum], energy: float) -> tuple[int, int] | None:
    """The ranks of ``TUCKER`` that keep this share, each side half of what may be lost: the losses
    of the sides add up at most (De Lathauwer et al. 2000). None for a kernel of one tap."""
    if Unfolding.OUTPUT not in known:  # of one tap, or not read
        return None
    each = (1 + energy) / 2
    return known[Unfolding.INPUT].rank(each), known[Unfolding.OUTPUT].rank(each)


def grid_of(target: Target, dtype: int) -> int:
    """The multiple of channels that a target computes at once; where it has no kernels for a data
    type, that for the one which it must be brought to."""
    if target.block > 1:
        return target.block
    name = TensorProto.DataType.Name(dtype).lower()
    name = {"float": "float32"}.get(name, name)
    if name not in target.grid and target.fast_types and name not in target.fast_types:
        name = target.fast_types[0]
    return target.grid.get(name, 1)


def _widths(
    form: Form, known: Mapping[Unfolding, Spectrum], energy: float, grid: int
) -> tuple[int, ...] | None:
    """The least multiples of the grid at which a form keeps the energy; None where a side has no
    spectrum."""
    sides = _sides(form, known)
    if any(side not in known for side in sides):
        return None
    each = energy if len(sides) == 1 else (1 + energy) / 2
    return tuple(known[side].width(each, grid) for side in sides)


def _sides(form: Form, known: Mapping[Unfolding, Spectrum]) -> tuple[Unfolding, ...]:
    """The unfoldings that a form narrows; of one tap both sides have the same spectrum."""
    if len(known) == 1:
        return (Unfolding.INPUT,)
    if form is Form.TUCKER:
        return Unfolding.INPUT, Unfolding.OUTPUT
    return (_UNFOLDINGS.get(form, Unfolding.INPUT),)
