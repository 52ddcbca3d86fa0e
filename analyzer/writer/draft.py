"""Files that are written beside their place and then put there whole, or never were."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from archlint.analyzer.errors import ModelWriteError

BLOCK: Final = 1 << 20  # bytes that are held at once
_FLAGS: Final[int] = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_NEW: Final = 0o666  # of which the umask takes what it takes
_ELSEWHERE: Final = "write to another path"
_REMEDIES: Final = {
    errno.ENOSPC: "make room there, or write to another disk",
    errno.EDQUOT: "make room there, or write to another disk",
    errno.ENOENT: "make its folder first",
    errno.ENOTDIR: "make its folder first",
    errno.EROFS: _ELSEWHERE,
    errno.ELOOP: _ELSEWHERE,
    errno.EFBIG: "write to a file system that takes files of this size",
    errno.ENAMETOOLONG: "give it a shorter name",
}


class Draft:
    """A file under way to its place: ``path`` is what the user calls that, ``target`` where it
    is."""

    def __init__(self, path: str, target: str, mode: int | None) -> None:
        self.size = 0
        self._path, self._target = path, target
        self._draft = beside(target)
        self._held = bytearray()
        self._descriptor = -1
        self._mode = mode

    def open(self) -> None:
        """The file is there, empty, with the permissions that it is to have."""
        try:
            mode = _NEW if self._mode is None else self._mode & 0o600
            self._descriptor = os.open(self._draft, _FLAGS, mode)
            if self._mode is not None:
                os.fchmod(self._descriptor, self._mode)
        except OSError as error:
            raise write_error(self._path, error) from error

    def write(self, content: bytes | memoryview) -> None:
        """Add bytes at the end."""
        self.size += len(content)
        if len(content) >= BLOCK:
            self._flush()
            self._write(content)
            return
        self._held += content
        if len(self._held) >= BLOCK:
            self._flush()

    def pad(self, size: int) -> None:
        """Add zeros up to this size."""
        self.write(bytes(size - self.size))

    def finish(self) -> None:
        """All is on the disk."""
        self._flush()
        try:
            os.fsync(self._descriptor)
            self._close()
        except OSError as error:
            raise write_error(self._path, error) from error

    def put(self) -> None:
        """The file is in its place."""
        try:
            os.replace(self._draft, self._target)
        except OSError as error:
            raise write_error(self._path, error) from error

    @property
    def file(self) -> str:
        """Where the bytes are before they are put in their place."""
        return self._draft

    @property
    def is_put(self) -> bool:
        """Whether the file is in its place."""
        return not os.path.lexists(self._draft)

    @contextmanager
    def put_before(self, other: Draft) -> Iterator[None]:
        """The file is in its place if the other gets into its own; else what was there is again."""
        earlier = f"{self._draft}.earlier"
        try:
            self._set_aside(earlier)
            self.put()
            yield
        finally:
            # What the disk says: an interrupt may come between a change and a note of it.
            if other.is_put:
                with suppress(OSError):
                    os.unlink(earlier)
            elif os.path.lexists(earlier):
                os.replace(earlier, self._target)
            elif self.is_put:
                os.unlink(self._target)

    def _set_aside(self, earlier: str) -> None:
        try:
            os.replace(self._target, earlier)
        except FileNotFoundError:
            return
        except OSError as error:
            raise write_error(self._path, error) from error

    def discard(self) -> None:
        """Nothing is left of a file that has not been put in its place."""
        try:
            with suppress(OSError):
                self._close()
        finally:
            with suppress(OSError):
                os.unlink(self._draft)

    def _flush(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        self._write(held)

    def _write(self, content: bytes | memoryview) -> None:
        written, view = 0, memoryview(content)
        try:
            while written < len(view):
                written += os.write(self._descriptor, view[written : written + BLOCK])
        except OSError as error:
            raise write_error(self._path, error) from error

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def drafted(path: str, target: str, mode: int | None) -> Iterator[Draft]:
    """A draft that is gone afterwards, if it is not in its place; of ``mode`` None it has the
    permissions of new files. Raises ModelWriteError."""
    draft = Draft(path, target, mode)
    try:
        draft.open()
        yield draft
    finally:
        draft.discard()


def beside(target: str) -> str:
    """A path in the same folder that nothing has."""
    return os.path.join(os.path.dirname(target), f".archlint-{secrets.token_hex(8)}.part")


def write_error(path: str, error: OSError) -> ModelWriteError:
    """That a file cannot be written, why, and what to do."""
    remedy = _REMEDIES.get(error.errno or 0, "look at its permissions, or write to another path")
    return ModelWriteError(path, f"cannot be written: {error.strerror}; {remedy}")
