"""What is known of the speed of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, log
from typing import Any

SCHEMA = 1  # of profiles as JSON; another number is another meaning


@dataclass(frozen=True, slots=True)
class Curve:
    """A number that depends on a size: points in ascending order of it, at least one."""

    points: tuple[tuple[float, float], ...]

    def at(self, size: float) -> float:
        """The number at a size: linear in its logarithm, that of the nearest end beyond the
        points."""
        before = self.points[0]
        for point in self.points:
            if size <= point[0]:
                if point is before:
                    break
                share = log(size / before[0]) / log(point[0] / before[0])
                return before[1] + share * (point[1] - before[1])
            before = point
        return before[1]


@dataclass(frozen=True, slots=True)
class Tiles:
    """Nanoseconds of the steps of convolutions in onnxruntime's blocked layout (NCHWc).

    A step adds one tap of one input channel to a tile of outputs: ``multiply`` is a product of
    vectors of ``block`` channels, ``latency`` the least that a step takes, ``load`` a vector of
    weights on its way to it. ``store`` is a vector of outputs, read and written for each sum,
    ``line`` a row of outputs for each sum; ``depthwise`` a row of a depthwise convolution or a
    pooling, and ``depthwise_step`` how many times a step that theirs takes. ``enter`` and ``leave``
    are an element's way into the layout and out of it, by the number of elements.
    """

    block: int
    multiply: float
    latency: float
    load: float
    store: float
    line: float
    depthwise: float
    depthwise_step: float
    enter: Curve
    leave: Curve

    def step(self, outputs: int, filters: int) -> float:
        """One tap of one input channel for a tile of outputs and some blocks of filters."""
        return max(outputs * filters * self.multiply, self.latency, filters * self.load)


@dataclass(frozen=True, slots=True)
class MachineProfile:
    """How fast an execution provider of onnxruntime is on a machine, as it was measured there.

    All numbers are nanoseconds: of a ``run`` and of a ``node`` beside their work; of a convolution
    beside that (``call``); of a ``product``, a multiply-accumulate of 32-bit floats in a matrix
    product, and of one of 8-bit ``integer``s; of an element that a convolution or a product hands
    to an ``activation`` other than Relu; of an element that a convolution outside of the blocked
    layout lays out for its matrix product (``expand``, by the width of the output), and how many
    times that it takes with strides (``strided``); of a byte that is moved (``memory``, by the
    bytes that are moved together); and of an element of the larger of input and output that
    ``operators`` take beside moving it. ``tiles`` are absent where the provider has no blocked
    layout.
    """

    cpu: str
    provider: str
    threads: int
    clock: str
    runtime: str
    run: float
    node: float
    call: float
    product: float
    integer: float
    activation: float
    expand: Curve
    strided: float
    memory: Curve
    tiles: Tiles | None
    operators: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The provider and the threads, as they stand beside a predicted time."""
        short = self.provider.removesuffix("ExecutionProvider").lower()
        return f"{short}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    @property
    def mac_ns(self) -> float:
        """The least nanoseconds that a multiply-accumulate of 32-bit floats takes."""
        if self.tiles is None:
            return self.product
        return min(self.product, self.tiles.multiply / self.tiles.block)


def from_json(document: Mapping[str, Any]) -> MachineProfile:
    """A profile from its JSON; raises ValueError, TypeError or KeyError where it is none."""
    content = dict(document)
    if content.pop("schema", None) != SCHEMA:
        raise ValueError("another schema")
    tiles = content.pop("tiles")
    content["expand"], content["memory"] = _curve(content["expand"]), _curve(content["memory"])
    if tiles is not None:
        tiles = Tiles(**tiles | {key: _curve(tiles[key]) for key in ("enter", "leave")})
        _check(tiles)
    profile = MachineProfile(**content, tiles=tiles)
    _check(profile)
    if not all(_is_time(number) for number in profile.operators.values()):
        raise ValueError("a time that is none")
    return profile


def _curve(content: Mapping[str, Any]) -> Curve:
    points = tuple((float(size), float(number)) for size, number in content["points"])
    rising = all(0 < a[0] < b[0] for a, b in pairwise(points))
    if not (points and points[0][0] > 0 and rising and all(_is_time(n) for _, n in points)):
        raise ValueError("no curve")
    return Curve(points)


def _check(record: MachineProfile | Tiles) -> None:
    """Raise ValueError unless every number is one that a time can be."""
    for name, kind in type(record).__annotations__.items():
        number = getattr(record, name)
        if kind == "float" and not _is_time(number):
            raise ValueError(f"{name} is no time")
        if kind == "int" and not (isinstance(number, int) and number > 0):
            raise ValueError(f"{name} is no number")
        if kind == "str" and not isinstance(number, str):
            raise ValueError(f"{name} is no text")


def _is_time(number: Any) -> bool:
    return isinstance(number, int | float) and isfinite(number) and number >= 0
