"""What a model is fed with when it is run: a data type and a shape for every input."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import causes_of
from archlint.analyzer.errors import ModelError
from archlint.analyzer.graph import Graph, Value

BUDGET = 2 << 30  # bytes of all inputs together
_STRING_BYTES = 64  # of one string of Python
# What hands a scalar on.
_RENAMES = frozenset({
    "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Cast", "Gather", "Slice",
})  # fmt: skip


class ExecutionError(ModelError):
    """A model cannot be run, or its run failed."""


@dataclass(frozen=True, slots=True)
class Feed:
    """An input; where ``fill`` is given, all its elements are this number."""

    name: str
    dtype: int
    shape: tuple[int, ...]
    fill: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The argument of a job."""
        return asdict(self)


def feeds(path: str, graph: Graph, omitted: tuple[Value, ...] = ()) -> list[Feed]:
    """What to feed the inputs of a graph with, and the weights that its file leaves out.

    Raises ExecutionError where a dim is unknown and where all would take more than BUDGET bytes.
    """
    found = [_feed(path, graph, value) for value in (*map(graph.value, graph.inputs), *omitted)]
    size = sum(_bytes(feed) for feed in found)
    if size > BUDGET:
        why = f"its inputs take {size:,} bytes, more than the {BUDGET:,} that a run is given"
        raise ExecutionError(path, f"{why}; bind smaller dims")
    return found


def _feed(path: str, graph: Graph, value: Value) -> Feed:
    shape = value.static_shape
    if shape is None:
        causes = value.causes if value.shape is None else causes_of(value.shape)
        why = str(min(causes)) if causes else f"the shape of input '{value.name}' is unknown"
        raise ExecutionError(path, f"cannot be run: {why}")
    if not value.dtype:
        raise ExecutionError(path, f"cannot be run: input '{value.name}' declares no data type")
    return Feed(value.name, value.dtype, shape, _fill(graph, value, shape))


def _fill(graph: Graph, value: Value, shape: tuple[int, ...]) -> int | None:
    """One number for masks and for scalars, which choose or count rather than index a table."""
    if value.is_float or (prod(shape) != 1 and "mask" not in value.name.lower()):
        return None
    compared = _compared(graph, value.name) if prod(shape) == 1 else None
    return 1 if compared is None else compared


def _compared(graph: Graph, name: str) -> int | None:
    """The constant that nodes compare a scalar with, such as a sampling rate that is supported."""
    names = [name]
    for known in names:
        for node in graph.consumers(known):
            if node.op_type in _RENAMES and node.input(0) == known and node.outputs:
                names.append(node.outputs[0])
            for other in node.inputs if node.op_type == "Equal" else ():
                data = graph.value(other).data
                if other != known and data is not None and data.size == 1:
                    return int(data.reshape(-1)[0])
    return None


def _bytes(feed: Feed) -> int:
    elements = prod(feed.shape)
    if feed.dtype == TensorProto.STRING:
        return elements * _STRING_BYTES
    return Value(feed.name, feed.dtype).bytes_of(elements) or 0
