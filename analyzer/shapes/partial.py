"""What is known of a shape whose sizes are not: its rank, with a symbolic dim for each number."""

from __future__ import annotations

from typing import Any

from archlint.analyzer.dims import SymbolicDim
from archlint.analyzer.shapes.context import Context, Unresolved

_MOST = 64  # axes: no tensor has more


def elements_or_symbols(context: Context, index: int, count: int | None = None) -> list[Any]:
    """The elements of an input; where they are unknown, a symbolic dim that stands for each.

    ``count`` is how many there are, by default as many as the shape of the input says. Raises
    Unresolved if that is unknown too.
    """
    try:
        return context.elements(index)
    except Unresolved as unresolved:
        value = context.value(index)
        if count is None:
            shape = value.static_shape
            if shape is None or len(shape) != 1 or shape[0] > _MOST:
                raise
            count = shape[0]
        return [SymbolicDim(f"{value.name}({at})", unresolved.causes) for at in range(count)]
