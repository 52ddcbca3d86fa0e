"""A copy of a model whose nodes and values bear numbers, which onnxruntime's optimiser hands on."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

from archlint.analyzer.graph import Graph, Node, operator_name
from archlint.analyzer.nodes import ai_onnx_is_empty

# Where a node is: its id in the graph; in a body behind that of its owner, the attribute or the
# function, and its position there.
Place = tuple[int | str, ...]

NOWHERE = -1  # the id of a node that makes nothing
_MOST_CALLED = 10_000  # nodes of functions, each counted as often as it is called
_MOST_DEPTH = 32  # of functions that call functions
# Domains whose operators have kernels, whatever functions a model has for them.
_WITH_KERNELS = ("ai.onnx", "com.microsoft", "com.ms.")


class _Name(NamedTuple):
    """What a value is called in the copy, and in the graph with all functions opened."""

    written: str
    meant: str


_NONE = _Name("", "")
_Names = ChainMap[str, _Name]


@dataclass(frozen=True, slots=True)
class _Around:
    """Where the marker is: in whose body, behind how many calls; and the branch that the node next
    to be marked surely takes."""

    within: int | None = None
    depth: int = 0
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Original:
    """A node of the model, of which ``number`` is the place in Marked.nodes.

    Its inputs and outputs are the values that it has in the graph with all functions opened. A node
    that is ``opened``, as a call is and an If of which one branch surely runs, has none: the nodes
    of its body read and make them. ``within`` is the number of the node whose body it is in.
    ``proto`` is the node of the copy, ``label`` what a person calls the node.
    """

    number: int
    place: Place
    label: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    within: int | None
    proto: NodeProto
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """The copy: nodes are named ``@n@`` by their numbers, values ``%n%``.

    Only the inputs and the weights of the main graph keep their names, ``fixed``. ``meant`` are the
    values of the opened graph by other names that they have in the copy; ``constants`` are weights.
    """

    proto: ModelProto
    nodes: tuple[Original, ...]
    fixed: frozenset[str]
    meant: Mapping[str, str]
    constants: frozenset[str]


def mark(proto: ModelProto, graph: Graph) -> Marked:
    """Mark a model, which is changed; ``graph`` is what it was loaded as, and gives the ids."""
    marker = _Marker(proto)
    marker.main(graph)
    constants = _initializers(proto.graph) - {info.name for info in proto.graph.input}
    nodes = tuple(marker.nodes)
    return Marked(proto, nodes, marker.fixed, marker.meant, frozenset(constants))


def _initializers(graph: GraphProto) -> set[str]:
    names = {tensor.name for tensor in graph.initializer}
    return names | {tensor.values.name for tensor in graph.sparse_initializer}


class _Marker:
    def __init__(self, proto: ModelProto) -> None:
        self.fixed = frozenset({i.name for i in proto.graph.input} | _initializers(proto.graph))
        self.nodes: list[Original] = []
        self.meant: dict[str, str] = {}
        self._proto = proto
        self._functions = {(f.domain, f.name, f.overload): f for f in proto.functions}
        self._left = _MOST_CALLED
        self._values = 0

    def main(self, graph: Graph) -> None:
        """Mark the main graph and all that its nodes run."""
        proto = self._proto.graph
        made = {name: node for node in graph.nodes for name in node.outputs if name}
        names: _Names = ChainMap({name: _Name(name, name) for name in self.fixed})
        self._declare(proto.node, names)
        for info in (*proto.value_info, *proto.output):
            info.name = _written(info.name, names)
        for node in proto.node:
            known = next((made[name] for name in node.output if name in made), None)
            branch = "" if known is None else _only_branch(graph, known)
            place = NOWHERE if known is None else known.id
            self._node(node, (place,), names, _Around(branch=branch))

    def _declare(self, nodes: Iterable[NodeProto], names: _Names) -> None:
        for name in (name for node in nodes for name in node.output):
            if name not in names.maps[0]:
                self._new(name, names)

    def _new(self, name: str, names: _Names, meant: str | None = None) -> None:
        """Give a value its new name; what it means in the opened graph is another one at times."""
        if not name:
            return
        while (written := f"%{self._values}%") in self.fixed:
            self._values += 1
        self._values += 1
        self._mean(name, names, written, written if meant is None else meant)

    def _mean(self, name: str, names: _Names, written: str, meant: str) -> None:
        names[name] = _Name(written, meant)
        if written != meant:
            self.meant[written] = meant

    def _node(self, node: NodeProto, place: Place, names: _Names, around: _Around) -> None:
        number = len(self.nodes)
        ends = [[names.get(n, _NONE) for n in ends] for ends in (node.input, node.output)]
        function = self._called(node, around.depth)
        opened = function is not None or bool(around.branch)
        self.nodes.append(
            Original(
                number,
                place,
                node.name or next(filter(None, node.output), node.op_type),
                operator_name(ai_onnx_is_empty(node.domain), node.op_type),
                () if opened else tuple([name.meant for name in ends[0]]),
                () if opened else tuple([name.meant for name in ends[1]]),
                around.within,
                node,
                opened,
            )
        )
        node.name = f"@{number}@"
        node.input[:] = [name.written for name in ends[0]]
        node.output[:] = [name.written for name in ends[1]]
        inside = replace(around, within=number, branch="")
        for attribute in node.attribute:
            for body in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs):
                own = names.new_child()
                self._body(body, own)
                if attribute.name == around.branch:
                    self._join(body, own, ends[1])
                for position, inner in enumerate(body.node):
                    self._node(inner, (*place, attribute.name, position), own, inside)
        if function is not None:
            self._call(node, function, ends, (place, inside))

    def _called(self, node: NodeProto, depth: int) -> FunctionProto | None:
        """The function that a node calls, if it can be opened."""
        function = self._functions.get((node.domain, node.op_type, node.overload))
        if function is None or not node.domain or node.domain.startswith(_WITH_KERNELS):
            return None
        if depth >= _MOST_DEPTH or len(function.node) > self._left:
            return None
        self._left -= max(1, len(function.node))
        return function

    def _body(self, body: GraphProto, names: _Names) -> None:
        """Rename what a body holds, but for its nodes."""
        for name in (*(info.name for info in body.input), *sorted(_initializers(body))):
            self._new(name, names)
        self._declare(body.node, names)
        for info in (*body.input, *body.output, *body.value_info):
            info.name = _written(info.name, names)
        for tensor in (*body.initializer, *(sparse.values for sparse in body.sparse_initializer)):
            tensor.name = names[tensor.name].written

    def _join(self, body: GraphProto, names: _Names, outputs: Sequence[_Name]) -> None:
        """What the only branch makes is what its If makes."""
        made = {name.written: key for key, name in names.maps[0].items()}
        for info, output in zip(body.output, outputs, strict=False):
            if info.name in made:
                self._mean(made[info.name], names, info.name, output.meant)

    def _call(
        self,
        node: NodeProto,
        function: FunctionProto,
        ends: Sequence[Sequence[_Name]],
        where: tuple[Place, _Around],
    ) -> None:
        """Give a call a function of its own: the nodes of a shared one could not be told apart."""
        place, around = where
        own = self._proto.functions.add()
        own.CopyFrom(function)
        own.name, own.overload = f"f{around.within}", ""
        while (own.domain, own.name, "") in self._functions:
            own.name += "_"
        node.op_type, node.overload = own.name, ""
        names: _Names = ChainMap()
        for formals, actual in zip((own.input, own.output), ends, strict=True):
            for position, name in enumerate(formals):
                if name not in names:
                    self._new(name, names, actual[position].meant if position < len(actual) else "")
        self._declare(own.node, names)
        own.input[:] = [_written(name, names) for name in own.input]
        own.output[:] = [_written(name, names) for name in own.output]
        deeper = replace(around, depth=around.depth + 1)
        for position, inner in enumerate(own.node):
            self._node(inner, (*place, function.name, position), names, deeper)


def _written(name: str, names: _Names) -> str:
    return names[name].written if name in names else name


def _only_branch(graph: Graph, node: Node) -> str:
    """The branch that an If surely takes."""
    bodies = graph.bodies.get(node.id, ())
    return bodies[0].name if node.operator == "If" and len(bodies) == 1 else ""
