"""Attention as one operator: over all keys, over a recurrent state, and its rotary positions."""

from __future__ import annotations

from archlint.analyzer.cost.base import UnknownCost, View, Work, handles

_RULES = {"linear": (0, 0), "gated": (1, 0), "delta": (0, 1), "gated_delta": (1, 1)}


@handles("Attention", roles="xxxs")
def attention(view: View) -> Work:
    """N·heads·L·S·(d_qk + d_v) MACs: scores, then the weighted sum over S keys, past ones included;
    an operation a score for a mask, 3 for a softcap, 5 for the softmax. Masks do not lower the
    count."""
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
    return Work(
        scores * (size + value_size),
        {
            "softmax": 5 * scores,
            "elementwise": scores if view.has(3) else 0,
            "activation": 3 * scores if view.attribute("softcap", 0.0) else 0,
        },
    )


@handles("ai.onnx.preview.FlexAttention")
def flex_attention(view: View) -> Work:
    """As Attention: N·heads·L·S·(d_qk + d_v) MACs, the softmax 5 operations a score. With graphs of
    its own that modify the scores it is unknown."""
    if view.attribute("score_mod") is not None or view.attribute("prob_mod") is not None:
        raise UnknownCost(view.because("the graphs that modify its scores are not counted"))
    batch, heads, length, size = view.shape(0)
    scores = batch * heads * length * view.shape(1)[2]
    return Work(scores * (size + view.shape(2)[3]), {"softmax": 5 * scores})


@handles("LinearAttention", roles="xxxxxx")
def linear_attention(view: View) -> Work:
    """B·T·d_k·d_v·(kv heads + heads) MACs token by token: a key times a value onto the state, and
    the state times a query; delta rules read the state once more a kv head. A gate is an operation
    an element of the state and of the decay, a delta 2 an element of the value."""
    heads, kv_heads = int(view.attribute("q_num_heads")), int(view.attribute("kv_num_heads"))
    gated, delta = _RULES[view.attribute("update_rule", "gated_delta")]
    batch, tokens, width = view.shape(1)
    value_width = view.shape(2)[2]
    of_a_head = batch * tokens * (width // kv_heads) * (value_width // kv_heads)
    ops = {}
    if gated:
        ops["activation"] = view.elements(4)
        ops["elementwise"] = kv_heads * of_a_head
    if delta:
        ops["elementwise"] = ops.get("elementwise", 0) + 2 * batch * tokens * value_width
    return Work(of_a_head * (kv_heads * (1 + delta) + heads), ops)


@handles("RotaryEmbedding", roles="xbbs")
def rotary_embedding(view: View) -> Work:
    """3 operations a rotated element: of each pair 4 products, a difference and a sum. Of the
    tables only the rows of the positions are read."""
    x = view.shape(0)
    size = x[3] if len(x) == 4 else x[2] // int(view.attribute("num_heads"))
    rotated = int(view.attribute("rotary_embedding_dim", 0)) or size
    if not 0 < rotated <= size:
        raise ValueError(f"{rotated} rotated of {size}")
    rows = {}
    if view.has(3):
        rows = dict.fromkeys((1, 2), view.elements(3) * rotated // 2)
    return Work(ops={"elementwise": 3 * view.elements(0) // size * rotated}, reads=rows)
