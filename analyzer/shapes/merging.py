"""One value that stands for several: the branches of an If, the trips of a loop."""

from __future__ import annotations

import numpy as np

from archlint.analyzer.dims import Cause, Dim, Shape, SymbolicDim
from archlint.analyzer.graph import Data, Value

Causes = frozenset[Cause]


def merged(first: Value, second: Value, label: str, causes: Causes) -> Value:
    """What two values have in common.

    A dim in which they differ becomes a symbolic one, named by ``label`` and its axis, with these
    causes; elements are kept where they are equal.
    """
    if first.element is not None or second.element is not None:
        return _sequence(first, second, label, causes)
    dtype = first.dtype if first.dtype == second.dtype else 0
    constant = first.constant and second.constant
    if first.shape is None or second.shape is None or len(first.shape) != len(second.shape):
        known = first.causes | second.causes
        return Value(first.name, dtype, None, constant, causes=known or causes)
    shape = _dims(first.shape, second.shape, label, causes)
    data = first.data if _same(first.data, second.data) else None
    return Value(first.name, dtype, shape, constant, data)


def sequence_of(items: tuple[Value, ...], label: str, causes: Causes) -> Value:
    """A sequence of at least one known item."""
    element = items[0]
    for item in items[1:]:
        element = merged(element, item, label, causes)
    return Value("", element=element, items=items, constant=all(item.constant for item in items))


def _sequence(first: Value, second: Value, label: str, causes: Causes) -> Value:
    if first.element is None or second.element is None:
        return Value(first.name, causes=first.causes | second.causes or causes)
    constant = first.constant and second.constant
    items = None
    if first.items is not None and second.items is not None:
        if not first.items or not second.items:
            full = first if first.items else second
            same = not full.items
            return Value(first.name, element=full.element, items=() if same else None,
                         constant=constant)  # fmt: skip
        if len(first.items) == len(second.items):
            pairs = zip(first.items, second.items, strict=True)
            items = tuple(merged(a, b, label, causes) for a, b in pairs)
    element = merged(first.element, second.element, label, causes)
    return Value(first.name, element=element, items=items, constant=constant)


def _dims(first: Shape, second: Shape, label: str, causes: Causes) -> Shape:
    return tuple(
        a if a == b else SymbolicDim(f"{label}.{axis}", causes)
        for axis, (a, b) in enumerate(zip(first, second, strict=True))
    )


def _same(first: Data | None, second: Data | None) -> bool:
    return first is not None and second is not None and bool(np.array_equal(first, second))


def same_kind(first: Value, second: Value) -> bool:
    """Whether two values agree in type, shape and elements: a loop that reached it has settled."""
    if (first.element is None) != (second.element is None):
        return False
    if first.element is not None and second.element is not None:
        return first.items == second.items and same_kind(first.element, second.element)
    same_data = (first.data is None and second.data is None) or _same(first.data, second.data)
    return first.dtype == second.dtype and first.shape == second.shape and same_data


def stacked(value: Value, count: Dim, axis: int = 0) -> Value:
    """Many such tensors along a new axis; unknown where the rank is."""
    if value.shape is None:
        return Value(value.name, value.dtype, causes=value.causes)
    place = axis + len(value.shape) + 1 if axis < 0 else axis
    shape = (*value.shape[:place], count, *value.shape[place:])
    return Value(value.name, value.dtype, shape)
