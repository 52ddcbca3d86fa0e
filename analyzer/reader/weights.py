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
from archlint.analyzer.reader.model import Elements, Model
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
        raise error_of(model, tensor, "its elements are no numbers of a known type")
    if is_in_file(model, tensor):
        array = _from_file(model, tensor)
    elif model.elements and (left := payloads_of(tensor, model.payloads)):
        array = _from_memory(model, tensor, model.elements[left[0].offset])
    else:
        array = _decoded(model, tensor)
    array.flags.writeable = False
    return array


def is_in_file(model: Model, tensor: TensorProto) -> bool:
    """Whether the elements were left in a file, that of the model or another one.

    Raises ModelReadError for those that do not fit the dims.
    """
    if is_external(tensor):
        return True
    if fault := fault_of(tensor, model.payloads):
        raise error_of(model, tensor, fault.what)
    return not model.elements and bool(payloads_of(tensor, model.payloads))


def _from_memory(model: Model, tensor: TensorProto, elements: Elements) -> NDArray[Any]:
    """A view of them: its flags are its own."""
    try:
        array = np.asarray(elements()).view()
    except Exception as error:
        why = f"its elements cannot be had: {type(error).__name__}: {error}"
        raise error_of(model, tensor, why) from error
    if array.shape != tuple(tensor.dims):
        raise error_of(model, tensor, "it has no data of its dims")
    return array


def _from_file(model: Model, tensor: TensorProto) -> NDArray[Any]:
    with located(model, tensor) as (descriptor, pieces):
        if len(pieces) == 1 and _is_as_in_memory(tensor, pieces[0].field):
            return _mapped(descriptor, tensor, pieces[0].offset)
        fields = [(p.field, os.pread(descriptor, p.length, p.offset)) for p in pieces]
    return _decoded(model, tensor, *fields)


@contextmanager
def located(model: Model, tensor: TensorProto) -> Iterator[tuple[int, tuple[Payload, ...]]]:
    """The open file that holds the elements of a tensor, and where in it they are.

    Raises ModelReadError for files that have changed since they were read or may not be opened.
    """
    if is_external(tensor):
        found = Folder(model.path).find(tensor)
        if isinstance(found, Fault):
            raise error_of(model, tensor, found.what)
        with _opened(model, tensor, found.path, FLAGS | _NO_FOLLOW) as (descriptor, status):
            if not _is_same(found, status):
                raise error_of(model, tensor, "its external data has changed while it was opened")
            yield descriptor, (Payload(found.offset, found.length, RAW),)
    elif model.path == STANDARD_INPUT:
        raise error_of(model, tensor, "standard input cannot be read again; give a path")
    else:
        with _opened(model, tensor, model.path, FLAGS) as (descriptor, status):
            if status.st_size != model.file_bytes:
                raise error_of(model, tensor, "the file has changed since it was read")
            yield descriptor, payloads_of(tensor, model.payloads)


@contextmanager
def _opened(
    model: Model, tensor: TensorProto, path: str, flags: int
) -> Iterator[tuple[int, os.stat_result]]:
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise error_of(model, tensor, f"its file cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise error_of(model, tensor, "its file is no regular file any more")
        yield descriptor, status
    except OSError as error:
        raise error_of(model, tensor, f"its file cannot be read: {error.strerror}") from error
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
        raise error_of(model, tensor, "it has no data of its dims") from error


def error_of(model: Model, tensor: TensorProto, why: str) -> ModelReadError:
    """That the elements of a tensor cannot be read, and why."""
    return ModelReadError(model.path, f"tensor {Held(tensor, None).label}: {why}")
