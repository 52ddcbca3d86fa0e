"""What is wrong with the tensors of a model, said once where many share it."""

from __future__ import annotations

from typing import NamedTuple

from archlint.analyzer.problem import Problem, ProblemKind


class Fault(NamedTuple):
    """What is wrong with one tensor; faults of one kind and cause make one problem."""

    kind: ProblemKind
    cause: str
    what: str


class Faults:
    """Collects faults, and how many tensors share each."""

    def __init__(self) -> None:
        self._found: dict[tuple[ProblemKind, str], tuple[str, str, int]] = {}

    def add(self, fault: Fault, label: str) -> None:
        """Note the fault of the tensor of this label."""
        first, what, count = self._found.get((fault.kind, fault.cause), (label, fault.what, 0))
        self._found[fault.kind, fault.cause] = (first, what, count + 1)

    def problems(self) -> tuple[Problem, ...]:
        """One of each cause, told of the first tensor that has it."""
        return tuple(
            Problem(kind, f"{subject(label, count)}: {what}")
            for (kind, _), (label, what, count) in self._found.items()
        )


def subject(label: str, count: int = 1) -> str:
    """Whom a message is about: ``tensor 'w'``, ``12 tensors, the first 'w'``."""
    return f"tensor {label}" if count == 1 else f"{count:,} tensors, the first {label}"
