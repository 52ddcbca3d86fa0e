"""A copy of a model whose run can be read: every node has a name that tells which one it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, defs, helper

from archlint.analyzer.graph import Graph, Value

# Where a node is: its position in the file's list of nodes; in a subgraph behind the position of
# its owner and the attribute, in a function behind the function's name.
Place = tuple[int | str, ...]

OUTPUT = "@output@"  # a number that the copy returns
_MOST_VERSION = (1 << 31) - 1  # of an operator set, that onnx takes
# onnxruntime puts a prefix before the name of a node that it takes out of a function's body.
_NAME = re.compile(r"@(\d+)([@?])\Z")
_NUMBERED = re.compile(r"@\d+@")


@dataclass(slots=True)
class Instrumented:
    """The copy, the nodes by the numbers in their names, and the values that taps observe.

    A tap is a Shape node behind a value that no kernel may report: the output of a function, which
    onnxruntime replaces by its body. ``omitted`` are weights that the file declares without data;
    in the copy they are inputs.
    """

    proto: ModelProto
    omitted: tuple[Value, ...]
    nodes: list[tuple[Place, NodeProto]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)  # what a person calls the nodes
    tapped: list[str] = field(default_factory=list)

    def node(self, name: str) -> tuple[Place, NodeProto] | None:
        """The node that an event of the profile is about, None for those that are in no file."""
        number = self._number(name, "@")
        return self.nodes[number] if number is not None and number < len(self.nodes) else None

    def tap(self, name: str) -> str | None:
        """The value that the event of a tap tells the shape of."""
        number = self._number(name, "?")
        return self.tapped[number] if number is not None and number < len(self.tapped) else None

    def readable(self, message: str) -> str:
        """A message about nodes of the copy, with the names that they have in the file."""
        labels = {f"@{number}@": label for number, label in enumerate(self.labels)}
        return _NUMBERED.sub(lambda found: labels.get(found[0], found[0]), message)

    @staticmethod
    def _number(name: str, mark: str) -> int | None:
        found = _NAME.search(name)
        return int(found[1]) if found and found[2] == mark else None


def instrument(proto: ModelProto, graph: Graph, *, taps: bool) -> Instrumented:
    """Make such a copy of what is a model's copy already; the graph tells the inputs' shapes."""
    copy = Instrumented(proto, omitted_weights(proto.graph, graph))
    _feed(proto.graph, graph, copy.omitted)
    _name(copy, proto.graph.node, ())
    proto.graph.initializer.add(name=OUTPUT, data_type=TensorProto.INT64, int64_data=[0])
    proto.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.INT64, ()))
    for function in proto.functions:
        _name(copy, function.node, (f"{function.domain}.{function.name}",))
    versions = {entry.domain: min(entry.version, _MOST_VERSION) for entry in proto.opset_import}
    if taps and "" in versions:
        functions = {(function.domain, function.name) for function in proto.functions}
        for node in list(proto.graph.node):
            if (node.domain, node.op_type) in functions or _has_body(node, versions):
                _tap(copy, filter(None, node.output))
    return copy


def omitted_weights(proto: GraphProto, graph: Graph) -> tuple[Value, ...]:
    """The weights that are declared without data; those among the initializers are taken out."""
    empty = [place for place, tensor in enumerate(proto.initializer) if _is_empty(tensor)]
    kept = {tensor.name for tensor in proto.initializer}
    for place in reversed(empty):
        kept.remove(proto.initializer[place].name)
        del proto.initializer[place]
    kept.update(tensor.values.name for tensor in proto.sparse_initializer)
    made = {name for node in graph.nodes for name in node.outputs}
    return tuple(
        value
        for value in graph.values.values()
        if value.constant and value.name not in kept and value.name not in made
    )


def _is_empty(tensor: TensorProto) -> bool:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.HasField("raw_data"):
        return False
    return prod(tensor.dims) > 0 and not any(
        field.name.endswith("_data") for field, _ in tensor.ListFields()
    )


def _feed(proto: GraphProto, graph: Graph, omitted: Iterable[Value]) -> None:
    """The inputs with the shapes that they are fed with: a declared one may be a placeholder."""
    for info in proto.input:
        shape = graph.value(info.name).static_shape
        if shape is not None and info.type.HasField("tensor_type"):
            info.type.tensor_type.CopyFrom(_tensor_type(info.type.tensor_type.elem_type, shape))
    names = {info.name for info in proto.input}
    for value in omitted:
        if value.name not in names:
            info = proto.input.add(name=value.name)
            info.type.tensor_type.CopyFrom(_tensor_type(value.dtype, value.static_shape))


def _tensor_type(dtype: int, shape: tuple[int, ...] | None) -> TypeProto.Tensor:
    return helper.make_tensor_type_proto(dtype, shape).tensor_type


def _name(copy: Instrumented, nodes: Iterable[NodeProto], outer: Place) -> None:
    for position, node in enumerate(nodes):
        made = next(filter(None, node.output), node.op_type)
        copy.labels.append(node.name or made)
        node.name = f"@{len(copy.nodes)}@"
        place = (*outer, position)
        copy.nodes.append((place, node))
        for attribute in node.attribute:
            for body in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs):
                _name(copy, body.node, (*place, attribute.name))


def _has_body(node: NodeProto, versions: dict[str, int]) -> bool:
    """Whether the operator is a function of tensors, which a runtime may replace by its body."""
    version = versions.get(node.domain, 0)
    if version < 1 or not defs.has(node.op_type, version, node.domain):
        return False
    schema = defs.get_schema(node.op_type, version, node.domain)
    depends = schema.has_context_dependent_function  # type: ignore[attr-defined]  # no stub has it
    is_function = bool(schema.function_body.node) or depends
    return is_function and all("seq" not in output.type_str for output in schema.outputs)


def _tap(copy: Instrumented, values: Iterable[str]) -> None:
    for value in values:
        name = f"@{len(copy.tapped)}?"
        copy.tapped.append(value)
        copy.proto.graph.node.add(op_type="Shape", name=name, input=[value], output=[name])
