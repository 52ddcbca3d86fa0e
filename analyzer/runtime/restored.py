"""A model with the weights that its reading left in the file, as a runtime takes it."""

from __future__ import annotations

import os
import sys

from onnx import ModelProto, TensorProto, numpy_helper

from archlint.analyzer.reader import STANDARD_INPUT, Model
from archlint.analyzer.reader.elements import is_external, payloads_of
from archlint.analyzer.reader.structure import Payload
from archlint.analyzer.reader.tensors import tensors
from archlint.analyzer.reader.weights import read_tensor
from archlint.analyzer.runtime.inputs import ExecutionError

MOST_BYTES = (1 << 31) - (1 << 20)  # that protobuf takes, with room for what is added
# Fields other than raw_data whose bytes are those of the elements in memory.
_AS_IN_MEMORY = {"float_data": TensorProto.FLOAT, "double_data": TensorProto.DOUBLE}


def restore(model: Model) -> tuple[ModelProto, str]:
    """A copy of the model with all its weights, and the folder that its external data are in.

    Where no other file holds weights, those of the graph stay in the model's own, as its external
    data: neither this process nor the child reads them before a kernel does. Raises ExecutionError
    or ModelReadError if the file is not what was read, or if more must be copied than protobuf
    holds.
    """
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    folder = os.path.dirname(os.path.abspath(model.path))
    if not model.payloads:
        return proto, folder
    if model.path == STANDARD_INPUT:
        why = "cannot be run: standard input cannot be read again; give a path"
        raise ExecutionError(model.path, why)
    if not model.elements and not any(is_external(held.tensor) for held in tensors(proto)):
        path = os.path.realpath(model.path)
        folder = os.path.dirname(path)
        for tensor in proto.graph.initializer:
            left = payloads_of(tensor, model.payloads)
            if _is_as_in_memory(tensor, left):
                _refer(tensor, os.path.basename(path), left[0])
    _copy(model, proto)
    return proto, folder


def _is_as_in_memory(tensor: TensorProto, left: tuple[Payload, ...]) -> bool:
    if len(left) != 1 or sys.byteorder != "little":
        return False
    return left[0].field == "raw_data" or _AS_IN_MEMORY.get(left[0].field) == tensor.data_type


def _refer(tensor: TensorProto, location: str, payload: Payload) -> None:
    """Make a part of a file the external data of a tensor."""
    del tensor.metadata_props[:]
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": payload.offset, "length": payload.length}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))


def _copy(model: Model, proto: ModelProto) -> None:
    """Copy what is still left in the file into the tensors that refer to it."""
    lacking = [
        (held.tensor, left)
        for held in tensors(proto, mistyped=True)
        if (left := payloads_of(held.tensor, model.payloads))
    ]
    size = proto.ByteSize() + sum(part.length for _, left in lacking for part in left)
    if size > MOST_BYTES:
        why = f"{size:,} bytes without external data are more than a protobuf message holds"
        raise ExecutionError(model.path, f"cannot be run: {why}; save it with external data")
    if not model.elements and os.path.getsize(model.path) != model.file_bytes:
        raise ExecutionError(model.path, "cannot be run: the file has changed since it was read")
    for tensor, _ in lacking:
        tensor.CopyFrom(numpy_helper.from_array(read_tensor(model, tensor), tensor.name))
