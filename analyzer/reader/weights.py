"""The elements of a tensor, read when they are asked for."""

from __future__ import annotations

import math
import mmap
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader.elements import RAW, bits_of, fault_of, is_external, payloads_of
from archlint.analyzer.reader.external import Folder, Span
from archlint.analyzer.reader.faults import Fault
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.source import FLAGS, STANDARD_INPUT
from archlint.analyzer.reader.structure import PAYLOADS, Payload
from archlint.analyzer.reader.tensors import Held
from archlint.analyzer.reader.wire import encode

_NO_FOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_KEYS: Final = {field: key for key, field in PAYLOADS.items()}
# Fields whose bytes are those of the array, and the types of which that is so.
_AS_IN_MEMORY: Final = {
    RAW: frozenset(value for _, value in TensorProto.DataType.items() if bits_of(value) % 8 == 0),
    "float_data": frozenset({TensorProto.FLOAT, TensorProto.COMPLEX64}),
    "double_data": frozenset({TensorProto.DOUBLE, TensorProto.COMPLEX128}),
}


def read_tensor(model: Model, tensor: TensorProto) -> NDArray[Any]:
    """The elements of a tensor of the model in its dims and type, read-only.

    Elements of whole bytes are mapped, not copied: the array is good as long as its file is not cut
    short. Raises ModelReadError for weights that were left out, that do not fit the dims, that are
    text, and for files that have changed since they were read or may not be opened.
    """
    if tensor.data_type == TensorProto.STRING or not bits_of(tensor.data_type):
        raise _error(model, tensor, "its elements are no numbers of a known type")
    if is_external(tensor):
        array = _external(model, tensor)
    elif fault := fault_of(tensor, model.payloads):
        raise _error(model, tensor, fault.what)
    elif left := payloads_of(tensor, model.payloads):
        array = _embedded(model, tensor, left)
    else:
        array = _decoded(model, tensor)
    array.flags.writeable = False
    return array


def _embedded(model: Model, tensor: TensorProto, left: tuple[Payload, ...]) -> NDArray[Any]:
    if model.path == STANDARD_INPUT:
        raise _error(model, tensor, "standard input cannot be read again; give a path")
    with _opened(model, tensor, model.path, FLAGS) as (descriptor, status):
        if status.st_size != model.file_bytes:
            raise _error(model, tensor, "the file has changed since it was read")
        if len(left) == 1 and _is_as_in_memory(tensor, left[0].field):
            return _mapped(descriptor, tensor, left[0].offset)
        fields = [(p.field, os.pread(descriptor, p.length, p.offset)) for p in left]
    return _decoded(model, tensor, *fields)


def _external(model: Model, tensor: TensorProto) -> NDArray[Any]:
    found = Folder(model.path).find(tensor)
    if isinstance(found, Fault):
        raise _error(model, tensor, found.what)
    with _opened(model, tensor, found.path, FLAGS | _NO_FOLLOW) as (descriptor, status):
        if not _is_same(found, status):
            raise _error(model, tensor, "its external data has changed while it was opened")
        if _is_as_in_memory(tensor, RAW):
            return _mapped(descriptor, tensor, found.offset)
        content = os.pread(descriptor, found.length, found.offset)
    return _decoded(model, tensor, (RAW, content))


@contextmanager
def _opened(
    model: Model, tensor: TensorProto, path: str, flags: int
) -> Iterator[tuple[int, os.stat_result]]:
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _error(model, tensor, f"its file cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _error(model, tensor, "its file is no regular file any more")
        yield descriptor, status
    except OSError as error:
        raise _error(model, tensor, f"its file cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _is_same(span: Span, status: os.stat_result) -> bool:
    """Whether an open file is the one that was looked at."""
    return (
        status.st_nlink == 1
        and os.path.samestat(span.status, status)
        and (span.status.st_size == status.st_size)
    )


def _is_as_in_memory(tensor: TensorProto, field: str) -> bool:
    return sys.byteorder == "little" and tensor.data_type in _AS_IN_MEMORY.get(field, ())


def _mapped(descriptor: int, tensor: TensorProto, offset: int) -> NDArray[Any]:
    dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    elements = math.prod(tensor.dims)
    if not elements:
        return np.empty(tuple(tensor.dims), dtype)
    skipped = offset % mmap.ALLOCATIONGRANULARITY
    length = skipped + elements * dtype.itemsize
    pages = mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, offset=offset - skipped)
    return np.frombuffer(pages, dtype, elements, skipped).reshape(tuple(tensor.dims))


def _decoded(model: Model, tensor: TensorProto, *fields: tuple[str, bytes]) -> NDArray[Any]:
    """The elements as onnx decodes them, with the content of these fields that are not in it."""
    whole = TensorProto()
    whole.CopyFrom(tensor)
    whole.data_location = TensorProto.DEFAULT
    try:
        for field, content in fields:
            whole.MergeFromString(encode(_KEYS[field]) + encode(len(content)) + content)
        return numpy_helper.to_array(whole)
    except (ValueError, DecodeError) as error:
        raise _error(model, tensor, "it has no data of its dims") from error


def _error(model: Model, tensor: TensorProto, why: str) -> ModelReadError:
    return ModelReadError(model.path, f"tensor {Held(tensor, None).label}: {why}")
