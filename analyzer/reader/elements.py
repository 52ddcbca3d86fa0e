"""Where the elements of a tensor are in the model's file, and whether they fit its dims."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from onnx import TensorProto, helper

from archlint.analyzer.graph import Value
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.reader.faults import Fault
from archlint.analyzer.reader.structure import PAYLOADS, REFERENCE, Payload
from archlint.analyzer.reader.wire import LONGEST_VARINT

RAW: Final = "raw_data"
_TYPED: Final = tuple(field for field in PAYLOADS.values() if field != RAW)
# The least and the most bytes that an entry of a field takes.
_ENTRY: Final = {"float_data": (4, 4), "double_data": (8, 8), RAW: (1, 1)}
_VARINT: Final = (1, LONGEST_VARINT)
_PACKED: Final = {4: 2, 2: 4}  # bits of an element → elements in an entry of int32_data
_COMPLEX: Final = (TensorProto.COMPLEX64, TensorProto.COMPLEX128)


def is_external(tensor: TensorProto) -> bool:
    """Whether the elements are in another file."""
    return tensor.data_location == TensorProto.EXTERNAL


def payloads_of(tensor: TensorProto, payloads: Sequence[Payload]) -> tuple[Payload, ...]:
    """The payloads of a tensor that were left in the file."""
    if not tensor.metadata_props:
        return ()
    found: list[Payload] = []
    for entry in tensor.metadata_props:
        if entry.key == REFERENCE:
            first, count = map(int, entry.value.split())
            found += payloads[first : first + count]
    return tuple(found)


def bytes_of(tensor: TensorProto) -> int | None:
    """What the elements take, packed; None for strings, unknown types and negative dims."""
    elements, bits = _elements(tensor), bits_of(tensor.data_type)
    return None if elements is None or not bits else (elements * bits + 7) // 8


def fault_of(tensor: TensorProto, payloads: Sequence[Payload]) -> Fault | None:
    """Where the data that the file holds for a tensor does not fit its type and dims.

    No data at all are weights that were left out, and no fault.
    """
    left = payloads_of(tensor, payloads)
    inline = {field: count for field in _TYPED if (count := len(getattr(tensor, field)))}
    if raw := len(tensor.raw_data):
        inline[RAW] = raw
    fields = sorted({*inline, *[payload.field for payload in left]})
    storage = _storage(tensor.data_type)
    if not fields or storage is None:
        return None
    if is_external(tensor):
        return _fault("twice", f"data in {fields[0]} beside the external data")
    if len(fields) > 1:
        return _fault("twice", f"data in {fields[0]} and in {fields[1]}")
    field = fields[0]
    if field not in (RAW, storage) or (field == RAW and storage == "string_data"):
        return _fault("field", f"{_type(tensor)} stands in {field} instead of {storage}")
    need = bytes_of(tensor) if field == RAW else _entries(tensor)
    if need is None:
        return None
    shortest, longest = _ENTRY.get(field, _VARINT)
    length, inside = sum(payload.length for payload in left), sum(inline.values())
    least, most = inside + -(-length // longest), inside + length // shortest
    if least <= need <= most:
        return None
    have = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    unit = "bytes" if field == RAW else "entries"
    dims = f"dims {list(tensor.dims)} of {_type(tensor)}"
    return _fault("size", f"{have} {unit} in {field} where its {dims} take {need:,}")


@lru_cache
def _storage(data_type: int) -> str | None:
    """The field of elements that are not raw bytes; None for an unknown type."""
    try:
        return helper.tensor_dtype_to_field(data_type) if data_type else None
    except KeyError:
        return None


def _entries(tensor: TensorProto) -> int | None:
    """Entries of the typed field that the elements take; None for negative dims."""
    elements = _elements(tensor)
    if elements is None:
        return None
    if tensor.data_type in _COMPLEX:
        return 2 * elements
    return -(-elements // _PACKED.get(bits_of(tensor.data_type), 1))


def _elements(tensor: TensorProto) -> int | None:
    dims = tuple(tensor.dims)
    return None if dims and min(dims) < 0 else math.prod(dims)


@lru_cache
def bits_of(data_type: int) -> int:
    """Bits of an element; 0 if it has no fixed size."""
    return Value("", data_type).bytes_of(8) or 0


def _type(tensor: TensorProto) -> str:
    return TensorProto.DataType.Name(tensor.data_type)


def _fault(cause: str, what: str) -> Fault:
    return Fault(ProblemKind.PAYLOAD, cause, what)
