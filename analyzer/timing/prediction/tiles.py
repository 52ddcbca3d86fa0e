"""What a convolution in onnxruntime's blocked layout (NCHWc) takes, counted as its kernels work.

The loops are those of onnxruntime/core/mlas/lib/snchwc.cpp and x86_64/SconvKernel*.S: up to four
blocks of filters meet tiles of up to six neighbouring outputs; an output whose window reaches into
the padding beside the map is a tile of its own, which skips the taps outside of the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from archlint.analyzer.geometry import Window
from archlint.analyzer.patterns import ConvSizes
from archlint.analyzer.timing.prediction.machine import Tiles

_FILTERS = 4  # blocks of output channels that are computed together
_ADDED = 128  # input channels that a pointwise kernel adds up before it stores
_WIDTHS = {16: (6, 3, 2, 1)}  # outputs of a tile, by the channels of a block
_NARROW = (3, 2, 1)  # of other blocks


@dataclass(frozen=True, slots=True)
class Axis:
    """How windows lie along an axis: how many fully on the map, and the taps on it of each other
    one."""

    whole: int
    kernel: int
    edges: tuple[int, ...]

    @property
    def taps(self) -> int:
        """Taps on the map, of all windows."""
        return self.whole * self.kernel + sum(self.edges)

    @property
    def outputs(self) -> int:
        """Windows."""
        return self.whole + len(self.edges)


def used_taps(sizes: ConvSizes) -> float:
    """The share of a kernel's taps that meet the map in any window: the others are never read."""
    share = 1.0
    for place, kernel in enumerate(sizes.kernel):
        last = (sizes.out_map[place] - 1) * sizes.strides[place] - sizes.pads[place]
        met = sum(
            tap * sizes.dilations[place] + last >= 0
            and tap * sizes.dilations[place] - sizes.pads[place] < sizes.in_map[place]
            for tap in range(kernel)
        )
        share *= met / kernel
    return share


@dataclass(frozen=True, slots=True)
class Sweep:
    """A kernel's windows over a map of two spatial axes."""

    rows: Axis
    columns: Axis


def sweep(slide: Window, in_map: Sequence[int], out_map: Sequence[int]) -> Sweep:
    """The windows of a convolution or pooling of two spatial axes.

    A map of one column without padding is swept as a row. Raises ValueError for pads that depend
    on an unknown map.
    """
    if slide.pads is None:
        raise ValueError("the padding is unknown")
    rows, columns = (
        _axis(
            (in_map[place], out_map[place]),
            (slide.kernel[place], slide.strides[place], slide.dilations[place]),
            slide.pads[place],
        )
        for place in (0, 1)
    )
    if in_map[1] == slide.kernel[1] == 1 and not any(slide.pads):
        return Sweep(columns, rows)
    return Sweep(rows, columns)


def _axis(sizes: tuple[int, int], steps: tuple[int, int, int], before: int) -> Axis:
    (size, outputs), (kernel, stride, spread) = sizes, steps
    reach = (kernel - 1) * spread
    first = min(-(-before // stride), outputs)
    last = (size + before - 1 - reach) // stride if size > reach else -1
    edges = [*range(first), *range(max(first, min(last + 1, outputs)), outputs)]
    taps = (
        sum(0 <= start * stride - before + tap * spread < size for tap in range(kernel))
        for start in edges
    )
    return Axis(outputs - len(edges), kernel, tuple(taps))


def blocked_conv(tiles: Tiles, sizes: ConvSizes, batch: int) -> float:
    """Nanoseconds of a convolution of two spatial axes in the blocked layout."""
    slide = Window(sizes.kernel, sizes.strides, sizes.dilations, sizes.pads, same=False)
    swept = sweep(slide, sizes.in_map, sizes.out_map)
    block, channels = tiles.block, sizes.in_channels // sizes.groups
    if sizes.groups > 1 and channels == 1:
        return depthwise(tiles, swept, batch * -(-sizes.groups // block))
    sets = _filter_sets(-(-sizes.out_channels // sizes.groups // block))
    together = 1 if channels < block else block
    sums = -(-channels // together)
    if sizes.taps == 1 and not any(sizes.pads) and together == block:
        lines, length = 1, prod(sizes.out_map)
        if prod(sizes.strides) > 1:
            lines, length = sizes.out_map
        each = [_pointwise(tiles, lines, length, sums * block, filters) for filters in sets]
    else:
        each = [sums * _swept(tiles, swept, together, filters) for filters in sets]
    return batch * sizes.groups * sum(each)


def depthwise(tiles: Tiles, swept: Sweep, blocks: int) -> float:
    """Nanoseconds of a depthwise convolution, or of a pooling, over blocks of channels."""
    steps, outputs = _steps(tiles, swept, 1), swept.rows.outputs * swept.columns.outputs
    lines = swept.rows.outputs * tiles.depthwise
    return blocks * (tiles.depthwise_step * steps + outputs * tiles.store + lines)


def _filter_sets(blocks: int) -> list[int]:
    full, rest = divmod(blocks, _FILTERS)
    return [_FILTERS] * full + ([rest] if rest else [])


def _swept(tiles: Tiles, swept: Sweep, channels: int, filters: int) -> float:
    """Some blocks of filters over the whole map, for input channels whose sum is stored once."""
    stored = tiles.line + swept.columns.outputs * filters * tiles.store
    return channels * _steps(tiles, swept, filters) + swept.rows.outputs * stored


def _steps(tiles: Tiles, swept: Sweep, filters: int) -> float:
    """Some blocks of filters over the whole map, for one input channel."""
    columns = swept.columns
    steps = sum(columns.edges) * tiles.step(1, filters)
    steps += columns.kernel * sum(
        count * tiles.step(width, filters) for width, count in _tiled(tiles, columns.whole)
    )
    return swept.rows.taps * steps


def _pointwise(tiles: Tiles, lines: int, length: int, channels: int, filters: int) -> float:
    """Some blocks of filters of one tap over lines of outputs."""
    sums = -(-channels // _ADDED)
    steps = channels * sum(
        count * tiles.step(width, filters) for width, count in _tiled(tiles, length)
    )
    return lines * (steps + sums * (tiles.line + length * filters * tiles.store))


def _tiled(tiles: Tiles, outputs: int) -> Iterator[tuple[int, int]]:
    """Tiles that cover a line: the widest as often as they fit, then narrower ones."""
    for width in _WIDTHS.get(tiles.block, _NARROW):
        count, outputs = divmod(outputs, width)
        if count:
            yield width, count
