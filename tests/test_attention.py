"""Positions and MACs of attentions: 2·heads·L·S·d of the two products, written out."""

from __future__ import annotations

import pytest

from archlint.analyzer.attention import attention_sizes
from archlint.analyzer.cost import count
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text

HEAD = '<ir_version: 10, opset_import: ["" : 23, "com.microsoft" : 1]>\n'
PROJECTED = """agraph (float[1,50,24] x) => (float[1,50,24] y)
    <float[24,24] q, float[24,24] k, float[24,24] v, float[24,24] o, float r> {
        a = MatMul (x, q)
        b = MatMul (x, k)
        c = MatMul (x, v)
        t = Transpose <perm = [0,2,1]> (b)
        s = MatMul (a, t)
        u = Mul (s, r)
        p = Softmax <axis = -1> (u)
        z = MatMul (p, c)
        y = MatMul (z, o)
    }"""
SIZES = {
    "apart, without the projections": (PROJECTED, (50, 50, 2 * 50 * 50 * 24)),
    "keys of another length, values of another width": (
        """agraph (float[2,4,30,8] q, float[2,4,8,70] k, float[2,4,70,16] v)
        => (float[2,4,30,16] y) {
            s = MatMul (q, k)
            p = Softmax <axis = -1> (s)
            y = MatMul (p, v)
        }""",
        (30, 70, 2 * 4 * 30 * 70 * (8 + 16)),
    ),
    "one operator, heads as an axis": (
        """agraph (float[2,4,30,8] q, float[2,4,70,8] k, float[2,4,70,8] v)
        => (float[2,4,30,8] y) { y = Attention (q, k, v) }""",
        (30, 70, 2 * 4 * 30 * 70 * (8 + 8)),
    ),
    "one operator, heads within the width": (
        """agraph (float[2,30,32] q, float[2,70,32] k, float[2,70,32] v) => (float[2,30,32] y) {
            y = com.microsoft.MultiHeadAttention <num_heads = 4> (q, k, v)
        }""",
        (30, 70, 2 * 4 * 30 * 70 * (8 + 8)),
    ),
    "one operator that projects as well": (
        """agraph (float[2,30,24] x) => (float[2,30,32] y) <float[24,96] w, float[96] b> {
            y = com.microsoft.Attention <num_heads = 4> (x, w, b)
        }""",
        (30, 30, 2 * 4 * 30 * 30 * (8 + 8)),
    ),
}


@pytest.mark.parametrize(("text", "sizes"), SIZES.values(), ids=SIZES)
def test_sizes(text: str, sizes: tuple[int, int, int]) -> None:
    """One attention of so many queries, keys and MACs."""
    (found,) = attention_sizes(count(load(from_text(HEAD + text))))
    assert (found.queries, found.keys, found.macs) == sizes


def test_none_where_the_positions_are_unknown() -> None:
    """An attention over a free dim has no sizes."""
    text = PROJECTED.replace("[1,50,24]", "[1,L,24]")
    assert not list(attention_sizes(count(load(from_text(HEAD + text)))))


def test_an_attention_to_packed_sequences_has_none() -> None:
    """Its sequences differ in length, so it has no one number of positions."""
    text = """agraph (float[60,32] q, float[60,32] k, float[60,32] v, int32[2,40] o, int32[3] n)
    => (float[60,32] y) {
        y = com.microsoft.PackedMultiHeadAttention <num_heads = 4> (q, k, v, , o, n)
    }"""
    costs = count(load(from_text(HEAD + text)))
    assert not costs.uncosted
    assert not list(attention_sizes(costs))
