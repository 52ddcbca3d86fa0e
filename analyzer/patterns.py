"""What rules ask of a graph: a convolution's sizes, what feeds it, which nodes are activations."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.geometry import window
from archlint.analyzer.graph import Data, Graph, Node, Value, per_graph

ACTIVATIONS = frozenset({
    "Relu", "LeakyRelu", "PRelu", "Clip", "Elu", "Selu", "Celu", "HardSwish", "HardSigmoid", "Gelu",
    "Mish", "Softplus", "Softsign", "Sigmoid", "Tanh", "ThresholdedRelu",
})  # fmt: skip
# One input of data, the same channels at the same places.
_POINTWISE = ACTIVATIONS | {
    "BatchNormalization", "Identity", "Dropout", "Cast", "Pad", "Split", "QuantizeLinear",
    "DequantizeLinear", "InstanceNormalization", "GroupNormalization", "LRN", "Erf", "Exp", "Neg",
    "Abs", "Sqrt",
}  # fmt: skip
_BINARY = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"})
_Axes = tuple[int, ...]
_Numbers = tuple[int, int, int, _Axes, _Axes, _Axes, _Axes, _Axes, _Axes]  # of ConvSizes
_BLOCK_DEPTH = 32  # nodes from a convolution to the addition that ends its block
GATE_DEPTH = 12  # steps from a product back to where its gate branched off; GELU takes 5


@dataclass(frozen=True, slots=True)
class ConvSizes:
    """A convolution with all sizes known; ``pads`` are begins, then ends."""

    node: Node
    in_channels: int
    out_channels: int
    groups: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    in_map: tuple[int, ...]
    out_map: tuple[int, ...]
    bias: bool

    @property
    def taps(self) -> int:
        """Elements of the kernel: k² of a square 2-D one."""
        return prod(self.kernel)

    @property
    def is_pointwise(self) -> bool:
        """Whether the kernel is 1×1 (1 in any number of axes) and mixes all channels."""
        return self.taps == 1 and self.groups == 1

    @property
    def square(self) -> int | None:
        """The side of a 2-D square kernel; None for another."""
        same = len(self.kernel) == 2 and self.kernel[0] == self.kernel[1]
        return self.kernel[0] if same else None


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation as it can be written again.

    ``Silu`` stands for x·sigmoid(x), a ``HardSwish`` with slopes for x·HardSigmoid(x).
    """

    op_type: str
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    bounds: tuple[float | None, ...] = ()

    def write(self, builder: GraphBuilder, x: str, output: str | None = None) -> str:
        """Add it to a graph."""
        if self.op_type == "Silu":
            return builder.node("Mul", x, builder.node("Sigmoid", x), output=output)
        if self.op_type == "HardSwish" and self.attributes:
            gate = builder.node("HardSigmoid", x, **self.attributes)
            return builder.node("Mul", x, gate, output=output)
        if self.op_type == "PRelu":
            axes = (1,) * int(self.attributes.get("axes", 2))
            slope = builder.weight("slope", (builder.channels(x), *axes))
            return builder.node("PRelu", x, slope, output=output)
        inputs = [
            "" if bound is None else builder.constant("bound", float(bound))
            for bound in self.bounds
        ]
        return builder.node(self.op_type, x, *inputs, output=output, **self.attributes)


def conv_sizes(graph: Graph, node: Node) -> ConvSizes | None:
    """The sizes of a convolution with weights of its own; None for anything else."""
    return _all_sizes(graph).get(node.id)


@per_graph
def _all_sizes(graph: Graph) -> Mapping[int, ConvSizes]:
    alike: dict[Hashable, _Numbers | None] = {}
    found: dict[int, ConvSizes] = {}
    for node in graph.nodes:
        if node.op_type != "Conv" or node.domain:
            continue
        x, w = graph.value(node.input(0)), graph.value(node.input(1))
        y = graph.value(node.output(0))
        key = id(node.attributes), x.shape, w.shape, y.shape, w.constant
        if key not in alike:
            alike[key] = _numbers(node, x, w, y)
        if (numbers := alike[key]) is not None:
            found[node.id] = ConvSizes(node, *numbers, bool(node.input(2)))
    return found


def _numbers(node: Node, data: Value, weight: Value, made: Value) -> _Numbers | None:
    """The sizes of a convolution but for its bias."""
    x, w, y = data.static_shape, weight.static_shape, made.static_shape
    if x is None or w is None or y is None or not weight.constant:
        return None
    slide = window(node.attributes, x[2:], w[2:])
    if slide.pads is None:
        return None
    return (
        x[1], w[0], int(node.attributes.get("group", 1)), slide.kernel, slide.strides,
        slide.dilations, slide.pads, x[2:], y[2:],
    )  # fmt: skip


@per_graph
def convolutions(graph: Graph) -> Sequence[ConvSizes]:
    """The convolutions that run at every inference and whose sizes are known, in topological
    order."""
    sizes = _all_sizes(graph)
    return tuple(sizes[node.id] for node in graph.operators() if node.id in sizes)


@dataclass(frozen=True, slots=True)
class Branches:
    """Which values flow into which through operators that work on each element by itself.

    ``sources`` lead from a value one step back, ``convs`` to the convolution at the end of such a
    chain; ``reduced`` are the convolutions behind a 1×1 with nothing but such chains and other
    convolutions in between.
    """

    sources: Mapping[str, str]
    convs: Mapping[str, Node]
    reduced: frozenset[int]

    def feeder(self, node: Node) -> Node | None:
        """The convolution that feeds a node directly or through pointwise operators alone."""
        return self.convs.get(node.input(0))


@per_graph
def branches(graph: Graph) -> Branches:
    """The branches of a graph, in one pass over its nodes."""
    sources: dict[str, str] = {}
    convs: dict[str, Node] = {}
    reduced: set[int] = set()
    for node in graph.nodes:
        if node.domain or not node.outputs:
            continue
        if node.op_type == "Conv":
            feeder = convs.get(node.input(0))
            if feeder is not None and (feeder.id in reduced or _is_pointwise(graph, feeder)):
                reduced.add(node.id)
            convs[node.output(0)] = node
        elif (source := _source(graph, node, sources)) is not None:
            for name in node.outputs:
                sources[name] = source
                if source in convs:
                    convs[name] = convs[source]
    return Branches(sources, convs, frozenset(reduced))


def _is_pointwise(graph: Graph, node: Node) -> bool:
    sizes = conv_sizes(graph, node)
    return sizes is not None and sizes.is_pointwise


def _source(graph: Graph, node: Node, sources: Mapping[str, str]) -> str | None:
    """The value that a node works on element by element.

    x·sigmoid(x) and the like count: both operands come from one value.
    """
    if node.op_type in _POINTWISE:
        return node.input(0)
    if node.op_type not in _BINARY:
        return None
    data = [name for name in node.inputs if name and not graph.value(name).constant]
    if len(data) == 1:
        return data[0]
    return _meeting(sources, *data) if len(data) == 2 else None


def _meeting(sources: Mapping[str, str], left: str, right: str) -> str | None:
    chain = set(_chain(left, sources))
    return next((value for value in _chain(right, sources) if value in chain), None)


def _chain(value: str, sources: Mapping[str, str]) -> Iterator[str]:
    at: str | None = value
    for _ in range(GATE_DEPTH):
        if at is None:
            return
        yield at
        at = sources.get(at)


def in_reduced_branch(graph: Graph, node: Node) -> bool:
    """Whether a 1×1 convolution stands at the head of the chain of convolutions that leads here."""
    return node.id in branches(graph).reduced


def as_activation(graph: Graph, node: Node) -> Activation | None:
    """A node as an activation; None if it is another node or has bounds that are not known."""
    if node.op_type not in ACTIVATIONS:
        return None
    if node.op_type == "PRelu":
        rank = len(graph.value(node.input(0)).shape or (0,) * 4)
        return Activation("PRelu", {"axes": rank - 2})
    bounds = tuple(_scalar(graph.value(name).data) for name in node.inputs[1:])
    if any(bound is None and name for bound, name in zip(bounds, node.inputs[1:], strict=True)):
        return None
    return Activation(node.op_type, node.attributes, bounds)


def _scalar(data: Data | None) -> float | None:
    return None if data is None or data.size != 1 else float(data.reshape(-1)[0])


def ends_in_addition(graph: Graph, node: Node) -> bool:
    """Whether what a convolution makes is added to another branch before anything else joins it."""
    value = node.output(0)
    sources = branches(graph).sources
    for _ in range(_BLOCK_DEPTH):
        consumers = graph.consumers(value)
        if len(consumers) != 1:
            return False
        (consumer,) = consumers
        data = [name for name in consumer.inputs if name and not graph.value(name).constant]
        if consumer.op_type == "Add" and len(data) == 2:
            return True
        if consumer.op_type != "Conv" and sources.get(consumer.output(0)) != value:
            return False
        value = consumer.output(0)
    return False
