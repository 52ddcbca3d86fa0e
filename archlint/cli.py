"""The entry point: every call waits for what it loads."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from archlint import __version__
from archlint.analyzer.errors import ArchlintError
from archlint.output import fail, open_closed_streams, write

if TYPE_CHECKING:
    from typing import Any


def main() -> None:
    """Run the command line; a fault of archlint is one line too, with exit code 2."""
    open_closed_streams()
    try:
        sys.exit(_run())
    except ArchlintError as error:
        fail(*str(error).split(": ", 1))
    except BrokenPipeError:  # the reader has seen enough: what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a user
        if hasattr(error, "format_message"):  # of click's, which typer does not export
            fail("usage", _wrong_use(error))
        fail("archlint failed", f"{type(error).__name__}: {error}; please report it")


def _run() -> int:
    if sys.argv[1:] == ["--version"]:  # answered without typer, which takes longer than all else
        write(f"archlint {__version__}\n", None)
        return 0
    if not _may_check(sys.argv[1:]):
        return _commanded()
    from archlint.memo import remembered

    return remembered(sys.argv[1:], _commanded)


def _may_check(arguments: list[str]) -> bool:
    """Whether these are likely those of a check, which may be remembered."""
    if not arguments:
        return False
    first = arguments[0]
    return first == "check" or not first.isalpha() or os.path.lexists(first)


def _commanded() -> int:
    # A run makes millions of objects that live to its end and hardly a cycle: looking for cycles
    # as often as Python does by default takes a third of the time of a large model.
    gc.set_threshold(1_000_000)
    from archlint.commands import run

    return run()


def _wrong_use(error: Any) -> str:
    """What click says, in one line."""
    message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    return f"{message}; see: {context.command_path if context else 'archlint'} --help"
