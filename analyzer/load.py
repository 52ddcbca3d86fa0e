"""From a Model to a Graph: bind the dims, sort the nodes, infer the shapes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
from onnx import AttributeProto, GraphProto, NodeProto, helper

from archlint.analyzer.errors import InvalidGraphError
from archlint.analyzer.graph import Graph, Node, Value
from archlint.analyzer.inputs import Bindings, bind_inputs
from archlint.analyzer.reader import Model
from archlint.analyzer.scopes import scope_of
from archlint.analyzer.shapes import infer
from archlint.analyzer.shapes.constants import of_sparse, of_tensor


def load(model: Model, bindings: Bindings | None = None) -> Graph:
    """The graph of a model with the shapes of its values.

    Raises ConfigError for bindings that contradict the file, InvalidGraphError for nodes that make
    no graph.
    """
    proto = model.proto.graph
    constants = _initializers(proto)
    inputs, notes = bind_inputs(proto, constants, bindings or Bindings())
    omitted = _omitted_weights(proto, {*constants, *(value.name for value in inputs)})
    if omitted:
        notes.append(f"weights declared without data, their shapes used: {len(omitted):,}")
    constants.update(omitted)
    known = constants | {value.name: value for value in inputs}
    nodes = _sorted(model.path, _nodes(proto), known)
    opset = _opset(model)
    return Graph(
        nodes=nodes,
        values=infer(nodes, known, opset),
        inputs=tuple(value.name for value in inputs),
        outputs=tuple(output.name for output in proto.output),
        opset=opset,
        notes=tuple(notes),
    )


def _opset(model: Model) -> int:
    versions = [entry.version for entry in model.proto.opset_import if _domain(entry.domain) == ""]
    return max(versions, default=1)


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _initializers(proto: GraphProto) -> dict[str, Value]:
    dense = {tensor.name: of_tensor(tensor.name, tensor) for tensor in proto.initializer}
    sparse = {t.values.name: of_sparse(t.values.name, t) for t in proto.sparse_initializer}
    return dense | sparse


def _omitted_weights(proto: GraphProto, known: set[str]) -> dict[str, Value]:
    """Values that the file declares and nodes read, but that nothing makes: weights left out."""
    made = known | {name for node in proto.node for name in node.output}
    read = {name for node in proto.node for name in (*node.input, *_captured(node))} - made
    return {
        info.name: Value(
            info.name,
            info.type.tensor_type.elem_type,
            tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim),
            constant=True,
        )
        for info in proto.value_info
        if info.name in read
        and info.type.tensor_type.HasField("shape")
        and all(dim.dim_value > 0 for dim in info.type.tensor_type.shape.dim)
    }


def _nodes(proto: GraphProto) -> list[Node]:
    nodes: list[Node] = []
    scopes: dict[str, tuple[str, ...]] = {}
    for position, node in enumerate(proto.node):
        outputs = tuple(node.output)
        scope = scope_of(node, scopes)
        scopes.update((output, scope) for output in outputs)
        nodes.append(
            Node(
                id=position,
                op_type=node.op_type,
                domain=_domain(node.domain),
                name=node.name,
                inputs=tuple(node.input),
                outputs=outputs,
                attributes={a.name: _attribute(a) for a in node.attribute},
                position=position,
                scope=scope,
                captured=_captured(node),
            )
        )
    return nodes


def _attribute(attribute: AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _captured(node: NodeProto) -> tuple[str, ...]:
    """The outer values that the subgraphs of a control-flow node read."""
    bodies = [a.g for a in node.attribute if a.type == AttributeProto.GRAPH]
    return tuple(dict.fromkeys(name for body in bodies for name in _free_names(body)))


def _free_names(body: GraphProto) -> list[str]:
    own = {entry.name for entry in body.input} | {tensor.name for tensor in body.initializer}
    own.update(name for node in body.node for name in node.output)
    read = [name for node in body.node for name in (*node.input, *_captured(node)) if name]
    read += [output.name for output in body.output]
    return [name for name in read if name not in own]


def _sorted(path: str, nodes: Sequence[Node], known: Container[str]) -> tuple[Node, ...]:
    """The nodes in topological order, the file's order wherever it is one; ids are renumbered.

    Raises InvalidGraphError for a value that two nodes make and for a cycle.
    """
    producers: dict[str, Node] = {}
    for node in nodes:
        for name in filter(None, node.outputs):
            if name in known or name in producers:
                first = producers[name].label if name in producers else "an input or initializer"
                why = f"the value '{name}' of node '{node.label}' is also made by '{first}'"
                raise InvalidGraphError(path, f"{why}; export it again")
            producers[name] = node
    if _in_order(nodes, producers):
        return tuple(nodes)
    order: nx.DiGraph[int] = nx.DiGraph()
    order.add_nodes_from(range(len(nodes)))
    for node in nodes:
        for name in (*node.inputs, *node.captured):
            if name in producers:
                order.add_edge(producers[name].position, node.position)
    try:
        positions = list(nx.lexicographical_topological_sort(order))
    except nx.NetworkXUnfeasible as error:
        raise InvalidGraphError(path, f"its nodes form a cycle ({_cycle(nodes, order)})") from error
    return tuple(replace(nodes[position], id=place) for place, position in enumerate(positions))


def _in_order(nodes: Iterable[Node], producers: Mapping[str, Node]) -> bool:
    return all(
        producers[name].position < node.position
        for node in nodes
        for name in (*node.inputs, *node.captured)
        if name in producers
    )


def _cycle(nodes: Sequence[Node], order: nx.DiGraph[int]) -> str:
    return " -> ".join(f"'{nodes[edge[0]].label}'" for edge in nx.find_cycle(order))
