"""Dimensions that may be unknown, and the reason why they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod

MAX_RANK = 64  # that of numpy; no runtime knows more axes, and numbers of elements stay printable
_LABEL_LIMIT = 60


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """Why a dimension is unknown, and what the user can do about it."""

    why: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.why}; bind it with {self.remedy}" if self.remedy else self.why


@dataclass(frozen=True, slots=True)
class SymbolicDim:
    """A dimension that is not a number: its expression, and the causes of that.

    Arithmetic keeps the causes, so that a cost that depends on it can name the dimension to bind.
    Two symbolic dims are equal if their expressions are.
    """

    label: str
    causes: frozenset[Cause]

    def __add__(self, other: object) -> Dim:
        return _combine("+", self, other, neutral=0)

    def __radd__(self, other: object) -> Dim:
        return _combine("+", other, self, neutral=0)

    def __sub__(self, other: object) -> Dim:
        return 0 if other == self else _combine("-", self, other, neutral=0)

    def __rsub__(self, other: object) -> Dim:
        return _combine("-", other, self)

    def __mul__(self, other: object) -> Dim:
        return 0 if other == 0 else _combine("*", self, other, neutral=1)

    def __rmul__(self, other: object) -> Dim:
        return self * other

    def __floordiv__(self, other: object) -> Dim:
        return 1 if other == self else _combine("//", self, other, neutral=1)

    def __rfloordiv__(self, other: object) -> Dim:
        return _combine("//", other, self)

    def __mod__(self, other: object) -> Dim:
        return 0 if other == 1 else _combine("%", self, other)

    def __neg__(self) -> Dim:
        return _combine("*", -1, self)

    def __str__(self) -> str:
        return self.label


Dim = int | SymbolicDim
Shape = tuple[Dim, ...]


def derived(label: str, *operands: object) -> SymbolicDim:
    """A symbolic dim that depends on every symbolic operand; long labels are cut."""
    if len(label) > _LABEL_LIMIT:
        label = f"{label[:_LABEL_LIMIT]}~{_digest(label)}"
    return SymbolicDim(label, causes_of(operands))


def causes_of(dims: Iterable[object]) -> frozenset[Cause]:
    """The causes of every symbolic dim among these."""
    found = [dim.causes for dim in dims if isinstance(dim, SymbolicDim)]
    return frozenset().union(*found)


def apply(function: Callable[[int], int], label: str, dim: Dim) -> Dim:
    """The function of a known dim, or a symbolic dim named by ``label`` with ``{}`` for the dim."""
    return function(dim) if isinstance(dim, int) else derived(label.format(dim.label), dim)


def is_static(shape: Sequence[Dim]) -> bool:
    """Whether every dim is a number."""
    for dim in shape:  # noqa: SIM110 - a generator would take twice as long, a million times
        if not isinstance(dim, int):
            return False
    return True


def volume(dims: Iterable[Dim]) -> Dim:
    """The product of dims: the number of elements of a shape."""
    total: Dim = 1
    symbolic: list[SymbolicDim] = []
    for dim in dims:
        if isinstance(dim, int):
            total *= dim
        else:
            symbolic.append(dim)
    for unknown in symbolic:
        total = total * unknown
    return total


def split(dims: Iterable[Dim]) -> tuple[int, list[SymbolicDim]]:
    """The product of the known dims, and the symbolic ones."""
    listed = list(dims)
    symbolic = [dim for dim in listed if isinstance(dim, SymbolicDim)]
    return prod(dim for dim in listed if isinstance(dim, int)), symbolic


def broadcast(*shapes: Shape) -> Shape:
    """The shape that multidirectional (NumPy) broadcasting gives; a known dim wins over a symbolic
    one.

    Raises ValueError where two known dims differ and neither is 1.
    """
    first = shapes[0] if shapes else ()
    if all(shape == first for shape in shapes):
        return first
    rank = max(map(len, shapes), default=0)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(_broadcast_dim(dims) for dims in zip(*padded, strict=True))


def _broadcast_dim(dims: Sequence[Dim]) -> Dim:
    known = {dim for dim in dims if isinstance(dim, int) and dim != 1}
    if len(known) > 1:
        raise ValueError(f"dims {', '.join(map(str, sorted(known)))} do not broadcast")
    if known:
        return known.pop()
    symbolic = list(dict.fromkeys(dim for dim in dims if isinstance(dim, SymbolicDim)))
    if not symbolic:
        return 1
    if len(symbolic) == 1:
        return symbolic[0]
    return derived(f"max({', '.join(dim.label for dim in symbolic)})", *symbolic)


def _combine(operator: str, left: object, right: object, neutral: int | None = None) -> Dim:
    if neutral is not None:
        if right == neutral and isinstance(left, SymbolicDim):
            return left
        if left == neutral and isinstance(right, SymbolicDim) and operator in "+*":
            return right
    return derived(f"({left}{operator}{right})", left, right)


def _digest(text: str) -> str:
    # Stable between runs, unlike hash(): labels are printed.
    total = 0
    for character in text:
        total = (total * 131 + ord(character)) % 0xFFFFFF
    return f"{total:x}"
