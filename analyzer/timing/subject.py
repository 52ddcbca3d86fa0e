"""What is timed: a whole model, or some nodes of one as a small model of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import prod, sqrt
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from archlint.analyzer.builder import IR_VERSION
from archlint.analyzer.errors import TimingError
from archlint.analyzer.graph import Graph, Node, Value
from archlint.analyzer.load import load
from archlint.analyzer.nodes import as_proto, read_by
from archlint.analyzer.proposal import Proposal, as_model
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.inputs import Feed, feeds
from archlint.analyzer.runtime.instrument import omitted_weights
from archlint.analyzer.runtime.restored import restore

# numpy's names of the types that weights are made up in.
_FLOATS: dict[int, str] = {
    TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16", TensorProto.DOUBLE: "float64",
}  # fmt: skip
_INTEGERS: dict[int, str] = {
    TensorProto.INT8: "int8", TensorProto.UINT8: "uint8", TensorProto.INT16: "int16",
    TensorProto.UINT16: "uint16", TensorProto.INT32: "int32", TensorProto.INT64: "int64",
}  # fmt: skip
_FEW = 16  # elements of a vector that is no weight, but bounds, scales or sizes
_CONTRIB_VERSION = 1  # of every domain but ai.onnx's; onnxruntime's have no other
_NOWHERE = "made-up"  # the file of weights that the child is handed in memory


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A weight whose numbers do not matter, but that they differ: normal ones of a ``scale``, or
    even ones from ``low`` to ``high``. ``dtype`` is numpy's."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to time: its bytes, the folder of its external data, made-up weights, and feeds.

    ``weight_bytes`` are those of its weights, wherever they lie.
    """

    model: bytes
    folder: str
    made_up: tuple[MadeUp, ...]
    feeds: tuple[Feed, ...]
    weight_bytes: int

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
    made_up = [
        weight
        for value in omitted_weights(proto.graph, graph)
        if (weight := _made_up(value.name, value)) is not None
    ]
    made_up += _without_fills(proto.graph, graph)
    for weight in made_up:
        _declare(proto.graph, weight)
    _drop_unread(proto.graph)
    declared = {tensor.name for tensor in proto.graph.initializer}
    made_up = [weight for weight in made_up if weight.name in declared]
    _agree(proto.graph, graph)
    size = model.file_bytes + model.external_bytes + _bytes(made_up)
    fed = tuple(feeds(model.path, graph))
    return Subject(proto.SerializeToString(), folder, tuple(made_up), fed, size)


def of_proposal(path: str, proposal: Proposal, opset: int) -> Subject:
    """What a proposal would put in place of its nodes; raises TimingError as ``part``."""
    graph = load(Model(path, as_model(proposal, opset), 0))
    outputs = [output.name for output in proposal.graph.output]
    inputs = [entry.name for entry in proposal.graph.input]
    return part(path, graph, tuple(graph.operators()), inputs, outputs)


def part(
    path: str, graph: Graph, nodes: Sequence[Node], inputs: Sequence[str], outputs: Sequence[str]
) -> Subject:
    """Some nodes as a model of their own, from ``inputs`` to ``outputs``, all names replaced.

    Their weights are made up. Equal nodes give equal subjects, whatever their names. Raises
    TimingError where a shape or a type is unknown or cannot be made up.
    """
    return _Part(path, graph, nodes, inputs, outputs).subject()


class _Part:
    def __init__(
        self,
        path: str,
        graph: Graph,
        nodes: Sequence[Node],
        inputs: Sequence[str],
        outputs: Sequence[str],
    ) -> None:
        self._path = path
        self._graph = graph
        self._nodes = nodes
        self._inputs = inputs
        self._outputs = outputs
        self._names: dict[str, str] = {}
        self._made_up: list[MadeUp] = []
        self._proto = GraphProto(name="part")

    def subject(self) -> Subject:
        """The nodes in order, then what they read."""
        inputs = [self._feed(name) for name in self._inputs]
        made = {name for node in self._nodes for name in node.outputs}
        for node in self._nodes:
            for name in node.inputs:
                if name and name not in made and name not in self._names:
                    self._constant(name)
            self._proto.node.append(self._renamed(node))
        for name in self._outputs:
            value = self._graph.value(name)
            self._proto.output.add(name=self._name(name)).type.tensor_type.elem_type = value.dtype
        domains = {node.domain for node in self._nodes} - {""}
        model = helper.make_model(
            self._proto,
            ir_version=IR_VERSION,
            opset_imports=[
                helper.make_opsetid("", self._graph.opset),
                *(helper.make_opsetid(domain, _CONTRIB_VERSION) for domain in sorted(domains)),
            ],
        )
        content = model.SerializeToString(deterministic=True)
        return Subject(content, "", tuple(self._made_up), tuple(inputs), _bytes(self._made_up))

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, f"v{len(self._names)}") if name else ""

    def _renamed(self, node: Node) -> NodeProto:
        if node.captured:
            raise TimingError(self._path, f"node '{node.label}' runs bodies")
        proto = as_proto(node)
        proto.name = f"n{len(self._proto.node)}"
        proto.input[:] = map(self._name, node.inputs)
        proto.output[:] = map(self._name, node.outputs)
        return proto

    def _feed(self, name: str) -> Feed:
        value = self._graph.value(name)
        shape = value.static_shape
        if shape is None or not value.dtype:
            raise TimingError(self._path, f"the shape or type of '{name}' is unknown")
        info = helper.make_tensor_value_info(self._name(name), value.dtype, shape)
        self._proto.input.append(info)
        return Feed(self._name(name), value.dtype, shape)

    def _constant(self, name: str) -> None:
        value = self._graph.value(name)
        if not value.constant:
            raise TimingError(self._path, f"'{name}' is read beside the inputs of the proposal")
        if _is_weight(value) and (weight := _made_up(self._name(name), value)) is not None:
            self._made_up.append(weight)
            _declare(self._proto, weight)
            return
        numbers = None if value.data is None else value.data.reshape(-1).tolist()
        if numbers is None or not all(isinstance(number, int | float) for number in numbers):
            raise TimingError(self._path, f"the numbers of '{name}' are unknown")
        shape = value.static_shape or ()
        tensor = helper.make_tensor(self._name(name), value.dtype, shape, numbers)
        self._proto.initializer.append(tensor)


def _is_weight(value: Value) -> bool:
    """Whether the numbers of a constant cannot decide what is computed, only with what result."""
    shape = value.static_shape
    if shape is None or value.data is None:
        return True
    return value.dtype in _FLOATS and prod(shape) > 1 and (len(shape) > 1 or prod(shape) > _FEW)


def _made_up(name: str, value: Value, level: float = 1.0) -> MadeUp | None:
    """Numbers in place of a constant; None where its shape or type allows none.

    Matrices and kernels are scaled as He et al. 2015 (arXiv:1502.01852), so that deep networks
    neither overflow nor vanish; a vector, which may be a variance, stays on its side of zero.
    """
    shape = value.static_shape
    if shape is None:
        return None
    if value.dtype in _INTEGERS:
        return MadeUp(name, _INTEGERS[value.dtype], shape, low=0, high=2)
    if value.dtype not in _FLOATS:
        return None
    dtype = _FLOATS[value.dtype]
    if len(shape) > 1:
        return MadeUp(name, dtype, shape, scale=sqrt(2 / max(1, prod(shape[1:]))))
    low, high = sorted((0.5 * level, 1.5 * level))
    return MadeUp(name, dtype, shape, low=low, high=high)


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
        if node.op_type == "ConstantOfShape" and not node.domain and node.output[0] not in outputs:
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
    if shape is None or prod(shape) <= 1 or value.dtype not in _FLOATS or not value.constant:
        return None
    number = next((_number(entry.t) for entry in node.attribute if entry.name == "value"), 0.0)
    # A fill of zeros is a state or a mask.
    return _made_up(value.name, value, number) if number else None


def _number(tensor: TensorProto) -> float:
    """The number of a fill; 0, as where there is none, if the tensor is broken."""
    try:
        return float(numpy_helper.to_array(tensor).reshape(-1)[0])
    except (ValueError, TypeError, KeyError, IndexError):
        return 0.0


def _declare(proto: GraphProto, weight: MadeUp) -> None:
    """The initializer of a made-up weight, whose elements are handed over when it is loaded."""
    tensor = proto.initializer.add(
        name=weight.name,
        dims=weight.shape,
        data_type=helper.np_dtype_to_tensor_dtype(np.dtype(weight.dtype)),
        data_location=TensorProto.EXTERNAL,
    )
    tensor.external_data.add(key="location", value=_NOWHERE)


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


def _bytes(weights: Iterable[MadeUp]) -> int:
    return sum(prod(weight.shape) * np.dtype(weight.dtype).itemsize for weight in weights)
