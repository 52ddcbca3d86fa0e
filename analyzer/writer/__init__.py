"""From a Model to a complete ONNX file: its structure as it is now, and the weights that its
reading left where they are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from onnx import ModelProto

from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.reader.model import Model
from archlint.analyzer.writer.copying import copy_external, copy_pieces
from archlint.analyzer.writer.draft import Draft, drafted
from archlint.analyzer.writer.external import DataFile, externalise
from archlint.analyzer.writer.message import Message, compose
from archlint.analyzer.writer.target import Target, target_of

__all__ = ["Written", "write"]


@dataclass(frozen=True, slots=True)
class Written:
    """The files that a model is in now; ``data_path`` is None where no new one holds its external
    data."""

    path: str
    bytes: int
    data_path: str | None
    data_bytes: int


def write(model: Model, path: str, check: Callable[[str], None] = lambda _path: None) -> Written:
    """Write a model, which may have been edited, to a file that is replaced when all is written.

    What its reading left in the file is copied byte for byte. External data stay external: written
    elsewhere, the model has them in one file beside it, ``path`` with ``.data``. A link stays a
    link, and permissions stay what they are. ``check`` is handed the complete file before it takes
    its place, and may refuse it by an error. Raises ModelError, and then nothing has changed.
    """
    refuse_unsafe(model)
    target = target_of(model, path)
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    data = externalise(model, proto, target)
    message = compose(model, proto, path)
    with ExitStack() as stack:
        data_draft = None if data is None else _data_draft(model, data, target, stack)
        draft = stack.enter_context(drafted(path, target.file, target.mode))
        copy_pieces(model, message.pieces, draft)
        draft.finish()
        if data_draft is not None:
            stack.enter_context(data_draft.put_before(draft))
        check(draft.file)
        draft.put()
    return _written(message, path, data, data_draft)


def _data_draft(model: Model, data: DataFile, target: Target, stack: ExitStack) -> Draft:
    """External data that are complete, but not in their place."""
    own = data.target.mode
    mode = target.mode if own is None else own
    draft = stack.enter_context(drafted(data.target.path, data.target.file, mode))
    for offset, source in data.parts:
        draft.pad(offset)
        if isinstance(source, bytes):
            draft.write(source)
        else:
            copy_external(model, source, draft)
    draft.finish()
    return draft


def _written(message: Message, path: str, data: DataFile | None, draft: Draft | None) -> Written:
    if data is None or draft is None:
        return Written(path, message.size, None, 0)
    return Written(path, message.size, data.target.path, draft.size)
