"""Fourier transforms and the windows and filters around them."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import UnknownCost, View, Work, handles

_WINDOW_OPS = {"HannWindow": 4, "HammingWindow": 4, "BlackmanWindow": 8}


@handles("DFT", roles="xs")
def dft(view: View) -> Work:
    """5·n·⌈log₂ n⌉ operations a transform of n numbers, half of it where its input or output is
    real: a fast Fourier transform as FFTW's benchmarks count it (www.fftw.org/speed)."""
    x, out = view.shape(0), view.out()
    axis = _axis(view, x)
    length = out[axis]
    if view.attribute("onesided", 0) and not view.attribute("inverse", 0):
        length = _number(view, 1) if view.has(1) else x[axis]
    transforms = prod(out[:-1]) // out[axis]
    return Work(ops={"signal": transforms * _fast_fourier(length, real=1 in (x[-1], out[-1]))})


def _axis(view: View, x: tuple[int, ...]) -> int:
    """An input or an attribute; the default has changed from 1 to -2 with operator set 20."""
    if view.has(2):
        return _number(view, 2) % len(x)
    if view.attribute("axis") is not None:
        return int(view.attribute("axis")) % len(x)
    if x[1] != x[-2]:
        raise UnknownCost(view.because("its axis is the default, which operator sets disagree on"))
    return len(x) - 2


def _number(view: View, index: int) -> int:
    value = view.inputs[index]
    if value is None or value.data is None:
        raise UnknownCost(view.because(f"input {index} is computed from the data"))
    return int(value.data.reshape(-1)[0])


def _fast_fourier(length: int, *, real: bool) -> int:
    return 5 * length * (length - 1).bit_length() // (2 if real else 1)


@handles("STFT", roles="xsws")
def stft(view: View) -> Work:
    """A DFT of each frame, 5·n·⌈log₂ n⌉ operations or half of it for real signals; a window is a
    product for each number of a frame."""
    signal, (batch, frames, _, _) = view.shape(0), view.out()
    length, parts = signal[1], signal[2] if len(signal) == 3 else 1
    if view.has(3):
        length = _number(view, 3)
    elif view.has(2):
        (length,) = view.shape(2)
    of_a_frame = _fast_fourier(length, real=parts == 1)
    if view.has(2):
        of_a_frame += length * parts
    return Work(ops={"signal": batch * frames * of_a_frame})


@handles(*_WINDOW_OPS, roles="s")
def signal_window(view: View) -> Work:
    """Operations an element: 4 of HannWindow and HammingWindow (angle, cosine, product, sum), 8 of
    BlackmanWindow, which has two cosines."""
    return Work(ops={"signal": _WINDOW_OPS[view.node.op_type] * view.out_elements()})


@handles("MelWeightMatrix", roles="s")
def mel_weight_matrix(view: View) -> Work:
    """2 operations an element: a difference and a quotient for the slope of its triangle."""
    return Work(ops={"signal": 2 * view.out_elements()})
