"""Which nodes are layers with a matrix or kernel of weights."""

from __future__ import annotations

from archlint.analyzer.graph import Graph, Node

_LAYERS = frozenset({
    "Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "FusedConv", "DeformConv", "Gemm",
    "FusedGemm", "QGemm", "MatMul", "FusedMatMul", "MatMulInteger", "QLinearMatMul",
    "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "MatMulNBits", "Einsum", "LSTM", "GRU", "RNN",
    "Attention", "QAttention",
})  # fmt: skip


def is_weighted(graph: Graph, node: Node) -> bool:
    """Whether a node multiplies what flows through it by a constant of two dims or more."""
    if node.op_type not in _LAYERS:
        return False
    constants = (graph.value(name) for name in node.inputs if name)
    return any(value.constant and len(value.shape or ()) >= 2 for value in constants)
