"""Where the bytes are that protobuf's parser refuses."""

from __future__ import annotations

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from archlint.analyzer.reader.schema import CHILDREN, MODEL
from archlint.analyzer.reader.structure import copy, skim
from archlint.analyzer.reader.wire import Window, WireError


def diagnose(descriptor: int) -> WireError:
    """The error of an open file whose skimmed bytes do not decode, at the innermost message."""
    try:
        skim(descriptor, whole=True)
        kind, offset = _innermost(descriptor, MODEL, 0, Window(descriptor).size)
    except WireError as error:
        return error
    return WireError(f"a {kind.rpartition('.')[2]} that does not decode", offset)


def _innermost(descriptor: int, kind: str, begin: int, end: int) -> tuple[str, int]:
    for _, key, body, stop in Window(descriptor).fields(begin, end):
        child = CHILDREN[kind].get(key)
        if child is not None and not _decodes(child, copy(descriptor, child, body, stop)):
            return _innermost(descriptor, child, body, stop)
    return kind, begin


def _decodes(kind: str, content: bytes) -> bool:
    message = Default().FindMessageTypeByName(kind)
    try:
        GetMessageClass(message).FromString(content)
    except DecodeError:
        return False
    return True
