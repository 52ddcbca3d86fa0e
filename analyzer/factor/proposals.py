"""Layers of a graph as products of smaller ones: what each would be, and which are worth a try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.constants import Constants
from archlint.analyzer.factor.forms import PROJECTING, Form, factors, full_ranks
from archlint.analyzer.factor.layers import Layer, layer_of
from archlint.analyzer.factor.titles import title_of
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import Derivation, FixKind, Proposal

_GRID = 16  # channels that CPU kernels compute at once
_NARROW_GRID = 8
_NARROW = 64  # channels of the narrower side below which the finer grid counts


def factorised(
    graph: Graph,
    node: Node,
    form: Form,
    ranks: tuple[int, ...],
    *,
    inputs: NDArray[Any] | None = None,
    outputs: NDArray[Any] | None = None,
    mean: NDArray[Any] | None = None,
) -> Proposal | None:
    """The layers of a form in place of a Conv, a Gemm or a MatMul with a constant weight.

    The moments are those of ``factors``. None for other nodes, for groups, quantised weights, a
    bias that is no constant, forms that do not fit and ranks above the full ones. The first layer
    has no bias, so that what the next ones pad is zero as before.
    """
    layer = layer_of(graph, node)
    full = None if layer is None else full_ranks(layer.shape, form)
    if layer is None or full is None or len(full) != len(ranks):
        return None
    if not all(1 <= rank <= most for rank, most in zip(ranks, full, strict=True)):
        return None
    known = {"inputs": inputs, "outputs": outputs, "mean": mean}
    moved = form in PROJECTING and outputs is not None and mean is not None
    builder = GraphBuilder("factorised", reserved=node.outputs, dtype=layer.dtype)
    x = builder.input(node.input(0), layer.dims)
    names = _written(builder, x, layer, form, ranks, bias=layer.bias or moved)
    builder.output(node.output(0))
    return Proposal(
        title_of(layer, form, ranks),
        FixKind.APPROXIMATE,
        (node,),
        builder.graph(),
        derive=_derivation(layer, form, ranks, known, names),
    )


def options(graph: Graph, node: Node) -> Iterator[tuple[Form, tuple[int, ...]]]:
    """The forms that fit a node, each with the ranks on a grid of 16 that save MACs, ascending.

    The grid is 8 where the narrower side is below 64 channels. A kernel of one tap has one form:
    the one that strides first. ``TUCKER`` takes the same share of either side.
    """
    layer = layer_of(graph, node)
    if layer is None:
        return
    narrow = min(layer.shape[:2]) < _NARROW
    for form in layer.forms:
        full = full_ranks(layer.shape, form)
        for ranks in _on_grid(full or (), _NARROW_GRID if narrow else _GRID):
            if layer.macs(form, ranks) < layer.whole_macs:
                yield form, ranks


def _on_grid(full: tuple[int, ...], grid: int) -> Iterator[tuple[int, ...]]:
    if not full:
        return
    for rank in range(grid, full[0], grid):
        nearest = [max(1, int(rank * most / full[0] / grid + 0.5)) * grid for most in full[1:]]
        if all(other < most for other, most in zip(nearest, full[1:], strict=True)):
            yield (rank, *nearest)


def _derivation(
    layer: Layer,
    form: Form,
    ranks: tuple[int, ...],
    known: Mapping[str, NDArray[Any] | None],
    names: Sequence[str],
) -> Derivation:
    def derive(constants: Constants) -> dict[str, NDArray[Any]]:
        kernel, bias = layer.weights(constants)
        parts: tuple[NDArray[Any], ...] = factors(kernel, form, ranks, bias=bias, **known)
        if layer.transposed:
            parts = tuple(part.T if part.ndim == 2 else part for part in parts)
        return dict(zip(names, map(np.ascontiguousarray, parts), strict=True))

    return derive


def _written(
    builder: GraphBuilder, x: str, layer: Layer, form: Form, ranks: tuple[int, ...], *, bias: bool
) -> list[str]:
    """Add the layers of a form to a graph; the names of their weights, the bias last."""
    output = layer.node.output(0)
    if layer.conv is None:
        return _products(builder, x, layer, ranks[0], bias=bias)
    names = []
    steps = layer.steps(form, ranks)
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        name = f"factor{place + 1}"
        names.append(builder.weight(f"{name}.weight", (step.after, step.before, *step.kernel)))
        weights = [names[-1]]
        if last and bias:
            names.append(builder.weight(f"{name}.bias", (step.after,)))
            weights.append(names[-1])
        x = builder.node(
            "Conv", x, *weights, name=name, output=output if last else None,
            channels=step.after, kernel_shape=step.kernel, strides=step.strides, pads=step.pads,
            dilations=step.dilations, group=1,
        )  # fmt: skip
    return names


def _products(builder: GraphBuilder, x: str, layer: Layer, rank: int, *, bias: bool) -> list[str]:
    """Two products with matrices: Gemm for Gemm; MatMul, and Add of what is new, for MatMul."""
    filters, channels = layer.shape
    output = layer.node.output(0)
    shapes = ((rank, channels), (filters, rank))
    if layer.transposed:
        shapes = ((channels, rank), (rank, filters))
    names = [builder.weight(f"factor{n}.weight", shape) for n, shape in enumerate(shapes, 1)]
    if bias:
        names.append(builder.weight("factor2.bias", (filters,)))
    if layer.node.op_type == "Gemm":
        middle = builder.node("Gemm", x, names[0], name="factor1", transB=1)
        builder.node("Gemm", middle, *names[1:], name="factor2", output=output, transB=1)
        return names
    middle = builder.node("MatMul", x, names[0], name="factor1")
    product = builder.node(
        "MatMul", middle, names[1], name="factor2", output=None if bias else output
    )
    if bias:
        builder.node("Add", product, names[2], name="factor2.shift", output=output)
    return names
