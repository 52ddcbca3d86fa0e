"""Shapes of attention: of scores over all keys, and of a recurrent state."""

from __future__ import annotations

from archlint.analyzer.dims import Dim, Shape
from archlint.analyzer.shapes.context import Context, Outputs, shapes


@shapes("Attention")
def attention(context: Context) -> Outputs:
    """The result as the query, present key and value, and the scores."""
    q, k, v = (context.shape(index) for index in range(3))
    if not len(q) == len(k) == len(v):
        raise ValueError(f"query, key and value of rank {len(q)}, {len(k)} and {len(v)}")
    if len(q) == 3:
        heads, kv_heads = context.attribute("q_num_heads"), context.attribute("kv_num_heads")
        q, k, v = _unpacked(q, heads), _unpacked(k, kv_heads), _unpacked(v, kv_heads)
    batch, heads, length, _, kv_heads, total, value_size = _bound(q, k, v)
    size = k[3]
    if context.has(4):
        total = context.shape(4)[2] + total
    result: Shape = (batch, heads, length, value_size)
    if context.rank(0) == 3:
        result = (batch, length, value_size * heads)
    dtype = context.dtype(0)
    return [
        (result, dtype),
        ((batch, kv_heads, total, size), dtype),
        ((batch, kv_heads, total, value_size), context.dtype(2)),
        ((batch, heads, length, total), dtype),
    ]


@shapes("ai.onnx.preview.FlexAttention")
def flex_attention(context: Context) -> Outputs:
    """[batch, query heads, length, value size]."""
    q, k, v = (context.shape(index) for index in range(3))
    if not len(q) == len(k) == len(v) == 4:
        raise ValueError(f"query, key and value of rank {len(q)}, {len(k)} and {len(v)}")
    batch, heads, length, *_, value_size = _bound(q, k, v)
    return [((batch, heads, length, value_size), context.dtype(0))]


@shapes("LinearAttention")
def linear_attention(context: Context) -> Outputs:
    """The result [B, T, query heads · d_v] and the state [B, heads, d_k, d_v]."""
    heads, kv_heads = context.attribute("q_num_heads"), context.attribute("kv_num_heads")
    q = _unpacked(context.shape(0), heads)
    k, v = (_unpacked(context.shape(index), kv_heads) for index in (1, 2))
    batch, _, length, size, _, _, value_size = _bound(q, k, v)
    state: Shape = (batch, kv_heads, size, value_size)
    return [
        ((batch, length, heads * value_size), context.dtype(0)),
        (state, context.dtype(3) or context.dtype(0)),
    ]


def _bound(q: Shape, k: Shape, v: Shape) -> tuple[Dim, ...]:
    """Batch, heads, length and size of a query, heads and length of the keys, size of a value.

    Raises ValueError where the three do not fit.
    """
    for left, right, what in (
        (q[3], k[3], "sizes of query and key"), (k[2], v[2], "lengths of key and value"),
        (k[1], v[1], "heads of key and value"), (q[0], k[0], "batches of query and key"),
        (k[0], v[0], "batches of key and value"),
    ):  # fmt: skip
        if isinstance(left, int) and isinstance(right, int) and left != right:
            raise ValueError(f"{what} are {left} and {right}")
    heads, kv_heads = q[1], k[1]
    if isinstance(heads, int) and isinstance(kv_heads, int) and heads % kv_heads:
        raise ValueError(f"{heads} query heads share {kv_heads} of key and value")
    return (q[0], heads, q[2], q[3], kv_heads, k[2], v[3])


def _unpacked(shape: Shape, heads: int | None) -> Shape:
    """[batch, length, heads · size] as [batch, heads, length, size]."""
    batch, length, width = shape
    if not isinstance(heads, int) or heads < 1:
        raise ValueError(f"3-D inputs need their number of heads, which is {heads}")
    if isinstance(width, int) and width % heads:
        raise ValueError(f"a width of {width} for {heads} heads")
    return (batch, heads, length, width // heads)
