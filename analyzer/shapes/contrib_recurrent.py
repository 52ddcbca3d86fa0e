"""Shapes of operators of com.microsoft that carry a state along a sequence."""

from __future__ import annotations

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, volume
from archlint.analyzer.shapes.context import Context, Outputs, shapes
from archlint.analyzer.shapes.contrib_heads import parts, positive


@shapes("com.microsoft.DynamicQuantizeLSTM")
def dynamic_quantize_lstm(context: Context) -> Outputs:
    """As LSTM, of weights [D, I, 4·H] and [D, H, 4·H]."""
    steps, batch, _ = context.shape(0)
    directions, size = context.shape(1)[0], positive(context, "hidden_size")
    last = (directions, batch, size)
    return [(shape, context.dtype(0)) for shape in ((steps, *last), last, last)]


@shapes("com.microsoft.LinearAttention")
def linear_attention(context: Context) -> Outputs:
    """[batch, length, heads · size of a value], and the state; a window keeps several of them."""
    batch, length, width = context.shape(0)
    heads, kv_heads = positive(context, "q_num_heads"), positive(context, "kv_num_heads")
    size = parts(context.shape(2)[2], kv_heads)
    state: Shape = (batch, kv_heads, parts(width, heads), size)
    return [
        ((batch, length, size * max(heads, kv_heads)), context.dtype(0)),
        (_windowed(context, state), context.dtype(3) or context.dtype(0)),
    ]


@shapes("com.microsoft.GatedDeltaNet")
def gated_delta_net(context: Context) -> Outputs:
    """[tokens…, heads, size] of the values, the state as it came, and compact updates of it."""
    query, state = context.shape(0), context.shape(6)
    batch, heads, size, query_size = state
    tokens = query[:-2] if context.has(1) else query[:-1]
    key_heads: Dim = query[-2] if context.has(1) else (query[-1] - heads * size) // (query_size * 2)
    decays = volume(context.shape(4)[len(tokens) :]) if context.has(4) else heads
    update = decays + key_heads * query_size + heads * size
    captured = update * context.attribute("state_update_capacity", 0)
    return [
        ((*tokens, heads, size), context.dtype(0)),
        (state, context.dtype(6)),
        ((batch, captured), context.dtype(6)),
    ]


@shapes("com.microsoft.LinearAttentionGate")
def linear_attention_gate(context: Context) -> Outputs:
    """Decay and update rate, each as what it is made of."""
    beta = context.shape(3) if context.has(3) else context.shape(0)
    return [(context.shape(0), context.dtype(0)), (beta, context.dtype(0))]


@shapes("com.microsoft.CausalConvWithState")
def causal_conv(context: Context) -> Outputs:
    """As the input or the channels that are picked of it, the (kernel - 1) · dilation last
    positions of that, and the positions that were captured."""
    x, kernel, dilation = context.shape(0), context.shape(1)[-1], context.attribute("dilation", 1)
    if dilation < 1:
        raise ValueError(f"a dilation of {dilation}")
    picked = context.attribute("input_channels", 0)
    x = (*x[:-1], picked) if picked else x
    kept = context.attribute("state_length", 0) or (kernel - 1) * dilation
    last = bool(context.attribute("channels_last", 0))
    channels = x[-1] if last else x[1]
    state: Shape = (x[0], kept, *x[2:]) if last else (*x[:-1], kept)
    layout = context.attribute("state_channels_last", -1)
    if layout >= 0:  # of sequences alone
        state = (x[0], kept, channels) if layout else (x[0], channels, kept)
    captured = (x[0], context.attribute("state_update_capacity", 0), channels)
    every = (x, _windowed(context, state), captured)
    return [(shape, context.dtype(0)) for shape in every]


def _windowed(context: Context, state: Shape) -> Shape:
    window = context.attribute("state_window", 0)
    return (window, *state) if window else state


@shapes("com.microsoft.VarlenCausalConvWithState")
def packed_causal_conv(context: Context) -> Outputs:
    """As the input, the state as it came, and [batch, capacity, channels] of updates."""
    x, state = context.shape(0), context.shape(4)
    updates = (state[0], context.attribute("state_update_capacity", 0), x[1])
    return [(shape, context.dtype(0)) for shape in (x, state, updates)]


@shapes("com.microsoft.Mamba2Verify")
def state_space_mixer(context: Context) -> Outputs:
    """[rows, inner], the states as they came, and what is convolved and read of them on the way."""
    rows, heads = context.shape(0)[0], positive(context, "heads")
    inner = heads * context.attribute("head_dim", 64)
    channels = inner + 2 * positive(context, "n_groups") * context.attribute("d_state", 128)
    half, full = context.dtype(0), TensorProto.FLOAT
    return [
        ((rows, inner), half),
        (context.shape(1), half),
        (context.shape(2), full),
        ((rows, channels), half),
        ((rows, inner), full),
    ]


@shapes("com.microsoft.ConvStateReplay", "com.microsoft.GatedDeltaNetStateReplay")
def replayed(context: Context) -> Outputs:
    """The buffer that holds the destination."""
    return [(context.shape(2), context.dtype(2))]


@shapes("com.microsoft.SpeculativePrefixCommit")
def committed(context: Context) -> Outputs:
    """A cache length for each sequence, the control words and the context as they came."""
    predicted = context.shape(0)
    batch = predicted[0] if len(predicted) > 1 else 1
    kept = [(context.shape(index), context.dtype(index)) for index in (3, 4)]
    return [((batch,), TensorProto.INT32), *kept]
