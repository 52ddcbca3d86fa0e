"""Mixtures of experts of com.microsoft, and what routes tokens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from archlint.analyzer.cost.base import View, Work, handles
from archlint.analyzer.shapes.contrib_heads import positive


@handles("com.microsoft.MoE", roles="xxwwwwww")
def mixture_of_experts(view: View) -> Work:
    """tokens · k experts, each as many MACs as it has weights; the router's softmax is 5 operations
    an expert and token."""
    return _experts(view, [view.shape(index) for index in (2, 4, 6) if view.has(index)])


@handles("com.microsoft.QMoE", roles="xxwswwswwswsssxs")
def quantised_mixture_of_experts(view: View) -> Work:
    """As com.microsoft.MoE, with packed weights."""
    width, inner = view.shape(0)[-1], view.shape(2)[1]
    gated = view.attribute("activation_type") in ("swiglu", "geglu")
    fused = gated and view.attribute("swiglu_fusion", 0)
    weights = [(1, inner, width), (1, width, inner // (2 if fused else 1))]
    return _experts(view, weights + [(1, inner, width)] * view.has(8))


@handles("com.microsoft.MoEPacked", roles="xxwwwx")
def packed_mixture_of_experts(view: View) -> Work:
    """As com.microsoft.MoE, with packed weights; no softmax where the weights of the experts are
    fed."""
    width, inner = view.shape(0)[-1], view.shape(2)[1]
    work = _experts(view, [(1, inner, width), (1, width, inner), (1, inner, width * view.has(3))])
    return replace(work, ops={**work.ops, "softmax": 0}) if view.has(5) else work


def _experts(view: View, weights: Sequence[tuple[int, ...]]) -> Work:
    tokens = prod(view.shape(0)[:-1])
    active = tokens * positive(view, "k")
    ops = {"activation": active * weights[1][2], "softmax": 5 * view.elements(1)}
    return Work(active * sum(prod(weight[1:]) for weight in weights), ops)


@handles("com.microsoft.MoEGroupRouter", roles="xww")
def group_router(view: View) -> Work:
    """An activation and a bias a score, 2 comparisons where experts are selected, for each of which
    a logarithm is taken; a projection before it is as many MACs as MatMul's."""
    scores = view.out_elements()
    ops = {"activation": scores, "bias": scores}
    if view.node.outputs[0]:
        tokens = view.out()[0]
        ops["reduction"] = 2 * scores
        ops["elementwise"] = tokens * positive(view, "top_k")
    return Work(scores * view.shape(2)[1] if view.has(2) else 0, ops)


@handles("com.microsoft.RouterGateUpProj", roles="xw")
def router_gate_up(view: View) -> Work:
    """rows·K·N MACs, N all columns of its weight; what is gated is as com.microsoft.SwiGLU."""
    columns, router = view.shape(1)[1], positive(view, "router_size")
    rows = prod(view.shape(0)[:-1])
    return Work(view.elements(0) * columns, _gated(view, rows * (columns - router) // 2))


@handles("com.microsoft.SwiGLU")
def clamped_swiglu(view: View) -> Work:
    """An activation and a product an element; with a limit 2 operations more, with an addend
    one."""
    return Work(ops=_gated(view, view.out_elements()))


def _gated(view: View, numbers: int) -> dict[str, int]:
    """Operations to gate so many numbers, as the attributes of SwiGLU have it."""
    clamped = float(view.attribute("limit", 0.0)) > 0
    added = float(view.attribute("activation_beta", 0.0)) != 0
    return {"activation": numbers, "elementwise": numbers * (1 + 2 * clamped + added)}
