"""The sliding window of convolutions and poolings: kernel, strides, dilations, padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archlint.analyzer.dims import Dim, Shape, apply, derived

_AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


@dataclass(frozen=True, slots=True)
class Window:
    """One entry a spatial axis. ``pads`` are explicit: begins, then ends; None where ``auto_pad``
    SAME depends on an unknown map."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...] | None
    same: bool
    ceil: bool = False

    @property
    def reach(self) -> tuple[int, ...]:
        """How many pixels a window spans on each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    def outputs(self, spatial: Sequence[Dim]) -> Shape:
        """The spatial dims that sliding over a map of these dims gives."""
        return tuple(self._output(axis, dim) for axis, dim in enumerate(spatial))

    def _output(self, axis: int, size: Dim) -> Dim:
        stride, reach = self.strides[axis], self.reach[axis]
        if self.same:
            return apply(lambda n: -(-n // stride), f"ceil({{}}/{stride})", size)
        if self.pads is None:
            return derived(f"window({size})", size)
        rank = len(self.kernel)
        before, padding = self.pads[axis], self.pads[axis] + self.pads[axis + rank]

        def count(n: int) -> int:
            room = n + padding - reach
            windows = (-(-room // stride) if self.ceil else room // stride) + 1
            if self.ceil and windows > 1 and (windows - 1) * stride >= n + before:
                windows -= 1  # a window that would start in the padding behind the map is not taken
            if windows < 1:
                raise ValueError(f"a window of {reach} on a map of {n} with padding {padding}")
            return windows

        if stride == 1 and not isinstance(size, int):
            return size + (padding - reach + 1)
        return apply(count, f"(({{}}{padding - reach:+d})//{stride}+1)", size)


def window(
    attributes: Mapping[str, Any],
    spatial: Sequence[Dim],
    weight_kernel: Sequence[Dim] | None = None,
) -> Window:
    """The window of a node over a map with these spatial dims.

    The kernel comes from ``kernel_shape``, or from the spatial dims of the weight.
    Raises ValueError if neither is known, if they differ, and for attributes that fit no map.
    """
    rank = len(spatial)
    kernel = attributes.get("kernel_shape") or weight_kernel
    sizes = tuple(k for k in kernel or () if isinstance(k, int) and k > 0)
    if kernel is None or len(sizes) != len(kernel):
        raise ValueError("the kernel's size is unknown")
    weighed = tuple(weight_kernel or sizes)
    if any(isinstance(k, int) and k != size for k, size in zip(weighed, sizes, strict=True)):
        raise ValueError(f"kernel_shape {sizes}, and a weight of another kernel")
    strides = tuple(attributes.get("strides") or (1,) * rank)
    dilations = tuple(attributes.get("dilations") or (1,) * rank)
    if not len(sizes) == len(strides) == len(dilations) == rank:
        raise ValueError(f"kernel {sizes} on a map of {rank} spatial dims")
    if min(strides, default=1) < 1 or min(dilations, default=1) < 1:
        raise ValueError(f"strides {strides} and dilations {dilations} must be positive")
    auto_pad = attributes.get("auto_pad") or "NOTSET"
    if auto_pad not in _AUTO_PADS:
        raise ValueError(f"auto_pad '{auto_pad}' is none of {', '.join(_AUTO_PADS)}")
    pads: tuple[int, ...] | None = tuple(attributes.get("pads") or (0,) * (2 * rank))
    if auto_pad == "VALID":
        pads = (0,) * (2 * rank)
    same = auto_pad in ("SAME_UPPER", "SAME_LOWER")
    if same:
        pads = _same_pads(auto_pad, spatial, sizes, strides, dilations)
    if pads is not None and len(pads) != 2 * rank:
        raise ValueError(f"pads {pads} on a map of {rank} spatial dims")
    return Window(sizes, strides, dilations, pads, same, bool(attributes.get("ceil_mode", 0)))


def _same_pads(
    auto_pad: str,
    spatial: Sequence[Dim],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...] | None:
    begins, ends = [], []
    for size, k, stride, dilation in zip(spatial, kernel, strides, dilations, strict=True):
        if not isinstance(size, int):
            return None
        total = max(0, (-(-size // stride) - 1) * stride + dilation * (k - 1) + 1 - size)
        small = total // 2
        begins.append(small if auto_pad == "SAME_UPPER" else total - small)
        ends.append(total - begins[-1])
    return (*begins, *ends)
