"""Whether a file is valid ONNX."""

from __future__ import annotations

import os
from typing import Final

from archlint.analyzer.proof import checker
from archlint.analyzer.runtime.child import Failure, Kind, run_job
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.messages import plain

_MEMORY: Final = 2 << 30  # beside six times the file: as bytes, as a message, inferred, and again


def check_file(path: str, limits: Limits | None = None) -> str:
    """Empty if onnx's checker and its strict shape inference pass a file, else what is wrong.

    Both run in a child process. Shapes are inferred in files of up to MOST_INFERRED bytes, external
    data aside. Files in the wild fail too: what a rewrite did shows against the original's verdict.
    """
    absolute = os.path.abspath(path)
    try:
        size = os.path.getsize(absolute)
    except OSError as error:
        return error.strerror or str(error)
    room = checker.MOST_INFERRED
    limits = limits or Limits(memory_bytes=_MEMORY + 6 * size, file_bytes=2 * room)
    arguments = {"path": absolute, "infer": size <= room}
    outcome = run_job(checker.check, arguments, None, limits)
    if not isinstance(outcome, Failure):
        return ""
    if outcome.kind is not Kind.ERROR:
        return f"its check {outcome.why}"
    lines = outcome.why.strip().splitlines() or ["the checker refuses it without a word"]
    return plain(lines[0].replace(absolute, path).replace(os.path.dirname(absolute) + os.sep, ""))
