"""What onnxruntime says, as far as it tells a user something."""

from __future__ import annotations

import re

_MOST_WORDS = 60
_HEADER = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : ")
# file.cc:12 type function(arguments) condition was false.
_SOURCE = re.compile(r"/onnxruntime_src/\S+:\d+ .*?(?: was false\. |\) (?=\S))")


def plain(message: str) -> str:
    """The message in one line, without the places in onnxruntime's source, cut where it is long."""
    text = _SOURCE.sub("", _HEADER.sub("", " ".join(message.split())))
    return " ".join(text.split()[:_MOST_WORDS])
