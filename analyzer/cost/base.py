"""What work an operator does: the types, the registry of formulas, and what a formula sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeVar

from archlint.analyzer.dims import Cause, causes_of
from archlint.analyzer.graph import Node, Value


class UnknownCost(Exception):  # noqa: N818 - a control flow signal, always caught by count()
    """A formula needs something unknown."""

    def __init__(self, causes: frozenset[Cause]) -> None:
        super().__init__(causes)
        self.causes = causes


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiply-accumulates, other operations by family, and bytes.

    ``bytes_read`` and ``bytes_written`` are activations; ``weight_bytes`` are the constants read.
    ``integer_macs`` are those of the MACs that work on integers, by the bits of the wider operand.
    """

    macs: int = 0
    ops_by_family: tuple[tuple[str, int], ...] = ()
    bytes_read: int = 0
    bytes_written: int = 0
    weight_bytes: int = 0
    integer_macs: tuple[tuple[int, int], ...] = ()

    @property
    def ops(self) -> int:
        """Operations that are no multiply-accumulate: biases, activations, normalisations."""
        return sum(count for _, count in self.ops_by_family)

    @property
    def flops(self) -> int:
        """Floating-point operations: two a multiply-accumulate, and the others."""
        return 2 * self.macs + self.ops

    @property
    def bytes(self) -> int:
        """All bytes moved: activations read and written, and weights."""
        return self.bytes_read + self.bytes_written + self.weight_bytes

    @property
    def intensity(self) -> float | None:
        """Arithmetic intensity in FLOP a byte; None where nothing is moved."""
        return self.flops / self.bytes if self.bytes else None

    def __add__(self, other: Cost) -> Cost:
        return total((self, other))

    def __sub__(self, other: Cost) -> Cost:
        return total((self, other * -1))

    def __mul__(self, times: int) -> Cost:
        return Cost(
            self.macs * times,
            tuple((family, count * times) for family, count in self.ops_by_family),
            self.bytes_read * times,
            self.bytes_written * times,
            self.weight_bytes * times,
            tuple((bits, count * times) for bits, count in self.integer_macs),
        )


@dataclass(frozen=True, slots=True)
class Work:
    """What a formula answers: MACs, operations by family, and which inputs are read only in part.

    ``reads`` overrides the elements read of an input by its index; ``moves`` is false for operators
    that only rename a buffer. ``bits`` is the width of integer operands that the operator makes of
    floats; those that it is given tell by their data types. ``integer_macs`` are those of the MACs
    that work on integers, where not all do.
    """

    macs: int = 0
    ops: Mapping[str, int] = field(default_factory=dict)
    reads: Mapping[int, int] = field(default_factory=dict)
    moves: bool = True
    bits: int = 0
    integer_macs: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A node as a formula sees it: every dim is a number, or asking for it raises UnknownCost."""

    node: Node
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...]

    def shape(self, index: int) -> tuple[int, ...]:
        """Dims of an input."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise UnknownCost(self.because(f"input {index} is missing"))
        return self.static(value)

    def out(self, index: int = 0) -> tuple[int, ...]:
        """Dims of an output."""
        if index >= len(self.outputs):
            raise UnknownCost(self.because(f"output {index} is missing"))
        return self.static(self.outputs[index])

    def elements(self, index: int) -> int:
        """Number of elements of an input."""
        return prod(self.shape(index))

    def out_elements(self) -> int:
        """Number of elements of the first output."""
        return prod(self.out())

    def has(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute as a Python value."""
        return self.node.attributes.get(name, default)

    def because(self, why: str) -> frozenset[Cause]:
        """A cause that names this node."""
        return frozenset({self.node.cause(why)})

    def static(self, value: Value) -> tuple[int, ...]:
        """Dims of a value that must be known."""
        shape = value.static_shape
        if shape is None:
            causes = value.causes if value.shape is None else causes_of(value.shape)
            raise UnknownCost(
                causes or self.because(f"the shape of its value '{value.name}' is unknown")
            )
        return shape


Formula = Callable[[View], Work]


@dataclass(frozen=True, slots=True)
class Handler:
    """A formula with the roles of the operator's inputs.

    One letter an input, the last one for all that follow: ``x`` data, a parameter if it is a
    constant of floating-point numbers, more than one; ``w`` a weight, a parameter in any data type;
    ``b`` a buffer (running statistics); ``s`` shapes, indices, bounds, scales and zero points:
    never a parameter.
    """

    formula: Formula
    roles: str

    def role(self, index: int) -> str:
        """The role of an input."""
        return self.roles[min(index, len(self.roles) - 1)]


HANDLERS: dict[str, Handler] = {}

_F = TypeVar("_F", bound=Formula)


def handles(*operators: str, roles: str = "x") -> Callable[[_F], _F]:
    """Register the formula of operators, written ``Op`` or ``domain.Op``; a duplicate raises."""

    def register(formula: _F) -> _F:
        handler = Handler(formula, roles)
        for operator in operators:
            if operator in HANDLERS:
                raise ValueError(f"{operator} has two formulas")
            HANDLERS[operator] = handler
        return formula

    return register


def elementwise(family: str, per_element: int = 1) -> Formula:
    """A formula: operations for each element of the output."""

    def formula(view: View) -> Work:
        return Work(ops={family: per_element * view.out_elements()})

    formula.__doc__ = f"{per_element} {family} operation(s) an output element."
    return formula


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    macs = read = written = weights = 0
    families: dict[str, int] = {}
    widths: dict[int, int] = {}
    for cost in costs:
        macs += cost.macs
        read += cost.bytes_read
        written += cost.bytes_written
        weights += cost.weight_bytes
        for family, count in cost.ops_by_family:
            families[family] = families.get(family, 0) + count
        for bits, count in cost.integer_macs:
            widths[bits] = widths.get(bits, 0) + count
    ops = tuple(sorted((family, count) for family, count in families.items() if count))
    integers = tuple(sorted((bits, count) for bits, count in widths.items() if count))
    return Cost(macs, ops, read, written, weights, integers)
