"""Attention as one operator."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, handles


@handles("Attention", roles="xxxs")
def attention(view: View) -> Work:
    """N·heads·L·S·(d_qk + d_v) MACs: scores, then the weighted sum over S keys, past ones included;
    the softmax is 5 operations a score. Masks do not lower the count."""
    q, k, v = view.shape(0), view.shape(1), view.shape(2)
    if len(q) == 4:
        batch, heads, length, size = q
        keys, value_size = k[2], v[3]
    else:
        batch, length, width = q
        heads = int(view.attribute("q_num_heads", 1))
        keys, size = k[1], width // heads
        value_size = v[2] // int(view.attribute("kv_num_heads", heads))
    if view.has(4):
        keys += view.shape(4)[2]
    scores = batch * heads * length * keys
    return Work(scores * (size + value_size), {"softmax": 5 * scores})
