"""Where the sources of a rule can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ADDRESSES = (
    (re.compile(r"arXiv:(\d{4}\.\d{4,5})"), "https://arxiv.org/abs/{}"),
    (re.compile(r"(CVE-\d{4}-\d{4,})"), "https://www.cve.org/CVERecord?id={}"),
    (re.compile(r"doi:(10\.\d{4,}/[^\s,]*[^\s,.;])"), "https://doi.org/{}"),
    (re.compile(r"(https://[^\s,]*[^\s,.;])"), "{}"),
    (re.compile(r"ONNX, (External Data)"), "https://onnx.ai/onnx/repo-docs/ExternalData.html"),
    (re.compile(r"ONNX, (Open Neural Network Exchange Intermediate Representation)"),
     "https://onnx.ai/onnx/repo-docs/IR.html"),
    (re.compile(r"ONNX, (Versioning)"), "https://onnx.ai/onnx/repo-docs/Versioning.html"),
    (re.compile(r"ONNX, (Operators|Operator Schemas)"), "https://onnx.ai/onnx/operators/"),
)  # fmt: skip


def addresses(source: str) -> list[tuple[int, int, str]]:
    """What of a source can be followed: the begin and end of its words, and the address."""
    return sorted(
        (match.start(), match.end(), address.format(match[1]))
        for pattern, address in _ADDRESSES
        for match in pattern.finditer(source)
    )


def parts(source: str) -> Iterator[tuple[str, str | None]]:
    """The words of a source in order, with the address where they have one."""
    at = 0
    for begin, end, address in addresses(source):
        if begin < at:  # within the words before
            continue
        yield source[at:begin], None
        yield source[begin:end], address
        at = end
    yield source[at:], None
