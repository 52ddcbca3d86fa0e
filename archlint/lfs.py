"""Git LFS: pointers, and the objects that are there. Nothing is ever fetched."""

from __future__ import annotations

import os
import stat

from archlint.analyzer.reader.formats import HEAD, Pointer, pointer_of
from archlint.analyzer.reader.source import FLAGS
from archlint.git import Repository

__all__ = ["LONGEST", "Pointer", "object_of", "pointer_in", "pointer_of"]

LONGEST = HEAD  # bytes of a pointer, as Git LFS has it


def pointer_in(path: str) -> Pointer | None:
    """The pointer that a file is; None where it is another file or cannot be read."""
    try:
        if not _may_be(os.stat(path)):
            return None
        descriptor = os.open(path, FLAGS)
        try:
            content = os.read(descriptor, LONGEST) if _may_be(os.fstat(descriptor)) else b""
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None
    return pointer_of(content)


def object_of(repository: Repository, pointer: Pointer) -> str | None:
    """The file that a pointer stands for, where the repository has it whole."""
    oid = pointer.oid
    path = os.path.join(repository.lfs_folder, oid[:2], oid[2:4], oid)
    try:
        status = os.stat(path)
    except OSError:
        return None
    whole = stat.S_ISREG(status.st_mode) and status.st_size == pointer.size
    return path if whole else None


def _may_be(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size < LONGEST
