"""What the reader makes of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from onnx import ModelProto

from archlint.analyzer.problem import Problem
from archlint.analyzer.reader.structure import Payload

Elements = Callable[[], NDArray[Any]]  # makes those of a tensor
IGNORE_KEY = "archlint.ignore"  # of the metadata of a node: which findings at it are accepted


@dataclass(frozen=True, slots=True)
class Model:
    """The structure of an ONNX file: its ModelProto, the payloads of large tensors left out.

    ``file_bytes`` is the size of the file itself, ``external_bytes`` that of the files beside it
    that its tensors name and that are safe to open. ``payloads`` says where in the file the
    payloads are that were left out; a tensor refers to them in its metadata. ``may_ignore`` is
    False where IGNORE_KEY stands nowhere in it, so that nobody need look at every node.
    ``elements`` are there where the model is in memory: the offset of a payload is the place in
    them of what makes its tensor's.
    """

    path: str
    proto: ModelProto
    file_bytes: int
    problems: tuple[Problem, ...] = ()
    payloads: tuple[Payload, ...] = ()
    external_bytes: int = 0
    may_ignore: bool = True
    elements: tuple[Elements, ...] = ()
