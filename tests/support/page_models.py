"""Models whose pages are looked at in a browser: each has something that is hard to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

import googlenet
import resnet50
import vit_b_16
from _layers import conv_bn_relu, conv_relu
from archlint.analyzer.builder import GraphBuilder
from edits import network

MARK = "archlintRan"  # what a hostile name would set on the window, if it ran
HOSTILE = (
    f'"><img src=x onerror="window.{MARK}=1">',
    f"<script>window.{MARK}=1;alert(1)</script>",
    f"']]><svg onload=window.{MARK}=1>",
    f'<a href="javascript:window.{MARK}=1">press</a>',
    f"</style></title></textarea><iframe srcdoc='<script>parent.{MARK}=1</script>'>",
    "{{ 7 * 7 }}{% raw %}${7*7}#nodes?q=%22%3E",
    "\u202egnp.tamron\u2066",
    "\x1b[31mred\x1b[0m\x07",
    "n" * 10_000,
    "模型卷积层名称很长" * 8,
    "a\u0301\u0489" * 40,
    " \t\u00a0\u3000 ",
)
"""Names that would run, break out of their place or cover others, were they not escaped."""
FIVE_BY_FIVE = re.compile(r"/inception_\w+/branch5x5/conv/Conv")
_BLOCK_NODES = 10


def without_reductions() -> ModelProto:
    """GoogLeNet whose nine 5×5 convolutions read all channels of their module, as in figure 2(a) of
    the paper."""
    model = googlenet.build()
    graph = model.graph
    made = {output: node for node in graph.node for output in node.output}
    sizes = {tensor.name: tensor for tensor in graph.initializer}
    gone: set[str] = set()
    for wide in [node for node in graph.node if FIVE_BY_FIVE.fullmatch(node.name)]:
        relu = made[wide.input[0]]
        reduction = made[relu.input[0]]
        size, reduced = (sizes[made[node.input[1]].input[0]] for node in (wide, reduction))
        dims = numpy_helper.to_array(size).copy()
        dims[1] = numpy_helper.to_array(reduced)[1]
        size.CopyFrom(numpy_helper.from_array(dims, size.name))
        wide.input[0] = reduction.input[0]
        gone |= {relu.name, reduction.name, *(made[name].name for name in reduction.input[1:])}
    _keep(graph, lambda node: node.name not in gone)
    return model


def _keep(graph: GraphProto, kept: Callable[[NodeProto], bool]) -> None:
    """Leave out the other nodes, and the initializers that nobody reads then."""
    nodes = [node for node in graph.node if kept(node)]
    read = {name for node in nodes for name in node.input}
    tensors = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)


def quantised() -> ModelProto:
    """Residual blocks in 8-bit integers, by QuantizeLinear and DequantizeLinear; the third block is
    left in floats."""
    b = GraphBuilder("quantised", weights="random")
    x = conv_relu(b, b.input("input", [1, 3, 64, 64]), 64, 3, "/stem", stride=2)
    for block in range(6):
        scope = f"/blocks.{block}"
        y = conv_relu(b, x, 64, 3, f"{scope}/conv1")
        y = b.conv(y, 64, 3, name=f"{scope}/conv2/Conv")
        x = b.relu(b.node("Add", x, y, name=f"{scope}/Add"), name=f"{scope}/Relu")
    x = b.flatten(b.global_average_pool(x, name="/pool/GlobalAveragePool"), name="/Flatten")
    b.output(b.linear(x, 64, 10, name="/head/Gemm", output="logits"), [1, 10])
    model = b.model()
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type in {"Conv", "Gemm"} and "blocks.2" not in node.name:
            nodes += _in_integers(node, weights)
        nodes.append(node)
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    scales = (numpy_helper.from_array(np.array(0.05, np.float32), "scale"),
              numpy_helper.from_array(np.array(0, np.int8), "zero"))  # fmt: skip
    model.graph.initializer.extend([*weights.values(), *scales])
    return model


def _in_integers(node: NodeProto, weights: dict[str, TensorProto]) -> Iterator[NodeProto]:
    """The nodes before one that then reads what was rounded, and the weight in integers."""
    floats, weight = node.input[0], node.input[1]
    rounded = np.rint(numpy_helper.to_array(weights[weight]) / 0.05).clip(-128, 127)
    weights[weight] = numpy_helper.from_array(rounded.astype(np.int8), weight)
    integers, node.input[0], node.input[1] = f"{node.name}_q", f"{node.name}_x", f"{node.name}_w"
    for op, read, made in (
        ("QuantizeLinear", floats, integers),
        ("DequantizeLinear", integers, node.input[0]),
        ("DequantizeLinear", weight, node.input[1]),
    ):
        yield helper.make_node(op, [read, "scale", "zero"], [made], name=f"{made}/{op}")


def deep(nodes: int = 5_000) -> ModelProto:
    """Residual blocks, one after another, of ten nodes each; every twentieth has a 5×5 convolution
    that is wide."""
    b = GraphBuilder("deep")
    x = conv_relu(b, b.input("input", [1, 3, 32, 32]), 64, 3, "/stem")
    for block in range(nodes // _BLOCK_NODES):
        scope, wide = f"/stages.{block // 50}/blocks.{block % 50}", block % 20 == 0
        y = conv_bn_relu(b, x, 32, 1, f"{scope}/conv1")
        y = conv_bn_relu(b, y, 192 if wide else 32, 3, f"{scope}/conv2")
        y = b.conv(y, 64, 5 if wide else 1, bias=False, name=f"{scope}/conv3/Conv")
        y = b.batch_norm(y, name=f"{scope}/bn3/BatchNormalization")
        x = b.relu(b.node("Add", x, y, name=f"{scope}/Add"), name=f"{scope}/Relu")
    x = b.flatten(b.global_average_pool(x, name="/pool/GlobalAveragePool"), name="/Flatten")
    b.output(b.linear(x, 64, 10, name="/head/Gemm", output="logits"), [1, 10])
    return b.model()


def unknown() -> ModelProto:
    """Sizes that only a caller knows, and an operator that nobody knows in the middle of it."""
    b = GraphBuilder("unknown")
    x = b.input("images", ["batch", 3, "height", "width"])
    x = conv_relu(b, x, 32, 3, "/stem", stride=2)
    x = conv_relu(b, x, 64, 3, "/body/first")
    x = b.node("Warp", x, name="/body/warp/Warp", domain="com.example", channels=64)
    x = conv_relu(b, x, 64, 3, "/body/second")
    x = conv_relu(b, x, 128, 5, "/body/third")
    b.output(b.flatten(b.global_average_pool(x, name="/pool/GlobalAveragePool"), name="/Flatten"))
    model = b.model()
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    return model


def hostile() -> ModelProto:
    """A wide 5×5 convolution for each hostile name, which is that of its nodes, of its module, of
    a value and of a dim."""
    b = GraphBuilder(HOSTILE[0])
    x = conv_relu(b, b.input(HOSTILE[1], [HOSTILE[2], 3, 28, 28]), 192, 3, f"/{HOSTILE[3]}")
    for place, name in enumerate(HOSTILE):
        x = b.conv(x, 192, 5, name=f"{name}", output=f"{name} {place}")
        x = b.relu(x, name=f"/{name.replace('/', '|')}/{name}.1/Relu")
    x = b.node(HOSTILE[1], x, name="custom", domain=HOSTILE[4])
    b.output(x)
    model = b.model()
    model.opset_import.append(helper.make_opsetid(HOSTILE[4], 1))
    return model


def without_nodes() -> ModelProto:
    """An input that is the output."""
    b = GraphBuilder("nothing")
    b.output(b.input("x", [1, 3]), [1, 3])
    return b.model()


BUILDERS: dict[str, Callable[[], ModelProto]] = {
    "googlenet": without_reductions,
    "googlenet_base": googlenet.build,
    "resnet50": resnet50.build,
    "vit": vit_b_16.build,
    "quantised": quantised,
    "deep": deep,
    "unknown": unknown,
    "hostile": hostile,
    "nothing": without_nodes,
    "blocks": network,
}
