"""What a shape rule or a folding sees of a node, and the registries of both."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from onnx import GraphProto

from archlint.analyzer.dims import Cause, Dim, Shape, SymbolicDim
from archlint.analyzer.graph import FLOATS, Body, Data, Graph, Node, Value

MAX_ELEMENTS = 4096  # of a folded value: shapes and indices are far smaller
_MAX_FLOATS = 16  # scales and bounds decide shapes, masks and weights do not


# What a rule raises, knowingly or not, where the inputs of a node contradict its operator.
CONTRADICTIONS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


class Unresolved(Exception):  # noqa: N818 - a control flow signal, always caught by the engine
    """The shape of an output depends on something unknown."""

    def __init__(self, causes: frozenset[Cause]) -> None:
        super().__init__(causes)
        self.causes = causes


class Scope(Protocol):
    """Where a node stands: it opens the subgraphs and the functions that the node names.

    What opens a body raises Unresolved where it cannot tell, or where bodies are nested too deep or
    are too many.
    """

    @property
    def local(self) -> Container[str]:
        """The operators that the file itself defines."""

    def over(self, values: Mapping[str, Value]) -> Scope:
        """The scope of nodes that read these values."""

    def perhaps(self) -> Scope:
        """The scope of a branch that may never run."""

    def subgraph(self, proto: GraphProto, inputs: Sequence[Value]) -> Graph:
        """A subgraph with its inputs bound; it also reads the values around the node."""

    def function(self, node: Node, inputs: Sequence[Value | None]) -> Body | None:
        """The body of the function that the operator is, with its inputs bound."""

    def foreign(self, node: Node, inputs: Sequence[Value | None]) -> Sequence[Value]:
        """What onnx's own inference says of the outputs."""


@dataclass(slots=True)
class Context:
    """One node with the values of its inputs."""

    node: Node
    inputs: tuple[Value | None, ...]
    opset: int
    scope: Scope

    def value(self, index: int) -> Value:
        """An input that must be there; raises Unresolved if it is absent."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise Unresolved(self.because(f"input {index} is missing"))
        return value

    def has(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def shape(self, index: int) -> Shape:
        """The shape of an input; raises Unresolved if its rank is unknown."""
        value = self.value(index)
        if value.shape is None:
            raise Unresolved(value.causes or self.because(f"the rank of '{value.name}' is unknown"))
        return value.shape

    def rank(self, index: int) -> int:
        """The rank of an input; raises Unresolved if it is unknown."""
        return len(self.shape(index))

    def dtype(self, index: int) -> int:
        """The data type of an input, 0 if unknown or absent."""
        value = self.inputs[index] if index < len(self.inputs) else None
        return value.dtype if value else 0

    def data(self, index: int) -> Data | None:
        """The elements of an input where they are known."""
        value = self.inputs[index] if index < len(self.inputs) else None
        return value.data if value else None

    def elements(self, index: int) -> list[Any]:
        """The known elements of an input, flat; raises Unresolved if they are unknown."""
        value = self.value(index)
        if value.data is None:
            why = f"'{value.name}' is computed from the data that the model is fed"
            raise Unresolved(value.causes or self.because(why))
        return list(value.data.reshape(-1))

    def integers(self, index: int, attribute: str) -> list[Any] | None:
        """Integers that were an attribute in old operator sets and are an input since, or None."""
        if attribute in self.node.attributes:
            given = self.node.attributes[attribute]
            return list(given) if isinstance(given, (list, tuple)) else [given]
        return self.elements(index) if self.has(index) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute as a Python value."""
        return self.node.attributes.get(name, default)

    def axis(self, default: int, rank: int) -> int:
        """The attribute ``axis``, counted from the front; raises ValueError out of range."""
        return normal_axis(self.attribute("axis", default), rank)

    def because(self, why: str) -> frozenset[Cause]:
        """A cause that names this node."""
        return frozenset({self.node.cause(why)})

    def fresh(self, label: str, why: str) -> Dim:
        """A dim that only a run can tell."""
        return SymbolicDim(f"{label}@{self.node.label}", self.because(why))


Outputs = Sequence[tuple[Shape, int] | Value]  # of a Value all but its name counts
ShapeRule = Callable[[Context], Outputs]
Folding = Callable[[Context], "Data | Sequence[Data | None] | None"]
ControlRule = Callable[[Context], tuple[Sequence[Value], Sequence[Body]]]

_Rule = TypeVar("_Rule", bound=Callable[..., Any])

SHAPE_RULES: dict[str, ShapeRule] = {}
FOLDINGS: dict[str, Folding] = {}
CONTROL_RULES: dict[str, ControlRule] = {}


def shapes(*operators: str) -> Callable[[ShapeRule], ShapeRule]:
    """Register the shape rule of operators, written ``Op`` or ``domain.Op``."""
    return lambda rule: _register(SHAPE_RULES, operators, rule)


def folds(*operators: str) -> Callable[[Folding], Folding]:
    """Register how operators are evaluated on known elements; None means that it cannot be.

    The elements are those of the first output, or a list has those of each.
    """
    return lambda folding: _register(FOLDINGS, operators, folding)


def controls(*operators: str) -> Callable[[ControlRule], ControlRule]:
    """Register what operators that run graphs give, and the graphs that they run."""
    return lambda rule: _register(CONTROL_RULES, operators, rule)


def _register(registry: dict[str, _Rule], operators: Sequence[str], rule: _Rule) -> _Rule:
    for operator in operators:
        if operator in registry:
            raise ValueError(f"{operator} is registered twice")
        registry[operator] = rule
    return rule


def foldable_elements(dtype: int) -> int:
    """The most elements of this data type that are worth knowing."""
    return _MAX_FLOATS if dtype in FLOATS else MAX_ELEMENTS


def normal_axis(axis: int, rank: int) -> int:
    """An axis counted from the front; raises ValueError out of range and for what is no axis."""
    if not isinstance(axis, int):
        raise TypeError(f"an axis of {axis}")
    if not -rank <= axis < max(rank, 1):
        raise ValueError(f"axis {axis} of a tensor of rank {rank}")
    return axis + rank if axis < 0 else axis
