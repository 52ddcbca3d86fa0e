"""The second moments of the channels of values, which tell what a layer is fed with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.graph import Graph
from archlint.analyzer.proof import runs
from archlint.analyzer.proof.reductions import MOST_CHANNELS
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proof.tapping import batches, limits_for, size_of, tap
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.messages import plain

_MOST_BYTES: Final = 2 << 30  # of all moments that are asked for at once
_HEADER: Final = 1024  # bytes of a .npy file beside its numbers, at most
_MODEL: Final = "model.onnx"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value, and which of its axes are its channels: 1 in maps, −1 before a MatMul."""

    value: str
    axis: int


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Of the vectors x of C channels at all positions: mean x·xᵀ [C, C], mean x [C], how many."""

    second: NDArray[np.float64]
    mean: NDArray[np.float64]
    positions: int


def moments(
    model: Model,
    graph: Graph,
    wanted: Sequence[Wanted],
    samples: Samples,
    limits: Limits | None = None,
) -> Mapping[str, Moment]:
    """The moments of values over all samples, by their names, in float64.

    The model runs in a child process, on one thread of the CPU, without optimisations, again for
    each part of the values that fits its memory. Raises ExecutionError where it cannot be run, and
    for values that are no tensors of numbers, are empty or have more than MOST_CHANNELS channels;
    ValueError where one value is asked for along two axes.
    """
    axes = _axes(graph, wanted)
    if not axes:
        return {}
    tapped = tap(model, graph, axes)
    listed = batches({value: _size(graph, value, axis) for value, axis in axes.items()})
    with TemporaryDirectory(prefix="archlint-", ignore_cleanup_errors=True) as scratch:
        arguments = {
            "model": {"name": "model", "model": _MODEL, "folder": tapped.folder},
            "batches": [
                {
                    "tap": f"tap.{number}",
                    "fetches": [tapped.fetched[value] for value in batch],
                    "axes": [axes[value] for value in batch],
                }
                for number, batch in enumerate(listed)
            ],
            "samples": samples.as_json(scratch),
            "scratch": scratch,
        }
        files = {_MODEL: tapped.content}
        for number, batch in enumerate(listed):
            files[f"tap.{number}"] = b"".join(tapped.taps[value] for value in batch)
        outcome = run_job(runs.moments, arguments, files, limits or limits_for(model))
        if isinstance(outcome, Failure):
            raise ExecutionError(model.path, f"its run failed: {plain(outcome.why)}")
        names = [value for batch in listed for value in batch]
        return _read(model.path, names, outcome.value, scratch)


def _axes(graph: Graph, wanted: Iterable[Wanted]) -> dict[str, int]:
    """The axes by values; an axis that is counted from the end is the same as from the front."""
    axes: dict[str, int] = {}
    for one in wanted:
        rank = len(graph.value(one.value).shape or ())
        axis = one.axis + rank if -rank <= one.axis < 0 else one.axis
        if axes.setdefault(one.value, axis) != axis:
            raise ValueError("one value is asked for along two axes")
    return axes


def _size(graph: Graph, value: str, axis: int) -> int:
    """Bytes of a value and of its moments."""
    channels = _channels(graph, value, axis)
    return size_of(graph, value) + 8 * channels * (channels + 1)


def _channels(graph: Graph, value: str, axis: int) -> int:
    """How many there are; 0 where no inference tells."""
    shape = graph.value(value).shape or ()
    dim = shape[axis] if -len(shape) <= axis < len(shape) else 0
    return dim if isinstance(dim, int) else 0


def _read(
    path: str, names: Sequence[str], told: Sequence[Mapping[str, Any]], scratch: str
) -> dict[str, Moment]:
    """What the child has written, where it is what it says."""
    size = sum(8 * one["channels"] * (one["channels"] + 1) for one in told)
    if size > _MOST_BYTES:
        why = f"the second moments of {len(names)} values take {size:,} bytes"
        raise ExecutionError(path, f"{why}, more than the {_MOST_BYTES:,} that are held at once")
    found: dict[str, Moment] = {}
    for number, (name, one) in enumerate(zip(names, told, strict=True)):
        sums = _matrix(os.path.join(scratch, f"moments-{number}.npy"), one["channels"])
        if sums is None:
            raise ExecutionError(path, "its process answered with something else than moments")
        found[name] = Moment(sums[:-1], sums[-1], one["positions"])
    return found


def _matrix(path: str, channels: int) -> NDArray[np.float64] | None:
    """The moments in a file; None if it holds anything else."""
    shape = (channels + 1, channels)
    try:
        if channels > MOST_CHANNELS or os.path.getsize(path) > 8 * shape[0] * shape[1] + _HEADER:
            return None
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError):
        return None
    return array if array.shape == shape and array.dtype == np.float64 else None
