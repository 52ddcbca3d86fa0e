"""Tensors that hold the same numbers: the weights are read for that."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import Final, TypeVar

import numpy as np
from onnx import TensorProto

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.problem import Problem, ProblemKind
from archlint.analyzer.reader.blocks import read_codes
from archlint.analyzer.reader.elements import bits_of, bytes_of, is_external
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.tensors import Held, tensors
from archlint.analyzer.reader.weights import read_tensor
from archlint.analyzer.text import plural, size

T = TypeVar("T")

SMALL: Final = 1024  # bytes up to which a tensor may be there twice
_MOST: Final = 5_000  # tensors that are compared, the largest ones
_END: Final = 512  # bytes at either end that tell most tensors of one shape apart
_BLOCKS: Final = 64  # parts of a large tensor that are compared, evenly spread
_BLOCK: Final = 1 << 14  # bytes of each


def duplicates(model: Model) -> tuple[Problem, ...]:
    """The tensors of more than 1 kB that repeat others of the model, in one problem.

    Of those that agree in type, dims and at both ends all is compared, of one above 1 MiB as much
    in 64 parts of it. Tensors that cannot be read repeat none; other files are not opened.
    """
    groups = [
        same
        for group in _alike(_large(model), _kind)
        for ends in _alike(group, lambda held: _digest(model, held, 2, _END))
        for same in _alike(ends, lambda held: _digest(model, held, _BLOCKS, _BLOCK))
    ]
    if not groups:
        return ()
    first, second, *_ = max(groups, key=_wasted)
    count = sum(len(group) - 1 for group in groups)
    wasted = sum(map(_wasted, groups))
    repeats = "repeats another" if count == 1 else "repeat others"
    what = f"{plural(count, 'tensor')} ({size(wasted)}) {repeats}"
    example = f"{second.label} holds the numbers of {first.label}"
    return (Problem(ProblemKind.DUPLICATE, f"{what}: {example}", wasted=wasted),)


def equal_tensors(model: Model, given: Sequence[TensorProto]) -> list[list[int]]:
    """The places of those of more than 1 kB that agree in type, dims and every bit.

    Other files are opened too. All bytes are read, block by block, of what agrees at both ends.
    """
    large = [place for place, tensor in enumerate(given) if (bytes_of(tensor) or 0) > SMALL]
    held = [Held(tensor, None) for tensor in given]
    return [
        same
        for group in _alike(large, lambda place: _kind(held[place]))
        for ends in _alike(group, lambda place: _digest(model, held[place], 2, _END))
        for same in _alike(ends, lambda place: _whole(model, given[place]))
    ]


def _whole(model: Model, tensor: TensorProto) -> bytes | None:
    """What tells its numbers from all others, however they are stored."""
    told = blake2b()
    try:
        for codes in read_codes(model, tensor):
            told.update(np.ascontiguousarray(codes).data)
    except ModelReadError:
        return None
    return told.digest()


def _large(model: Model) -> list[Held]:
    """The largest tensors in the file, of more than 1 kB and of elements that are whole bytes."""
    found = []
    for held in tensors(model.proto):
        bits = bits_of(held.tensor.data_type)
        whole = bits and bits % 8 == 0 and not is_external(held.tensor)
        if whole and (bytes_of(held.tensor) or 0) > SMALL:
            found.append(held)
    return sorted(found, key=lambda held: -(bytes_of(held.tensor) or 0))[:_MOST]


def _kind(held: Held) -> Hashable:
    return held.tensor.data_type, tuple(held.tensor.dims)


def _wasted(group: list[Held]) -> int:
    return (len(group) - 1) * (bytes_of(group[0].tensor) or 0)


def _alike(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Items of one key, where there are several; those whose key is None are like no other."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        if (found := key(item)) is not None:
            groups.setdefault(found, []).append(item)
    return [group for group in groups.values() if len(group) > 1]


def _digest(model: Model, held: Held, blocks: int, length: int) -> bytes | None:
    """What tells tensors of one size apart: all bytes, or blocks from the first to the last."""
    try:
        array = read_tensor(model, held.tensor)
    except ModelReadError:  # left out, or told as a problem of its own
        return None
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    last = content.size - length
    if content.size <= blocks * length:
        parts = [content]
    else:
        starts = [place * last // (blocks - 1) for place in range(blocks)]
        parts = [content[start : start + length] for start in starts]
    told = blake2b(digest_size=16)
    for part in parts:
        told.update(part.data)
    return told.digest()
