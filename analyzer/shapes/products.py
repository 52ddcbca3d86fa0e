"""Shapes of matrix products and recurrent operators."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, broadcast
from archlint.analyzer.einsum import parse
from archlint.analyzer.shapes.context import Context, Outputs, shapes


@shapes("MatMul")
def matmul(context: Context) -> Outputs:
    """numpy.matmul."""
    return [(multiplied(context.shape(0), context.shape(1)), context.dtype(0))]


@shapes("MatMulInteger")
def matmul_integer(context: Context) -> Outputs:
    """As MatMul, in int32."""
    return [(multiplied(context.shape(0), context.shape(1)), TensorProto.INT32)]


@shapes("QLinearMatMul")
def qlinear_matmul(context: Context) -> Outputs:
    """As MatMul, in the data type of the output's zero point."""
    return [(multiplied(context.shape(0), context.shape(3)), context.dtype(7))]


def multiplied(left: Shape, right: Shape) -> Shape:
    """The shape of numpy.matmul; raises ValueError where the inner dims differ."""
    if not left or not right:
        raise ValueError("a scalar in a matrix product")
    inner, other = left[-1], right[-2:][0]  # a vector has no other axis
    if isinstance(inner, int) and isinstance(other, int) and inner != other:
        raise ValueError(f"inner dims {inner} and {other} differ")
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    return (*broadcast(left[:-2], right[:-2]), *rows, *columns)


@shapes("Gemm")
def gemm(context: Context) -> Outputs:
    """[M, N] of A [M, K] or its transpose and B [K, N] or its transpose."""
    a, b = context.shape(0), context.shape(1)
    if len(a) != 2 or len(b) != 2:
        raise ValueError(f"matrices of rank {len(a)} and {len(b)}")
    left = a[::-1] if context.attribute("transA", 0) else a
    right = b[::-1] if context.attribute("transB", 0) else b
    return [(multiplied(left, right), context.dtype(0))]


@shapes("Einsum")
def einsum(context: Context) -> Outputs:
    """The labels of the equation's right side."""
    operands = [context.shape(index) for index in range(len(context.inputs))]
    equation = parse(str(context.attribute("equation", "")), operands)
    return [(equation.output_shape, context.dtype(0))]


@shapes("Det")
def det(context: Context) -> Outputs:
    """One determinant a matrix."""
    return [(context.shape(0)[:-2], context.dtype(0))]


_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@shapes("LSTM", "GRU", "RNN")
def recurrent(context: Context) -> Outputs:
    """All hidden states [T, D, N, H] (or [N, T, D, H]), the last, and an LSTM's last cell state."""
    x, w, r = (context.shape(index) for index in range(3))
    if not len(x) == len(w) == len(r) == 3:
        raise ValueError(f"a sequence of rank {len(x)}, weights of rank {len(w)} and {len(r)}")
    size: Dim = context.attribute("hidden_size") or r[2]
    rows = size * _GATES[context.node.op_type]
    if isinstance(rows, int) and any(isinstance(n, int) and n != rows for n in (w[1], r[1])):
        raise ValueError(f"gates of {rows} rows in all, and weights of {w[1]} and {r[1]}")
    directions = 2 if context.attribute("direction", "forward") == "bidirectional" else 1
    if context.attribute("layout", 0):
        states: Shape = (x[0], x[1], directions, size)
        last: Shape = (x[0], directions, size)
    else:
        states, last = (x[0], directions, x[1], size), (directions, x[1], size)
    return [(states, context.dtype(0)), (last, context.dtype(0)), (last, context.dtype(0))]
