"""How far a rewritten model is from the original, in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from onnx import TensorProto

from archlint.analyzer.graph import Graph
from archlint.analyzer.proof import runs
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proof.tapping import Tapped, batches, limits_for, size_of, tap
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.messages import plain
from archlint.analyzer.text import safe

_SIDES: Final = ("before", "after")
_NAME = 80  # characters of a name that a message shows
_NO_ARRAYS: Final = frozenset({"INT4", "UINT4", "INT2", "UINT2", "FLOAT4E2M1", "FLOAT8E8M0"})


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a value is from the same one of the original, over all samples together.

    ``relative`` is ‖b − a‖ / ‖a‖ in float64: 0 for 0/0, infinite for x/0; of integers, truth values
    and text it is the share of elements that differ. ``largest`` is max |b − a|. Where NaN or
    infinity stand on one side alone it is not ``finite``, and both are infinite. Where the value
    was not compared, ``skipped`` says why and both are NaN.
    """

    name: str
    is_output: bool
    relative: float
    largest: float
    finite: bool
    elements: int
    skipped: str = ""


def drifts(
    before: Model,
    before_graph: Graph,
    after: Model,
    after_graph: Graph,
    values: Sequence[str],
    samples: Samples,
    limits: Limits | None = None,
) -> tuple[Drift, ...]:
    """The outputs that both models have, in order, then these values, the largest error first.

    Both run on the same samples in one child process, as written: on one thread of the CPU, without
    optimisations. Raises ExecutionError where one cannot be run, and where an output has another
    shape than before; ModelReadError for weights that cannot be read.
    """
    graphs = (before_graph, after_graph)
    outputs = [name for name in dict.fromkeys(before_graph.outputs) if name in after_graph.outputs]
    inner = [name for name in dict.fromkeys(values) if name not in outputs]
    skipped = {name: why for name in (*outputs, *inner) if (why := _unavailable(name, graphs))}
    sizes = {
        name: 2 * max(size_of(graph, name) for graph in graphs)
        for name in (*outputs, *inner)
        if name not in skipped
    }
    told = _compared((before, after), graphs, sizes, samples, limits)
    found = [
        _drift(name, told.get(name, {"skipped": skipped.get(name)}), after.path, name in outputs)
        for name in (*outputs, *inner)
    ]
    kept = found[: len(outputs)]
    return (*kept, *sorted(found[len(outputs) :], key=_rank))


def _unavailable(name: str, graphs: Iterable[Graph]) -> str:
    """Why a value cannot be compared, empty if it may be."""
    for side, graph in zip(_SIDES, graphs, strict=True):
        if name not in graph.values:
            return f"the model has no such value {side} the changes"
        dtype = graph.value(name).dtype
        if dtype not in TensorProto.DataType.values():
            return "its type is none that ONNX has"
        if (named := TensorProto.DataType.Name(dtype)) in _NO_ARRAYS:
            return f"numbers of type {named.lower()} are not compared"
    return ""


def _compared(
    models: tuple[Model, Model],
    graphs: tuple[Graph, Graph],
    sizes: Mapping[str, int],
    samples: Samples,
    limits: Limits | None,
) -> dict[str, Any]:
    """What the child tells of each value."""
    if not sizes:
        return {}
    sides = [tap(model, graph, sizes) for model, graph in zip(models, graphs, strict=True)]
    listed = batches(sizes)
    with TemporaryDirectory(prefix="archlint-", ignore_cleanup_errors=True) as scratch:
        arguments = {
            "models": [
                {"name": name, "model": f"{name}.onnx", "folder": side.folder}
                for name, side in zip(_SIDES, sides, strict=True)
            ],
            "batches": [
                {
                    "taps": [f"{name}.{number}" for name in _SIDES],
                    "fetches": [[side.fetched[value] for value in batch] for side in sides],
                }
                for number, batch in enumerate(listed)
            ],
            "samples": samples.as_json(scratch),
            "scratch": scratch,
        }
        files = _files(sides, listed)
        outcome = run_job(runs.drifts, arguments, files, limits or limits_for(*models))
        if isinstance(outcome, Failure):
            raise _failed(models, outcome, _running(scratch))
    names = [value for batch in listed for value in batch]
    return dict(zip(names, outcome.value, strict=True))


def _files(sides: Sequence[Tapped], listed: Sequence[Sequence[str]]) -> dict[str, bytes]:
    """Both models, and for each batch what adds its outputs."""
    files: dict[str, bytes] = {}
    for name, side in zip(_SIDES, sides, strict=True):
        files[f"{name}.onnx"] = side.content
        for number, batch in enumerate(listed):
            files[f"{name}.{number}"] = b"".join(side.taps[value] for value in batch)
    return files


def _running(scratch: str) -> str:
    """Which of the sides was run last."""
    try:
        text = Path(scratch, runs.PROGRESS).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
    return text if text in _SIDES else ""


def _failed(models: tuple[Model, Model], failure: Failure, side: str) -> ExecutionError:
    why = plain(failure.why)
    if not side:
        return ExecutionError(models[0].path, f"cannot be compared: {why}")
    path = models[_SIDES.index(side)].path
    return ExecutionError(path, f"cannot be compared: its run {side} the changes failed: {why}")


def _drift(name: str, told: Mapping[str, Any], path: str, is_output: bool) -> Drift:
    why = told["skipped"]
    if shapes := told.get("shapes"):
        why = f"its shape is {shapes[1]} where it was {shapes[0]}"
        if is_output:
            raise ExecutionError(path, f"output '{safe(name, _NAME)}': {why}")
    if why:
        return Drift(name, is_output, math.nan, math.nan, finite=False, elements=0, skipped=why)
    kept = {key: told[key] for key in ("relative", "largest", "finite", "elements")}
    return Drift(name, is_output, **kept)


def _rank(drift: Drift) -> tuple[bool, float]:
    return bool(drift.skipped), 0.0 if drift.skipped else -drift.relative
