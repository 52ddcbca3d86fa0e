"""The states of files and folders, by which it is told whether they have changed."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any

FILE, LINK, FOLDER = "file", "link", "folder"  # looked up; without following it; its entries
Thing = tuple[str, str]  # one of these, and an absolute path
COMPILED = "__pycache__"  # what is there is made from what is beside it

stat_of, lstat_of = os.stat, os.lstat  # as they are where nobody listens


def state_of(kind: str, path: str) -> str:
    """The state of a thing: empty where it is not there. What is compiled is no entry of a folder:
    the first import of a package makes it."""
    try:
        if kind == FOLDER:
            with os.scandir(path) as entries:
                names = sorted(
                    f"{entry.name}/{entry.is_dir()}" for entry in entries if entry.name != COMPILED
                )
            joined = "\n".join(names).encode("utf-8", "surrogateescape")
            return hashlib.sha256(joined).hexdigest()
        return _state(stat_of(path) if kind == FILE else lstat_of(path))
    except (OSError, ValueError):
        return ""


def _state(status: os.stat_result) -> str:
    """Of a folder that it is one, of a file all that changes when it is written."""
    kind, place = stat.S_IFMT(status.st_mode), f"{status.st_dev} {status.st_ino}"
    if stat.S_ISDIR(kind):
        return f"{kind} {place}"
    written = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    return f"{status.st_mode} {place} {written}"


def whole_path(path: Any) -> str:
    """The absolute path of what ``os`` takes for one."""
    return os.path.abspath(os.fsdecode(path))
