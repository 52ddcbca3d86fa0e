"""A proposal: a small ONNX graph that would stand in place of some nodes.

Its cost, its saving, the sketch, the PyTorch snippet and the effect on the whole model are derived
from that one graph, here and once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, helper

from archlint.analyzer.builder import IR_VERSION, GraphBuilder
from archlint.analyzer.constants import Constants
from archlint.analyzer.cost import Cost, CostTable, count
from archlint.analyzer.describe import describe
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model

Derivation = Callable[[Constants], Mapping[str, NDArray[Any]]]


class FixKind(StrEnum):
    """What a proposal does to the function that the network computes."""

    EQUIVALENT = "equivalent"  # the same function
    APPROXIMATE = "approximate"  # the same shapes, weights derived from the old ones
    RETRAIN = "retrain"  # the same shapes, a new function
    DECISION = "decision"  # advice without a graph


_CAVEATS = {
    FixKind.EQUIVALENT: "The function stays the same.",
    FixKind.APPROXIMATE: "The function changes a little: fine-tune and check the accuracy.",
    FixKind.RETRAIN: "The function changes: retrain the network and check its accuracy.",
    FixKind.DECISION: "This is a decision about the design, not a rewrite.",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would stand in place of ``replaces``.

    The inputs and outputs of ``graph`` are values of the model; an empty graph only removes.
    ``drops`` are graph outputs that go, ``discards`` initializers that do, ``closes`` initializers
    that are fed no more. ``renames`` leads from values to those that are written in their stead
    wherever they stand. ``derive`` computes the weights of ``graph`` by their names in it from the
    constants of the model; None where that has none, or where they must be learnt.
    """

    title: str
    kind: FixKind
    replaces: tuple[Node, ...]
    graph: GraphProto = field(default_factory=GraphProto)
    drops: tuple[str, ...] = ()
    remark: str = ""
    renames: Mapping[str, str] = field(default_factory=dict)
    discards: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    derive: Derivation | None = field(default=None, compare=False)

    @property
    def caveat(self) -> str:
        """What the user must know before following it."""
        return f"{_CAVEATS[self.kind]} {self.remark}".strip()


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a proposal, with its MACs.

    ``inputs`` are the places of the steps that make what it reads, -1 - i for the i-th input of the
    proposal; ``shape`` is that of its first output as ``1x32x28x28``, empty where it is unknown.
    """

    text: str
    macs: int
    shape: str = ""
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Priced:
    """A proposal with what it costs now and then, and how it looks."""

    proposal: Proposal
    before: Cost
    after: Cost
    parameters_before: int
    parameters_after: int
    steps: tuple[Step, ...]
    snippet: str

    @property
    def saved_macs(self) -> int:
        """MACs that the proposal saves."""
        return self.before.macs - self.after.macs

    @property
    def saved_parameters(self) -> int:
        """Parameters that the proposal saves."""
        return self.parameters_before - self.parameters_after


def draft(
    graph: Graph, name: str, replaced: Sequence[Node], source: str | None = None
) -> tuple[GraphBuilder, str]:
    """A builder for what stands in place of a chain of nodes, and the value that feeds it.

    It has the data type of the ``source``, which is the first input of the chain unless it is said;
    the name of the chain's output is kept free.
    """
    value = graph.value(replaced[0].input(0) if source is None else source)
    builder = GraphBuilder(name, reserved=replaced[-1].outputs, dtype=value.dtype)
    return builder, builder.input(value.name, value.static_shape or ())


def check_fit(proposal: Proposal, graph: Graph) -> None:
    """Raise ValueError for a proposal that cannot stand where its nodes stand in the graph."""
    gone = {node.id for node in proposal.replaces}
    lost = {name for node in proposal.replaces for name in node.outputs if name}
    made = {output.name for output in proposal.graph.output}
    renamed = proposal.renames.keys() | set(proposal.renames.values())
    outputs = set(graph.outputs).difference(proposal.drops)
    read = {n for n in lost if any(node.id not in gone for node in graph.consumers(n))}
    if missing := sorted(lost & (outputs | read) - made - renamed):
        raise ValueError(f"the proposal does not make '{missing[0]}', which it replaces")
    if foreign := sorted(made - lost):
        raise ValueError(f"the proposal makes '{foreign[0]}', which it does not replace")
    for entry in proposal.graph.input:
        if entry.name in lost or entry.name not in graph.values:
            raise ValueError(f"the proposal reads '{entry.name}', which there is not before it")


def price(proposal: Proposal, table: CostTable, known: dict[bytes, Priced] | None = None) -> Priced:
    """Count a proposal by the same table that counts the model.

    ``known`` are the prices so far by form: those of one form differ in what they replace alone.
    """
    before = table.total(proposal.replaces), table.parameters.count(proposal.replaces)
    if known is None:
        priced = _counted(proposal, table)
    else:
        form = _form(proposal.graph)
        priced = known[form] = known.get(form) or _counted(proposal, table)
    return replace(priced, proposal=proposal, before=before[0], parameters_before=before[1])


def _counted(proposal: Proposal, table: CostTable) -> Priced:
    from archlint.analyzer.snippet import pytorch  # late: what is only counted has no proposals

    graph = as_graph(proposal, table.graph.opset)
    priced = count(graph)
    operators = tuple(graph.operators())
    return Priced(
        proposal,
        before=Cost(),
        after=priced.total(),
        parameters_before=0,
        parameters_after=priced.parameters.count(operators),
        steps=tuple(_steps(graph, operators, priced)),
        snippet=pytorch(graph),
    )


def _form(graph: GraphProto) -> bytes:
    """All that a graph is but the names of its inputs and outputs."""
    outer = [*graph.input, *graph.output]
    places = {entry.name: f"/{place}" for place, entry in enumerate(outer)}  # builders use no "/"
    copy = GraphProto()
    copy.CopyFrom(graph)
    for entry in (*copy.input, *copy.output):
        entry.name = places[entry.name]
    for node in copy.node:
        node.input[:] = [places.get(name, name) for name in node.input]
        node.output[:] = [places.get(name, name) for name in node.output]
    return copy.SerializeToString(deterministic=True)


def as_model(proposal: Proposal, opset: int) -> ModelProto:
    """The proposal as a model of its own."""
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(proposal.graph, opset_imports=imports, ir_version=IR_VERSION)


def as_graph(proposal: Proposal, opset: int) -> Graph:
    """The graph of the proposal, with the shapes of its values."""
    return load(Model("proposal", as_model(proposal, opset), 0))


def _steps(graph: Graph, operators: Sequence[Node], table: CostTable) -> list[Step]:
    steps = []
    sources = {name: -1 - place for place, name in enumerate(graph.inputs)}
    for place, node in enumerate(operators):
        cost, shape = table.cost(node), graph.value(node.output(0)).static_shape
        inputs = dict.fromkeys(sources[name] for name in node.inputs if name in sources)
        text = "" if shape is None else "x".join(map(str, shape))
        steps.append(Step(describe(graph, node), cost.macs if cost else 0, text, tuple(inputs)))
        sources.update((name, place) for name in node.outputs if name)
    return steps
