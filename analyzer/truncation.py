"""What a factorised convolution starts from: the factors of the kernel that it replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.constants import Constants
from archlint.analyzer.factor.forms import Form, factors, full_ranks
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.patterns import ACTIVATIONS, ConvSizes, conv_sizes
from archlint.analyzer.proposal import Derivation, Proposal, as_graph

_SLOPE = 0.25  # of a PRelu that is to be learnt, as torch has it

Kernel = NDArray[Any]


def truncated(proposal: Proposal, graph: Graph) -> Derivation | None:
    """The weights of a proposal of smaller convolutions in place of one, with activations between
    them: without these it computes the nearest to the convolution that its widths allow.

    None where the proposal is of another kind.
    """
    if len(proposal.replaces) != 1:
        return None
    whole = conv_sizes(graph, proposal.replaces[0])
    part = as_graph(proposal, graph.opset)
    sizes = [conv_sizes(part, node) for node in part.operators() if not _activates(part, node)]
    convs = [size for size in sizes if size is not None]
    if whole is None or len(convs) != len(sizes) or not _slides_as(whole, convs):
        return None
    split = _split_of(whole, convs)
    if split is None:
        return None

    def derive(constants: Constants) -> Mapping[str, NDArray[Any]]:
        bias = constants(whole.node.input(2)) if whole.bias else np.zeros(whole.out_channels)
        made = _by_name(convs, split(constants(whole.node.input(1))), bias)
        fills = (n.output[0] for n in proposal.graph.node if n.op_type == "ConstantOfShape")
        return {name: made[name] if name in made else _slopes(part, name) for name in fills}

    return derive


def _activates(part: Graph, node: Node) -> bool:
    """Whether it is an activation, or the product of a value with an activation of it."""
    if node.operator != "Mul":
        return node.operator in ACTIVATIONS
    gates = [part.producer(name) for name in node.inputs]
    others = reversed(node.inputs)
    return any(g and g.inputs == (x,) for g, x in zip(gates, others, strict=True))


def _slopes(part: Graph, name: str) -> NDArray[Any]:
    """What is left beside kernels and biases: the slopes of a PRelu."""
    return np.full(part.value(name).static_shape or (), _SLOPE)


def _by_name(
    convs: Sequence[ConvSizes], kernels: Sequence[Kernel], bias: NDArray[Any]
) -> Mapping[str, NDArray[Any]]:
    """The kernels and biases by their names in the proposal: the last layer has the whole bias."""
    made: dict[str, NDArray[Any]] = {}
    for conv, kernel in zip(convs, kernels, strict=True):
        made[conv.node.input(1)] = kernel
        made[conv.node.input(2)] = bias if conv is convs[-1] else np.zeros(conv.out_channels)
    return made


def _slides_as(whole: ConvSizes, convs: Sequence[ConvSizes]) -> bool:
    """Whether on each axis one of the convolutions slides as the whole one does, and the others
    stay where they are; whether they mix channels as it does."""
    depthwise = whole.groups == whole.in_channels == whole.out_channels
    if not depthwise and whole.groups != 1:
        return False
    if any(conv.groups != (conv.in_channels if depthwise else 1) for conv in convs):
        return False
    still = (1, 1, 0, 0)
    for axis in range(len(whole.kernel)):
        moving = [one for conv in convs if (one := _along(conv, axis))[:4] != still]
        own = _along(whole, axis)
        if moving != ([] if own[:4] == still else [own]):
            return False
    return True


def _along(conv: ConvSizes, axis: int) -> tuple[int, int, int, int, int]:
    """Kernel, stride, pads and dilation on an axis; the last is 1 where there is one tap."""
    kernel, end = conv.kernel[axis], conv.pads[axis + len(conv.kernel)]
    spread = conv.dilations[axis] if kernel > 1 else 1
    return kernel, conv.strides[axis], conv.pads[axis], end, spread


def _split_of(
    whole: ConvSizes, convs: Sequence[ConvSizes]
) -> Callable[[Kernel], Sequence[Kernel]] | None:
    """What makes the kernels of the convolutions from the whole one."""
    shape = (whole.out_channels, whole.in_channels // whole.groups, *whole.kernel)
    ranks = tuple(conv.out_channels for conv in convs[:-1])
    taps = tuple(conv.taps == 1 for conv in convs)
    if whole.groups != 1:
        form = Form.SPATIAL if taps == (False, False) else None
        if form is None or ranks != (whole.out_channels,):
            return None
        return lambda kernel: _each_channel(kernel, convs)
    form = {
        (True, False): Form.INPUT, (True, True): Form.INPUT, (False, True): Form.OUTPUT,
        (False, False): Form.SPATIAL, (True, False, True): Form.TUCKER,
    }.get(taps)  # fmt: skip
    full = full_ranks(shape, form) if form else None
    if form is None or full is None or any(r > f for r, f in zip(ranks, full, strict=True)):
        return None
    if form is Form.SPATIAL:
        return lambda kernel: _crossed(kernel, ranks, convs)
    return lambda kernel: factors(kernel, form, ranks)


def _crossed(kernel: Kernel, ranks: tuple[int, ...], convs: Sequence[ConvSizes]) -> list[Kernel]:
    """A column and a row, or a row and a column, as the convolutions have them."""
    if convs[0].kernel[1] == 1:
        return [*factors(kernel, Form.SPATIAL, ranks)]
    return [one.swapaxes(2, 3) for one in factors(kernel.swapaxes(2, 3), Form.SPATIAL, ranks)]


def _each_channel(kernel: Kernel, convs: Sequence[ConvSizes]) -> list[Kernel]:
    """The column and the row of every filter of a depthwise convolution."""
    pairs = [_crossed(one[None], (1,), convs) for one in kernel]
    return [np.concatenate(parts) for parts in zip(*pairs, strict=True)]
