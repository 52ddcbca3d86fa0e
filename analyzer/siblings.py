"""Equal convolutions of one value side by side, whose outputs a Concat joins again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.linear_chains import before_affine, is_quantised, shifts, sole_maker
from archlint.analyzer.patterns import Activation, ConvSizes, as_activation, conv_sizes


@dataclass(frozen=True, slots=True)
class Sibling:
    """A convolution and what follows it: scales and shifts of its channels, an activation."""

    conv: ConvSizes
    activation: Activation | None
    shifted: bool
    nodes: tuple[Node, ...]

    def likeness(self) -> tuple[object, ...]:
        """What convolutions must have in common to be one: all but their channels."""
        conv = self.conv
        window = conv.kernel, conv.strides, conv.dilations, conv.pads
        return conv.node.input(0), window, self.activation


@dataclass(frozen=True, slots=True)
class Siblings:
    """Equal convolutions of one value in a row among the inputs of a Concat of channels, where the
    first of them is the input ``start``."""

    join: Node
    start: int
    members: tuple[Sibling, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes of it, in topological order."""
        inner = [node for member in self.members for node in member.nodes]
        return tuple(sorted((*inner, self.join), key=lambda node: node.id))

    @property
    def channels(self) -> int:
        """What all of them make together."""
        return sum(member.conv.out_channels for member in self.members)

    @property
    def others(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the Concat joins before them and behind them."""
        inputs, end = self.join.inputs, self.start + len(self.members)
        return inputs[: self.start], inputs[end:]


def siblings(graph: Graph, join: Node) -> Siblings | None:
    """The longest row of siblings that a Concat joins; None where there is none, or for another
    node."""
    shape = graph.value(join.output(0)).static_shape
    if join.operator != "Concat" or shape is None or len(set(join.inputs)) < len(join.inputs):
        return None
    if join.attributes.get("axis", 1) not in (1, 1 - len(shape)):
        return None
    rows = (row for row in _rows(graph, join) if len(row.members) > 1)
    return max(rows, key=lambda row: len(row.members), default=None)


def _rows(graph: Graph, join: Node) -> Iterator[Siblings]:
    found = [_sibling(graph, name) for name in join.inputs]
    start = 0
    for _, row in groupby(found, key=lambda one: one.likeness() if one else None):
        alike = list(row)
        yield Siblings(join, start, tuple(one for one in alike if one is not None))
        start += len(alike)


def _sibling(graph: Graph, value: str) -> Sibling | None:
    """The convolution that makes a value, if that and all between is read by one node alone."""
    maker = sole_maker(graph, value)
    if maker is None:
        return None
    activation = None if maker.domain else as_activation(graph, maker)
    if activation is not None and activation.op_type == "PRelu":
        return None  # its slopes differ from channel to channel
    last = () if activation is None else (maker,)
    source, between = before_affine(graph, maker.input(0) if last else value)
    first = sole_maker(graph, source)
    conv = None if first is None else conv_sizes(graph, first)
    if conv is None or conv.groups != 1 or is_quantised(graph, conv.node):
        return None
    return Sibling(conv, activation, conv.bias or shifts(between), (conv.node, *between, *last))
