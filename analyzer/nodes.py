"""From the NodeProtos of a graph or a function to nodes in topological order."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

from onnx import AttributeProto, GraphProto, NodeProto, helper

from archlint.analyzer.errors import InvalidGraphError
from archlint.analyzer.graph import Node
from archlint.analyzer.problem import Problem, ProblemKind
from archlint.analyzer.scopes import scope_of
from archlint.analyzer.text import plural

_Attributes = tuple[dict[str, Any], tuple[str, ...]]  # and the outer values that they read
Given = Mapping[str, Any]  # the attributes of a call, by the names that its function uses

_READ: dict[int, Callable[[AttributeProto], Any]] = {
    AttributeProto.FLOAT: lambda a: a.f,
    AttributeProto.INT: lambda a: a.i,
    AttributeProto.STRING: lambda a: a.s.decode(errors="backslashreplace"),
    AttributeProto.TENSOR: lambda a: a.t,
    AttributeProto.SPARSE_TENSOR: lambda a: a.sparse_tensor,
    AttributeProto.GRAPH: lambda a: a.g,
    AttributeProto.TYPE_PROTO: lambda a: a.tp,
    AttributeProto.FLOATS: lambda a: list(a.floats),
    AttributeProto.INTS: lambda a: list(a.ints),
    AttributeProto.STRINGS: lambda a: [s.decode(errors="backslashreplace") for s in a.strings],
    AttributeProto.TENSORS: lambda a: list(a.tensors),
    AttributeProto.SPARSE_TENSORS: lambda a: list(a.sparse_tensors),
    AttributeProto.GRAPHS: lambda a: list(a.graphs),
    AttributeProto.TYPE_PROTOS: lambda a: list(a.type_protos),
}
# What an attribute without a type may hold, as in files before IR version 4.
_BY_FIELD = {
    "f": AttributeProto.FLOAT, "i": AttributeProto.INT, "s": AttributeProto.STRING,
    "t": AttributeProto.TENSOR, "g": AttributeProto.GRAPH, "floats": AttributeProto.FLOATS,
    "ints": AttributeProto.INTS, "strings": AttributeProto.STRINGS,
}  # fmt: skip


def convert(protos: Iterable[NodeProto], given: Given | None = None) -> list[Node]:
    """The nodes in the file's order; references to attributes are resolved by those of a call."""
    nodes: list[Node] = []
    scopes: dict[str, tuple[str, ...]] = {}
    shared: dict[Hashable, _Attributes] = {}
    for position, proto in enumerate(protos):
        inputs, outputs = tuple(proto.input), tuple(proto.output)
        scope = scope_of(proto, scopes)
        for output in outputs:
            scopes[output] = scope
        attributes, captured = _attributes(proto, given, shared)
        nodes.append(
            Node(
                position, proto.op_type, ai_onnx_is_empty(proto.domain), proto.name, inputs,
                outputs, attributes, position, scope, captured, proto.overload,
            )
        )  # fmt: skip
    return nodes


def _attributes(
    proto: NodeProto, given: Given | None, shared: dict[Hashable, _Attributes]
) -> _Attributes:
    """The attributes by name, where what a function's call leaves out is none, and the outer values
    that the bodies among them read.

    Equal attributes are one object: ``shared`` are those of the nodes before.
    """
    listed = proto.attribute or ()  # the iterator of an empty one takes a while
    key = tuple([attribute.SerializeToString() for attribute in listed])
    known = shared.get(key)
    if known is None:
        attributes: dict[str, Any] = {}
        for attribute in listed:
            if not attribute.ref_attr_name:
                attributes[attribute.name] = value_of(attribute)
            elif given is not None and attribute.ref_attr_name in given:
                attributes[attribute.name] = given[attribute.ref_attr_name]
        bodies = [value for value in attributes.values() if isinstance(value, GraphProto)]
        names = dict.fromkeys(name for body in bodies for name in _free_names(body))
        known = shared[key] = attributes, tuple(names)
    return known


def value_of(attribute: AttributeProto) -> Any:
    """An attribute as Python numbers, text and lists, or as the message that it holds."""
    reader = _READ.get(attribute.type)
    if reader is None:
        fields = (field.name for field, _ in attribute.ListFields())
        reader = _READ[next((_BY_FIELD[f] for f in fields if f in _BY_FIELD), AttributeProto.INTS)]
    return reader(attribute)


def as_proto(node: Node) -> NodeProto:
    """The node as a message; of attributes without elements nobody can tell the type."""
    proto = NodeProto(op_type=node.op_type, domain=node.domain, overload=node.overload)
    proto.input.extend(node.inputs)
    proto.output.extend(node.outputs)
    proto.attribute.extend(
        helper.make_attribute(name, value)
        for name, value in node.attributes.items()
        if not isinstance(value, list) or value
    )
    return proto


def ai_onnx_is_empty(domain: str) -> str:
    """A domain under its one name: ai.onnx is the empty one."""
    return "" if domain == "ai.onnx" else domain


def own_names(body: GraphProto) -> set[str]:
    """The values that a subgraph gives names to, which hide outer ones of these names."""
    own = {entry.name for entry in body.input} | {tensor.name for tensor in body.initializer}
    own.update(tensor.values.name for tensor in body.sparse_initializer)
    own.update(name for node in body.node for name in node.output)
    return own


def _free_names(body: GraphProto) -> list[str]:
    """The outer values that a subgraph reads, those of its own subgraphs included."""
    own = own_names(body)
    read = [name for node in body.node for name in read_by(node)]
    read += [output.name for output in body.output]
    return [name for name in read if name not in own]


def read_by(node: NodeProto) -> list[str]:
    """The values that a node reads, its subgraphs included."""
    bodies = [a.g for a in node.attribute if a.type == AttributeProto.GRAPH]
    return [*filter(None, node.input), *(name for body in bodies for name in _free_names(body))]


def in_order(
    path: str, nodes: Sequence[Node], known: Container[str], outer: Container[str] = ()
) -> tuple[tuple[Node, ...], list[Problem]]:
    """The nodes in topological order, the file's order wherever it is one, and what is wrong.

    ``known`` are the inputs and weights of their graph, ``outer`` the values around it. Of the
    nodes that make the same value the first one does; the others make one that nothing reads. Ids
    are renumbered. Raises InvalidGraphError for a cycle.
    """
    nodes, producers, problems = _made_once(nodes, known)
    late = False
    dangling: dict[str, Node] = {}
    for node in nodes:
        for name in (*node.inputs, *node.captured) if node.captured else node.inputs:
            maker = producers.get(name)
            if maker is not None:
                late = late or maker >= node.position
            elif name and name not in known and name not in outer:
                dangling.setdefault(name, node)
    problems += _dangling(dangling)
    if not late:
        return tuple(nodes), problems
    problems.append(_malformed("its nodes are in no topological order; archlint sorted them"))
    edges = [
        (producers[name], node.position)
        for node in nodes
        for name in (*node.inputs, *node.captured)
        if name in producers
    ]
    positions = _topological(path, nodes, edges)
    return tuple(replace(nodes[place], id=new) for new, place in enumerate(positions)), problems


def _made_once(
    nodes: Sequence[Node], known: Container[str]
) -> tuple[Sequence[Node], dict[str, int], list[Problem]]:
    """The nodes with every value made by one of them, the position of its maker, and problems."""
    producers: dict[str, int] = {}
    once: list[Node] = []
    problems: list[Problem] = []
    for node in nodes:
        outputs: list[str] = []
        for name in node.outputs:
            unique = name
            if name and (name in producers or name in known):
                first = f"node '{nodes[producers[name]].label}'" if name in producers else ""
                already = f"{first} makes too" if first else "is an input or a weight"
                what = f"node '{node.label}' makes the value '{name}', which {already}"
                problems.append(_malformed(f"{what}; archlint takes the first"))
                unique = f"{name}@{node.position}.{len(outputs)}"
            if name:
                producers[unique] = node.position
            outputs.append(unique)
        made = tuple(outputs)
        once.append(node if made == node.outputs else replace(node, outputs=made))
    return once, producers, problems


def _dangling(dangling: Mapping[str, Node]) -> list[Problem]:
    if not dangling:
        return []
    name, node = next(iter(dangling.items()))
    more = plural(len(dangling) - 1, "more such value")
    others = f" (and {more})" if len(dangling) > 1 else ""
    return [_malformed(f"node '{node.label}' reads '{name}', which nothing makes{others}")]


def _malformed(what: str) -> Problem:
    return Problem(ProblemKind.MALFORMED, what)


def _topological(path: str, nodes: Sequence[Node], edges: Sequence[tuple[int, int]]) -> list[int]:
    """Positions in topological order, of several possible ones the nearest to the file's.

    Kahn's algorithm with a heap, O((V + E) log V): every model that a proposal is spliced into is
    sorted, which is no reason to load networkx.
    """
    behind: list[list[int]] = [[] for _ in nodes]
    waits = [0] * len(nodes)
    for before, after in edges:
        behind[before].append(after)
        waits[after] += 1
    ready = [place for place, count in enumerate(waits) if not count]
    order: list[int] = []
    while ready:
        place = heappop(ready)
        order.append(place)
        for after in behind[place]:
            waits[after] -= 1
            if not waits[after]:
                heappush(ready, after)
    if len(order) < len(nodes):
        cycle = " -> ".join(f"'{nodes[place].label}'" for place in _cycle(edges))
        raise InvalidGraphError(path, f"its nodes form a cycle ({cycle})")
    return order


def _cycle(edges: Sequence[tuple[int, int]]) -> list[int]:
    """The first node of each edge of a cycle."""
    import networkx as nx  # late: hardly a file has one

    return [edge[0] for edge in nx.find_cycle(nx.DiGraph(edges))]
