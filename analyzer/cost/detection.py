"""What samples regions of maps, rearranges columns, and selects by the data."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import UnknownCost, View, Work, handles


@handles("RoiAlign", roles="xss")
def roi_align(view: View) -> Work:
    """s² samples an output element, s the ``sampling_ratio``: each interpolated from 4 pixels, 8
    operations, and pooled, one more. Without a ratio the size of the region decides: unknown."""
    ratio = int(view.attribute("sampling_ratio", 0))
    if ratio < 1:
        raise UnknownCost(view.because("how often it samples depends on the size of its regions"))
    samples = ratio**2 * view.out_elements()
    return Work(ops={"interpolation": 8 * samples, "pooling": samples})


@handles("MaxRoiPool", roles="xs")
def max_roi_pool(view: View) -> Work:
    """Unknown: the size of the regions decides over how many pixels each maximum is taken."""
    raise UnknownCost(
        view.because("how many pixels it compares depends on the size of its regions")
    )


@handles("NonMaxSuppression", roles="xxs")
def non_max_suppression(view: View) -> Work:
    """Unknown: how many boxes are compared with how many depends on the data."""
    raise UnknownCost(view.because("how many boxes it compares depends on the data"))


@handles("AffineGrid", roles="xs")
def affine_grid(view: View) -> Work:
    """N·Π(spatial)·d·(d + 1) MACs: a d × (d + 1) matrix times each homogeneous position."""
    *positions, rank = view.out()
    return Work(prod(positions) * rank * (rank + 1))


@handles("Col2Im", roles="xs")
def col2im(view: View) -> Work:
    """One addition an element of the columns."""
    return Work(ops={"reduction": view.elements(0)})


@handles("MaxUnpool", roles="xs")
def max_unpool(view: View) -> Work:
    """No operations: elements are copied to their places among zeros."""
    return Work()


@handles("Unique")
def unique(view: View) -> Work:
    """n·⌈log₂ n⌉ comparisons to sort n elements, or slices of m elements along an axis, m each."""
    elements = view.elements(0)
    slices = elements
    if view.attribute("axis") is not None:
        slices = view.shape(0)[int(view.attribute("axis"))]
    return Work(ops={"reduction": elements * max(slices - 1, 0).bit_length()})
