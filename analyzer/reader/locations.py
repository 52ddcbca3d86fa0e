"""Which files a model names as its external data, without looking them up."""

from __future__ import annotations

import posixpath

from google.protobuf.message import DecodeError

from archlint.analyzer.reader.elements import is_external
from archlint.analyzer.reader.external import unsafe_text
from archlint.analyzer.reader.source import opened
from archlint.analyzer.reader.strings import parse
from archlint.analyzer.reader.structure import skim
from archlint.analyzer.reader.tensors import TooLargeError, tensors
from archlint.analyzer.reader.wire import WireError

_KEY = "location"


def external_files(path: str) -> tuple[str, ...]:
    """The files below the folder of a model that its tensors name, sorted; paths from that folder.

    There are none where the model cannot be parsed: its analysis says why. Raises ModelReadError
    for a file that cannot be opened and for what is surely no model.
    """
    with opened(path) as descriptor:
        try:
            content = skim(descriptor).content
            model = parse(content) if _KEY.encode() in content else None
        except (WireError, DecodeError):
            return ()
    if model is None:
        return ()
    try:
        found = {
            entry.value
            for held in tensors(model)
            if is_external(held.tensor)
            for entry in held.tensor.external_data
            if entry.key == _KEY and not unsafe_text(entry.value)
        }
    except TooLargeError:
        return ()
    return tuple(sorted({posixpath.normpath(location) for location in found}))
