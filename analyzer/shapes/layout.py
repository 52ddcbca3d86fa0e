"""Shapes of operators that reshape, join and repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, SymbolicDim, broadcast, derived, split, volume
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, normal_axis, shapes
from archlint.analyzer.shapes.partial import elements_or_symbols


@shapes("Reshape")
def reshape(context: Context) -> Outputs:
    """The target, where 0 keeps a dim and one -1 takes what is left."""
    x = context.shape(0)
    target = context.attribute("shape")  # an input since operator set 5
    if target is None:
        target = _target(context)
    dims: list[Dim] = list(target)
    if not context.attribute("allowzero", 0):
        dims = [x[place] if dim == 0 else dim for place, dim in enumerate(dims)]
    if dims.count(-1) > 1:
        raise ValueError(f"target {target} with more than one -1")
    if -1 in dims:
        place = dims.index(-1)
        dims[place] = _left_over(x, dims[:place] + dims[place + 1 :])
    elif all(isinstance(dim, int) for dim in (*x, *dims)) and volume(x) != volume(dims):
        raise ValueError(f"{volume(x)} elements into {target}")
    return [(tuple(dims), context.dtype(0))]


def _target(context: Context) -> list[Any]:
    """The elements of the second input; a dim for each where they are unknown, 0 and -1 among them
    perhaps, so that two nodes of the same target do not share their dims."""
    if context.data(1) is not None:
        return context.elements(1)
    return [replace(dim, label=f"{context.node.label}.{dim}")
            for dim in elements_or_symbols(context, 1)]  # fmt: skip


def _left_over(x: Shape, others: list[Dim]) -> Dim:
    """What -1 stands for: the elements divided by the other dims, equal symbolic dims cancelled."""
    have, have_symbolic = split(x)
    taken, taken_symbolic = split(others)
    have_count, taken_count = Counter(have_symbolic), Counter(taken_symbolic)
    missing = list((taken_count - have_count).elements())
    rest = list((have_count - taken_count).elements())
    if missing:
        return derived(f"{volume(x)}/{volume(others)}", *x, *others)
    if taken == 0:
        raise ValueError("-1 beside a dim of 0")
    if have % taken:
        if rest:
            return derived(f"{volume(x)}/{taken}", *rest)
        raise ValueError(f"{have} elements do not divide by {taken}")
    left: Dim = have // taken
    for dim in rest:
        left = left * dim
    return left


@shapes("Flatten")
def flatten(context: Context) -> Outputs:
    """Two dims: what is before the axis, and what is behind it."""
    x = context.shape(0)
    axis = int(context.attribute("axis", 1))
    if not -len(x) <= axis <= max(len(x), 1):
        raise ValueError(f"axis {axis} of a tensor of rank {len(x)}")
    axis = axis + len(x) if axis < 0 else axis
    return [((volume(x[:axis]), volume(x[axis:])), context.dtype(0))]


@shapes("Transpose")
def transpose(context: Context) -> Outputs:
    """The dims in the order of ``perm``, reversed by default."""
    x = context.shape(0)
    order = context.attribute("perm") or range(len(x) - 1, -1, -1)
    if sorted(order) != list(range(len(x))):
        raise ValueError(f"perm {list(order)} of a tensor of rank {len(x)}")
    return [(tuple(x[axis] for axis in order), context.dtype(0))]


@shapes("Squeeze")
def squeeze(context: Context) -> Outputs:
    """Without the named axes, or without every axis of 1."""
    x = context.shape(0)
    axes = context.integers(1, "axes")
    if axes is None:
        if unknown := [dim for dim in x if isinstance(dim, SymbolicDim)]:
            raise Unresolved(frozenset().union(*(dim.causes for dim in unknown)))
        dropped = {axis for axis, dim in enumerate(x) if dim == 1}
    else:
        dropped = {normal_axis(axis, len(x)) for axis in axes}
        if any(isinstance(x[axis], int) and x[axis] != 1 for axis in dropped):
            raise ValueError(f"axes {axes} of shape {list(map(str, x))} are not 1")
    kept = tuple(dim for axis, dim in enumerate(x) if axis not in dropped)
    return [(kept, context.dtype(0))]


@shapes("Unsqueeze")
def unsqueeze(context: Context) -> Outputs:
    """With a 1 at each of the axes of the result."""
    x = context.shape(0)
    given = context.integers(1, "axes")
    if given is None:
        raise ValueError("it has no axes")
    rank = len(x) + len(given)
    axes = {normal_axis(axis, rank) for axis in given}
    if len(axes) != len(given) or not axes <= set(range(rank)):
        raise ValueError(f"axes {given} repeat, or are none")
    dims = iter(x)
    return [(tuple(1 if axis in axes else next(dims) for axis in range(rank)), context.dtype(0))]


@shapes("Concat")
def concat(context: Context) -> Outputs:
    """The sum along the axis."""
    parts = [context.shape(index) for index in range(len(context.inputs))]
    axis = context.axis(1, len(parts[0]))
    if any(len(part) != len(parts[0]) for part in parts):
        raise ValueError("inputs of different rank")
    joined: Dim = 0
    for part in parts:
        joined = joined + part[axis]
    dims = [
        joined if place == axis else _common([part[place] for part in parts])
        for place in range(len(parts[0]))
    ]
    return [(tuple(dims), context.dtype(0))]


def _common(dims: Sequence[Dim]) -> Dim:
    """The dim that all of these are: a known one if there is one."""
    known = {dim for dim in dims if isinstance(dim, int)}
    if len(known) > 1:
        raise ValueError(f"dims {sorted(known)} beside the joined axis")
    return known.pop() if known else dims[0]


@shapes("Expand")
def expand(context: Context) -> Outputs:
    """Broadcast with the given shape."""
    return [(broadcast(context.shape(0), tuple(elements_or_symbols(context, 1))), context.dtype(0))]


@shapes("Tile")
def tile(context: Context) -> Outputs:
    """Each dim times its repeats; before operator set 6 a number of tiles along one axis."""
    x, repeats = context.shape(0), elements_or_symbols(context, 1)
    if context.has(2):
        axis = normal_axis(int(context.elements(2)[0]), len(x))
        repeats = [int(repeats[0]) if place == axis else 1 for place in range(len(x))]
    if len(repeats) != len(x):
        raise ValueError(f"{len(repeats)} repeats for rank {len(x)}")
    return [(tuple(dim * times for dim, times in zip(x, repeats, strict=True)), context.dtype(0))]


@shapes("Shape")
def shape_of(context: Context) -> Outputs:
    """One number a dim between ``start`` and ``end``."""
    return [((len(shape_slice(context)),), TensorProto.INT64)]


def shape_slice(context: Context) -> Shape:
    """The dims that a Shape node gives."""
    return context.shape(0)[slice(context.attribute("start", 0), context.attribute("end"))]


@shapes("Size")
def size(_context: Context) -> Outputs:
    """A scalar."""
    return [((), TensorProto.INT64)]


@shapes("OneHot")
def one_hot(context: Context) -> Outputs:
    """The indices with the depth inserted at the axis."""
    indices = context.shape(0)
    axis = normal_axis(int(context.attribute("axis", -1)), len(indices) + 1)
    depth = elements_or_symbols(context, 1, 1)[0]
    return [((*indices[:axis], depth, *indices[axis:]), context.dtype(2))]
