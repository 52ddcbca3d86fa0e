"""Git LFS pointers whose files are not here: what can be said of them all the same."""

from __future__ import annotations

import os

from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader.formats import HEAD
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.report import Failure
from archlint.batch import Effort, known
from archlint.choices import OnPointer
from archlint.work import Answer, Prepared, Request, Task


def answered(
    path: str, request: Request, prepared: Prepared, choice: OnPointer, effort: Effort
) -> Answer | None:
    """What can be said of a pointer without its file; None for what is to be analysed as it is.

    That is an earlier answer about the same content; by choice what a snapshot says of it, or
    nothing, where it is skipped. A pointer of which nothing is known is told by the reader.
    """
    if path == STANDARD_INPUT or not _is_small(path):
        return None
    from archlint.lfs import pointer_in  # late: few models are pointers

    pointer = pointer_in(path)
    if pointer is None:
        return None
    if (before := known(request, Task(path), prepared, pointer.oid, effort)) is not None:
        return before
    if choice is OnPointer.SKIP:
        return Answer()
    return _from_snapshot(path, pointer.oid) if choice is OnPointer.SNAPSHOT else None


def _is_small(path: str) -> bool:
    """Whether the file can be a pointer, which has less than 1,024 bytes."""
    try:
        return os.stat(path).st_size < HEAD
    except (OSError, ValueError):
        return False


def _from_snapshot(path: str, oid: str) -> Answer:
    """What the snapshot beside the model says, or why it says nothing."""
    from archlint.snapshot_reports import snapshot_answer  # late: few models are pointers

    try:
        return snapshot_answer(path, oid)
    except ModelError as error:
        return Answer(failures=(Failure(path, error.why),))
