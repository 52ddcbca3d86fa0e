"""Elements that are copied from the files that a model was read from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from onnx import TensorProto, numpy_helper

from archlint.analyzer.errors import ModelWriteError
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.source import FLAGS, STANDARD_INPUT
from archlint.analyzer.reader.structure import Payload
from archlint.analyzer.reader.weights import error_of, located, read_tensor
from archlint.analyzer.writer.draft import BLOCK, Draft
from archlint.analyzer.writer.message import Piece

_CHANGED = "has changed while it was copied; start again"


def copy_pieces(model: Model, pieces: Iterable[Piece], draft: Draft) -> None:
    """The pieces of a message are written. Raises ModelError if the source is not what it was."""
    with _source(model, any(isinstance(piece, Payload) for piece in pieces)) as source:
        for piece in pieces:
            if isinstance(piece, Payload):
                _copy(model.path, source, piece, draft)
            elif isinstance(piece, TensorProto):
                draft.write(_made(model, piece))
            else:
                draft.write(piece)


def copy_external(model: Model, tensor: TensorProto, draft: Draft) -> None:
    """The external data of a tensor are written. Raises ModelError as above."""
    with located(model, tensor) as (source, parts):
        before = _stamp(source)
        for part in parts:
            _copy(model.path, source, part, draft)
        if _stamp(source) != before:
            raise ModelWriteError(model.path, f"its external data {_CHANGED}")


@contextmanager
def _source(model: Model, is_needed: bool) -> Iterator[int]:
    """The open file that a model was read from, if it is needed."""
    if not is_needed:
        yield -1
        return
    if model.path == STANDARD_INPUT:
        why = "cannot be written: standard input cannot be read again; give a path"
        raise ModelWriteError(model.path, why)
    try:
        source = os.open(model.path, FLAGS)
    except OSError as error:
        raise _unreadable(model.path, error) from error
    try:
        before = _stamp(source)
        if before[0] != model.file_bytes:
            raise ModelWriteError(model.path, "has changed since it was read; start again")
        yield source
        if _stamp(source) != before:
            raise ModelWriteError(model.path, _CHANGED)
    finally:
        os.close(source)


def _made(model: Model, tensor: TensorProto) -> bytes:
    """The elements of a tensor of a model in memory, as raw data."""
    made = numpy_helper.from_array(read_tensor(model, tensor))
    if made.data_type != tensor.data_type:
        name = TensorProto.DataType.Name
        why = f"its elements are {name(made.data_type)} instead of {name(tensor.data_type)}"
        raise error_of(model, tensor, why)
    return made.raw_data


def _copy(path: str, source: int, part: Payload, draft: Draft) -> None:
    offset, end = part.offset, part.offset + part.length
    while offset < end:
        try:
            block = os.pread(source, min(BLOCK, end - offset), offset)
        except OSError as error:
            raise _unreadable(path, error) from error
        if not block:
            raise ModelWriteError(path, _CHANGED)
        draft.write(block)
        offset += len(block)


def _stamp(source: int) -> tuple[int, int]:
    status = os.fstat(source)
    return status.st_size, status.st_mtime_ns


def _unreadable(path: str, error: OSError) -> ModelWriteError:
    return ModelWriteError(path, f"cannot be read again: {error.strerror}; start again")
