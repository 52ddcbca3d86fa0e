"""Jobs of the child process: models run on samples, and what is told of their values."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from archlint.analyzer.proof.reductions import Difference, Moments
from archlint.analyzer.runtime.session import as_written

PROGRESS = "running"  # the file that names the model that is run


def drifts(
    models: Sequence[Mapping[str, Any]],
    batches: Sequence[Mapping[str, Any]],
    samples: Mapping[str, Any],
    scratch: str,
) -> list[dict[str, Any]]:
    """How far the values of the second model are from those of the first, batch after batch."""
    told: list[dict[str, Any]] = []
    for batch in batches:
        sessions = [
            tapped_session(model, tap, scratch)
            for model, tap in zip(models, batch["taps"], strict=True)
        ]
        found = [Difference() for _ in batch["fetches"][0]]
        for inputs in sample_inputs(samples):
            pair = []
            for model, session, names in zip(models, sessions, batch["fetches"], strict=True):
                _begin(model, scratch)
                pair.append(_run(session, names, inputs))
            for one, before, after in zip(found, *pair, strict=True):
                one.add(before, after)
        told += [one.as_json() for one in found]
    return told


def moments(
    model: Mapping[str, Any],
    batches: Sequence[Mapping[str, Any]],
    samples: Mapping[str, Any],
    scratch: str,
) -> list[dict[str, Any]]:
    """The moments of values, written to files of the folder ``scratch`` in order."""
    told: list[dict[str, Any]] = []
    for batch in batches:
        session = tapped_session(model, batch["tap"], scratch)
        found = [Moments(axis) for axis in batch["axes"]]
        for inputs in sample_inputs(samples):
            for one, value in zip(found, _run(session, batch["fetches"], inputs), strict=True):
                one.add(value)
        for one in found:
            told.append(one.save(os.path.join(scratch, f"moments-{len(told)}.npy")))
    return told


def _begin(model: Mapping[str, Any], scratch: str) -> None:
    """Leave word which model is run: a crash tells nothing."""
    with open(os.path.join(scratch, PROGRESS), "w", encoding="ascii") as stream:
        stream.write(model["name"])


def tapped_session(model: Mapping[str, Any], tap: str, scratch: str) -> Any:
    """A session of a model as it is written, with the outputs that the file ``tap`` adds."""
    import onnxruntime

    _begin(model, scratch)
    options = as_written(model["folder"])
    content = bytearray()
    for part in (model["model"], tap):
        with open(part, "rb") as stream:
            content += stream.read()
    return onnxruntime.InferenceSession(
        bytes(content), options, providers=["CPUExecutionProvider"], enable_fallback=0
    )


def _run(session: Any, names: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
    """The values of these names; a model may have lost inputs."""
    wanted = {entry.name for entry in session.get_inputs()}
    fed = {name: value for name, value in inputs.items() if name in wanted}
    values: list[Any] = session.run(list(names), fed)
    return values


def sample_inputs(samples: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the inputs are, sample by sample."""
    from archlint.analyzer.runtime.arrays import arrays

    stored = {
        name: np.load(path, mmap_mode="r", allow_pickle=False)
        for name, path in samples["files"].items()
    }
    for number in range(samples["count"]):
        if stored:
            yield {
                name: _plain(array[number if len(array) > 1 else 0])
                for name, array in stored.items()
            }
        else:
            yield arrays(samples["feeds"], samples["seed"] + number)


def _plain(sample: Any) -> Any:
    """A sample as onnxruntime takes it: in memory, and text as Python's."""
    array = np.array(sample, order="C")
    return array.astype(object) if array.dtype.kind == "U" else array
