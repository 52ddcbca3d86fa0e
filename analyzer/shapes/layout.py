"""Shapes of operators that move data: reshaping, joining, cutting, picking."""

from __future__ import annotations

from collections import Counter
from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, Shape, SymbolicDim, broadcast, derived, split, volume
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, normal_axis, shapes


@shapes("Reshape")
def reshape(context: Context) -> Outputs:
    """The target, where 0 keeps a dim and one -1 takes what is left."""
    x = context.shape(0)
    target = context.integers(1, "shape") or []
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
    given = context.integers(1, "axes") or []
    rank = len(x) + len(given)
    axes = {normal_axis(axis, rank) for axis in given}
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
        next((part[place] for part in parts if isinstance(part[place], int)), parts[0][place])
        for place in range(len(parts[0]))
    ]
    dims[axis] = joined
    return [(tuple(dims), context.dtype(0))]


@shapes("Split")
def split_along(context: Context) -> Outputs:
    """The axis cut into given or equal parts."""
    x = context.shape(0)
    axis = context.axis(0, len(x))
    sizes = context.integers(1, "split")
    if sizes is None:
        count = len(context.node.outputs)
        total = x[axis]
        part = -(-total // count) if isinstance(total, int) else total // count
        last = total - part * (count - 1)
        sizes = [*[part] * (count - 1), last]
    return [((*x[:axis], size, *x[axis + 1 :]), context.dtype(0)) for size in sizes]


@shapes("Slice")
def slice_(context: Context) -> Outputs:
    """The range start:end:step of each named axis."""
    x = context.shape(0)
    starts = context.integers(1, "starts") or []
    ends = context.integers(2, "ends") or []
    axes = context.integers(3, "axes")
    steps = context.integers(4, "steps") or [1] * len(starts)
    shape = list(x)
    for place, axis in enumerate(axes if axes is not None else range(len(starts))):
        at = normal_axis(axis, len(x))
        shape[at] = _range_length(x[at], starts[place], ends[place], steps[place])
    return [(tuple(shape), context.dtype(0))]


def _range_length(size: Dim, start: Any, end: Any, step: Any) -> Dim:
    if isinstance(size, int) and all(isinstance(n, int) for n in (start, end, step)):
        return len(range(*slice(start, end, step).indices(size)))
    if not isinstance(step, int) or isinstance(start, SymbolicDim):
        return derived(f"slice({size})", size, start, end, step)
    far = isinstance(end, int) and end >= 2**31 - 1
    if step == 1 and (far or end == size):
        if start >= 0:
            left: Dim = size - start
            return left
        return derived(f"min({size},{-start})", size)
    if step == 1 and start == 0 and isinstance(end, int) and end < 0:
        return size + end
    if step == 1 and start == 0 and isinstance(end, SymbolicDim) and isinstance(size, int):
        return end
    return derived(f"slice({size},{start},{end},{step})", size, start, end)


@shapes("Gather")
def gather(context: Context) -> Outputs:
    """The axis replaced by the shape of the indices."""
    x, indices = context.shape(0), context.shape(1)
    axis = context.axis(0, len(x))
    return [((*x[:axis], *indices, *x[axis + 1 :]), context.dtype(0))]


@shapes("GatherElements")
def gather_elements(context: Context) -> Outputs:
    """Shaped as the indices."""
    return [(context.shape(1), context.dtype(0))]


@shapes("GatherND")
def gather_nd(context: Context) -> Outputs:
    """The indices without their last dim, then what each of them picks."""
    x, indices = context.shape(0), context.shape(1)
    last = indices[-1]
    if not isinstance(last, int):
        raise Unresolved(last.causes)
    return [((*indices[:-1], *x[int(context.attribute("batch_dims", 0)) + last :]),
             context.dtype(0))]  # fmt: skip


@shapes("Expand")
def expand(context: Context) -> Outputs:
    """Broadcast with the given shape."""
    return [(broadcast(context.shape(0), tuple(context.elements(1))), context.dtype(0))]


@shapes("Tile")
def tile(context: Context) -> Outputs:
    """Each dim times its repeats."""
    x, repeats = context.shape(0), context.elements(1)
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
    depth = context.elements(1)[0]
    return [((*indices[:axis], depth, *indices[axis:]), context.dtype(2))]


@shapes("CenterCropPad")
def center_crop_pad(context: Context) -> Outputs:
    """The named axes at the given sizes."""
    x = context.shape(0)
    axes = context.attribute("axes") or range(len(x))
    shape = list(x)
    for axis, dim in zip(axes, context.elements(1), strict=True):
        shape[normal_axis(axis, len(x))] = dim
    return [(tuple(shape), context.dtype(0))]
