"""The lines of Python that made a node, as torch's exporter writes them into its metadata."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from archlint.analyzer.report import Line

STACK_TRACE: Final = "pkg.torch.onnx.stack_trace"
LONGEST_TEXT: Final = 1000  # characters of a line

_MOST_CHARACTERS: Final = 1 << 16
_MOST_LINES: Final = 64
_LONGEST_PATH: Final = 4096
# As https://docs.python.org/3/library/traceback.html prints a frame.
_FRAME: Final = re.compile(r' *File "([^"]+)", line ([1-9][0-9]{0,8}), in .*', re.DOTALL)


@lru_cache(maxsize=1024)  # the nodes of a layer repeat its text
def source_lines(trace: str) -> tuple[Line, ...]:
    """The lines of a stack trace, innermost first; the text of each, where the trace has it.

    Files are as the trace names them, often with a folder that is nobody else's business: they are
    for looking them up, not for showing. What is no frame is passed over; of a long trace the
    innermost frames count.
    """
    lines = trace[-_MOST_CHARACTERS:].split("\n")
    found: list[Line] = []
    below = ""  # the line after this one
    for line in reversed(lines):
        frame = _FRAME.fullmatch(line)
        if frame is not None and len(frame[1]) <= _LONGEST_PATH:
            found.append(Line(frame[1], int(frame[2]), below[:LONGEST_TEXT]))
            if len(found) == _MOST_LINES:
                break
        below = "" if frame is not None else line.strip()
    return tuple(found)
