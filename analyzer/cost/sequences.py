"""Sequences and optionals: they hold tensors, and compute nothing."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, handles


@handles(
    "SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase", "SequenceAt",
    "SequenceLength", "Optional", "OptionalGetElement", "OptionalHasElement", roles="xs",
)  # fmt: skip
def refer(view: View) -> Work:
    """Free: a sequence or an optional refers to its tensors."""
    return Work(moves=False)


@handles("SplitToSequence", "ConcatFromSequence", roles="xs")
def copy(view: View) -> Work:
    """No operations: every element is read and written once."""
    return Work()
