"""Where a graph changes between floats and integers: QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.graph import Graph, Node

Encoding = tuple[tuple[float, ...], tuple[int, ...]]  # scales and zero points

# The integers that stand for the smallest number of a type.
_LEAST: dict[int, int] = {TensorProto.UINT8: 0, TensorProto.INT8: -128}


def dequantizer(graph: Graph, value: str) -> Node | None:
    """The DequantizeLinear that makes a value."""
    maker = graph.producer(value)
    return maker if maker is not None and maker.op_type == "DequantizeLinear" else None


def quantizer(graph: Graph, value: str) -> Node | None:
    """The QuantizeLinear that alone reads a value."""
    readers = graph.consumers(value)
    if len(readers) != 1 or value in graph.outputs or readers[0].op_type != "QuantizeLinear":
        return None
    return readers[0]


def encoding(graph: Graph, node: Node) -> Encoding | None:
    """The scales and the zero points of a QuantizeLinear or DequantizeLinear; None if unknown."""
    scales, zeros = graph.value(node.input(1)).data, graph.value(node.input(2)).data
    if scales is None or (zeros is None and node.input(2)):
        return None
    return (
        tuple(float(scale) for scale in scales.reshape(-1)),
        (0,) if zeros is None else tuple(int(zero) for zero in zeros.reshape(-1)),
    )


def starts_at_zero(graph: Graph, node: Node) -> bool:
    """Whether the smallest integer of a QuantizeLinear stands for 0, so that it cuts off what is
    negative, or whether that is unknown."""
    found = encoding(graph, node)
    least = _LEAST.get(graph.value(node.output(0)).dtype)
    return found is None or least is None or set(found[1]) == {least}
