"""Some nodes of a model as a small model of their own."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from onnx import GraphProto, NodeProto, helper

from archlint.analyzer.builder import IR_VERSION
from archlint.analyzer.errors import TimingError
from archlint.analyzer.graph import Graph, Node, Value
from archlint.analyzer.load import load
from archlint.analyzer.nodes import as_proto
from archlint.analyzer.proposal import Proposal, as_model
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.inputs import Feed
from archlint.analyzer.timing.subject import Subject
from archlint.analyzer.timing.weights import MadeUp, declare, is_float, made_up

_FEW = 16  # elements of a vector that is no weight, but bounds, scales or sizes
_CONTRIB_VERSION = 1  # of every domain but ai.onnx's; onnxruntime's have no other


def sides(path: str, graph: Graph, proposal: Proposal) -> tuple[Subject, Subject]:
    """What a proposal replaces and what it puts there, as models from the same inputs to the same
    outputs; raises TimingError as ``part``, and where they would not compute alike."""
    if any(_is_dequantised(graph, name) for node in proposal.replaces for name in node.inputs):
        why = "it is quantised, and its proposal is made of floating-point operators"
        raise TimingError(path, why)
    inputs = [entry.name for entry in proposal.graph.input]
    outputs = [entry.name for entry in proposal.graph.output]
    proposed = load(Model(path, as_model(proposal, graph.opset), 0))
    return (
        part(path, graph, proposal.replaces, inputs, outputs),
        part(path, proposed, tuple(proposed.operators()), inputs, outputs),
    )


def _is_dequantised(graph: Graph, name: str) -> bool:
    producer = graph.producer(name)
    return producer is not None and producer.op_type == "DequantizeLinear"


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
        size = sum(map(self._bytes, self._names))
        return Subject(content, "", tuple(self._made_up), tuple(inputs), size)

    def _bytes(self, name: str) -> int:
        """Bytes of a value, 0 where its size is unknown."""
        value = self._graph.value(name)
        return value.bytes_of(prod(value.static_shape or (0,))) or 0

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
        if _is_weight(value) and (weight := made_up(self._name(name), value)) is not None:
            self._made_up.append(weight)
            declare(self._proto, weight)
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
    return is_float(value) and prod(shape) > 1 and (len(shape) > 1 or prod(shape) > _FEW)
