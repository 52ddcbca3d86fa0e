"""A layer with a constant kernel, and the layers of a form that stand in its place."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from archlint.analyzer.affine import Doubles
from archlint.analyzer.constants import Constants
from archlint.analyzer.factor.forms import Form
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.linear_chains import is_quantised, layer_features
from archlint.analyzer.linear_layers import linear_layer
from archlint.analyzer.patterns import ConvSizes, conv_sizes


@dataclass(frozen=True, slots=True)
class Step:
    """One convolution of a form; ``pads`` are begins, then ends."""

    before: int
    after: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    out_map: tuple[int, ...]

    @property
    def macs(self) -> int:
        """Of one image."""
        return self.before * self.after * prod(self.kernel) * prod(self.out_map)


@dataclass(frozen=True, slots=True)
class Layer:
    """A Conv, or without ``conv`` a product of features with a matrix; ``shape`` is that of its
    kernel, ``dims`` are those of what it reads."""

    node: Node
    shape: tuple[int, ...]
    dims: tuple[int | str, ...]
    dtype: int
    bias: bool
    conv: ConvSizes | None = None

    @property
    def transposed(self) -> bool:
        """Whether its weight is [K, N]: that of a MatMul."""
        return self.node.op_type == "MatMul"

    @property
    def forms(self) -> tuple[Form, ...]:
        """Those that may pay: of a kernel of one tap the one that strides first."""
        if self.conv is None:
            return (Form.MATRIX,)
        if self.conv.taps == 1:
            return (Form.INPUT if set(self.conv.strides) == {1} else Form.OUTPUT,)
        return Form.INPUT, Form.OUTPUT, Form.SPATIAL, Form.TUCKER

    @property
    def whole_macs(self) -> int:
        """MACs of the layer as it is, of one image or row."""
        places = 1 if self.conv is None else prod(self.conv.out_map)
        return prod(self.shape) * places

    def macs(self, form: Form, ranks: tuple[int, ...]) -> int:
        """MACs of the layers of a form, of one image or row."""
        if self.conv is None:
            return ranks[0] * sum(self.shape)
        return sum(step.macs for step in self.steps(form, ranks))

    def steps(self, form: Form, ranks: tuple[int, ...]) -> tuple[Step, ...]:
        """The convolutions of a form in their order; none for a product."""
        conv = self.conv
        if conv is None:
            return ()
        before, after = conv.in_channels, conv.out_channels
        if form is Form.SPATIAL:
            return self._spatial(conv, ranks[0])
        if form is Form.INPUT:
            return _pointwise(conv, before, ranks[0], conv.in_map), _whole(conv, ranks[0], after)
        if form is Form.OUTPUT:
            return _whole(conv, before, ranks[0]), _pointwise(conv, ranks[0], after, conv.out_map)
        return (
            _pointwise(conv, before, ranks[0], conv.in_map),
            _whole(conv, *ranks),
            _pointwise(conv, ranks[1], after, conv.out_map),
        )

    def _spatial(self, conv: ConvSizes, rank: int) -> tuple[Step, ...]:
        (height, width), (top, left, bottom, right) = conv.kernel, conv.pads
        between = (conv.out_map[0], conv.in_map[1])
        return (
            Step(conv.in_channels, rank, (height, 1), (conv.strides[0], 1), (top, 0, bottom, 0),
                 (conv.dilations[0], 1), between),
            Step(rank, conv.out_channels, (1, width), (1, conv.strides[1]), (0, left, 0, right),
                 (1, conv.dilations[1]), conv.out_map),
        )  # fmt: skip

    def weights(self, constants: Constants) -> tuple[Doubles, Doubles | None]:
        """Its kernel, [Cout, Cin, *k] or [N, K], and its bias, with Gemm's factors in them."""
        found = linear_layer(constants, self.node)
        return found.kernel, found.bias if self.bias else None


def layer_of(graph: Graph, node: Node) -> Layer | None:
    """A node as a layer; None for other nodes, groups, quantised weights, a bias that is no
    constant, sizes that are not known and elements that are no floating-point numbers."""
    x = graph.value(node.input(0))
    if x.shape is None or not x.is_float or is_quantised(graph, node):
        return None
    dims = tuple(dim if isinstance(dim, int) else str(dim) for dim in x.shape)
    bias = node.input(2)
    if bias and not graph.value(bias).constant:
        return None
    conv = conv_sizes(graph, node)
    if conv is not None:
        shape = (conv.out_channels, conv.in_channels, *conv.kernel)
        return Layer(node, shape, dims, x.dtype, bool(bias), conv) if conv.groups == 1 else None
    features = layer_features(graph, node)
    if features is None:
        return None
    return Layer(node, features[::-1], dims, x.dtype, bool(bias))


def _pointwise(conv: ConvSizes, before: int, after: int, places: tuple[int, ...]) -> Step:
    ones = (1,) * len(conv.kernel)
    return Step(before, after, ones, ones, (0,) * len(conv.pads), ones, places)


def _whole(conv: ConvSizes, before: int, after: int) -> Step:
    return Step(
        before, after, conv.kernel, conv.strides, conv.pads, conv.dilations, conv.out_map
    )  # fmt: skip
