"""Scales and shifts by constants that the weights of a layer could take in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from archlint.analyzer.graph import Graph, Node, per_graph
from archlint.analyzer.linear_chains import (
    affine_source,
    before_affine,
    is_quantised,
    layer_features,
    shifts,
    sole_maker,
)
from archlint.analyzer.patterns import conv_sizes
from archlint.analyzer.written_out import written_out

_PRODUCTS = frozenset({"Gemm", "MatMul"})
_SCALES = frozenset({"Mul", "Div", "Identity"})
_SCALES_AND_SHIFTS = _SCALES | {"Add", "Sub"}


@dataclass(frozen=True, slots=True)
class Foldable:
    """A layer with the scales and shifts of its channels in front of it and behind it.

    ``unfolded`` are those of them that onnxruntime runs as operators of their own.
    """

    layer: Node
    before: tuple[Node, ...]
    after: tuple[Node, ...]
    unfolded: tuple[Node, ...]
    source: str
    shifted: bool

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes of it, in topological order."""
        return (*self.before, self.layer, *self.after)


def foldables(graph: Graph) -> Iterator[Foldable]:
    """Layers that could take in scales and shifts which onnxruntime leaves, in topological
    order."""
    for node in graph.operators():
        if (found := foldable(graph, node)) is not None:
            yield found


def foldable(graph: Graph, layer: Node) -> Foldable | None:
    """A layer with what it could take in; None for another node, or if onnxruntime leaves nothing
    beside it."""
    channels = output_channels(graph, layer)
    weight = layer.input(1)
    if channels is None or len(graph.consumers(weight)) != 1 or is_quantised(graph, layer):
        return None
    source, before = _in_front(graph, layer)
    after = _behind(graph, layer)
    left = (*before, *_left(graph, layer, after, channels))
    unfolded = tuple(node for node in left if node.operator != "Identity")
    if not unfolded or _is_bias_of_product(layer, after):
        return None
    shifted = bool(layer.input(2)) or shifts((*before, *after))
    return Foldable(layer, before, after, unfolded, source, shifted)


def output_channels(graph: Graph, node: Node) -> int | None:
    """The channels that a layer with constant weights makes; None for another node."""
    if node.operator in _PRODUCTS:
        features = layer_features(graph, node)
        return None if features is None else features[1]
    if (conv := conv_sizes(graph, node)) is not None:
        return conv.out_channels
    weight = graph.value(node.input(1))
    shape = weight.static_shape
    if node.operator != "ConvTranspose" or not weight.constant or shape is None or len(shape) < 3:
        return None
    return shape[1] * int(node.attributes.get("group", 1))


def _in_front(graph: Graph, layer: Node) -> tuple[str, tuple[Node, ...]]:
    """The value that a convolution reads once its weights have taken in what is in front of it, and
    that; where it reads padding, nothing is added in front of it any more."""
    value = layer.input(0)
    conv = conv_sizes(graph, layer)
    if conv is None:
        return value, ()
    source, found = before_affine(graph, value)
    maker = sole_maker(graph, source)
    if graph.value(source).constant or (maker and output_channels(graph, maker) is not None):
        return value, ()
    kinds = _SCALES if any(conv.pads) else _SCALES_AND_SHIFTS
    inner = _in_activations(graph)
    last = tuple(takewhile(lambda n: n.operator in kinds and n.id not in inner, found[::-1]))[::-1]
    return (affine_source(graph, last[0]) or value if last else value), last


@per_graph
def _in_activations(graph: Graph) -> frozenset[int]:
    """The nodes that write an activation: their constants are those of it."""
    return frozenset(node.id for whole in written_out(graph).values() for node in whole.nodes)


def _behind(graph: Graph, layer: Node) -> tuple[Node, ...]:
    """The scales and shifts behind a layer, each read by the next one alone."""
    axis = -1 if layer.operator in _PRODUCTS else 1
    value, found = layer.output(0), list[Node]()
    while value not in graph.outputs and len(graph.consumers(value)) == 1:
        (consumer,) = graph.consumers(value)
        if affine_source(graph, consumer, axis) != value or consumer.id in _in_activations(graph):
            break
        found.append(consumer)
        value = consumer.output(0)
    return tuple(found)


def _left(graph: Graph, layer: Node, after: Sequence[Node], channels: int) -> Sequence[Node]:
    """What onnxruntime 1.31 leaves of what is behind a layer: all from the first one that it does
    not take into the weights."""
    if layer.operator == "Conv":
        folded = list(takewhile(lambda node: _into_conv(graph, node, channels), after))
    elif layer.operator == "MatMul":
        folded = [node for node in after[:1] if _into_product(graph, node, channels)]
    else:
        folded = []
    return after[len(folded) :]


def _into_conv(graph: Graph, node: Node, channels: int) -> bool:
    """Whether it is a factor without axes, or a factor or summand for each channel, in the second
    place."""
    if node.operator in ("BatchNormalization", "Identity"):
        return True
    rank = len(graph.value(node.output(0)).shape or ())
    shape = graph.value(node.input(1)).static_shape
    if node.operator not in ("Mul", "Add") or not graph.value(node.input(1)).constant:
        return False
    by_channel = (channels, *(1,) * (rank - 2))
    return shape in (by_channel, (1, *by_channel)) or (node.operator == "Mul" and shape == ())


def _into_product(graph: Graph, node: Node, channels: int) -> bool:
    """Whether it is one factor, or a summand for each feature."""
    constants = [graph.value(name) for name in node.inputs if graph.value(name).constant]
    if node.operator in ("Mul", "Div"):
        return all(constant.elements == 1 for constant in constants)
    return node.operator == "Add" and all(c.static_shape == (channels,) for c in constants)


def _is_bias_of_product(layer: Node, after: Sequence[Node]) -> bool:
    """Whether a MatMul has a bias behind it and nothing else: it has no other place for one."""
    parts = [node.operator for node in after if node.operator != "Identity"]
    return layer.operator == "MatMul" and parts in (["Add"], ["Sub"])
