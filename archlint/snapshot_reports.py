"""What can be said of a model of which only the snapshot is there."""

from __future__ import annotations

import re

from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.snapshot import parse
from archlint.analyzer.cost import Cost
from archlint.analyzer.dims import Cause
from archlint.analyzer.errors import ConfigError, ModelError
from archlint.analyzer.report import ModelReport, Unknown, ValueReport
from archlint.snapshot_files import read_snapshot, snapshot_of
from archlint.work import Answer

_NOTE = "read from its snapshot, for the model is not here: no rule ran"
_UNKNOWN = "the snapshot does not tell what they cost; fetch the model: git lfs pull"
_BETWEEN = re.compile(r"(?<=[\d?)])x|x(?=[\d?(])", re.ASCII)  # names of dims have an x too


def snapshot_answer(path: str, oid: str) -> Answer:
    """What the snapshot beside a Git LFS pointer says of the model.

    Raises ModelError where there is none, or where it is of another file than the one of this
    SHA-256.
    """
    try:
        text = read_snapshot(path)
        if text is None:
            raise ModelError(
                path, f"there is no {snapshot_of(path)}; fetch the model: git lfs pull"
            )
        architecture = parse(text, snapshot_of(path)).architecture
    except ConfigError as error:
        raise ModelError(path, str(error)) from error
    if architecture.digest != oid:
        why = f"{snapshot_of(path)} is of another file; fetch the model, and write it anew"
        raise ModelError(path, why)
    return Answer(from_snapshot(architecture, path), architecture=architecture)


def from_snapshot(architecture: Architecture, path: str) -> ModelReport:
    """The totals of a model by its architecture; what that does not tell is nothing."""
    totals = architecture.totals
    unknown: tuple[Unknown, ...] = ()
    if totals.unknown:
        named = tuple(
            f"{'.'.join(one.scope)} {one.operator}".strip()
            for one in architecture.operations
            if one.macs is None
        )
        unknown = (Unknown(Cause(_UNKNOWN), named),)
    return ModelReport(
        path=path,
        file_bytes=totals.file_bytes or 0,
        external_bytes=0,
        opset=0,
        inputs=tuple(map(_value, architecture.inputs)),
        outputs=tuple(map(_value, architecture.outputs)),
        nodes=totals.operations,
        cost=Cost(macs=totals.macs or 0, weight_bytes=totals.weight_bytes or 0),
        least_macs=totals.macs or 0,
        parameters=totals.parameters or 0,
        buffers=0,
        folded_macs=0,
        peak_bytes=totals.peak_activation_bytes or 0,
        peak_node=None,
        peak_unknown=int(totals.peak_activation_bytes is None),
        critical_macs=_critical(architecture),
        unknown=unknown,
        unknown_nodes=totals.unknown,
        notes=(_NOTE,),
        digest=architecture.digest,
        was_checked=False,
    )


def _value(text: str) -> ValueReport:
    """An input or output as the header of a snapshot has it: ``x float32 1x3x28x28``."""
    typed, _, shape = text.rpartition(" ")
    name = typed.rpartition(" ")[0].removesuffix(" sequence of")
    if shape == "?":
        return ValueReport(name, None)
    dims = () if shape == "scalar" else _BETWEEN.split(shape)
    return ValueReport(name, tuple(int(d) if d.isdecimal() else d for d in dims))


def _critical(architecture: Architecture) -> int:
    """The MACs of the most expensive path."""
    ends: list[int] = []
    for operation in architecture.operations:
        before = max((ends[place] for place in operation.inputs if place >= 0), default=0)
        ends.append(before + (operation.macs or 0))
    return max(ends, default=0)
