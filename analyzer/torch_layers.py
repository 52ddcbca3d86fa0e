"""Modules of torch.nn that do what a node does, and which constants their weights are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isclose, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.geometry import window
from archlint.analyzer.graph import Graph, Node

Turn = Callable[[NDArray[Any]], NDArray[Any]]


def _as_it_is(elements: NDArray[Any]) -> NDArray[Any]:
    return elements


@dataclass(frozen=True, slots=True)
class Weight:
    """An entry of a module's state: the constant that it is, and how torch has its elements."""

    key: str
    value: str
    turn: Turn = _as_it_is


@dataclass(frozen=True, slots=True)
class Layer:
    """Modules in a row, of which the last one holds the weights."""

    modules: tuple[str, ...]
    weights: tuple[Weight, ...] = ()


Writer = Callable[[Graph, Node], Layer | None]

_PLAIN = {
    "Relu": "nn.ReLU()", "Sigmoid": "nn.Sigmoid()", "Tanh": "nn.Tanh()", "Mish": "nn.Mish()",
    "HardSwish": "nn.Hardswish()", "Softplus": "nn.Softplus()", "Softsign": "nn.Softsign()",
    "Identity": "nn.Identity()", "com.microsoft.Gelu": "nn.GELU()",
}  # fmt: skip
_SELU = {"alpha": 1.6732632, "gamma": 1.0507010}  # ONNX's, and torch's only ones


def layer_of(graph: Graph, node: Node) -> Layer | None:
    """The modules that do what a convolution, a product with a matrix, or an activation does; None
    for other nodes, and for those that torch has no module for."""
    plain = _PLAIN.get(node.operator)
    if plain is not None:
        return Layer((plain,))
    writer = _WRITERS.get(node.operator)
    return writer(graph, node) if writer else None


def weights_of(node: Node, *keys: str) -> tuple[Weight, ...]:
    """The inputs of a node from its second one on, by the keys that torch has for them."""
    inputs = zip(keys, node.inputs[1:], strict=False)
    return tuple(Weight(key, name) for key, name in inputs if name)


def shape_of_constant(graph: Graph, name: str) -> tuple[int, ...] | None:
    """The shape of a constant; None for what is none."""
    value = graph.value(name)
    return value.static_shape if value.constant else None


def in_one(sizes: list[int]) -> str:
    """Sizes of the axes as arguments of torch: one number where they are the same."""
    return str(sizes[0]) if len(set(sizes)) == 1 else str(tuple(sizes))


def differing(**arguments: tuple[list[int], int]) -> list[str]:
    """Arguments of which some axis differs from torch's default."""
    return [
        f"{name}={in_one(sizes)}"
        for name, (sizes, default) in arguments.items()
        if any(size != default for size in sizes)
    ]


def sides_of(pads: list[int]) -> tuple[int, ...]:
    """ONNX's pads, all begins and then all ends, as torch lists them: the last axis first."""
    axes = len(pads) // 2
    return tuple(side for axis in reversed(range(axes)) for side in (pads[axis], pads[axes + axis]))


def _conv(graph: Graph, node: Node) -> Layer | None:
    weight = shape_of_constant(graph, node.input(1))
    spatial = (graph.value(node.input(0)).shape or ())[2:]
    if weight is None or len(spatial) != len(weight) - 2 or not 1 <= len(spatial) <= 3:
        return None
    slide = window(node.attributes, spatial, weight[2:])
    if slide.pads is None:
        return None
    axes, pads = len(spatial), list(slide.pads)
    group = int(node.attributes.get("group", 1))
    even = pads[:axes] == pads[axes:]
    arguments = [str(weight[1] * group), str(weight[0]), in_one(list(weight[2:]))]
    arguments += differing(
        stride=(list(slide.strides), 1),
        padding=(pads[:axes] if even else [0], 0),
        dilation=(list(slide.dilations), 1),
        groups=([group], 1),
    )
    if not node.input(2):
        arguments.append("bias=False")
    layer = f"nn.Conv{axes}d({', '.join(arguments)})"
    # nn.Conv pads both sides alike.
    padding = () if even else (f"nn.ZeroPad{axes}d({sides_of(pads)})",)
    return Layer((*padding, layer), weights_of(node, "weight", "bias"))


def _gemm(graph: Graph, node: Node) -> Layer | None:
    weight = shape_of_constant(graph, node.input(1))
    bias = shape_of_constant(graph, node.input(2)) if node.input(2) else ()
    if weight is None or len(weight) != 2 or bias is None or node.attributes.get("transA", 0):
        return None
    turned = bool(node.attributes.get("transB", 0))
    before, after = weight[::-1] if turned else weight
    if prod(bias) != 1 and bias not in ((after,), (1, after)):
        return None
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    weights = [
        Weight("weight", node.input(1), lambda w: (w if turned else w.T) * w.dtype.type(alpha)),
        Weight("bias", node.input(2), lambda b: _spread(b, after) * b.dtype.type(beta)),
    ]
    bare = "" if node.input(2) else ", bias=False"
    used = tuple(one for one in weights if one.value)
    return Layer((f"nn.Linear({before}, {after}{bare})",), used)


def _matmul(graph: Graph, node: Node) -> Layer | None:
    """A product with a constant matrix on the right is a linear layer."""
    weight = shape_of_constant(graph, node.input(1))
    if weight is None or len(weight) != 2:
        return None
    turned = Weight("weight", node.input(1), lambda matrix: matrix.T)
    return Layer((f"nn.Linear({weight[0]}, {weight[1]}, bias=False)",), (turned,))


def _spread(bias: NDArray[Any], features: int) -> NDArray[Any]:
    return np.broadcast_to(bias.reshape(-1), (features,))


def _clip(graph: Graph, node: Node) -> Layer | None:
    bounds = []
    for index, attribute in ((1, "min"), (2, "max")):
        data = graph.value(node.input(index)).data
        if data is None and node.input(index):
            return None
        bounds.append(node.attributes.get(attribute) if data is None else data.reshape(-1)[0])
    if bounds == [0, 6]:
        return Layer(("nn.ReLU6()",))
    low, high = (
        f"float('{free}')" if bound is None else bound
        for bound, free in zip(bounds, ("-inf", "inf"), strict=True)
    )
    return Layer((f"nn.Hardtanh({low}, {high})",))


def _hard_sigmoid(_graph: Graph, node: Node) -> Layer | None:
    slope, shift = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    same = isclose(slope, 1 / 6, rel_tol=1e-5) and isclose(shift, 0.5, rel_tol=1e-5)
    return Layer(("nn.Hardsigmoid()",)) if same else None


def _prelu(graph: Graph, node: Node) -> Layer | None:
    """nn.PReLU has one slope, or one for each entry of axis 1."""
    slope, shape = shape_of_constant(graph, node.input(1)), graph.value(node.input(0)).shape
    if slope is None:
        return None
    wide = [place for place, size in enumerate(slope) if size != 1]
    if wide and (shape is None or [len(slope) - place for place in wide] != [len(shape) - 1]):
        return None
    slopes = Weight("weight", node.input(1), lambda a: a.reshape(-1))
    return Layer((f"nn.PReLU({prod(slope)})",), (slopes,))


def _selu(_graph: Graph, node: Node) -> Layer | None:
    given = (isclose(node.attributes.get(k, d), d, rel_tol=1e-6) for k, d in _SELU.items())
    return Layer(("nn.SELU()",)) if all(given) else None


def _flatten(_graph: Graph, node: Node) -> Layer | None:
    return Layer(("nn.Flatten()",)) if node.attributes.get("axis", 1) == 1 else None


def _pool_to_one(graph: Graph, node: Node) -> Layer:
    shape = graph.value(node.input(0)).static_shape or (1, 1, 1, 1)
    return Layer((f"nn.AdaptiveAvgPool{len(shape) - 2}d(1)",))


def _gelu(_graph: Graph, node: Node) -> Layer:
    tanh = node.attributes.get("approximate", "none") == "tanh"
    return Layer(("nn.GELU(approximate='tanh')" if tanh else "nn.GELU()",))


def _with_alpha(module: str, default: float, more: str = "") -> Writer:
    """A module with ONNX's alpha, which is torch's own default where it is ``default``."""

    def write(_graph: Graph, node: Node) -> Layer:
        alpha = f"{node.attributes.get('alpha', default):g}"
        return Layer((f"{module}({'' if alpha == '1' and not more else alpha}{more})",))

    return write


_WRITERS: dict[str, Writer] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "GlobalAveragePool": _pool_to_one,
    "LeakyRelu": _with_alpha("nn.LeakyReLU", 0.01),
    "Elu": _with_alpha("nn.ELU", 1.0),
    "Celu": _with_alpha("nn.CELU", 1.0),
    "ThresholdedRelu": _with_alpha("nn.Threshold", 1.0, ", 0.0"),
    "PRelu": _prelu,
    "Selu": _selu,
    "Gelu": _gelu,
    "Flatten": _flatten,
}
