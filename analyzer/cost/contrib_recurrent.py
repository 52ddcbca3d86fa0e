"""Operators of com.microsoft that carry a state along a sequence."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from archlint.analyzer.cost.base import View, Work, handles
from archlint.analyzer.shapes.contrib_heads import positive

_RULES = ("linear", "gated", "delta", "gated_delta")


@handles("com.microsoft.DynamicQuantizeLSTM", roles="xwwwssswssss")
def dynamic_quantize_lstm(view: View) -> Work:
    """As LSTM, on integers: D·T·N·4·H·(I + H) MACs; 5 operations to quantise each input and
    state."""
    steps = prod(view.shape(0)[:2])
    directions, inputs, gates = view.shape(1)
    hidden = gates // 4
    cells = directions * steps * hidden
    ops = {
        "activation": 4 * cells,
        "bias": 2 * 4 * cells if view.has(3) else 0,
        "elementwise": 5 * cells,
        "quantization": 5 * (steps * inputs + cells),
    }
    return Work(4 * cells * (inputs + hidden), ops, bits=8)


@handles("com.microsoft.LinearAttention", roles="xxxxxx")
def linear_attention(view: View) -> Work:
    """T·d_k·d_v MACs a sequence: an update k⊗v of the state a head of keys, one read of it more for
    delta rules, and a read a head of queries (or of keys, if there are more). A gate is an
    operation a number of the state and of the decay, a delta 2 a number of the values."""
    tokens = prod(view.shape(0)[:2])
    heads, kv_heads = positive(view, "q_num_heads"), positive(view, "kv_num_heads")
    state = (view.shape(0)[2] // heads) * (view.shape(2)[2] // kv_heads)
    return _state_space(view, tokens * state, kv_heads, max(heads, kv_heads))


@handles("com.microsoft.GatedDeltaNet", roles="xxxsxxxwwss")
def gated_delta_net(view: View) -> Work:
    """As com.microsoft.LinearAttention, every head of values with a state of its own."""
    query = view.shape(0)
    tokens = prod(query[:-2] if view.has(1) else query[:-1])
    _, heads, value_size, size = view.shape(6)
    return _state_space(view, tokens * size * value_size, heads, heads)


def _state_space(view: View, numbers: int, written: int, read: int) -> Work:
    rule = str(view.attribute("update_rule", "gated_delta"))
    if rule not in _RULES:
        raise ValueError(f"the rule {rule}")
    gated, delta = "gated" in rule, "delta" in rule
    values = view.elements(2) if view.has(2) else view.out_elements()
    ops = {
        "activation": view.elements(4) if gated and view.has(4) else 0,
        "elementwise": numbers * written * gated + 2 * values * delta,
    }
    return Work(numbers * (written * (1 + delta) + read), ops)


@handles("com.microsoft.LinearAttentionGate", roles="xwwx")
def linear_attention_gate(view: View) -> Work:
    """3 operations a decay, one an update rate."""
    decays = view.elements(0)
    rates = view.elements(3) if view.has(3) else 0
    return Work(ops={"activation": decays + rates, "elementwise": 2 * decays})


@handles("com.microsoft.CausalConvWithState", roles="xwwx")
def causal_conv(view: View) -> Work:
    """One MAC an element and tap of the kernel; bias and activation are operations an element."""
    return _depthwise(view, bias=2)


@handles("com.microsoft.VarlenCausalConvWithState", roles="xwswxsxx")
def packed_causal_conv(view: View) -> Work:
    """As com.microsoft.CausalConvWithState; 3 operations an element where both taps are changed and
    the one before is masked."""
    work = _depthwise(view, bias=3)
    changed = 3 * view.out_elements() if view.has(6) else 0
    return replace(work, ops={**work.ops, "elementwise": changed})


def _depthwise(view: View, bias: int) -> Work:
    numbers = view.out_elements()
    active = view.attribute("activation", "none") != "none"
    ops = {"bias": numbers * view.has(bias), "activation": numbers * active}
    return Work(numbers * prod(view.shape(1)[2:]), ops, reads={0: numbers})


@handles("com.microsoft.Mamba2Verify", roles="xxxwwwwwws")
def state_space_mixer(view: View) -> Work:
    """A row takes 4 MACs a channel to convolve, 2 a number of the state (update, read), and one an
    inner number for its skip; 2 biases, 3 activations, 4 operations to normalise, and products for
    decay, time step and gate."""
    (rows, inner), state = view.out(), prod(view.shape(2)[1:])
    heads, channels = positive(view, "heads"), view.shape(1)[1]
    ops = {
        "bias": rows * (channels + heads),
        "activation": rows * (channels + 2 * heads + inner),
        "elementwise": rows * (state + heads + 2 * inner),
        "normalization": 4 * rows * inner,
    }
    return Work(rows * (4 * channels + 2 * state + inner), ops)


@handles("com.microsoft.SpeculativePrefixCommit", roles="s")
def prefix_commit(view: View) -> Work:
    """One comparison a token that was predicted."""
    return Work(ops={"elementwise": view.elements(0)})
