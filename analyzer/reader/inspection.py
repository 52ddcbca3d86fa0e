"""What is wrong with the tensors of a model."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto

from archlint.analyzer.problem import Problem
from archlint.analyzer.reader.elements import fault_of, is_external
from archlint.analyzer.reader.external import Folder
from archlint.analyzer.reader.faults import Fault, Faults
from archlint.analyzer.reader.structure import Payload
from archlint.analyzer.reader.tensors import tensors


def inspect(
    path: str, proto: ModelProto, payloads: Sequence[Payload]
) -> tuple[tuple[Problem, ...], int]:
    """The problems of the tensors, and the bytes of the files that hold external data.

    Raises TooLargeError.
    """
    faults = Faults()
    folder = Folder(path)
    for held in tensors(proto):
        fault = fault_of(held.tensor, payloads)
        if is_external(held.tensor):
            found = folder.find(held.tensor)
            fault = found if isinstance(found, Fault) else fault
        if fault is not None:
            faults.add(fault, held.label)
    return faults.problems(), folder.bytes
