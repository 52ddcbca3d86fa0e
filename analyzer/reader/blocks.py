"""The numbers of a tensor as bits, read block by block: memory is bounded whatever the tensor."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from archlint.analyzer.reader.elements import RAW, bits_of
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.structure import Payload
from archlint.analyzer.reader.weights import error_of, is_in_file, located, read_tensor
from archlint.analyzer.reader.wire import LONGEST_VARINT

Codes = NDArray[np.unsignedinteger[Any]]
_Bytes = NDArray[np.uint8]

_COMPLEX: Final = frozenset({TensorProto.COMPLEX64, TensorProto.COMPLEX128})
_BLOCK: Final = 3 << 18  # bytes that are read at once, whole numbers of any width; or numbers
_VARINTS: Final = _BLOCK // 8  # decoding them takes many times their bytes
_AS_RAW: Final = frozenset({RAW, "float_data", "double_data"})


def numbers_of(tensor: TensorProto) -> int:
    """How many numbers the elements are, two each of complex ones; 0 for negative dims."""
    dims = tuple(tensor.dims)
    if dims and min(dims) < 0:
        return 0
    return math.prod(dims) * (2 if tensor.data_type in _COMPLEX else 1)


def number_bits(data_type: int) -> int:
    """Bits of a number of a data type; 0 if it has no fixed size."""
    return bits_of(data_type) // (2 if data_type in _COMPLEX else 1)


def read_codes(model: Model, tensor: TensorProto) -> Iterator[Codes]:
    """The numbers of a tensor of the model in order, each as an unsigned integer of its bits.

    A block is at most 3 MiB of such integers. Raises ModelReadError as ``read_tensor`` does, and
    for a file that ends while it is read.
    """
    bits = number_bits(tensor.data_type)
    if not bits or not is_in_file(model, tensor):
        array = np.ascontiguousarray(read_tensor(model, tensor)).reshape(-1)
        codes = array.view(f"u{max(bits, 8) // 8}")
        for begin in range(0, codes.size, _BLOCK):
            yield codes[begin : begin + _BLOCK] & _mask(bits)
        return
    left = numbers_of(tensor)
    try:
        with located(model, tensor) as (descriptor, pieces):
            for piece in pieces:
                for codes in _decoded(descriptor, piece, bits):
                    yield codes[:left]
                    left -= min(left, codes.size)
    except ValueError as error:
        raise error_of(model, tensor, f"its data is damaged: {error}") from error
    if left:
        raise error_of(model, tensor, "it has no data of its dims")


def _decoded(descriptor: int, piece: Payload, bits: int) -> Iterator[Codes]:
    if piece.field in _AS_RAW:
        for block in _read(descriptor, piece, _BLOCK):
            yield _unpacked(block, bits) if bits < 8 else block.view(f"<u{bits // 8}")
        return
    narrowed = _narrowing(bits)
    for numbers in _varints(_read(descriptor, piece, _VARINTS)):
        yield narrowed(numbers)


def _read(descriptor: int, piece: Payload, length: int) -> Iterator[_Bytes]:
    end = piece.offset + piece.length
    for offset in range(piece.offset, end, length):
        wanted = min(length, end - offset)
        content = os.pread(descriptor, wanted, offset)
        if len(content) < wanted:
            raise ValueError("the file has become shorter while it was read")
        yield np.frombuffer(content, np.uint8)


def _narrowing(bits: int) -> Callable[[NDArray[np.uint64]], Codes]:
    """From the entries of an integer field to the numbers: 4 and 2 bits share the lowest byte."""
    if bits in (2, 4):
        return lambda entries: _unpacked(entries.astype(np.uint8), bits)
    return lambda entries: entries.astype(f"u{max(bits, 8) // 8}") & _mask(bits)


def _unpacked(content: _Bytes, bits: int) -> Codes:
    """Numbers of less than 8 bits, the first in the lowest bits."""
    if 8 % bits:
        flags = np.unpackbits(content, bitorder="little")
        rows = flags[: flags.size // bits * bits].reshape(-1, bits)
        return np.packbits(rows, axis=1, bitorder="little")[:, 0]
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    numbers: Codes = (content[:, None] >> shifts) & _mask(bits)
    return numbers.reshape(-1)


def _mask(bits: int) -> Any:
    """All bits of a number, as an integer of the width that holds it."""
    return np.dtype(f"u{max(bits, 8) // 8}").type((1 << bits) - 1)


def _varints(blocks: Iterator[_Bytes]) -> Iterator[NDArray[np.uint64]]:
    """The numbers that the bytes encode, seven bits in each but for the sign that ends one.

    https://protobuf.dev/programming-guides/encoding/#varints"""
    rest = np.empty(0, np.uint8)
    for block in blocks:
        content = np.concatenate((rest, block))
        ends = np.flatnonzero(content < 0x80) + 1
        whole = int(ends[-1]) if ends.size else 0
        rest = content[whole:]
        if rest.size > LONGEST_VARINT:
            raise ValueError("an unfinished number")
        if not whole:
            continue
        begins = np.concatenate(([0], ends[:-1]))
        places = np.arange(whole) - np.repeat(begins, ends - begins)
        if places.max() >= LONGEST_VARINT:
            raise ValueError("an unfinished number")
        parts = (content[:whole] & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
        yield np.bitwise_or.reduceat(parts, begins)
    if rest.size:
        raise ValueError("an unfinished number")
