"""What the attention operators of com.microsoft work on, read alike for shapes and for costs.

Source: the operators' schemas, https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from archlint.analyzer.dims import Dim, Shape, SymbolicDim, derived

if TYPE_CHECKING:
    from archlint.analyzer.cost.base import View
    from archlint.analyzer.shapes.context import Context

    Attending = Context | View  # a node as a shape rule or a formula sees it


@dataclass(frozen=True, slots=True)
class Heads:
    """``length`` queries over ``total`` keys in each of ``heads`` heads.

    ``size`` and ``value_size`` are those of one head; keys and values have ``kv_heads`` heads, of
    which ``cached`` positions are handed on.
    """

    batch: Dim
    heads: int
    kv_heads: int
    length: Dim
    total: Dim
    cached: Dim
    size: Dim
    value_size: Dim

    @property
    def result(self) -> Shape:
        """[batch, length, heads · value size]."""
        return self.batch, self.length, self.value_size * self.heads

    @property
    def scores(self) -> Shape:
        """[batch, heads, length, total]."""
        return self.batch, self.heads, self.length, self.total

    @property
    def present_key(self) -> Shape:
        """[batch, heads of keys, cached, size]."""
        return self.batch, self.kv_heads, self.cached, self.size

    @property
    def present_value(self) -> Shape:
        """[batch, heads of values, cached, value size]."""
        return self.batch, self.kv_heads, self.cached, self.value_size


def positive(node: Attending, name: str) -> int:
    """An attribute that counts something; raises ValueError if it is missing or below 1."""
    number = node.attribute(name)
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{name} is {number}")
    return number


def parts(width: Dim, count: int) -> Dim:
    """One of so many equal parts; raises ValueError if a known width has none."""
    if isinstance(width, int) and width % count:
        raise ValueError(f"{width} in {count} equal parts")
    return width // count


def self_attention(node: Attending, past: int, used: int | None = None) -> Heads:
    """Of [batch, length, inputs] and one weight [inputs, q + k + v].

    ``past`` is the index of what is attended to besides, [2, batch, heads, positions, size];
    ``used`` that of how many positions of a shared buffer are.
    """
    (batch, length, inputs), (rows, merged) = node.shape(0), node.shape(1)
    heads = positive(node, "num_heads")
    query, key, value = widths(node, merged)
    if query != key or (isinstance(inputs, int) and isinstance(rows, int) and inputs != rows):
        raise ValueError(f"queries of {query}, keys of {key}, {rows} rows for {inputs} inputs")
    before = node.shape(past)[3] if node.has(past) else None
    shared = used if node.attribute("past_present_share_buffer", 0) else None
    total, cached = _with_past(node, length, before, shared)
    sizes = parts(query, heads), parts(value, heads)
    return Heads(batch, heads, heads, length, total, cached, *sizes)


def widths(node: Attending, merged: Dim) -> tuple[Dim, Dim, Dim]:
    """Of queries, keys and values that one product makes, equal ones by default."""
    given = node.attribute("qkv_hidden_sizes")
    if not given:
        third = parts(merged, 3)
        return third, third, third
    query, key, value = given
    return query, key, value


def multi_head(node: Attending, past: int, used: int) -> Heads:
    """Of queries, keys and values that are projected already, packed or apart.

    Queries are [batch, length, width], or [batch, length, heads, 3, size] with keys and values;
    keys are [batch, positions, width], [batch, positions, heads, 2, size] with values, or
    [batch, heads, positions, size] as a cross attention keeps them.
    """
    query, heads = node.shape(0), positive(node, "num_heads")
    if len(query) not in (3, 5):
        raise ValueError(f"queries of rank {len(query)}")
    batch, length = query[0], query[1]
    before = node.shape(past)[2] if node.has(past) else None
    if len(query) == 5 or not node.has(1):
        size = query[4] if len(query) == 5 else parts(query[2], 3 * heads)
        new, value_size = length, size
    else:
        key, size = node.shape(1), parts(query[2], heads)
        new, value_size = key[1], size
        if len(key) == 4:
            new, value_size, before = key[2], node.shape(2)[3], None
        elif len(key) == 3:
            value_size = parts(node.shape(2)[2], heads)
    total, cached = _with_past(node, new, before, used if node.has(used) else None)
    return Heads(batch, heads, heads, length, total, cached, size, value_size)


def grouped(node: Attending) -> Heads:
    """Of GroupQueryAttention: its seventh input tells how many keys there are in all.

    The buffer of past keys is handed on as it is where it is long enough.
    """
    query, heads = node.shape(0), positive(node, "num_heads")
    kv_heads = positive(node, "kv_num_heads")
    size = parts(query[2], heads if node.has(1) else heads + 2 * kv_heads)
    total = _told(node, 6)
    cached = total
    if node.has(3):
        past = node.shape(3)[2]
        cached = past if node.attribute("sliding_window_cache", 0) else _longest(past, total)
    return Heads(query[0], heads, kv_heads, query[1], total, cached, size, size)


def _longest(past: Dim, total: Dim) -> Dim:
    if isinstance(past, int) and isinstance(total, int):
        return max(past, total)
    return total if past in (0, total) else derived(f"max({past}, {total})", past, total)


def _with_past(node: Attending, new: Dim, past: Dim | None, used: int | None) -> tuple[Dim, Dim]:
    """How many keys are attended to, and how many are handed on."""
    if past is None:
        return new, new
    if used is None:
        return new + past, new + past
    return new + _told(node, used), past


def _told(node: Attending, index: int) -> Dim:
    """The one element of an input, or a dim that only a run can tell."""
    value = node.inputs[index] if index < len(node.inputs) else None
    if value is not None and value.data is not None and value.data.size == 1:
        told = value.data.reshape(-1)[0]
        return told if isinstance(told, SymbolicDim) else int(told)
    name = value.name if value is not None else f"input {index}"
    why = f"how many keys there are is told by '{name}', which the model computes or is fed"
    causes = value.causes if value is not None else frozenset()
    return SymbolicDim(f"keys@{node.node.label}", causes or node.because(why))
