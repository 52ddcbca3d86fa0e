"""Pairs of small networks: a layer, and what would stand in its place.

Nothing stands between the convolutions: what follows them in a network is fused into them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import ModelProto

from archlint.analyzer.builder import GraphBuilder

Layer = Callable[[GraphBuilder, str], str]
GRID, FEW, TINY, MAP, STEM = (
    "channels off the grid",
    "few channels",
    "tiny",
    "depthwise on a large map",
    "stem",
)
"""Why time does not follow MACs in a case."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the other machine measured: milliseconds before, the ratio of the time after to it, the
    95 % interval of that, and OpenVINO's ratio."""

    milliseconds: float
    ratio: float
    low: float
    high: float
    openvino: float | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """An input of a shape [N, C, H, W], and the layers over it."""

    shape: tuple[int, ...]
    layers: tuple[Layer, ...]

    def model(self) -> ModelProto:
        """The network as ONNX; its weights are ConstantOfShape, to be replaced by random ones."""
        builder = GraphBuilder("case")
        value = builder.input("x", self.shape)
        for layer in self.layers:
            value = layer(builder, value)
        builder.output(value)
        return builder.model()


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison.

    ``rule`` is the code of the rule that proposes ``after`` for ``before`` with ``options``,
    ``by_default`` whether it does so with none. ``trap`` is why time does not follow MACs.
    """

    group: str
    title: str
    before: Network
    after: Network
    reference: Reference
    rule: str = ""
    options: Mapping[str, int] = field(default_factory=dict)
    by_default: bool = False
    trap: str = ""

    @property
    def batch(self) -> int:
        """Images in the input."""
        return self.before.shape[0]


def conv(
    channels: int, kernel: int | tuple[int, int], *, stride: int = 1, groups: int = 1
) -> Layer:
    """A convolution to that many channels, padded to keep the map's size at stride 1."""
    return lambda builder, x: builder.conv(x, channels, kernel, stride=stride, groups=groups)


def dense(features: int, outputs: int) -> Layer:
    """A fully connected layer."""
    return lambda builder, x: builder.linear(x, features, outputs)


POOLED: tuple[Layer, ...] = (GraphBuilder.global_average_pool, GraphBuilder.flatten)


def square(channels: int, size: int | tuple[int, int], batch: int = 1) -> tuple[int, ...]:
    """The shape of a batch of maps; one size is both sides."""
    return (batch, channels, *((size, size) if isinstance(size, int) else size))


def _map(size: int | tuple[int, int]) -> str:
    return f"{size}×{size}" if isinstance(size, int) else f"{size[0]}×{size[1]}"


def reduced(
    name: tuple[int, int, int], size: int | tuple[int, int], rank: int, reference: Reference,
    *, group: str = "sweep of reductions", batch: int = 1, by_default: bool = False, trap: str = "",
) -> Case:  # fmt: skip
    """A convolution (kernel, channels in, out) against a 1×1 to ``rank`` before it."""
    kernel, before, after = name
    images = f", batch {batch}" if batch > 1 else ""
    pays = kernel > 1 and trap != STEM
    return Case(
        group,
        f"{kernel}×{kernel} {before}→{after} on {_map(size)}{images}: 1×1 to {rank} before it",
        Network(square(before, size, batch), (conv(after, kernel),)),
        Network(square(before, size, batch), (conv(rank, 1), conv(after, kernel))),
        reference,
        "ARC101" if pays else "",
        {"width": rank, "min_channels": min(64, before), "min_macs": 0} if pays else {},
        by_default,
        trap,
    )


def bottleneck(channels: int, size: int, reference: Reference) -> Case:
    """A 3×3 against 1×1, 3×3, 1×1 at a quarter of the channels."""
    quarter = channels // 4
    after = conv(quarter, 1), conv(quarter, 3), conv(channels, 1)
    return Case(
        "residual bottleneck",
        f"3×3 {channels}→{channels} on {_map(size)}: 1×1, 3×3, 1×1 at {quarter}",
        Network(square(channels, size), (conv(channels, 3),)),
        Network(square(channels, size), after),
        reference, "ARC102", by_default=True,
    )  # fmt: skip


def factorised(
    side: int, channels: int, size: int, parts: Sequence[int | tuple[int, int]],
    reference: Reference, rule: str, options: Mapping[str, int] | None = None,
) -> Case:  # fmt: skip
    """A square kernel against a chain of smaller ones at equal width."""
    sides = [(part, part) if isinstance(part, int) else part for part in parts]
    return Case(
        "factorised kernel",
        f"{side}×{side} {channels}→{channels} on {_map(size)}: "
        + ", ".join(f"{height}×{width}" for height, width in sides),
        Network(square(channels, size), (conv(channels, side),)),
        Network(square(channels, size), tuple(conv(channels, part) for part in sides)),
        reference, rule, options or {}, by_default=not options,
    )  # fmt: skip


def separable(before: int, after: int, size: int, reference: Reference, trap: str = "") -> Case:
    """A 3×3 against a depthwise 3×3 and a 1×1."""
    return Case(
        "depthwise-separable",
        f"3×3 {before}→{after} on {_map(size)}: depthwise 3×3, 1×1",
        Network(square(before, size), (conv(after, 3),)),
        Network(square(before, size), (conv(before, 3, groups=before), conv(after, 1))),
        reference, "ARC103", trap=trap,
    )  # fmt: skip


def pooled_head(batch: int, reference: Reference) -> Case:
    """VGG's first fully connected layer against one on pooled channels."""
    shape = square(512, 7, batch)
    return Case(
        "classifier",
        f"Flatten, 25088→4096 at batch {batch}: global average pooling, 512→4096",
        Network(shape, (GraphBuilder.flatten, dense(25088, 4096))),
        Network(shape, (*POOLED, dense(512, 4096))),
        reference, "ARC301", by_default=True,
    )  # fmt: skip


def grouped(channels: int, size: int, groups: int, reference: Reference, trap: str = "") -> Case:
    """A full 3×3 against a grouped one."""
    return Case(
        "groups",
        f"3×3 {channels}→{channels} on {_map(size)}: {groups} groups",
        Network(square(channels, size), (conv(channels, 3),)),
        Network(square(channels, size), (conv(channels, 3, groups=groups),)),
        reference, trap=trap,
    )  # fmt: skip


def widened(channels: int, reference: Reference) -> Case:
    """64 channels against another number of them, at the input too."""
    return Case(
        "channel grid",
        f"3×3 64→64 on 28×28: {channels}→{channels}",
        Network(square(64, 28), (conv(64, 3),)),
        Network(square(channels, 28), (conv(channels, 3),)),
        reference, trap=GRID,
    )  # fmt: skip
