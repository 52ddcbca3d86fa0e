"""How many numbers a packed weight holds: its parameters, where they are not its elements."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from onnx import TensorProto

from archlint.analyzer.cost.base import View
from archlint.analyzer.shapes.contrib_heads import positive
from archlint.analyzer.shapes.contrib_products import per_element


def numbers(view: View, index: int) -> int | None:
    """The numbers that an input of a node holds; None where each of its elements is one.

    Raises UnknownCost or ValueError where the node does not tell.
    """
    rule = _RULES.get((view.node.operator, index))
    return None if rule is None or not view.elements(index) else rule(view)


def _features(outer: str) -> Callable[[View], int]:
    """Of a weight [K, N], whatever it is stored as."""
    return lambda view: positive(view, "K") * positive(view, outer)


def _rank(side: str) -> Callable[[View], int]:
    """Of an adapter between a side and its rank, of which each row of scales is one."""
    return lambda view: positive(view, side) * view.shape(4)[0]


def _halves(view: View) -> int:
    return 2 * view.elements(1)


def _picked(view: View) -> int:
    return view.elements(0) * per_element(view)


def _blob(view: View) -> int:
    """Scales lie between the numbers; the third input tells how many of these there are."""
    told = view.inputs[2]
    if told is None or told.data is None:
        return view.elements(1)
    return prod(int(dim) for dim in told.data.reshape(-1))


def _experts(index: int, layer: str) -> Callable[[View], int]:
    def rule(view: View) -> int:
        value = view.inputs[index]
        if value is None or value.dtype != TensorProto.UINT8:
            return view.elements(index)
        bits = view.attribute("expert_weight_bits", 4)
        bits = view.attribute(f"{layer}_expert_weight_bits", bits)
        return view.elements(index) * 8 // int(bits)

    return rule


def _matrices(view: View) -> int:
    """Of experts [E, inner, bytes of a row]: the other side of each is the width of the tokens."""
    return prod(view.shape(2)[:2]) * view.shape(0)[-1]


_RULES: dict[tuple[str, int], Callable[[View], int]] = {
    ("com.microsoft.GatherBlockQuantized", 0): _picked,
    ("com.microsoft.MatMulBlockQuantizedFp4Weight", 1): _halves,
    ("com.microsoft.MatMulBnb4", 1): _features("N"),
    ("com.microsoft.MatMulFpQ4", 1): _blob,
    ("com.microsoft.MatMulNBits", 1): _features("N"),
    ("com.microsoft.GatherPacked", 0): lambda view: view.shape(0)[0] * positive(view, "K"),
    ("com.microsoft.MatMulNBitsMlp", 3): _features("N"),
    ("com.microsoft.MatMulNBitsMlp", 6): _features("N"),
    ("com.microsoft.MatMulNBitsQLoRA", 1): _features("N"),
    ("com.microsoft.MatMulNBitsQLoRA", 3): _rank("K"),
    ("com.microsoft.MatMulNBitsQLoRA", 5): _rank("N"),
    ("com.microsoft.MatMulNBitsQkv", 3): _features("Nq"),
    ("com.microsoft.MatMulNBitsQkv", 6): _features("Nkv"),
    ("com.microsoft.MatMulNBitsQkv", 9): _features("Nkv"),
    ("com.microsoft.MatMulPacked", 1): _features("N"),
    **{("com.microsoft.MoEPacked", index): _matrices for index in (2, 3, 4)},
    ("com.microsoft.QMoE", 2): _experts(2, "fc1"),
    ("com.microsoft.QMoE", 5): _experts(5, "fc2"),
    ("com.microsoft.QMoE", 8): _experts(8, "fc3"),
}
