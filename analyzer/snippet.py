"""PyTorch code for a small graph, as a start for the user's own module."""

from __future__ import annotations

from collections.abc import Callable
from math import isclose

from archlint.analyzer.graph import Graph, Node

_MODULES = {
    "Relu": "nn.ReLU()", "Sigmoid": "nn.Sigmoid()", "Tanh": "nn.Tanh()", "Elu": "nn.ELU()",
    "HardSwish": "nn.Hardswish()", "Gelu": "nn.GELU()",
    "Mish": "nn.Mish()", "Selu": "nn.SELU()", "Softplus": "nn.Softplus()",
    "Flatten": "nn.Flatten()", "Identity": "nn.Identity()",
}  # fmt: skip
_GATES = {"nn.Sigmoid()": "nn.SiLU()", "nn.Hardsigmoid()": "nn.Hardswish()"}  # times its input


def pytorch(graph: Graph) -> str:
    """``nn.Sequential`` of the graph's operators; empty if they are no chain that it can write."""
    lines = []
    nodes = list(graph.operators())
    while nodes:
        node = nodes.pop(0)
        line = _MODULES.get(node.op_type)
        if line is None:
            writer = _WRITERS.get(node.op_type)
            line = writer(graph, node) if writer else None
        if line is None:
            return ""
        if line in _GATES and nodes and _gates(node, nodes[0]):
            nodes.pop(0)
            line = _GATES[line]
        lines.append(line)
    body = "".join(f"    {line},\n" for line in lines)
    return f"nn.Sequential(\n{body})" if lines else ""


def _gates(node: Node, product: Node) -> bool:
    """Whether a node's output is multiplied by what the node reads, and nothing else."""
    return product.op_type == "Mul" and {*product.inputs} == {node.input(0), node.output(0)}


def _conv(graph: Graph, node: Node) -> str | None:
    weight = graph.value(node.input(1)).static_shape
    if weight is None:
        return None
    axes = len(weight) - 2
    group = int(node.attributes.get("group", 1))
    arguments = [str(weight[1] * group), str(weight[0]), _size(list(weight[2:]))]
    pads = list(node.attributes.get("pads") or [0] * 2 * axes)
    defaults = {
        "stride": (list(node.attributes.get("strides") or [1] * axes), 1),
        "padding": (pads[:axes], 0),
        "dilation": (list(node.attributes.get("dilations") or [1] * axes), 1),
    }
    for name, (sizes, default) in defaults.items():
        if any(size != default for size in sizes):
            arguments.append(f"{name}={_size(sizes)}")
    if group != 1:
        arguments.append(f"groups={group}")
    if not node.input(2):
        arguments.append("bias=False")
    layer = f"nn.Conv{axes}d({', '.join(arguments)})"
    if pads[:axes] == pads[axes:]:
        return layer
    # nn.Conv pads both sides alike; torch's padding lists the last axis first, begin and end.
    sides = [side for axis in reversed(range(axes)) for side in (pads[axis], pads[axes + axis])]
    padding = next((a for a in arguments if a.startswith("padding=")), None)
    bare = layer if padding is None else layer.replace(f", {padding}", "")
    return f"nn.ZeroPad{axes}d({tuple(sides)}),\n    {bare}"


def _gemm(graph: Graph, node: Node) -> str | None:
    weight = graph.value(node.input(1)).static_shape
    if weight is None or len(weight) != 2:
        return None
    before, after = weight[::-1] if node.attributes.get("transB", 0) else weight
    return f"nn.Linear({before}, {after}{'' if node.input(2) else ', bias=False'})"


def _clip(graph: Graph, node: Node) -> str:
    bounds = []
    for index, attribute in ((1, "min"), (2, "max")):
        data = graph.value(node.input(index)).data
        bounds.append(node.attributes.get(attribute) if data is None else data.reshape(-1)[0])
    if bounds == [0, 6]:
        return "nn.ReLU6()"
    low, high = (
        f"float('{free}')" if bound is None else bound
        for bound, free in zip(bounds, ("-inf", "inf"), strict=True)
    )
    return f"nn.Hardtanh({low}, {high})"


def _hard_sigmoid(_graph: Graph, node: Node) -> str | None:
    slope, shift = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    same = isclose(slope, 1 / 6, rel_tol=1e-5) and isclose(shift, 0.5, rel_tol=1e-5)
    return "nn.Hardsigmoid()" if same else None


def _pool_to_one(graph: Graph, node: Node) -> str:
    shape = graph.value(node.input(0)).static_shape or (1, 1, 1, 1)
    return f"nn.AdaptiveAvgPool{len(shape) - 2}d(1)"


def _size(sizes: list[int]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else str(tuple(sizes))


_WRITERS: dict[str, Callable[[Graph, Node], str | None]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "GlobalAveragePool": _pool_to_one,
    "LeakyRelu": lambda _graph, node: f"nn.LeakyReLU({node.attributes.get('alpha', 0.01):g})",
    "PRelu": lambda graph, node: (
        f"nn.PReLU({(graph.value(node.input(1)).static_shape or (1,))[0]})"
    ),
}
