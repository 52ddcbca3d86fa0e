"""Open what a path names: a regular file, or standard input copied into one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader.formats import HEAD, foreign, irregular

STANDARD_INPUT: Final = "-"
_CHUNK: Final = 1 << 20
# O_NONBLOCK: what became a FIFO after it was looked at must not hang.
FLAGS: Final[int] = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def opened(path: str) -> Iterator[int]:
    """The descriptor of a model's file; of a copy without a name where the path is ``-``.

    Raises ModelReadError for what cannot be opened and what is surely no model.
    """
    if path == STANDARD_INPUT:
        with TemporaryFile() as file:
            _copy_standard_input(file)
            yield file.fileno()
        return
    descriptor = _open(path)
    try:
        _refuse(irregular(path, os.fstat(descriptor).st_mode) or foreign(descriptor, path), path)
        yield descriptor
    except OSError as error:
        raise ModelReadError(path, f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    try:
        # Opening a device may already act on it: what is no regular file is not opened.
        _refuse(irregular(path, os.stat(path).st_mode), path)
        return os.open(path, FLAGS)
    except OSError as error:
        raise ModelReadError(path, f"cannot be opened: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise ModelReadError(path, f"cannot be opened: {error}") from error


def _copy_standard_input(file: BinaryIO) -> None:
    """Copies a model; what is surely none is refused after its first bytes."""
    if sys.stdin is None or sys.stdin.isatty():
        why = "standard input is no file or pipe; redirect a model to it, or give a path"
        raise ModelReadError(STANDARD_INPUT, why)
    try:
        file.write(sys.stdin.buffer.read(HEAD))
        file.flush()
        _refuse(foreign(file.fileno(), STANDARD_INPUT), STANDARD_INPUT)
        shutil.copyfileobj(sys.stdin.buffer, file, _CHUNK)
        file.flush()
    except OSError as error:
        raise ModelReadError(STANDARD_INPUT, f"cannot be read: {error.strerror}") from error


def _refuse(reason: str | None, path: str) -> None:
    if reason:
        raise ModelReadError(path, reason)
