"""Where text goes: terminals, pipes, files, and the one line of an error."""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TextIO

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import Paint, safe, to_ascii

NO_MODELS = "is a model, or is named as one, and would be overwritten; name another file"
EXIT_FINDINGS, EXIT_USAGE, EXIT_INPUT, EXIT_INTERRUPTED = 1, 2, 3, 130


def terminal(output_file: str | None) -> tuple[Paint, int | None]:
    """How to paint, and the columns that there are: none known away from a terminal.

    NO_COLOR keeps colours away, FORCE_COLOR asks for them in a pipe too; no file has any.
    """
    if output_file is not None:
        return Paint(), None
    unwanted, wanted = (bool(os.environ.get(name)) for name in ("NO_COLOR", "FORCE_COLOR"))
    if not sys.stdout.isatty():
        return Paint(wanted and not unwanted), None
    import shutil

    able = wanted or os.environ.get("TERM") != "dumb"
    return Paint(able and not unwanted), shutil.get_terminal_size().columns


def write(text: str, output_file: str | None, named: str = "-o") -> None:
    """Write to stdout, or to a file that is replaced only when all is written; ``named`` is what
    the user has named the file by. Raises ConfigError for what cannot be written, and models."""
    if output_file is not None and is_model_name(output_file):
        raise ConfigError(f"{named} {output_file}", NO_MODELS)
    try:
        if output_file is None:
            _print(text, sys.stdout)
        else:
            replace_file(output_file, text)
    except BrokenPipeError:  # the reader has seen enough
        raise
    except OSError as error:
        target = "stdout" if output_file is None else f"{named} {output_file}"
        raise ConfigError(target, f"cannot be written: {error.strerror}") from error


def is_model_name(path: str) -> bool:
    """Whether a search for models would find a file of this name, or what the name leads to."""
    return any(name.lower().endswith(".onnx") for name in (path, os.path.realpath(path)))


def replace_file(path: str, content: str | bytes) -> None:
    """Write a file beside the one that it then replaces; devices and pipes are written to.

    Raises OSError where that cannot be.
    """
    import shutil
    import tempfile

    data = content if isinstance(content, bytes) else content.encode()
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.write(data)
        return
    target = os.path.realpath(path)  # a link stays a link
    with tempfile.TemporaryDirectory(prefix=".archlint-", dir=os.path.dirname(target)) as folder:
        draft = os.path.join(folder, "draft")
        with open(draft, "wb") as file:
            file.write(data)
        if os.path.exists(target):
            shutil.copymode(target, draft)
        os.replace(draft, target)


def _print(text: str, stream: TextIO) -> None:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = to_ascii(text)
    stream.write(text)
    stream.flush()


def complain(source: str, why: str) -> None:
    """Tell what is wrong, in one line on stderr."""
    _print(f"archlint: error: {safe(source or repr(source))}: {safe(why, 600)}\n", sys.stderr)


def remark(text: str) -> None:
    """Tell what a user should know, in one line on stderr."""
    _print(f"archlint: note: {safe(text, 600)}\n", sys.stderr)


def fail(source: str, why: str) -> NoReturn:
    """Tell what is wrong and leave."""
    complain(source, why)
    sys.exit(EXIT_USAGE)


def open_closed_streams() -> None:
    """A stream that the caller has closed takes what is written to it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
