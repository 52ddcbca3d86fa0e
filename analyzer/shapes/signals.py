"""Shapes of Fourier transforms and of the windows and filters around them."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto

from archlint.analyzer.dims import Dim, apply, derived
from archlint.analyzer.shapes.context import Context, Outputs, normal_axis, shapes
from archlint.analyzer.shapes.partial import elements_or_symbols


@shapes("BlackmanWindow", "HammingWindow", "HannWindow")
def signal_window(context: Context) -> Outputs:
    """As many numbers as the input says."""
    dtype = int(context.attribute("output_datatype", TensorProto.FLOAT))
    return [((elements_or_symbols(context, 0, 1)[0],), dtype)]


@shapes("MelWeightMatrix")
def mel_weight_matrix(context: Context) -> Outputs:
    """[dft_length // 2 + 1, num_mel_bins]."""
    bands, length = (elements_or_symbols(context, index, 1)[0] for index in range(2))
    dtype = int(context.attribute("output_datatype", TensorProto.FLOAT))
    return [((length // 2 + 1, bands), dtype)]


@shapes("DFT")
def dft(context: Context) -> Outputs:
    """The axis at the transform's length, half of it and one if it is one-sided; the last axis
    holds real and imaginary parts."""
    x = context.shape(0)
    axis = _dft_axis(context, len(x))
    inverse, onesided = (bool(context.attribute(name, 0)) for name in ("inverse", "onesided"))
    length: Dim
    if context.has(1):
        length = elements_or_symbols(context, 1, 1)[0]
    else:
        length = 2 * (x[axis] - 1) if inverse and onesided else x[axis]
    if onesided and not inverse:
        length = length // 2 + 1
    parts = 1 if onesided and inverse else 2
    return [((*x[:axis], length, *x[axis + 1 : -1], parts), context.dtype(0))]


def _dft_axis(context: Context, rank: int) -> int:
    """An input since operator set 20, an attribute before."""
    given: Any = context.attribute("axis", 1 if context.opset < 20 else -2)
    if context.has(2):
        given = context.elements(2)[0]
    axis = normal_axis(int(given), rank)
    if axis == rank - 1:
        raise ValueError("a transform along the axis of real and imaginary parts")
    return axis


@shapes("STFT")
def stft(context: Context) -> Outputs:
    """[batch, frames, bins, 2]."""
    signal = context.shape(0)
    if len(signal) not in (2, 3):
        raise ValueError(f"a signal of rank {len(signal)}")
    step = elements_or_symbols(context, 1, 1)[0]
    length: Dim = signal[1]
    if context.has(3):
        length = elements_or_symbols(context, 3, 1)[0]
    elif context.has(2):
        length = context.shape(2)[0]
    bins = length // 2 + 1 if context.attribute("onesided", 1) else length
    return [((signal[0], _frames(signal[1], length, step), bins, 2), context.dtype(0))]


def _frames(size: Dim, length: Dim, step: Dim) -> Dim:
    if not isinstance(length, int) or not isinstance(step, int):
        return derived(f"frames({size},{length},{step})", size, length, step)

    def count(samples: int) -> int:
        if samples < length or step < 1:
            raise ValueError(f"frames of {length} every {step} of {samples} samples")
        return (samples - length) // step + 1

    return apply(count, f"(({{}}-{length})//{step}+1)", size)
