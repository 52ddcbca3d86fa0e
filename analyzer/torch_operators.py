"""Modules of torch.nn for operators that stand in no plain chain of layers."""

from __future__ import annotations

from archlint.analyzer.geometry import Window, window
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.torch_layers import (
    Layer,
    Writer,
    differing,
    in_one,
    layer_of,
    shape_of_constant,
    sides_of,
    weights_of,
)

_COERCED = 13  # the opset before which Softmax takes the input as a matrix


def module_of(graph: Graph, node: Node) -> Layer | None:
    """The modules of torch.nn that do what a node does; None where there are none."""
    writer = _WRITERS.get(node.operator)
    return writer(graph, node) if writer else layer_of(graph, node)


def _batch_norm(graph: Graph, node: Node) -> Layer | None:
    rank = len(graph.value(node.input(0)).shape or ())
    scale = shape_of_constant(graph, node.input(1))
    if not 2 <= rank <= 5 or scale is None or node.attributes.get("training_mode", 0):
        return None
    epsilon = node.attributes.get("epsilon", 1e-5)
    more = "" if f"{epsilon:g}" == "1e-05" else f", eps={epsilon:g}"
    keys = ("weight", "bias", "running_mean", "running_var")
    return Layer((f"nn.BatchNorm{max(rank - 2, 1)}d({scale[0]}{more})",), weights_of(node, *keys))


def _layer_norm(graph: Graph, node: Node) -> Layer | None:
    scale, rank = shape_of_constant(graph, node.input(1)), graph.value(node.input(0)).shape
    axis = int(node.attributes.get("axis", -1))
    if scale is None or rank is None or len(scale) != (-axis if axis < 0 else len(rank) - axis):
        return None
    epsilon = node.attributes.get("epsilon", 1e-5)
    more = "" if f"{epsilon:g}" == "1e-05" else f", eps={epsilon:g}"
    more += "" if node.input(2) else ", bias=False"
    return Layer((f"nn.LayerNorm({list(scale)}{more})",), weights_of(node, "weight", "bias"))


def _softmax(graph: Graph, node: Node) -> Layer | None:
    rank, coerced = len(graph.value(node.input(0)).shape or ()), graph.opset < _COERCED
    axis = int(node.attributes.get("axis", 1 if coerced else -1))
    if coerced and axis not in (-1, rank - 1):
        return None
    return Layer((f"nn.Softmax(dim={axis})",))


def _slide(graph: Graph, node: Node) -> Window | None:
    """The window of a pooling of one to three axes whose padding is known."""
    spatial = (graph.value(node.input(0)).shape or ())[2:]
    slide = window(node.attributes, spatial) if 1 <= len(spatial) <= 3 else None
    return None if slide is None or slide.pads is None else slide


def _pool(graph: Graph, node: Node) -> Layer | None:
    """A pooling; one whose pads are uneven, or wider than torch's, is padded by a module before."""
    slide = _slide(graph, node)
    if slide is None or slide.pads is None or node.output(1):
        return None
    axes, largest = len(slide.kernel), node.op_type == "MaxPool"
    pads = list(slide.pads)
    own = pads[:axes] == pads[axes:] and all(
        2 * side <= size for side, size in zip(pads[:axes], slide.kernel, strict=True)
    )
    included = bool(node.attributes.get("count_include_pad", 0)) or not any(pads)
    spread = any(size != 1 for size in slide.dilations)
    if not largest and (spread or not (own or (included and not slide.ceil))):
        return None
    arguments = [in_one(list(slide.kernel)), in_one(list(slide.strides))]
    arguments += differing(
        padding=(pads[:axes] if own else [0], 0), dilation=(list(slide.dilations), 1)
    )
    if slide.ceil:
        arguments.append("ceil_mode=True")
    if not largest and not included:
        arguments.append("count_include_pad=False")
    kind, fill = ("Max", "float('-inf')") if largest else ("Avg", "0.0")
    around = () if own else (f"nn.ConstantPad{axes}d({sides_of(pads)}, {fill})",)
    return Layer((*around, f"nn.{kind}Pool{axes}d({', '.join(arguments)})"))


def _largest(graph: Graph, node: Node) -> Layer | None:
    axes = len(graph.value(node.input(0)).shape or ()) - 2
    return Layer((f"nn.AdaptiveMaxPool{axes}d(1)",)) if 1 <= axes <= 3 else None


def _conv_transpose(graph: Graph, node: Node) -> Layer | None:
    """With the same padding on both sides: torch crops no other way."""
    weight = shape_of_constant(graph, node.input(1))
    spatial = (graph.value(node.input(0)).shape or ())[2:]
    if weight is None or len(spatial) != len(weight) - 2 or not 1 <= len(spatial) <= 3:
        return None
    given = node.attributes
    slide = window(given, spatial, weight[2:])
    if slide.pads is None or slide.same or given.get("output_shape"):
        return None
    axes, pads, group = len(spatial), list(slide.pads), int(given.get("group", 1))
    if pads[:axes] != pads[axes:]:
        return None
    arguments = [str(weight[0]), str(weight[1] * group), in_one(list(weight[2:]))]
    arguments += differing(
        stride=(list(slide.strides), 1),
        padding=(pads[:axes], 0),
        output_padding=(list(given.get("output_padding") or [0]), 0),
        groups=([group], 1),
        dilation=(list(slide.dilations), 1),
    )
    if not node.input(2):
        arguments.append("bias=False")
    layer = f"nn.ConvTranspose{axes}d({', '.join(arguments)})"
    return Layer((layer,), weights_of(node, "weight", "bias"))


_WRITERS: dict[str, Writer] = {
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Softmax": _softmax,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalMaxPool": _largest,
    "ConvTranspose": _conv_transpose,
}
