"""The subgraphs and functions of a model, opened where nodes run them."""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import onnx.defs
from google.protobuf.message import Message
from onnx import FunctionProto, GraphProto

from archlint.analyzer.dims import Cause
from archlint.analyzer.graph import Body, Graph, Node, Value, operator_name
from archlint.analyzer.nodes import (
    Given,
    ai_onnx_is_empty,
    as_proto,
    convert,
    in_order,
    value_of,
)  # fmt: skip
from archlint.analyzer.problem import Problem, ProblemKind
from archlint.analyzer.reader import Model
from archlint.analyzer.shapes import infer
from archlint.analyzer.shapes.constants import of_sparse, of_tensor
from archlint.analyzer.shapes.context import Unresolved

if TYPE_CHECKING:
    from archlint.analyzer.runtime.isolated import Isolated

_MAX_DEPTH = 64  # of bodies within bodies; files nest a few, and Python's stack is finite
_MAX_INNER_NODES = 100_000  # of all bodies together: functions that call functions can explode


def initializers(proto: GraphProto) -> dict[str, Value]:
    """The weights that a graph holds."""
    dense = {tensor.name: of_tensor(tensor.name, tensor) for tensor in proto.initializer}
    sparse = {t.values.name: of_sparse(t.values.name, t) for t in proto.sparse_initializer}
    return dense | sparse


@dataclass(slots=True)
class _Shared:
    """What all scopes of one model have in common."""

    path: str
    functions: Mapping[tuple[str, str], FunctionProto]  # by operator and overload
    local: frozenset[str]
    problems: dict[str, Problem] = field(default_factory=dict)
    called: dict[Hashable, Graph] = field(default_factory=dict)
    nodes: dict[Hashable, tuple[object, tuple[Node, ...]]] = field(default_factory=dict)
    left: int = _MAX_INNER_NODES
    server: Isolated | None = None


@dataclass(frozen=True, slots=True)
class ModelScope:
    """Opens bodies; a function is inferred once for each kind of values that it is called with.

    ``values`` are what the nodes of this scope read, ``given`` the attributes of the call that they
    belong to; ``certain`` says that they will run.
    """

    shared: _Shared
    opsets: Mapping[str, int]
    values: Mapping[str, Value] = field(default_factory=dict)
    given: Given = field(default_factory=dict)
    depth: int = 0
    certain: bool = True

    @property
    def local(self) -> frozenset[str]:
        """The operators that the file itself defines."""
        return self.shared.local

    @property
    def problems(self) -> list[Problem]:
        """What is wrong in bodies, each told once."""
        return list(self.shared.problems.values())

    def over(self, values: Mapping[str, Value]) -> ModelScope:
        """The scope of nodes that read these values."""
        return replace(self, values=values)

    def perhaps(self) -> ModelScope:
        """The scope of a branch that may never run: shapes that it cannot take say nothing."""
        return replace(self, certain=False)

    def subgraph(self, proto: GraphProto, inputs: Sequence[Value]) -> Graph:
        """A subgraph with its inputs bound; it also reads the values around the node."""
        scope = self._deeper(len(proto.node))
        names = [info.name for info in proto.input]
        if len(inputs) > len(names):
            raise ValueError(f"a body of {len(names)} inputs is given {len(inputs)}")
        known = initializers(proto)
        known.update((n, replace(v, name=n)) for n, v in zip(names, inputs, strict=False))
        nodes = scope.nodes(proto, known, outer=self.values)
        outputs = tuple(output.name for output in proto.output)
        own = set(known).union(*(node.outputs for node in nodes))
        read = chain(outputs, *((*node.inputs, *node.captured) for node in nodes))
        known |= {n: self.values[n] for n in read if n not in own and n in self.values}
        return scope.graph(nodes, known, tuple(names), outputs)

    def function(self, node: Node, inputs: Sequence[Value | None]) -> Body | None:
        """The body of the function that the operator is; None if it is none."""
        function = self.shared.functions.get((node.operator, node.overload))
        function = function or _standard_function(node, self.opsets)
        if function is None:
            return None
        pairs = list(zip(function.input, node.inputs, strict=False))
        actual = {formal: name for formal, name in pairs if name}
        key = (
            node.operator, node.overload, self.opsets.get(node.domain, 0), tuple(actual),
            tuple((name, _frozen(value)) for name, value in sorted(node.attributes.items())),
            tuple(None if value is None else _signature(value) for value in inputs),
        )  # fmt: skip
        graph = self.shared.called.get(key)
        if graph is None:
            graph = self._call(function, node, inputs)
            self.shared.called[key] = graph
        return Body(function.name, graph, actual=actual)

    def foreign(self, node: Node, inputs: Sequence[Value | None]) -> Sequence[Value]:
        """What onnx's own inference says of the outputs, in a process that it may crash."""
        from archlint.analyzer.shapes import fallback  # late: hardly a model needs it

        unknown = "archlint has no shape rule for it"
        if self.shared.server is None:
            self.shared.server = fallback.onnx_server()
        causes = frozenset({node.cause(f"{unknown}, and onnx leaves its shape open")})
        told = fallback.infer_node(self.shared.server, as_proto(node), inputs, self.opsets, causes)
        if isinstance(told, str):
            raise Unresolved(frozenset({node.cause(f"{unknown}; {told}")}))
        present = iter(told)
        return [next(present) if name else Value("") for name in node.outputs]

    def close(self) -> None:
        """Every process that helped is gone."""
        if self.shared.server is not None:
            self.shared.server.close()

    def _call(self, function: FunctionProto, node: Node, inputs: Sequence[Value | None]) -> Graph:
        scope = self._deeper(len(function.node))
        given = {attribute.name: value_of(attribute) for attribute in function.attribute_proto}
        opsets = {ai_onnx_is_empty(o.domain): o.version for o in function.opset_import}
        scope = replace(scope, given={**given, **node.attributes}, opsets={**self.opsets, **opsets})
        known = {
            formal: replace(value, name=formal)
            for formal, value in zip(function.input, inputs, strict=False)
            if value is not None
        }
        nodes = scope.nodes(function, known, frozenset(function.input) - set(known))
        return scope.graph(nodes, known, tuple(known), tuple(function.output))

    def _deeper(self, nodes: int) -> ModelScope:
        """The scope within a body of so many nodes."""
        if self.depth >= _MAX_DEPTH:
            raise Unresolved(_causes(f"bodies are nested deeper than {_MAX_DEPTH}"))
        self.shared.left -= nodes
        if self.shared.left < 0:
            why = f"functions and subgraphs unfold to more than {_MAX_INNER_NODES:,} nodes"
            raise Unresolved(_causes(why))
        return replace(self, depth=self.depth + 1, values={})

    def nodes(
        self,
        proto: GraphProto | FunctionProto,
        known: Mapping[str, Value],
        absent: frozenset[str] = frozenset(),
        outer: Container[str] = (),
    ) -> tuple[Node, ...]:
        """The nodes of a body in order, converted once for the attributes that are given.

        ``absent`` are inputs that the call leaves out, ``outer`` values around a subgraph.
        """
        key = id(proto), id(self.given), absent
        found = self.shared.nodes.get(key)
        if found is None:
            nodes = convert(proto.node, self.given)
            if absent:
                nodes = [_without(node, absent) for node in nodes]
            ordered, problems = in_order(self.shared.path, nodes, known, outer)
            self._tell(problems)
            # The objects are kept too, so that no other ones get their ids.
            found = self.shared.nodes[key] = (proto, self.given), ordered
        return found[1]

    def graph(
        self,
        nodes: tuple[Node, ...],
        known: Mapping[str, Value],
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
    ) -> Graph:
        """The graph of a body with the shapes of its values."""
        opset = self.opsets.get("", 1)
        inferred = infer(nodes, known, opset, self)
        self._tell(inferred.problems)
        return Graph(nodes, inferred.values, inputs, outputs, opset, bodies=inferred.bodies)

    def _tell(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            if problem.kind is ProblemKind.IMPOSSIBLE_SHAPE and not self.certain:
                continue
            self.shared.problems.setdefault(problem.message, replace(problem, node=None))


def model_scope(model: Model, opsets: Mapping[str, int]) -> ModelScope:
    """The outermost scope of a model."""
    functions = {(_operator(f), f.overload): f for f in model.proto.functions}
    return ModelScope(
        _Shared(model.path, functions, frozenset(map(_operator, model.proto.functions))), opsets
    )


def _operator(function: FunctionProto) -> str:
    return operator_name(ai_onnx_is_empty(function.domain), function.name)


def _standard_function(node: Node, opsets: Mapping[str, int]) -> FunctionProto | None:
    """The body by which the standard defines an operator, if it does."""
    try:
        schema = onnx.defs.get_schema(node.op_type, opsets.get(node.domain, 1), node.domain)
    except onnx.defs.SchemaError:
        return None
    return schema.function_body if schema.function_body.node else None


def _without(node: Node, absent: frozenset[str]) -> Node:
    return replace(node, inputs=tuple("" if name in absent else name for name in node.inputs))


def _signature(value: Value) -> Hashable:
    """All of a value that decides what a function makes of it."""
    data = None if value.data is None else tuple(value.data.reshape(-1))
    element = None if value.element is None else _signature(value.element)
    items = None if value.items is None else tuple(map(_signature, value.items))
    return value.dtype, value.shape, value.constant, data, value.causes, element, items


def _frozen(attribute: Any) -> Hashable:
    """An attribute as a part of a key."""
    if isinstance(attribute, Message):
        return attribute.SerializeToString(deterministic=True)
    return tuple(map(_frozen, attribute)) if isinstance(attribute, list) else attribute


def _causes(why: str) -> frozenset[Cause]:
    return frozenset({Cause(why)})
