"""Factorised layers in a person's words."""

from __future__ import annotations

from archlint.analyzer.describe import kernel_text
from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.layers import Layer


def title_of(layer: Layer, form: Form, ranks: tuple[int, ...]) -> str:
    """``a rank-48 factorisation: 1×1 to 48 channels, then 3×3``."""
    rank = ranks[0]
    if layer.conv is None:
        filters, channels = layer.shape
        return f"a rank-{rank} factorisation: {channels:,}→{rank:,}, then {rank:,}→{filters:,}"
    first, *others = layer.steps(form, ranks)
    kernels = [kernel_text(step.kernel) for step in others]
    start = f"{kernel_text(first.kernel)} to {rank} channels"
    if form is Form.TUCKER:
        return (
            f"a rank-({rank}, {ranks[1]}) factorisation: {start}, {kernels[0]} to {ranks[1]}, "
            f"then {kernels[1]}"
        )
    return f"a rank-{rank} factorisation: {start}, then {kernels[0]}"
