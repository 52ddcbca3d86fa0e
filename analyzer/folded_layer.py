"""A layer with the scales and shifts beside it in its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from archlint.analyzer.affine import affine
from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.constants import Constants
from archlint.analyzer.derivation import derived
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.linear_layers import as_stored, out_channels, with_affine
from archlint.analyzer.proposal import FixKind, Proposal, draft

_MATRIX = 2  # axes of the data that Gemm takes


def folded(
    graph: Graph,
    layer: Node,
    after: Sequence[Node],
    before: Sequence[Node] = (),
    source: str = "",
    *,
    shifted: bool,
    title: str,
    remark: str = "",
) -> Proposal:
    """The layer alone in place of it and of what scales and shifts the channels ``before`` it, from
    ``source`` on, and ``after`` it; with a bias where something is ``shifted``."""
    nodes = (*before, layer, *after)
    builder, x = draft(graph, "folded", nodes, source or layer.input(0))
    _write(graph, layer, builder, x, nodes[-1].output(0), shifted=shifted)

    def compute(constants: Constants) -> Sequence[NDArray[Any]]:
        made = with_affine(constants, (layer, *after))
        if before:
            made = made.after(affine(constants, before, source, made.in_channels))
        return as_stored(layer, made), made.bias

    proposal = Proposal(title, FixKind.EQUIVALENT, nodes, builder.graph(), remark=remark)
    return derived(proposal, graph, compute, keeps_padding=True)


def _write(
    graph: Graph, layer: Node, builder: GraphBuilder, x: str, output: str, *, shifted: bool
) -> None:
    """The layer with weights of its own; where a MatMul adds something, it is a Gemm or an Add
    follows it."""
    weight = builder.weight("weight", graph.value(layer.input(1)).static_shape or ())
    bias = [builder.weight("bias", (out_channels(graph, layer) or 0,))] if shifted else []
    if layer.operator == "MatMul" and bias:
        if len(graph.value(layer.input(0)).shape or ()) == _MATRIX:
            builder.node("Gemm", x, weight, *bias, output=output)
        else:
            builder.node("Add", builder.node("MatMul", x, weight), *bias, output=output)
    else:
        scales = ("alpha", "beta") if layer.operator == "Gemm" else ()  # the weights have them
        attributes = {
            key: value
            for key, value in layer.attributes.items()
            if key not in scales and value != []  # an empty list says nothing, nor of which type
        }
        builder.node(layer.op_type, x, weight, *bias, output=output, **attributes)
    builder.output(output)
