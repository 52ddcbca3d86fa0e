"""Shapes of matrix products, attention and recurrent operators."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, broadcast, derived
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
    rows = a[1] if context.attribute("transA", 0) else a[0]
    columns = b[0] if context.attribute("transB", 0) else b[1]
    return [((rows, columns), context.dtype(0))]


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


@shapes("LSTM", "GRU", "RNN")
def recurrent(context: Context) -> Outputs:
    """All hidden states [T, D, N, H] (or [N, T, D, H]), the last, and an LSTM's last cell state."""
    x, hidden = context.shape(0), context.attribute("hidden_size")
    size: Dim = hidden or context.shape(2)[-1]
    directions = 2 if context.attribute("direction", "forward") == "bidirectional" else 1
    if context.attribute("layout", 0):
        states: Shape = (x[0], x[1], directions, size)
        last: Shape = (x[0], directions, size)
    else:
        states, last = (x[0], directions, x[1], size), (directions, x[1], size)
    return [(states, context.dtype(0)), (last, context.dtype(0)), (last, context.dtype(0))]


@shapes("Attention")
def attention(context: Context) -> Outputs:
    """The result as the query, present key and value, and the scores."""
    q, k, v = (context.shape(index) for index in range(3))
    if len(q) == 4:
        batch, heads, length, kv_heads = q[0], q[1], q[2], k[1]
        key_length, size, value_size = k[2], k[3], v[3]
        result: Shape = (batch, heads, length, value_size)
    else:
        heads, kv_heads = context.attribute("q_num_heads"), context.attribute("kv_num_heads")
        if not heads or not kv_heads:
            raise ValueError("3-D inputs need q_num_heads and kv_num_heads")
        batch, length, key_length = q[0], q[1], k[1]
        size, value_size = k[2] // kv_heads, v[2] // kv_heads
        result = (batch, length, value_size * heads)
    total: Dim = key_length
    if context.has(4):
        total = context.shape(4)[2] + key_length
    dtype = context.dtype(0)
    return [
        (result, dtype),
        ((batch, kv_heads, total, size), dtype),
        ((batch, kv_heads, total, value_size), context.dtype(2)),
        ((batch, heads, length, total), dtype),
    ]


@shapes("STFT")
def stft(context: Context) -> Outputs:
    """[batch, frames, bins, 2]."""
    signal = context.shape(0)
    step = context.elements(1)[0]
    length = context.elements(3)[0] if context.has(3) else context.shape(2)[0]
    bins = length // 2 + 1 if context.attribute("onesided", 1) else length
    frames: Dim
    if isinstance(signal[1], int) and isinstance(length, int) and isinstance(step, int):
        frames = (signal[1] - length) // step + 1
    else:
        frames = derived(f"frames({signal[1]})", signal[1], length, step)
    return [((signal[0], frames, bins, 2), context.dtype(0))]
