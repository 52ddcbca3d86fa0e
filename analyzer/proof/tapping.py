"""Copies of models that give what is asked for: any value of the graph, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import EncodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from archlint.analyzer.graph import Graph
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.instrument import omitted_weights
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.restored import restore
from archlint.analyzer.text import safe

BUDGET: Final = 512 << 20  # bytes of the values that a run hands over
_UNKNOWN: Final = BUDGET // 8  # of a value whose size no inference tells
_MEMORY: Final = 4 << 30  # beside three times each file: as it is read, and packed for kernels
_SECONDS: Final = 600
_NAME = 80  # characters of a name that a message shows
# Floats that numpy lacks; onnxruntime casts them.
_CAST: Final = frozenset({
    TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ,
    TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tapped:
    """A model whose file has no outputs; ``taps`` are bytes that add some if they follow it.

    Parts of a message that follow each other are merged by protobuf, so that a child without onnx
    chooses outputs. ``fetched`` are the names that values have as outputs.
    """

    content: bytes
    folder: str
    taps: Mapping[str, bytes]
    fetched: Mapping[str, str]


def tap(model: Model, graph: Graph, values: Iterable[str]) -> Tapped:
    """The model with all of its weights, ready to hand over any of these values.

    Raises ExecutionError for a model that lacks weights, ModelReadError where they cannot be read.
    """
    refuse_unsafe(model)
    proto, folder = restore(model)
    if omitted := omitted_weights(proto.graph, graph):
        name = safe(omitted[0].name, _NAME)
        raise ExecutionError(model.path, f"cannot be run: its weight '{name}' has no data")
    declared = {info.name: info for info in reversed(proto.graph.output)}
    taps: dict[str, bytes] = {}
    fetched: dict[str, str] = {}
    for value in values:
        fetched[value], part = _tap(value, graph, declared.get(value), len(taps))
        taps[value] = ModelProto(graph=part).SerializeToString()
    del proto.graph.output[:]
    _free_placeholders(proto.graph)
    try:
        content = proto.SerializeToString()
    except EncodeError as error:
        why = "cannot be run: with its new weights it is more than a protobuf message holds"
        raise ExecutionError(model.path, why) from error
    return Tapped(content, folder, taps, fetched)


def _tap(
    value: str, graph: Graph, declared: ValueInfoProto | None, number: int
) -> tuple[str, GraphProto]:
    """The name that a value has as an output, and what makes it one."""
    if graph.value(value).dtype not in _CAST:
        info = declared if declared is not None else ValueInfoProto(name=value)
        return value, GraphProto(output=[info])
    name = f"@tap{number}@"
    cast: NodeProto = helper.make_node("Cast", [value], [name], to=TensorProto.FLOAT)
    return name, GraphProto(node=[cast], output=[ValueInfoProto(name=name)])


def _free_placeholders(proto: GraphProto) -> None:
    """Let inputs have any size where exporters wrote 0 or −1 for that."""
    for info in proto.input:
        for dim in info.type.tensor_type.shape.dim:
            if dim.HasField("dim_value") and dim.dim_value <= 0:
                dim.Clear()


def size_of(graph: Graph, value: str) -> int:
    """Bytes of a value, or a guess where they are not known."""
    found = graph.value(value)
    elements = found.elements
    size = found.bytes_of(elements) if isinstance(elements, int) else None
    return _UNKNOWN if size is None else size


def batches(sizes: Mapping[str, int]) -> list[list[str]]:
    """The values in lists of which each takes at most BUDGET bytes, or is one value."""
    found: list[list[str]] = []
    room = 0
    for value, size in sizes.items():
        if not found or size > room:
            found.append([])
            room = BUDGET
        found[-1].append(value)
        room -= size
    return found


def limits_for(*models: Model) -> Limits:
    """What a child may use that runs these models."""
    size = sum(model.file_bytes + model.external_bytes for model in models)
    return Limits(_SECONDS, 2 * _SECONDS, _MEMORY + 3 * size)
