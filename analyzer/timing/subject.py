"""What is timed: a model with its weights, or with made-up ones, and what it is fed with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from onnx import GraphProto, NodeProto, TensorProto, numpy_helper

from archlint.analyzer.algorithms import peak_memory
from archlint.analyzer.graph import Graph, Value
from archlint.analyzer.nodes import read_by
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.inputs import Feed, feeds
from archlint.analyzer.runtime.instrument import omitted_weights
from archlint.analyzer.runtime.restored import restore
from archlint.analyzer.timing.weights import MadeUp, bytes_of, declare, is_float, made_up


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to time: its bytes, the folder of its external data, made-up weights, and feeds.

    ``tensor_bytes`` are those of its weights, wherever they lie, and of the activations that are
    alive at once.
    """

    model: bytes
    folder: str
    made_up: tuple[MadeUp, ...]
    feeds: tuple[Feed, ...]
    tensor_bytes: int

    @property
    def is_synthetic(self) -> bool:
        """Whether weights are made up."""
        return bool(self.made_up)

    def as_json(self, file_name: str) -> dict[str, Any]:
        """The argument of a job that finds the model in this file."""
        return {
            "model": file_name,
            "folder": self.folder,
            "weights": [asdict(weight) for weight in self.made_up],
            "inputs": [feed.as_json() for feed in self.feeds],
        }


def whole(model: Model, graph: Graph) -> Subject:
    """A whole model with its own weights; those that it lacks or fills with one number are made up.

    onnxruntime merges weights that are equal, and the branches behind them: a network whose weights
    are placeholders would be timed as a smaller one. Raises ExecutionError where an input's shape
    is unknown.
    """
    proto, folder = restore(model)
    made = [
        weight
        for value in omitted_weights(proto.graph, graph)
        if (weight := made_up(value.name, value)) is not None
    ]
    made += _without_fills(proto.graph, graph)
    for weight in made:
        declare(proto.graph, weight)
    _drop_unread(proto.graph)
    declared = {tensor.name for tensor in proto.graph.initializer}
    made = [weight for weight in made if weight.name in declared]
    _agree(proto.graph, graph)
    size = model.file_bytes + model.external_bytes + bytes_of(made) + peak_memory(graph).bytes
    fed = tuple(feeds(model.path, graph))
    return Subject(proto.SerializeToString(), folder, tuple(made), fed, size)


def _without_fills(proto: GraphProto, graph: Graph) -> list[MadeUp]:
    """Take out the nodes that fill weights with one number, and tell what stands in their place.

    The others are put in topological order.
    """
    outputs = {output.name for output in proto.output}
    found: list[MadeUp] = []
    kept: list[NodeProto] = []
    order = {node.position: node.id for node in graph.nodes}
    for place in sorted(order, key=order.__getitem__):
        node, weight = proto.node[place], None
        fills = node.op_type == "ConstantOfShape" and not node.domain and node.output
        if fills and node.output[0] not in outputs:
            weight = _filled(node, graph.value(node.output[0]))
        if weight is None:
            kept.append(node)
        else:
            found.append(weight)
    ordered = GraphProto(node=kept)  # copies, before the originals go
    del proto.node[:]
    proto.node.extend(ordered.node)
    return found


def _drop_unread(proto: GraphProto) -> None:
    """Take out the initializers that nothing reads, which onnxruntime refuses in old files."""
    read = {name for node in proto.node for name in read_by(node)}
    read.update(output.name for output in proto.output)
    for place in reversed(range(len(proto.initializer))):
        if proto.initializer[place].name not in read:
            del proto.initializer[place]


def _filled(node: NodeProto, value: Value) -> MadeUp | None:
    """What stands in place of a fill; None where that is no weight."""
    shape = value.static_shape
    if shape is None or prod(shape) <= 1 or not is_float(value) or not value.constant:
        return None
    number = next((_number(entry.t) for entry in node.attribute if entry.name == "value"), 0.0)
    # A fill of zeros is a state or a mask.
    return made_up(value.name, value, number) if number else None


def _number(tensor: TensorProto) -> float:
    """The number of a fill; 0, as where there is none, if the tensor is broken."""
    try:
        return float(numpy_helper.to_array(tensor).reshape(-1)[0])
    except (ValueError, TypeError, KeyError, IndexError):
        return 0.0


def _agree(proto: GraphProto, graph: Graph) -> None:
    """Let the declared inputs allow what they are fed with; dims without a number stay so."""
    for info in proto.input:
        shape = graph.value(info.name).static_shape
        dims = info.type.tensor_type.shape.dim
        if shape is None or len(dims) != len(shape):
            continue
        for dim, size in zip(dims, shape, strict=True):
            if dim.HasField("dim_value"):
                dim.dim_value = size
