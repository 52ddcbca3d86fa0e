"""Packed weights: how many numbers they hold, from the operators' attributes and schemas."""

from __future__ import annotations

import pytest

from archlint.analyzer.cost.base import View
from archlint.analyzer.cost.contrib_packed import numbers
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text

HEADER = '<ir_version: 10, opset_import: ["" : 21, "com.microsoft" : 1]>'
X = "float[2,6,48] x"
MOE = "float[2,6,32] x, float[12,4] r"

# Fed inputs, constants, node, which input, how many numbers it holds.
ROWS: dict[str, tuple[str, str, str, int, int]] = {
    # two blocks of 32 for 48 rows: what fills up the second one is no parameter
    "blocks": (X, "uint8[5,2,16] w, float[5,2] s", "MatMulNBits<K=48, N=5, bits=4>(x, w, s)",
               1, 48 * 5),
    "scales of blocks": (X, "uint8[5,2,16] w, float[5,2] s",
                         "MatMulNBits<K=48, N=5, bits=4>(x, w, s)", 2, 5 * 2),
    "NF4 of an odd number": (X, "uint8[120] w, float[15] s", "MatMulBnb4<K=48, N=5>(x, w, s)",
                             1, 48 * 5),
    "a blob with scales": (X, "uint8[200] w, int64[2] n = {48, 5}", "MatMulFpQ4(x, w, n)",
                           1, 48 * 5),
    "halves": (X, "uint8[5,24] w, uint8[5,3] s", "MatMulBlockQuantizedFp4Weight(x, w, s, s)",
               1, 48 * 5),
    "a table in 4 bits": ("int64[3] i", "uint8[10,16] w, float[10,2] s",
                          "GatherBlockQuantized<bits=4>(w, i, s)", 0, 10 * 32),
    "a table in bytes": ("int64[3] i", "uint8[10,16] w, float[10,1] s",
                         "GatherBlockQuantized<bits=8>(w, i, s)", 0, 10 * 16),
    "a table of int4": ("int64[3] i", "int4[10,16] w, float[10,1] s",
                        "GatherBlockQuantized(w, i, s)", 0, 10 * 16),
    "a table of Q4_0": ("int64[3] i", "uint8[10,36] w", "GatherPacked<packed_type=2, K=64>(w, i)",
                        0, 10 * 64),
    "gate": (X, "uint8[5,2,16] w, float[5,2] s",
             "MatMulNBitsMlp<K=48, N=5>(x, , , w, s, , w, s)", 3, 48 * 5),
    "queries": (X, "float[48] g, uint8[8,2,16] w, uint8[4,2,16] k, float[8,2] s",
                "MatMulNBitsQkv<K=48, Nq=8, Nkv=4>(x, , g, w, s, , k, s, , k, s)", 3, 48 * 8),
    "values": (X, "float[48] g, uint8[8,2,16] w, uint8[4,2,16] k, float[8,2] s",
               "MatMulNBitsQkv<K=48, Nq=8, Nkv=4>(x, , g, w, s, , k, s, , k, s)", 9, 48 * 4),
    "experts": (MOE, "uint8[4,64,16] a, float[4,64] s, uint8[4,32,32] b",
                "QMoE<k=2, fc2_expert_weight_bits=8>(x, r, a, s, , b, s)", 2, 4 * 64 * 32),
    "experts of other bits": (MOE, "uint8[4,64,16] a, float[4,64] s, uint8[4,32,32] b",
                              "QMoE<k=2, fc2_expert_weight_bits=8>(x, r, a, s, , b, s)",
                              5, 4 * 32 * 32),
    "experts of float8": (MOE, "float8e4m3fn[4,64,32] a, float8e4m3fn[4,32,64] b",
                          'QMoE<k=2, quant_type="fp8">(x, r, a, , , b)', 2, 4 * 64 * 32),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_a_packed_weight_holds_more_numbers_than_elements(row: str) -> None:
    """As many as the matrix that it stands for; other inputs hold what they are stored as."""
    inputs, constants, node, index, expected = ROWS[row]
    text = f"{HEADER} g ({inputs}) => (y) <{constants}> {{ y = com.microsoft.{node} }}"
    graph = load(from_text(text))
    view = View(graph.nodes[0], graph.input_values(graph.nodes[0]), ())
    held = numbers(view, index)
    assert (view.elements(index) if held is None else held) == expected
