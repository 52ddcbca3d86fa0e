"""What a picture calls a layer, in a few words."""

from __future__ import annotations

import re

from archlint.analyzer.report.html import svg
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import safe

_UNNAMED = re.compile(r"n\d+")  # what a node without a name is called
_PLAIN = frozenset({"conv", "conv2d", "dense", "fc", "layer", "linear", "proj", "projection"})
_DIM = 40  # columns
_SHORT = 26  # columns: more do not fit a box
_KNOWN_DIMS = re.compile(r"[\d?…]+(x[\d?…]+)*")


def shape_text(shape: str) -> str:
    """``1×64×56×56`` of 1x64x56x56, ``1×64×…`` of 1x64x(height//2+1); a shape in which dims have
    names stays as it is."""
    brief = _brief(shape) if "(" in shape else shape
    return brief.replace("x", "×") if _KNOWN_DIMS.fullmatch(brief) else brief


def value_shape(shape: tuple[int | str, ...] | None) -> str:
    """``1×3×height×width`` of an input or output of a model; of one without dims ``scalar``."""
    if shape is None:
        return "of unknown rank"
    return "×".join(safe(str(dim), _DIM) for dim in shape) or "scalar"


def _brief(shape: str) -> str:
    """The shape without what stands in brackets."""
    depth, kept = 0, ""
    for character in shape:
        if character == "(":
            kept += "" if depth else "…"
            depth += 1
        elif character == ")":
            depth -= 1
        elif depth <= 0:
            kept += character
    return kept


def heading(layer: LayerReport) -> tuple[str, str]:
    """The name of a layer, or what it does where the file gives it none of its own; and what it
    does, or the shape of its output."""
    name = own_name(layer)
    shape = "unknown shape" if layer.output == "?" else shape_text(layer.output)
    says_more = layer.described != layer.operator
    if name:
        both = f"{layer.operator} {shape}".rstrip()
        short = both if len(both) <= _SHORT else layer.operator
        return name, layer.described if says_more else short
    return (layer.described if says_more else _bare(layer.operator)), shape


def ending(path: str, width: float, size: float, *, bold: bool = False) -> str:
    """As many of the last modules of a path as there is room for."""
    while "." in path and svg.text_width(path, size, bold=bold) > width:
        path = path.partition(".")[2]
    return path


def own_name(layer: LayerReport) -> str:
    """The last part of its label; its module's where that only repeats the operator; empty where
    neither tells anything."""
    last = re.split(r"[/:]", layer.label)[-1]
    if last and not _UNNAMED.fullmatch(layer.label) and not _repeats(last, layer.operator):
        return last
    if not layer.parameters or not layer.scope:
        return ""
    *_, module = ["", *layer.scope]
    if (module.isdigit() or module.casefold() in _PLAIN) and len(layer.scope) > 1:
        module = f"{layer.scope[-2]}.{module}"
    return module


def _repeats(name: str, operator: str) -> bool:
    """Whether an exporter made the name of the operator: Conv, Conv_12, Conv2D, node_conv2d_3."""
    return name.startswith((_bare(operator), "node_"))


def _bare(operator: str) -> str:
    """The operator without its domain."""
    return operator.rpartition(".")[2]
