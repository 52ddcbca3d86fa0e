"""Linear operators side by side and in a row, for which one operator can stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.patterns import ConvSizes, conv_sizes

_MOST_BRANCHES = 16  # of one sum; over-parameterised blocks have six
_SUMS = frozenset({"Add", "Sum"})


@dataclass(frozen=True, slots=True)
class Branch:
    """A convolution of ``source``, or ``source`` itself if ``conv`` is None, then scales and shifts
    of its channels. ``shifted`` says that constants are added on the way."""

    source: str
    nodes: tuple[Node, ...]
    conv: ConvSizes | None
    shifted: bool


@dataclass(frozen=True, slots=True)
class BranchedSum:
    """The sum of several linear branches of one value; ``sums`` are its additions, the last one of
    which makes the result."""

    sums: tuple[Node, ...]
    branches: tuple[Branch, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes of it, in topological order."""
        inner = [node for branch in self.branches for node in branch.nodes]
        return tuple(sorted((*inner, *self.sums), key=lambda node: node.id))


def sole_maker(graph: Graph, value: str) -> Node | None:
    """The node that makes a value which one other node reads and nothing else."""
    maker = graph.producer(value)
    if maker is None or len(graph.consumers(value)) != 1 or value in graph.outputs:
        return None
    return maker


def affine_source(graph: Graph, node: Node, axis: int = 1) -> str | None:
    """The value whose channels, on an axis, a node does no more to than scale and shift them by
    constants."""
    data = [name for name in node.inputs if name and not graph.value(name).constant]
    shape = graph.value(data[0]).shape if len(data) == 1 else None
    if not shape or graph.value(node.output(0)).shape != shape:
        return None
    if node.operator == "BatchNormalization":
        frozen = not node.attributes.get("training_mode", 0) and data[0] == node.input(0)
        return data[0] if frozen and axis % len(shape) == 1 else None
    if node.operator in ("Add", "Sub", "Mul") or (
        node.operator == "Div" and data[0] == node.input(0)
    ):
        others = (name for name in node.inputs if name != data[0])
        alike = all(_is_per_channel(graph, name, len(shape), axis) for name in others)
        return data[0] if alike else None
    return data[0] if node.operator == "Identity" else None


def _is_per_channel(graph: Graph, constant: str, rank: int, axis: int) -> bool:
    """Whether all elements of a constant that meet one channel are the same number."""
    shape = graph.value(constant).static_shape
    if shape is None or len(shape) > rank:
        return False
    channel = axis % rank - (rank - len(shape))
    return all(dim == 1 for place, dim in enumerate(shape) if place != channel)


def is_quantised(graph: Graph, node: Node) -> bool:
    """Whether its weight is dequantised from integers."""
    maker = graph.producer(node.input(1))
    return maker is not None and maker.op_type == "DequantizeLinear"


def before_affine(graph: Graph, value: str, axis: int = 1) -> tuple[str, tuple[Node, ...]]:
    """The value before the scales and shifts of channels that lead to a value, and those in
    topological order; each is read by the next one alone."""
    between: list[Node] = []
    while (maker := sole_maker(graph, value)) is not None:
        source = affine_source(graph, maker, axis)
        if source is None:
            break
        between.append(maker)
        value = source
    return value, tuple(reversed(between))


def shifts(nodes: Iterable[Node]) -> bool:
    """Whether scales and shifts add constants."""
    return any(node.op_type in ("Add", "Sub", "BatchNormalization") for node in nodes)


def branched_sums(graph: Graph) -> Iterator[BranchedSum]:
    """The largest sums of linear branches of one value, a convolution among them, in topological
    order."""
    found: list[BranchedSum] = []
    inner: set[int] = set()
    for node in reversed(graph.nodes):
        if node.id not in inner and _is_sum(graph, node):
            whole = _branched(graph, node)
            if whole is not None:
                found.append(whole)
                inner.update(part.id for part in whole.sums)
    return reversed(found)


def _is_sum(graph: Graph, node: Node) -> bool:
    return node.operator in _SUMS and affine_source(graph, node) is None


def _branched(graph: Graph, root: Node) -> BranchedSum | None:
    shape = graph.value(root.output(0)).static_shape
    sums, branches, waiting = [root], list[Branch](), list(root.inputs)
    while waiting:
        value = waiting.pop(0)
        if shape is None or graph.value(value).static_shape != shape:
            return None
        maker = sole_maker(graph, value)
        if maker is not None and _is_sum(graph, maker):
            sums.append(maker)
            waiting += maker.inputs
        else:
            branches.append(_branch(graph, value))
        if len(branches) + len(waiting) > _MOST_BRANCHES:
            return None
    one_source = len({branch.source for branch in branches}) == 1
    apart = len({branch.nodes for branch in branches}) == len(branches) > 1
    if not (one_source and apart and any(branch.conv for branch in branches)):
        return None
    return BranchedSum(tuple(sorted(sums, key=lambda node: node.id)), tuple(branches))


def _branch(graph: Graph, value: str) -> Branch:
    source, between = before_affine(graph, value)
    maker = sole_maker(graph, source)
    conv = conv_sizes(graph, maker) if maker is not None else None
    if conv is not None and not is_quantised(graph, conv.node):
        shifted = conv.bias or shifts(between)
        return Branch(conv.node.input(0), (conv.node, *between), conv, shifted)
    return Branch(source, between, None, shifts(between))


def covering(branches: tuple[Branch, ...]) -> ConvSizes | None:
    """The convolution whose taps reach every pixel that another branch reads; None if there is none
    or if the branches step differently."""
    convs = [branch.conv for branch in branches if branch.conv is not None]
    strides = {conv.strides for conv in convs}
    is_identity = any(branch.conv is None for branch in branches)
    if len(strides) != 1 or (is_identity and set(*strides) != {1}):
        return None
    largest = max(convs, key=lambda conv: conv.taps)
    reached = _taps(largest)
    for branch in branches:
        taps = repeat({0}) if branch.conv is None else _taps(branch.conv)
        if not all(few <= many for few, many in zip(taps, reached, strict=False)):
            return None
    return largest


def _taps(conv: ConvSizes) -> list[set[int]]:
    """Where its taps read, as offsets from the pixel that the stride gives, axis by axis."""
    axes = zip(conv.kernel, conv.dilations, conv.pads, strict=False)  # the begins of the pads
    return [{step * tap - begin for tap in range(size)} for size, step, begin in axes]


def layer_features(graph: Graph, node: Node) -> tuple[int, int] | None:
    """The features before and after a product of data with a constant matrix, and of a bias; None
    for another node."""
    weight, bias = graph.value(node.input(1)), node.input(2)
    shape = weight.static_shape
    if node.operator not in ("MatMul", "Gemm") or not weight.constant or is_quantised(graph, node):
        return None
    if shape is None or len(shape) != 2 or node.attributes.get("transA", 0):
        return None
    if bias and not (graph.value(bias).constant and _is_per_channel(graph, bias, 2, 1)):
        return None
    return (shape[1], shape[0]) if node.attributes.get("transB", 0) else (shape[0], shape[1])


def conv_pair(graph: Graph, node: Node) -> tuple[Node, ...]:
    """Two convolutions that one can stand for, with what is between them; else nothing."""
    second = conv_sizes(graph, node)
    if second is None or is_quantised(graph, node):
        return ()
    source, between = before_affine(graph, node.input(0))
    maker = sole_maker(graph, source)
    first = conv_sizes(graph, maker) if maker is not None else None
    if first is None or is_quantised(graph, first.node):
        return ()
    exact = reads_one_pixel(second)
    if not exact and reads_one_pixel(first) and set(first.strides) == {1}:
        # Where the second reads padding, the first has put no bias.
        exact = not (any(second.pads) and (first.bias or shifts(between)))
    return (first.node, *between, node) if exact else ()


def reads_one_pixel(conv: ConvSizes) -> bool:
    """Whether each pixel of its output is made of one of its input."""
    return conv.taps == 1 and not any(conv.pads)


def layer_pair(graph: Graph, node: Node) -> tuple[Node, ...]:
    """Two products with constant matrices, with what is between them; else nothing."""
    if layer_features(graph, node) is None:
        return ()
    source, between = before_affine(graph, node.input(0), axis=-1)
    first = sole_maker(graph, source)
    if first is None or layer_features(graph, first) is None:
        return ()
    return (first, *between, node)
