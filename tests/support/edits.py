"""A network of nine equal blocks with six faults each, and what is done to models that stay the
same network."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from _layers import conv_relu
from archlint.analyzer.builder import GraphBuilder

BLOCKS = 9
NINE = tuple(f"block{place}" for place in range(BLOCKS))
# Of each branch: the kernel, the channels of its first layer, the channels of its second layer.
BRANCHES = ((3, 192, 128), (5, 160, 96), (5, 128, 32))
CHANNELS = sum(out for _, _, out in BRANCHES)


def network(
    names: tuple[str, ...] = NINE,
    *,
    size: int = 28,
    wide: Mapping[str, int] = {},
) -> ModelProto:
    """A stem, a block for each name, a classifier.

    ``wide`` are the channels of the first layer of the second branch of some blocks.
    """
    b = GraphBuilder("blocks")
    x = conv_relu(b, b.input("x", [1, 3, size, size]), CHANNELS, 3, "/stem")
    for name in names:
        parts = []
        for place, (kernel, inner, out) in enumerate(BRANCHES):
            scope = f"/{name}/{name}.branch{place}"
            inner = wide.get(name, inner) if place == 1 else inner  # noqa: PLW2901 - as asked for
            part = conv_relu(b, x, inner, kernel, f"{scope}/reduce")
            parts.append(conv_relu(b, part, out, kernel, f"{scope}/expand"))
        x = b.concat(parts, name=f"/{name}/Concat")
    x = b.flatten(b.global_average_pool(x, name="/pool/GlobalAveragePool"), name="/Flatten")
    b.output(b.linear(x, CHANNELS, 10, name="/fc/Gemm", output="y"))
    return b.model()


def renamed(model: ModelProto) -> ModelProto:
    """The model with other names for all nodes and values, those of its interface as well."""
    return _with_values(_with_names(model, lambda place, node: f"{node.op_type}_{place}"))


def unnamed(model: ModelProto) -> ModelProto:
    """The model without names of nodes, the values numbered."""
    return _with_values(_with_names(model, lambda place, node: ""))


def shuffled(model: ModelProto, seed: int = 0) -> ModelProto:
    """The model with its nodes in another topological order."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    made = {name: place for place, node in enumerate(model.graph.node) for name in node.output}
    waits = [{made[name] for name in node.input if name in made} for node in model.graph.node]
    left, order, done = set(range(len(waits))), [], set[int]()
    while left:
        place = draw.choice(sorted(place for place in left if waits[place] <= done))
        order.append(place)
        left.remove(place)
        done.add(place)
    copy = _copied(model)
    nodes = list(copy.graph.node)
    del copy.graph.node[:]
    copy.graph.node.extend(nodes[place] for place in order)
    return copy


def with_casts(model: ModelProto) -> ModelProto:
    """The model with a Cast before every third convolution."""

    def cast(place: int, name: str) -> Iterator[NodeProto]:
        if place % 3 == 0:
            yield helper.make_node("Cast", [name], [f"{name}_cast{place}"], to=TensorProto.FLOAT)

    return _before_convolutions(model, cast)


def quantised(model: ModelProto) -> ModelProto:
    """The model with QuantizeLinear and DequantizeLinear before every convolution."""

    def pair(place: int, name: str) -> Iterator[NodeProto]:
        scale = ["quantisation_scale", "quantisation_zero"]
        integers = f"{name}_q{place}"
        yield helper.make_node("QuantizeLinear", [name, *scale], [integers])
        yield helper.make_node("DequantizeLinear", [integers, *scale], [f"{name}_dq{place}"])

    copy = _before_convolutions(model, pair)
    copy.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(0.1, np.float32), "quantisation_scale"),
            numpy_helper.from_array(np.array(128, np.uint8), "quantisation_zero"),
        ]
    )
    return copy


def exported_again(model: ModelProto) -> ModelProto:
    """The model as torch's dynamo exporter would have written it: numbered names, module paths as
    metadata, attributes that say what goes without saying."""
    copy = _with_names(model, lambda place, node: f"node_{node.op_type}_{place}")
    for old, node in zip(model.graph.node, copy.graph.node, strict=True):
        path = [part.rpartition(".")[2] for part in old.name.split("/")[1:-1]]
        names = ["", *(".".join(path[:count]) for count in range(1, len(path) + 1)), node.name]
        if path:
            node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=str(names))
        if node.op_type == "Conv":
            kept = [a for a in node.attribute if a.name not in ("kernel_shape", "dilations")]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("auto_pad", "NOTSET")])
    return _with_values(copy)


def _copied(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _with_names(model: ModelProto, name: Callable[[int, NodeProto], str]) -> ModelProto:
    copy = _copied(model)
    for place, node in enumerate(copy.graph.node):
        node.name = name(place, node)
    return copy


def _with_values(model: ModelProto) -> ModelProto:
    copy = _copied(model)
    graph = copy.graph
    names: dict[str, str] = {}
    for value in graph.input:
        value.name = names.setdefault(value.name, f"value_{len(names)}")
    for tensor in graph.initializer:
        tensor.name = names.setdefault(tensor.name, f"value_{len(names)}")
    for node in graph.node:
        for names_of in (node.input, node.output):
            names_of[:] = [names.setdefault(n, f"value_{len(names)}") if n else n for n in names_of]
    for output in graph.output:
        output.name = names[output.name]
    return copy


def _before_convolutions(
    model: ModelProto, inserted: Callable[[int, str], Iterator[NodeProto]]
) -> ModelProto:
    copy = _copied(model)
    nodes: list[NodeProto] = []
    for place, node in enumerate(copy.graph.node):
        if node.op_type == "Conv":
            for new in inserted(place, node.input[0]):
                nodes.append(new)
                node.input[0] = new.output[0]
        nodes.append(node)
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy
