"""The files of snapshots, beside the models that they are of."""

from __future__ import annotations

import errno
import os
import stat

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.reader.source import FLAGS, STANDARD_INPUT, opened

SUFFIX = ".arch"
_LARGEST = 64_000_000  # bytes: that of half a million operations
_UNFOLLOWED = FLAGS | getattr(os, "O_NOFOLLOW", 0)


def snapshot_of(model: str) -> str:
    """Where the snapshot of a model is."""
    return f"{model}{SUFFIX}"


def has_snapshot(model: str) -> bool:
    """Whether there is one beside a model."""
    return model != STANDARD_INPUT and os.path.lexists(snapshot_of(model))


def read_snapshot(model: str) -> str | None:
    """The text of the snapshot beside a model; None where there is none.

    Raises ConfigError for what is no plain file of text: a repository may be anybody's, and a link
    in it could lead anywhere.
    """
    path = snapshot_of(model)
    if not has_snapshot(model):
        return None
    try:
        descriptor = os.open(path, _UNFOLLOWED)
    except OSError as error:
        if error.errno == errno.ELOOP or os.path.islink(path):
            raise ConfigError(path, "is a link; put a plain file in its place") from error
        raise ConfigError(path, f"cannot be opened: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigError(path, "is no plain file; remove it")
    with open(descriptor, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ConfigError(path, f"is larger than {_LARGEST // 10**6} MB; remove it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(path, f"is no text in UTF-8: {error.reason}; remove it") from error
    return text.replace("\r\n", "\n")


def digest_of(path: str) -> str:
    """The SHA-256 of a file in hex; empty for standard input, which can be read only once.

    Raises ModelReadError for what cannot be read.
    """
    import hashlib  # late: few models have a snapshot, and it loads OpenSSL

    if path == STANDARD_INPUT:
        return ""
    with opened(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
