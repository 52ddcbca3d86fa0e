"""A model with proposals in place, made fit to be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from archlint.analyzer.nodes import read_by
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.reader import Model
from archlint.analyzer.splicing import splice

_MOST_NUMBERS = 16  # bounds, shapes and pads; a longer initializer is a weight
_INSERTED = re.compile(r"archlint\d+/")
_DEFAULTS = {"dilations": 1, "strides": 1, "group": 1, "pads": 0, "output_padding": 0}
_CONVOLUTIONS = {"Conv", "ConvTranspose"}  # whose defaults they are


def readable(model: Model, proposals: Sequence[Proposal]) -> ModelProto:
    """The model with the proposals spliced in: in order, with short names and no default
    attributes, and weights declared without numbers."""
    proto = splice(model, proposals).proto
    graph = proto.graph
    _declare_weights(graph)
    for node in graph.node:
        if node.op_type in _CONVOLUTIONS and _INSERTED.match(node.name):
            _without_defaults(node)
    _drop_unread(graph)
    _rename(graph)
    _sort(graph)
    return proto


def _declare_weights(graph: GraphProto) -> None:
    """Weights that a proposal fills with one number, and long initializers, become declarations:
    ``float[32,16,5,5] w``, which nothing makes."""
    shapes = {t.name: t for t in graph.initializer}
    filled = [
        node
        for node in graph.node
        if node.op_type == "ConstantOfShape" and _INSERTED.match(node.name)
    ]
    for node in filled:
        graph.node.remove(node)
        dtype = node.attribute[0].t.data_type
        shape = numpy_helper.to_array(shapes[node.input[0]]).tolist()
        graph.value_info.append(helper.make_tensor_value_info(node.output[0], dtype, shape))
    for tensor in [t for t in graph.initializer if prod(t.dims) > _MOST_NUMBERS]:
        graph.initializer.remove(tensor)
        info = helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
        graph.value_info.append(info)


def _without_defaults(node: NodeProto) -> None:
    """Take out the attributes of a convolution that say what holds without them."""
    for attribute in list(node.attribute):
        said = set(attribute.ints) or {attribute.i}
        if attribute.name == "kernel_shape" or said == {_DEFAULTS.get(attribute.name)}:
            node.attribute.remove(attribute)


def _drop_unread(graph: GraphProto) -> None:
    """Take out initializers that no node reads, and declarations but those of weights."""
    read = {name for node in graph.node for name in read_by(node)}
    made = {name for node in graph.node for name in node.output}
    for tensor in [t for t in graph.initializer if t.name not in read]:
        graph.initializer.remove(tensor)
    for info in [v for v in graph.value_info if v.name not in read or v.name in made]:
        graph.value_info.remove(info)


def _rename(graph: GraphProto) -> None:
    """Give what was inserted short names that nothing else has, and its nodes none."""
    outer = [value.name for value in (*graph.input, *graph.output, *graph.value_info)]
    weights = [tensor.name for tensor in graph.initializer]
    named = [*outer, *weights, *(name for node in graph.node for name in node.output)]
    taken = {name for name in named if not _INSERTED.match(name)}
    short: dict[str, str] = {}
    for name in filter(_INSERTED.match, dict.fromkeys(named)):
        base = re.sub(r"\W", "_", _INSERTED.sub("", name))
        number = 1
        while (new := base if number == 1 else f"{base}_{number}") in taken:
            number += 1
        taken.add(new)
        short[name] = new
    for info in graph.value_info:
        info.name = short.get(info.name, info.name)
    for tensor in graph.initializer:
        tensor.name = short.get(tensor.name, tensor.name)
    for node in graph.node:
        if _INSERTED.match(node.name):
            node.name = ""
        node.input[:] = [short.get(name, name) for name in node.input]
        node.output[:] = [short.get(name, name) for name in node.output]


def _sort(graph: GraphProto) -> None:
    """Put each node behind those that make what it reads, as near to its place as can be."""
    waiting = list(graph.node)
    to_make = {name for node in waiting for name in node.output}
    del graph.node[:]
    while waiting:
        ready = (node for node in waiting if not to_make.intersection(read_by(node)))
        node = next(ready, waiting[0])
        waiting.remove(node)
        to_make.difference_update(node.output)
        graph.node.append(node)
