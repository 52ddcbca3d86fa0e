"""How onnxruntime runs a graph: what kernels there are, and in which layout each works.

The blocked layout NCHWc holds the channels of a pixel in blocks that fill a vector. Which kernels
have it, onnxruntime/core/optimizer/nchwc_transformer.cc says; models that onnxruntime 1.31 saves
after its optimisations show the same, and that channels beside the grid may enter by fours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from onnx import TensorProto

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.layout import fits
from archlint.analyzer.patterns import ConvSizes, conv_sizes
from archlint.analyzer.timing.prediction.fusions import Fusions

_UNARY = frozenset({"Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "BatchNormalization"})
_POOLS = frozenset({"MaxPool", "AveragePool"})
_GLOBAL_POOLS = frozenset({"GlobalAveragePool", "GlobalMaxPool"})
_MEETING = frozenset({"Add", "Mul", "Sum", "Concat"})
_ALIGNED = 4  # channels that enter the layout are a multiple of this


@dataclass(frozen=True, slots=True)
class Lowered:
    """How a graph is run, by the ids of its nodes.

    ``within`` leads from a node without a kernel of its own to the one whose kernel does its work,
    or to itself where nothing is left of it. ``blocked`` nodes work in the blocked layout;
    ``enters`` and ``leaves`` are the values that are brought into it and out of it for a node.
    """

    within: Mapping[int, int]
    blocked: frozenset[int]
    enters: Mapping[int, tuple[str, ...]]
    leaves: Mapping[int, tuple[str, ...]]


def lower(graph: Graph, block: int) -> Lowered:
    """How onnxruntime runs a graph where the blocked layout has blocks of so many channels; 0 where
    there is none."""
    lowering = _Lowering(graph, block)
    for node in graph.operators():
        lowering.visit(node)
    return lowering.finished()


def is_blocked(sizes: ConvSizes, block: int) -> bool:
    """Whether a convolution of 32-bit floats works in the blocked layout."""
    return len(sizes.kernel) == 2 and block > 0 and fits(sizes, block, _ALIGNED)


class _Lowering:
    def __init__(self, graph: Graph, block: int) -> None:
        self._graph = graph
        self._block = block
        self._fusions = Fusions(graph)
        self._nodes: set[int] = set()
        self._values: set[str] = set()  # that their kernels make in the layout
        self._entered: set[str] = set()
        self._left: set[str] = set()
        self._enters: dict[int, list[str]] = {}
        self._leaves: dict[int, list[str]] = {}

    def finished(self) -> Lowered:
        """What was found; outputs of the graph are plain."""
        for name in self._graph.outputs:
            if name in self._values and (maker := self._fusions.maker(name)) is not None:
                self._plain(maker, [name])
        return Lowered(
            self._fusions.within,
            frozenset(self._nodes),
            {node: tuple(names) for node, names in self._enters.items()},
            {node: tuple(names) for node, names in self._leaves.items()},
        )

    def visit(self, node: Node) -> None:
        """Decide how a node runs, after those before it."""
        if node.domain == "" and node.id not in self._fusions.within:
            source = self._fusions.source(node, self._values)
            if source is not None:
                if source in self._values:
                    self._values.add(node.output(0))
                return
            if node.op_type in ("Conv", "Gemm", "MatMul"):
                self._fusions.begin(node)
            if self._block and self._stays(node):
                return
        self._plain(node, filter(None, (*node.inputs, *node.captured)))

    def _stays(self, node: Node) -> bool:
        """Run the node in the layout, where onnxruntime does."""
        kind, data = node.op_type, [name for name in node.inputs if name]
        if not data or not self._is_map(data[0]):
            return False
        if kind == "Conv":
            return self._convolves(node)
        inside = data[0] in self._values
        if kind in _POOLS:
            fits = len(node.outputs) == 1 and self._on_grid(data[0])
        elif kind in _GLOBAL_POOLS:
            fits = self._on_grid(data[0]) and (inside or data[0] in self._graph.inputs)
        elif kind in _MEETING:
            fits = inside and self._meet(node, data)
        else:
            fits = inside and (kind in _UNARY or _is_upsampling(node))
        if fits:
            self._run_blocked(node, data if kind in _MEETING else data[:1])
        if fits and (kind == "BatchNormalization" or self._is_scaled(node)):
            self._fusions.begin_depthwise(node)
        return fits

    def _meet(self, node: Node, data: list[str]) -> bool:
        """Whether a node may take several inputs in the layout, of which the first is in it."""
        if self._is_scaled(node):
            return True
        if not all(name in self._values for name in data):
            return False
        if node.op_type == "Concat":
            return node.attributes.get("axis") == 1 and all(map(self._on_grid, data))
        shape = self._graph.value(data[0]).static_shape
        others = [self._graph.value(name).static_shape for name in data[1:]]
        return shape is not None and all(other == shape for other in others)

    def _is_scaled(self, node: Node) -> bool:
        """Whether a node multiplies each channel by a constant."""
        factor = self._graph.value(node.input(1))
        shape = factor.static_shape
        scales = node.op_type == "Mul" and factor.constant
        return scales and shape is not None and prod(shape) > 1

    def _convolves(self, node: Node) -> bool:
        sizes = conv_sizes(self._graph, node)
        if sizes is None or not is_blocked(sizes, self._block):
            return False
        if sizes.groups == 1 and sizes.in_channels < self._block:  # it reads plain maps
            self._plain(node, node.inputs[:1])
            self._run_blocked(node, [])
        else:
            self._run_blocked(node, node.inputs[:1])
        return True

    def _run_blocked(self, node: Node, data: Iterable[str]) -> None:
        self._nodes.add(node.id)
        self._values.add(node.output(0))
        for name in data:
            inside = name in self._values or name in self._entered
            if not inside and not self._graph.value(name).constant:
                self._entered.add(name)
                self._enters.setdefault(node.id, []).append(name)

    def _plain(self, node: Node, names: Iterable[str]) -> None:
        """The node needs values in ONNX's own layout."""
        for name in names:
            if name in self._values and name not in self._left:
                self._left.add(name)
                self._leaves.setdefault(node.id, []).append(name)

    def _is_map(self, name: str) -> bool:
        value = self._graph.value(name)
        return value.dtype == TensorProto.FLOAT and len(value.shape or ()) == 4

    def _on_grid(self, name: str) -> bool:
        shape = self._graph.value(name).static_shape
        return shape is not None and len(shape) == 4 and shape[1] % self._block == 0


def _is_upsampling(node: Node) -> bool:
    """Whether a resize is one that has a kernel in the layout."""
    if node.op_type not in ("Resize", "Upsample"):
        return False
    if node.attributes.get("mode", "nearest") == "linear" or node.op_type == "Upsample":
        return True
    rounds = node.attributes.get("nearest_mode", "round_prefer_floor")
    where = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    return (rounds, where) == ("floor", "asymmetric")
