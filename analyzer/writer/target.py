"""The path that a model is written to: what may be there, and what may not."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from archlint.analyzer.errors import ModelError, ModelWriteError
from archlint.analyzer.reader import read
from archlint.analyzer.reader.elements import is_external
from archlint.analyzer.reader.external import Folder, Span, unsafe_text
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.tensors import tensors
from archlint.analyzer.writer.draft import write_error


@dataclass(frozen=True, slots=True)
class Target:
    """A file that is to be written: what the user calls it, where it is behind links, and what is
    there already."""

    path: str
    file: str
    status: os.stat_result | None

    @property
    def mode(self) -> int | None:
        """Permissions of what is there."""
        return None if self.status is None else stat.S_IMODE(self.status.st_mode)


def target_of(model: Model, path: str) -> Target:
    """The file of a path, that of a link where it is one.

    Raises ModelWriteError where no model may be written to it.
    """
    try:
        file = os.path.realpath(path)
        if not os.path.isdir(os.path.dirname(file)):
            raise ModelWriteError(path, "cannot be written: its folder is missing; make it first")
        status = os.stat(file) if os.path.lexists(file) else None
    except OSError as error:
        raise write_error(path, error) from error
    except ValueError as error:  # a NUL in the path
        raise ModelWriteError(path, f"cannot be written: {error}; give another path") from error
    if status is not None:
        _check(path, file, status)
        if any(os.path.samestat(status, span.status) for span in spans(model)):
            why = "cannot be written: the model keeps weights in this file; write to another path"
            raise ModelWriteError(path, why)
    return Target(path, file, status)


def _check(path: str, file: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        why = "cannot be written: it is no regular file; write to another path"
        raise ModelWriteError(path, why)
    if not status.st_mode & 0o222 or not os.access(file, os.W_OK):
        why = "cannot be written: it is read-only; change its permissions, or write elsewhere"
        raise ModelWriteError(path, why)


def is_own_file(model: Model, target: Target) -> bool:
    """Whether a target is the file that the model was read from."""
    source = os.path.realpath(model.path)
    if target.status is None or not os.path.isfile(source):
        return False
    return os.path.samefile(source, target.file) and os.path.samefile(
        os.path.dirname(source), os.path.dirname(target.file)
    )


def spans(model: Model) -> list[Span]:
    """Where the external data of a model are, as far as they are to be had."""
    folder = Folder(model.path)
    found = [
        folder.find(held.tensor)
        for held in tensors(model.proto, mistyped=True)
        if is_external(held.tensor)
    ]
    return [span for span in found if isinstance(span, Span)]


def data_target(model: Model, target: Target) -> Target:
    """The file for external data beside a target, which has its name and ``.data``.

    One that is there is written over if the model that is written over keeps its weights there.
    Raises ModelWriteError for any other.
    """
    path = f"{target.path}.data"
    _check_name(path)
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return Target(path, path, None)
    except OSError as error:
        raise write_error(path, error) from error
    source = [os.stat(model.path)] if os.path.exists(model.path) else []
    if any(os.path.samestat(status, other) for other in (*source, *_statuses(model))):
        why = "cannot be written: the model is read from this file; write to another path"
        raise ModelWriteError(path, why)
    if not _is_data_of(target.path, status):
        why = f"is there already and holds no weights of {target.path}"
        raise ModelWriteError(path, f"{why}; remove it, or write to another path")
    _check(path, path, status)
    return Target(path, path, status)


def added_data_target(model: Model) -> Target:
    """A file for external data beside a model, of a name that nothing has."""
    number = 1
    while True:
        middle = "" if number == 1 else f".{number}"
        path = f"{model.path}.archlint{middle}.data"
        if not os.path.lexists(path):
            _check_name(path)
            return Target(path, path, None)
        number += 1


def _statuses(model: Model) -> list[os.stat_result]:
    return [span.status for span in spans(model)]


def _is_data_of(path: str, status: os.stat_result) -> bool:
    """Whether the model of this path keeps weights in the file of this status."""
    try:
        return any(os.path.samestat(status, other) for other in _statuses(read(path)))
    except ModelError:
        return False


def _check_name(path: str) -> None:
    """Raises ModelWriteError if no model can name a file so."""
    name = os.path.basename(path)
    try:
        name.encode()
        why = unsafe_text(name)
    except UnicodeEncodeError:
        why = "is no text"
    if why:
        raise ModelWriteError(path, f"cannot be external data: its name {why}; choose another")
