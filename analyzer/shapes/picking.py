"""Shapes of operators that cut a tensor or pick from it."""

from __future__ import annotations

from typing import Any

from archlint.analyzer.dims import Dim, SymbolicDim, derived
from archlint.analyzer.shapes.context import Context, Outputs, Unresolved, normal_axis, shapes
from archlint.analyzer.shapes.partial import elements_or_symbols


@shapes("Split")
def split_along(context: Context) -> Outputs:
    """The axis cut into given or equal parts."""
    x = context.shape(0)
    axis = context.axis(0, len(x))
    sizes = context.integers(1, "split")
    if sizes is None:
        count = len(context.node.outputs)
        if context.attribute("num_outputs", count) != count:
            raise ValueError(f"num_outputs of a node of {count} outputs")
        sizes = _equal_parts(x[axis], count)
    elif all(isinstance(dim, int) for dim in (x[axis], *sizes)) and sum(sizes) != x[axis]:
        raise ValueError(f"{x[axis]} into parts of {sizes}")
    return [((*x[:axis], size, *x[axis + 1 :]), context.dtype(0)) for size in sizes]


def _equal_parts(size: Dim, count: int) -> list[Dim]:
    """Parts of one size, the last one smaller if they do not come out even."""
    if count < 1:
        raise ValueError(f"{count} parts")
    part = -(-size // count) if isinstance(size, int) else size // count
    return [*[part] * (count - 1), size - part * (count - 1)]


@shapes("Slice")
def slice_(context: Context) -> Outputs:
    """The range start:end:step of each named axis."""
    x = context.shape(0)
    starts, ends = (
        list(context.attribute(name) or ()) or elements_or_symbols(context, index)
        for index, name in ((1, "starts"), (2, "ends"))
    )  # attributes before operator set 10
    axes = context.integers(3, "axes")
    if axes is None:
        axes = list(range(len(starts)))
    steps = elements_or_symbols(context, 4) if context.has(4) else [1] * len(starts)
    shape = list(x)
    for axis, *cut in zip(axes, starts, ends, steps, strict=True):
        at = normal_axis(axis, len(x))
        shape[at] = _range_length(x[at], *cut)
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
    if not x:
        raise ValueError("a scalar has no axis to pick from")
    axis = context.axis(0, len(x))
    return [((*x[:axis], *indices, *x[axis + 1 :]), context.dtype(0))]


@shapes("GatherElements")
def gather_elements(context: Context) -> Outputs:
    """Shaped as the indices."""
    if context.rank(0) != context.rank(1):
        raise ValueError(f"indices of rank {context.rank(1)} for rank {context.rank(0)}")
    return [(context.shape(1), context.dtype(0))]


@shapes("GatherND")
def gather_nd(context: Context) -> Outputs:
    """The indices without their last dim, then what each of them picks."""
    x, indices = context.shape(0), context.shape(1)
    last, batch = indices[-1], int(context.attribute("batch_dims", 0))
    if not isinstance(last, int):
        raise Unresolved(last.causes)
    if not 0 <= batch < min(len(x), len(indices)) or not 1 <= last <= len(x) - batch:
        raise ValueError(f"{last} indices behind {batch} batch axes of a tensor of rank {len(x)}")
    return [((*indices[:-1], *x[batch + last :]), context.dtype(0))]


@shapes("CenterCropPad")
def center_crop_pad(context: Context) -> Outputs:
    """The named axes at the given sizes."""
    x = context.shape(0)
    axes = context.attribute("axes") or range(len(x))
    shape = list(x)
    for axis, dim in zip(axes, elements_or_symbols(context, 1, len(axes)), strict=True):
        shape[normal_axis(axis, len(x))] = dim
    return [(tuple(shape), context.dtype(0))]
