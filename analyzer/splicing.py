"""Put proposals into a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from archlint.analyzer.nodes import own_names
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.reader import Model


def splice(model: Model, proposals: Sequence[Proposal], prefixes: Sequence[str] = ()) -> Model:
    """The model with every proposal in place of the nodes that it replaces.

    The proposals must replace disjoint nodes. What one adds, it adds at the place of the last node
    that it replaces: the nodes of the result are in no order. ``prefixes`` stand before the names
    of what each adds; without them these are ``archlint0/`` and so on.
    """
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    gone = {node.position for proposal in proposals for node in proposal.replaces}
    dropped = {name for proposal in proposals for name in proposal.drops}
    added: dict[int, list[NodeProto]] = {}
    tensors: list[TensorProto] = []
    for number, proposal in enumerate(proposals):
        prefix = prefixes[number] if prefixes else f"archlint{number}/"
        last = max((node.position for node in proposal.replaces), default=0)
        inserted = _renamed(proposal.graph, prefix)
        added.setdefault(last, []).extend(inserted.node)
        tensors += inserted.initializer
    kept = [output for output in proto.graph.output if output.name not in dropped]
    nodes = [
        one
        for place, node in enumerate(model.proto.graph.node)
        for one in (*([] if place in gone else [node]), *added.get(place, ()))
    ]
    outputs = GraphProto(output=kept)  # copies, before the originals go
    del proto.graph.node[:], proto.graph.output[:]
    proto.graph.node.extend(nodes)
    proto.graph.output.extend(outputs.output)
    _discard(proto.graph, {name for proposal in proposals for name in proposal.discards})
    _close(proto.graph, {name for proposal in proposals for name in proposal.closes})
    proto.graph.initializer.extend(tensors)
    _rename(proto.graph, _resolved(proposals))
    _forget(proto.graph, proposals)
    return replace(model, proto=proto, problems=())


def _renamed(part: GraphProto, prefix: str) -> GraphProto:
    """The nodes and initializers of a proposal's graph, their inner values renamed."""
    outer = {entry.name for entry in (*part.input, *part.output)}

    def renamed(name: str) -> str:
        return name if not name or name in outer else prefix + name

    copy = GraphProto(node=part.node, initializer=part.initializer)
    for node in copy.node:
        node.name = prefix + node.name
        node.input[:] = map(renamed, node.input)
        node.output[:] = map(renamed, node.output)
    for tensor in copy.initializer:
        tensor.name = renamed(tensor.name)
    return copy


def _discard(graph: GraphProto, names: set[str]) -> None:
    """Take out initializers, with what declares and annotates them."""
    if not names:
        return
    for place in reversed(range(len(graph.initializer))):
        if graph.initializer[place].name in names:
            del graph.initializer[place]
    for place in reversed(range(len(graph.sparse_initializer))):
        if graph.sparse_initializer[place].values.name in names:
            del graph.sparse_initializer[place]
    for place in reversed(range(len(graph.quantization_annotation))):
        if graph.quantization_annotation[place].tensor_name in names:
            del graph.quantization_annotation[place]
    _close(graph, names)


def _close(graph: GraphProto, names: set[str]) -> None:
    """Take values out of the inputs."""
    for place in reversed(range(len(graph.input))) if names else ():
        if graph.input[place].name in names:
            del graph.input[place]


def _forget(graph: GraphProto, proposals: Iterable[Proposal]) -> None:
    """Take out what is declared of values that are there no more."""
    gone = {name for proposal in proposals for name in proposal.discards}
    gone.update(n for proposal in proposals for node in proposal.replaces for n in node.outputs)
    gone.difference_update(name for node in graph.node for name in node.output)
    for place in reversed(range(len(graph.value_info))) if gone else ():
        if graph.value_info[place].name in gone:
            del graph.value_info[place]


def _resolved(proposals: Iterable[Proposal]) -> dict[str, str]:
    """All renames, where one leads to the next from the first to the last."""
    renames = {old: new for proposal in proposals for old, new in proposal.renames.items()}
    resolved = {}
    for old, new in renames.items():
        seen = {old}
        while new in renames and new not in seen:
            seen.add(new)
            new = renames[new]  # noqa: PLW2901 - follows the chain
        resolved[old] = new
    return resolved


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    """Write values by other names wherever nodes, bodies and outputs have them."""
    if not names:
        return
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_captured(attribute.g, names)
    for output in graph.output:
        output.name = names.get(output.name, output.name)
    kept = [info for info in graph.value_info if info.name not in names]
    declared = GraphProto(value_info=kept)  # copies, before the originals go
    del graph.value_info[:]
    graph.value_info.extend(declared.value_info)


def _rename_captured(body: GraphProto, names: Mapping[str, str]) -> None:
    """Write outer values by other names in a body, unless it has values of its own so called."""
    own = own_names(body)
    left = {old: new for old, new in names.items() if old not in own}
    for node in body.node:
        node.input[:] = [left.get(name, name) for name in node.input]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_captured(attribute.g, left)
    for output in body.output:
        output.name = left.get(output.name, output.name)
