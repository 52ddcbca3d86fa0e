"""What is wrong with a model and does not keep it from being analysed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """What a problem is about; each kind is reported by a rule of its own."""

    UNSAFE_EXTERNAL_DATA = "unsafe external data"  # opening it could leave the model's folder
    BROKEN_EXTERNAL_DATA = "broken external data"  # it is missing or too short
    PAYLOAD = "payload"  # a tensor's data does not fit its dims
    DECLARED_SHAPE = "declared shape"  # the file declares another shape than the nodes give
    IMPOSSIBLE_SHAPE = "impossible shape"  # the inputs of a node contradict its operator
    DUPLICATE = "duplicate"  # two tensors hold the same numbers
    MALFORMED = "malformed"  # the standard forbids it: a value made twice, no operator set


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: what it is, in a message that names the tensor or the node.

    ``node`` is the id of the node of the graph that it is about, if it is about one; ``wasted`` are
    the bytes that are stored for nothing.
    """

    kind: ProblemKind
    message: str
    node: int | None = None
    wasted: int = 0
