"""The graph that onnxruntime made of a model, as it wrote it: the kernels that it runs."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterable
from dataclasses import dataclass
from tempfile import TemporaryFile

from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, NodeProto

from archlint.analyzer.graph import operator_name
from archlint.analyzer.nodes import ai_onnx_is_empty
from archlint.analyzer.reader.strings import parse
from archlint.analyzer.reader.structure import skim
from archlint.analyzer.reader.wire import WireError

# Attributes that say which operators a kernel runs beside its own.
_FUSED = ("activation", "activation_type")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A node of the optimised graph; ``number`` is its place among all, those of bodies included.

    ``within`` is the number of the node in whose body it is. Values of several graphs that share a
    name are told apart by what stands before it. ``activation`` is the operator fused to it.
    """

    number: int
    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    within: int | None = None
    activation: str = ""


def read_kernels(content: bytes) -> list[Kernel]:
    """The kernels of a serialised model from a process that the model may have taken over.

    Raises ValueError for bytes that are no model.
    """
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        try:
            proto = parse(skim(file.fileno()).content)
        except (WireError, DecodeError) as error:
            raise ValueError("the optimised model is damaged") from error
    kernels: list[Kernel] = []
    _gather(proto.graph, ChainMap(), None, kernels)
    return kernels


def _gather(
    graph: GraphProto, names: ChainMap[str, str], within: int | None, found: list[Kernel]
) -> None:
    """Add the kernels of a graph, those of bodies behind their owners."""
    mark = "" if within is None else f"{within}:"
    own = (
        *(info.name for info in graph.input),
        *(tensor.name for tensor in graph.initializer),
        *(name for node in graph.node for name in node.output),
    )
    names.maps[0].update((name, f"{mark}{name}") for name in own if name)
    for node in graph.node:
        number = len(found)
        found.append(
            Kernel(
                number,
                node.name,
                operator_name(ai_onnx_is_empty(node.domain), node.op_type),
                tuple([names.get(name, name) for name in node.input]),
                tuple([names.get(name, name) for name in node.output]),
                within,
                _activation(node),
            )
        )
        for body in _bodies(node):
            _gather(body, names.new_child(), number, found)


def _bodies(node: NodeProto) -> Iterable[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _activation(node: NodeProto) -> str:
    named = {attribute.name: attribute.s for attribute in node.attribute}
    return next((named[n].decode(errors="replace") for n in _FUSED if n in named), "")
