"""Sequences of tensors, and optionals: an optional is what it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, SymbolicDim, broadcast
from archlint.analyzer.graph import Data, Value
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, folds, shapes
from archlint.analyzer.shapes.data import scalar
from archlint.analyzer.shapes.merging import sequence_of

_MAX_ITEMS = 1024  # of a sequence that is followed item by item


@shapes("SequenceConstruct")
def sequence_construct(context: Context) -> Outputs:
    """A sequence of the inputs."""
    items = tuple(context.value(index) for index in range(len(context.inputs)))
    return [_sequence(context, items)]


@shapes("SequenceEmpty")
def sequence_empty(context: Context) -> Outputs:
    """A sequence without items."""
    dtype = int(context.attribute("dtype", TensorProto.FLOAT))
    return [Value("", element=Value("", dtype), items=())]


@shapes("SequenceInsert")
def sequence_insert(context: Context) -> Outputs:
    """The sequence with one item more, at the end unless a position is given."""
    sequence, item = _given(context, 0), context.value(1)
    if sequence.items is None:
        element = sequence.element or item
        both = sequence_of((element, item), context.node.label, _varies(context))
        return [replace(both, items=None)]
    place: Any = context.elements(2)[0] if context.has(2) else len(sequence.items)
    items = (*sequence.items[:place], item, *sequence.items[place:])
    return [_sequence(context, items)]


@shapes("SequenceErase")
def sequence_erase(context: Context) -> Outputs:
    """The sequence with one item less, the last one unless a position is given."""
    sequence = _given(context, 0)
    if sequence.items is None:
        return [sequence]
    place = context.elements(1)[0] if context.has(1) else -1
    left = list(sequence.items)
    del left[place]
    return [replace(sequence, items=tuple(left))]


@shapes("SequenceAt")
def sequence_at(context: Context) -> Outputs:
    """One item; what all have in common where the position is unknown."""
    sequence, place = _given(context, 0), context.data(1)
    if sequence.items is not None and place is not None:
        return [sequence.items[place.reshape(-1)[0]]]
    return [sequence.element or Value("")]


@shapes("SequenceLength")
def sequence_length(context: Context) -> Outputs:
    """A scalar."""
    _given(context, 0)
    return [((), TensorProto.INT64)]


@folds("SequenceLength")
def known_length(context: Context) -> Data | None:
    """The number of items."""
    items = _given(context, 0).items
    return None if items is None else scalar(len(items))


@shapes("SplitToSequence")
def split_to_sequence(context: Context) -> Outputs:
    """The axis cut into parts: given ones, equal ones, or (without sizes) of one each."""
    x = context.shape(0)
    axis = context.axis(0, len(x))
    size = x[axis]
    parts: list[Dim] | None = None
    if not context.has(1):
        parts = [1] * size if isinstance(size, int) and size <= _MAX_ITEMS else None
    elif context.shape(1) == ():
        each = context.elements(1)[0]
        if isinstance(size, int) and isinstance(each, int) and size <= each * _MAX_ITEMS:
            parts = [min(each, size - start) for start in range(0, size, each)]
    else:
        parts = context.elements(1)
    keep = context.has(1) or bool(context.attribute("keepdims", 1))
    if parts is None:
        part: Dim = SymbolicDim(f"part of {size}", _varies(context)) if context.has(1) else 1
        return [Value("", element=_part(context, axis, part, keep))]
    return [_sequence(context, tuple(_part(context, axis, part, keep) for part in parts))]


def _part(context: Context, axis: int, size: Dim, keep: bool) -> Value:
    x = context.shape(0)
    middle = (size,) if keep else ()
    return Value("", context.dtype(0), (*x[:axis], *middle, *x[axis + 1 :]))


@shapes("ConcatFromSequence")
def concat_from_sequence(context: Context) -> Outputs:
    """The items joined along the axis, or stacked along a new one."""
    sequence = _given(context, 0)
    new = bool(context.attribute("new_axis", 0))
    element = sequence.element
    if element is None or element.shape is None:
        raise Unresolved(element.causes if element and element.causes else _varies(context))
    rank = len(element.shape) + new
    axis = int(context.attribute("axis", 0))
    axis = axis + rank if axis < 0 else axis
    if not 0 <= axis < rank:
        raise ValueError(f"axis {axis} of a tensor of rank {rank}")
    if sequence.items is None:
        joined = context.fresh("items", "how many items the sequence has depends on the data")
        behind = axis if new else axis + 1
        return [((*element.shape[:axis], joined, *element.shape[behind:]), element.dtype)]
    parts = [item.shape or () for item in sequence.items]
    if new:
        one = broadcast(*parts)
        return [((*one[:axis], len(parts), *one[axis:]), element.dtype)]
    total: Dim = 0
    for part in parts:
        total = total + part[axis]
    return [((*element.shape[:axis], total, *element.shape[axis + 1 :]), element.dtype)]


@shapes("Optional", "OptionalGetElement")
def optional(context: Context) -> Outputs:
    """The element; without one only its type is known."""
    if not context.has(0):
        return [Value("", causes=context.because("the optional holds nothing"))]
    return [context.value(0)]


@shapes("OptionalHasElement")
def optional_has_element(_context: Context) -> Outputs:
    """A truth value."""
    return [((), TensorProto.BOOL)]


def _given(context: Context, index: int) -> Value:
    """An input that is a sequence; raises Unresolved where nothing is known of it."""
    value = context.value(index)
    if value.element is None:
        raise Unresolved(value.causes or _varies(context))
    return value


def _sequence(context: Context, items: tuple[Value, ...]) -> Value:
    if not items:
        raise ValueError("a sequence without items")
    return sequence_of(items, context.node.label, _varies(context))


def _varies(context: Context) -> frozenset[Any]:
    return context.because("the items of its sequence differ")
