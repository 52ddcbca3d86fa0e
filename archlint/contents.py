"""What a model's file holds, as a word that is the same for the same content."""

from __future__ import annotations

import hashlib
import os
import time
from functools import lru_cache

from archlint.cache_folder import Kept

KEPT = Kept("contents", 20_000_000)
HASHED = 32_000_000  # bytes: a tenth of a second
_CHUNK = 1 << 20
_TICK = 2_000_000_000  # nanoseconds: no file system's clock is coarser
_WORD = 100  # characters of a word, at most

State = tuple[int, ...]


def state_of(status: os.stat_result) -> State:
    """What differs between two states of a file of which one was written after the other."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_settled(status: os.stat_result, now: int) -> bool:
    """Whether a file that is written after this time surely has another state.

    One that was written within the last tick of the file system's clock may be written again in it.
    """
    return max(status.st_mtime_ns, status.st_ctime_ns) < now - _TICK


def content_of(path: str) -> str:
    """The content of a model's file: ``sha256 …``, or of a large one ``structure …``.

    What an analysis without weights sees of a large file is its structure, and to read the rest
    would take longer than to analyse it. Where Git LFS is used it is read once all the same, for
    the id of its object is its SHA-256. Raises OSError, and ValueError for what is no model.
    """
    name = hashlib.sha256(os.path.abspath(path).encode("utf-8", "surrogateescape")).hexdigest()
    now = time.time_ns()
    with open(path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        state = " ".join(map(str, state_of(status)))
        known = (KEPT.read(name) or b"").decode("utf-8", "replace").partition("\n")
        if known[0] == state and known[2].startswith(("sha256 ", "structure ")):
            return known[2][:_WORD]
        found = _read(path, file.fileno(), status.st_size)
        if state_of(os.fstat(file.fileno())) != state_of(status):
            raise ValueError("it is being written")
    if is_settled(status, now):
        KEPT.write(name, f"{state}\n{found}".encode())
    return found


def by_sha256(hexadecimal: str) -> str:
    """The content with this SHA-256."""
    return f"sha256 {hexadecimal}"


def _read(path: str, descriptor: int, size: int) -> str:
    if size <= HASHED or _is_in_lfs(os.path.dirname(os.path.abspath(path))):
        return by_sha256(_hashed(descriptor))
    from archlint.analyzer.reader.structure import skim
    from archlint.analyzer.reader.wire import WireError

    try:
        skimmed = skim(descriptor)
    except WireError as error:
        raise ValueError(error.reason) from error
    found = hashlib.sha256(skimmed.content)
    found.update(f"{size} {skimmed.payloads}".encode())
    return f"structure {found.hexdigest()}"


def _hashed(descriptor: int) -> str:
    found = hashlib.sha256()
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        while part := file.read(_CHUNK):
            found.update(part)
    return found.hexdigest()


@lru_cache(maxsize=1024)
def _is_in_lfs(folder: str) -> bool:
    """Whether a folder is in a git repository that has objects of Git LFS."""
    place = os.path.join(folder, ".git")
    if os.path.isfile(place):  # of a linked working tree, whose repository is two folders above it
        place = os.path.join(_linked(place), os.pardir, os.pardir)
    if os.path.isdir(place):
        return os.path.isdir(os.path.join(place, "lfs", "objects"))
    above = os.path.dirname(folder)
    return above != folder and _is_in_lfs(above)


def _linked(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as opened:
            return os.path.join(os.path.dirname(file), opened.read(4096)[len("gitdir: ") :].strip())
    except OSError:
        return ""
