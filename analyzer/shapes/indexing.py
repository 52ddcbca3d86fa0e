"""Evaluate small tensors that decide shapes: picks and placements by index, running sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.graph import Data
from archlint.analyzer.shapes.context import Context, folds, normal_axis
from archlint.analyzer.shapes.data import as_objects, symbolic


@folds("GatherElements")
def gather_elements(context: Context) -> Data | None:
    """Of each place the element that its index names along the axis."""
    data, indices = context.data(0), _indices(context)
    if data is None or indices is None:
        return None
    return as_objects(data[_along_axis(context, indices)])


@folds("GatherND")
def gather_nd(context: Context) -> Data | None:
    """What each tuple of indices names; tuples of a batch are not followed."""
    data, indices = context.data(0), _indices(context)
    if data is None or indices is None or context.attribute("batch_dims", 0):
        return None
    return as_objects(data[tuple(np.moveaxis(indices, -1, 0))])


@folds("ScatterElements", "Scatter")
def scatter_elements(context: Context) -> Data | None:
    """The data with the updates where the indices name along the axis."""
    data, indices, updates = context.data(0), _indices(context), context.data(2)
    if data is None or indices is None or updates is None or _combines(context):
        return None
    result = data.copy()
    result[_along_axis(context, indices)] = updates
    return result


@folds("ScatterND")
def scatter_nd(context: Context) -> Data | None:
    """The data with the updates where tuples of indices name."""
    data, indices, updates = context.data(0), _indices(context), context.data(2)
    if data is None or indices is None or updates is None or _combines(context):
        return None
    result = data.copy()
    result[tuple(np.moveaxis(indices, -1, 0))] = updates
    return result


@folds("CumSum")
def running_sum(context: Context) -> Data | None:
    """The sum of all elements up to each along the axis."""
    data, axes = context.data(0), context.data(1)
    if data is None or axes is None or symbolic(axes):
        return None
    axis = normal_axis(int(axes.reshape(-1)[0]), data.ndim)
    along = np.flip(data, axis) if context.attribute("reverse", 0) else data
    sums = np.cumsum(along, axis)
    if context.attribute("exclusive", 0):
        sums = sums - along
    return as_objects(np.flip(sums, axis) if context.attribute("reverse", 0) else sums)


@folds("Trilu")
def triangle(context: Context) -> Data | None:
    """One triangle of each matrix, zeros elsewhere."""
    data, shift = context.data(0), context.data(1)
    if data is None or (context.has(1) and (shift is None or symbolic(shift))):
        return None
    k = 0 if shift is None else int(shift.reshape(-1)[0])
    rows, columns = np.indices(data.shape[-2:])
    kept = columns - rows >= k if context.attribute("upper", 1) else columns - rows <= k
    return as_objects(np.where(kept, data, np.zeros((), dtype=object)))


def _indices(context: Context) -> NDArray[Any] | None:
    indices = context.data(1)
    return None if indices is None or symbolic(indices) else indices.astype(np.int64)


def _along_axis(context: Context, indices: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """The coordinates of each index: its own place, and on the axis what it says."""
    places: list[NDArray[Any]] = list(np.indices(indices.shape))
    places[context.axis(0, indices.ndim)] = indices
    return tuple(places)


def _combines(context: Context) -> bool:
    """Whether updates are added to the data or the like, which no shape depends on."""
    return bool(context.attribute("reduction", "none") != "none")
