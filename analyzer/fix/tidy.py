"""Keep a rewritten model in order: names, the order of its nodes, what nothing reads any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from onnx import GraphProto, ModelProto, NodeProto, helper

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.nodes import convert, in_order, read_by
from archlint.analyzer.pinned import pinned
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.reader import Model
from archlint.analyzer.weighted import is_weighted

_FIRST_OVERRIDABLE = 4  # IR version: from it on initializers need not be inputs


def anchor(graph: Graph, proposal: Proposal) -> Node:
    """The node whose name what is new takes: the first layer that is replaced."""
    layers = (node for node in proposal.replaces if is_weighted(graph, node))
    return next(layers, proposal.replaces[-1])


def prefixes(model: Model, graph: Graph, proposals: Sequence[Proposal]) -> list[str]:
    """What stands before the names of what each proposal adds, so that all names differ, and none
    is one that a body has for a value of its own."""
    used = {*_names(model.proto.graph), *pinned(graph)}
    found = []
    for proposal in proposals:
        inner = list(_inner(proposal.graph))
        base = anchor(graph, proposal).label if proposal.replaces else "archlint"
        prefix, number = f"{base}/", 1
        while any(prefix + name in used for name in inner):
            number += 1
            prefix = f"{base}.{number}/"
        used.update(prefix + name for name in inner)
        found.append(prefix)
    return found


def named(
    before: Model,
    after: Model,
    graph: Graph,
    proposals: Sequence[Proposal],
    prefixes: Sequence[str],
) -> None:
    """Give what is new the metadata of the layer that it stands for, and an operator that stands
    for it alone its name."""
    origins: dict[str, tuple[NodeProto, bool]] = {}
    for proposal, prefix in zip(proposals, prefixes, strict=True):
        operators = [node for node in proposal.graph.node if node.op_type != "ConstantOfShape"]
        if operators and proposal.replaces:
            origin = before.proto.graph.node[anchor(graph, proposal).position]
            alone = len(operators) == 1
            origins.update((prefix + node.name, (origin, alone)) for node in operators)
    for node in after.proto.graph.node:
        if node.name in origins:
            origin, alone = origins[node.name]
            node.metadata_props.extend(origin.metadata_props)
            node.doc_string = origin.doc_string
            node.name = origin.name if alone else node.name


def _names(graph: GraphProto) -> Iterator[str]:
    """All names that a graph gives."""
    for node in graph.node:
        yield node.name
        yield from node.output
    yield from (entry.name for entry in graph.input)
    yield from (tensor.name for tensor in graph.initializer)


def _inner(graph: GraphProto) -> Iterator[str]:
    """The names that a proposal's graph gives to what is its own."""
    outer = {output.name for output in graph.output}
    for node in graph.node:
        yield node.name
        yield from (name for name in node.output if name not in outer)
    for tensor in graph.initializer:
        yield tensor.name


def without_orphans(before: Model, after: Model) -> Model:
    """The model without initializers and nodes of constants that were read and are read no more."""
    proto = after.proto
    once = _reads(before.proto.graph)
    made = {name for node in before.proto.graph.node for name in node.output}
    reads = _reads(proto.graph)
    gone: set[int] = set()
    places = {name: n for n, node in enumerate(proto.graph.node) for name in node.output if name}
    waiting = [name for name in once if name in made and not reads[name]]
    while waiting:
        place = places.get(waiting.pop())
        if place is None or place in gone:
            continue
        node = proto.graph.node[place]
        if all(not reads[name] for name in node.output):
            gone.add(place)
            reads.subtract(read_by(node))
            waiting += [name for name in read_by(node) if not reads[name]]
    _keep(proto, [node for place, node in enumerate(proto.graph.node) if place not in gone])
    inputs = {entry.name for entry in proto.graph.input}
    fixed = _lists_weights(proto)
    unread: set[str] = set()
    for place in reversed(range(len(proto.graph.initializer))):
        name = proto.graph.initializer[place].name
        if once[name] and not reads[name] and (fixed or name not in inputs):
            unread.add(name)
            del proto.graph.initializer[place]
    for place in reversed(range(len(proto.graph.input))) if unread & inputs else ():
        if proto.graph.input[place].name in unread:
            del proto.graph.input[place]
    return replace(after, proto=proto)


def _lists_weights(proto: ModelProto) -> bool:
    """Whether every initializer must be an input too, which nobody feeds."""
    return proto.ir_version < _FIRST_OVERRIDABLE


def declared(model: Model) -> Model:
    """The model with its new initializers among the inputs, where its version wants that."""
    graph = model.proto.graph
    if _lists_weights(model.proto):
        known = {entry.name for entry in graph.input}
        graph.input.extend(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            for tensor in graph.initializer
            if tensor.name not in known
        )
    return model


def _reads(graph: GraphProto) -> Counter[str]:
    reads = Counter(name for node in graph.node for name in read_by(node))
    reads.update(output.name for output in graph.output)
    return reads


def _keep(proto: ModelProto, nodes: Sequence[NodeProto]) -> None:
    """Let these be the nodes, and declare only values that there are."""
    graph = proto.graph
    if len(nodes) < len(graph.node):
        left = GraphProto(node=nodes)  # copies, before the originals go
        del graph.node[:]
        graph.node.extend(left.node)
    there = {*_names(graph), *_reads(graph)}  # what is declared and read may be a weight left out
    if any(info.name not in there for info in graph.value_info):
        kept = GraphProto(value_info=[info for info in graph.value_info if info.name in there])
        del graph.value_info[:]
        graph.value_info.extend(kept.value_info)


def in_place(model: Model) -> Model:
    """The model with its nodes in topological order, as near to the file's as can be."""
    graph = model.proto.graph
    known = {entry.name for entry in graph.input} | {one.name for one in graph.initializer}
    nodes, _ = in_order(model.path, convert(graph.node), known)
    places = [node.position for node in nodes]
    if places != sorted(places):
        ordered = GraphProto(node=[graph.node[place] for place in places])
        del graph.node[:]
        graph.node.extend(ordered.node)
    return model
