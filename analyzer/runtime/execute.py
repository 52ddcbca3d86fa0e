"""Run a model once, as written, and tell the shapes that occurred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onnx import NodeProto

from archlint.analyzer.graph import Graph
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.runtime import session
from archlint.analyzer.runtime.child import Failure, Kind, Outcome, run_job
from archlint.analyzer.runtime.inputs import ExecutionError, feeds
from archlint.analyzer.runtime.instrument import OUTPUT, Instrumented, Place, instrument
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.messages import plain
from archlint.analyzer.runtime.restored import restore

Shape = tuple[int, ...]

_MEMORY = 4 << 30  # beside three times the file: as it is read, as tensors, and packed for kernels
_MODEL = "model.onnx"


@dataclass(frozen=True, slots=True)
class Kernel:
    """One run of one kernel, with the shapes of those of its inputs and outputs that are tensors.

    ``place`` and ``node`` are those of its node in the file; None for what onnxruntime adds, and
    for the body that it runs in place of an operator of the standard.
    """

    op_type: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    place: Place | None = None
    node: NodeProto | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Execution:
    """What occurred in a run: the shapes of the values of the graph, and the kernels in order."""

    shapes: Mapping[str, Shape]
    kernels: tuple[Kernel, ...]

    def runs(self) -> dict[Place, list[Kernel]]:
        """The kernels by the places of their nodes; one in a loop or a function runs often."""
        runs: dict[Place, list[Kernel]] = {}
        for kernel in self.kernels:
            if kernel.place is not None:
                runs.setdefault(kernel.place, []).append(kernel)
        return runs


def execute(model: Model, graph: Graph, limits: Limits | None = None) -> Execution:
    """One run on seeded inputs in a child process, on one thread of the CPU, without optimisations.

    Raises ExecutionError where an input's shape is unknown, and where the run fails, crashes or
    exceeds its limits.
    """
    refuse_unsafe(model)
    size = model.file_bytes + model.external_bytes
    limits = limits or Limits(memory_bytes=_MEMORY + 3 * size)
    copy, outcome = _run(model, graph, limits, taps=True)
    if isinstance(outcome, Failure) and outcome.kind is Kind.ERROR and copy.tapped:
        # A tap of a function that gives a sequence is an error; without taps it may run.
        copy, outcome = _run(model, graph, limits, taps=False)
    if isinstance(outcome, Failure):
        why = copy.readable(plain(outcome.why))
        raise ExecutionError(model.path, f"its run failed: {why}")
    return _execution(graph, copy, outcome.value)


def _run(model: Model, graph: Graph, limits: Limits, *, taps: bool) -> tuple[Instrumented, Outcome]:
    proto, folder = restore(model)
    copy = instrument(proto, graph, taps=taps)
    arguments = {
        "model": _MODEL,
        "folder": folder,
        "inputs": [feed.as_json() for feed in feeds(model.path, graph, copy.omitted)],
        "output": OUTPUT,
    }
    files = {_MODEL: copy.proto.SerializeToString()}
    return copy, run_job(session.execute, arguments, files, limits)


def _execution(graph: Graph, copy: Instrumented, events: Iterable[Any]) -> Execution:
    """What the events of a profile tell of the graph's values."""
    nodes = {node.position: node for node in graph.nodes}
    shapes: dict[str, Shape] = {}
    kernels: list[Kernel] = []
    for name, op_type, *ends in events:
        inputs, outputs = (tuple(map(tuple, shapes)) for shapes in ends)
        if (tapped := copy.tap(name)) is not None:
            shapes[tapped] = inputs[0]
            continue
        found = copy.node(name)
        place, proto = found or (None, None)
        kernels.append(Kernel(op_type, inputs, outputs, place, proto))
        match place:
            case (int(position),):
                _observe(shapes, nodes[position].inputs, inputs)
                _observe(shapes, nodes[position].outputs, outputs)
    return Execution(shapes, tuple(kernels))


def _observe(shapes: dict[str, Shape], names: tuple[str, ...], seen: tuple[Shape, ...]) -> None:
    """The shapes of values that a kernel saw; those that are no tensors it does not tell."""
    present = [name for name in names if name]
    if len(present) == len(seen):
        shapes.update(zip(present, seen, strict=True))
