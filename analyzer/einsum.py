"""Einstein summation: the equation's labels bound to dims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archlint.analyzer.dims import Dim, Shape, broadcast


@dataclass(frozen=True, slots=True)
class Equation:
    """An Einsum with its operands' shapes: the dim of every label, an ellipsis expanded.

    ``terms`` are the labels of each operand, ``output`` those of the result.
    """

    terms: tuple[tuple[str, ...], ...]
    output: tuple[str, ...]
    dims: dict[str, Dim]

    @property
    def output_shape(self) -> Shape:
        """The shape of the result."""
        return tuple(self.dims[label] for label in self.output)


def parse(equation: str, operands: Sequence[Shape]) -> Equation:
    """Bind an equation to the shapes of its operands.

    Raises ValueError where the equation and the operands do not fit.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    written = left.split(",")
    if len(written) != len(operands):
        raise ValueError(f"equation '{equation}' for {len(operands)} operands")
    widest = max(
        (len(shape) - len(term.replace("...", ""))
         for term, shape in zip(written, operands, strict=True)
         if "..." in term),
        default=0,
    )  # fmt: skip
    terms = []
    seen: dict[str, list[Dim]] = {}
    for term, shape in zip(written, operands, strict=True):
        labels = _labels(term, len(shape) - len(term.replace("...", "")), widest)
        if len(labels) != len(shape):
            raise ValueError(f"term '{term}' for an operand of rank {len(shape)}")
        for label, dim in zip(labels, shape, strict=True):
            seen.setdefault(label, []).append(dim)
        terms.append(labels)
    dims = {label: broadcast(*((dim,) for dim in found))[0] for label, found in seen.items()}
    output = _labels(right, widest, widest) if arrow else _implicit(terms, widest)
    if unknown := set(output) - set(dims):
        raise ValueError(f"labels {sorted(unknown)} of the result are in no operand")
    return Equation(tuple(terms), output, dims)


def _labels(term: str, width: int, widest: int) -> tuple[str, ...]:
    """The labels of a term; those of the ellipsis are numbered from the right, as it broadcasts."""
    before, dots, behind = term.partition("...")
    ellipsis = [f"...{widest - width + place}" for place in range(width)] if dots else []
    return (*before, *ellipsis, *behind)


def _implicit(terms: Sequence[tuple[str, ...]], widest: int) -> tuple[str, ...]:
    """Without an arrow: the ellipsis, then the labels that occur once, in alphabetical order."""
    every = [label for term in terms for label in term]
    once = sorted(label for label in every if every.count(label) == 1 and len(label) == 1)
    return (*(f"...{place}" for place in range(widest)), *once)
