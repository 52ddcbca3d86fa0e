"""ARC503: channels that an accelerator fills up to the multiple that it computes at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from onnx import TensorProto

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.patterns import ConvSizes, convolutions
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.targets import Target
from archlint.analyzer.text import percent, plural

_FEW = 4  # channels of an image, of a spectrum


@dataclass(frozen=True)
class PaddedChannels(Rule):
    """Convolutions whose channels the chosen accelerator fills up to the multiple that it computes.

    Why it matters
        Tensor cores and NPUs compute a fixed number of channels at once and fill up the rest with
        zeros: 16 bytes of them on NVIDIA's tensor cores, 8 channels on Arm's Ethos-U, 32 on
        Qualcomm's Hexagon. Of all that is then computed, 1 − C·F / (⌈C⌉·⌈F⌉) is for nothing, with C
        channels in, F out and ⌈⌉ the next multiple: of 24→40 channels in multiples of 32, 1 −
        960 / 2048 = 53 %.

    What to do
        Choose multiples when the network is designed: the channels up to the next one cost next to
        nothing. The share is computed from the profile of the target, not measured.

    When not to apply
        Where the channels are fixed by trained weights: zeros that fill them up compute nothing
        that the device does not fill up itself. Where memory and not arithmetic takes the time. The
        first layer and the classes of the last one are what they are.

    Not flagged
        Models that lose less than ``min_share`` of what the target computes; convolutions over up
        to 4 channels, which have ways of their own; grouped and depthwise ones; targets without
        such a multiple, among them CPUs.

    Known limits
        Only convolutions without groups are judged, no products of matrices; grouped ones count as
        whole. The multiple is that of the profile: on Ethos-U the least one (its 1×1 fill up 32),
        and on an A100 NVIDIA names eight times as many. It supposes that every convolution runs on
        the device, and that its time follows what is computed.

    References
        Anthony et al., The Case for Co-Designing Model Architectures, 2024, arXiv:2401.14489.
        Radu et al., Performance Aware CNN Channel Pruning, 2020, arXiv:2002.08697.
    """

    code = "ARC503"
    name = "padded-channels"
    group = RuleGroup.TARGET
    kind = FixKind.DECISION
    advice: ClassVar[str] = (
        "choose channels in multiples of what the target computes at once: those up to the next "
        "multiple cost next to nothing. The share follows from the target's profile; it is not "
        "measured"
    )

    min_share: float = option(
        0.05,
        "smallest share of what the target computes that must be for nothing",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All convolutions with channels that are filled up, if they matter together."""
        graph, target = context.graph, context.target
        useful, computed = 0, 0
        nodes: list[Node] = []
        grids: set[int] = set()
        for conv in convolutions(graph):
            cost = context.costs.cost(conv.node)
            macs = cost.macs if cost else 0
            grid = 1
            if conv.groups == 1 and conv.in_channels > _FEW:
                grid = _grid(graph, conv, target)
            pads = _filled(conv.in_channels, grid) * _filled(conv.out_channels, grid)
            useful += macs
            computed += macs * pads // (conv.in_channels * conv.out_channels)
            if pads > conv.in_channels * conv.out_channels:
                nodes.append(conv.node)
                grids.add(grid)
        lost = computed - useful
        if nodes and lost >= self.min_share * computed:
            multiples = " and ".join(map(str, sorted(grids)))
            yield Match(
                tuple(nodes),
                f"{percent(lost, computed)} of what is computed on {target.title} is for nothing: "
                f"channels are filled up to multiples of {multiples}, in "
                f"{plural(len(nodes), 'convolution')}",
                {"macs": useful, "computed_macs": computed, "target": target.name},
            )


def _filled(channels: int, grid: int) -> int:
    """The next multiple."""
    return -(-channels // grid) * grid


def _grid(graph: Graph, conv: ConvSizes, target: Target) -> int:
    """The multiple for the data type of a convolution; where the target has no kernels for that
    type, for the one that it must be brought to."""
    name = conv.node.input(0)
    maker = graph.producer(name)
    if maker is not None and maker.op_type == "DequantizeLinear":
        name = maker.input(0)
    dtype = TensorProto.DataType.Name(graph.value(name).dtype).lower()
    dtype = {"float": "float32"}.get(dtype, dtype)
    if dtype not in target.grid and target.fast_types and dtype not in target.fast_types:
        dtype = target.fast_types[0]
    return target.grid.get(dtype, 1)


_NARROW = """agraph (float[1,3,64,64] x) => (float[1,40,64,64] y)
    <float[24,3,3,3] s, float[40,24,3,3] w> {
        a = Conv <pads = [1,1,1,1]> (x, s)
        [conv] y = Conv <pads = [1,1,1,1]> (a, w)
    }"""

CASES = (
    Flags("24→40 channels in multiples of 32", _NARROW, at="conv", target="qualcomm-hexagon"),
    Flags(
        "half precision in multiples of 8",
        """agraph (float16[1,3,64,64] x) => (float16[1,12,64,64] y)
        <float16[12,3,3,3] s, float16[12,12,3,3] w> {
            a = Conv <pads = [1,1,1,1]> (x, s)
            [conv] y = Conv <pads = [1,1,1,1]> (a, w)
        }""",
        at="conv",
        target="nvidia-tensor-cores",
    ),
    Flags(
        "8-bit weights and activations in multiples of 16, as numbers between which floats stand",
        """agraph (float[1,3,64,64] x) => (float[1,40,64,64] y)
        <float[24,3,3,3] s, float[40,24,3,3] w, float k, int8 z> {
            a = Conv <pads = [1,1,1,1]> (x, s)
            q = QuantizeLinear (a, k, z)
            d = DequantizeLinear (q, k, z)
            [conv] y = Conv <pads = [1,1,1,1]> (d, w)
        }""",
        at="conv",
        target="nvidia-tensor-cores",
    ),
    Passes(
        "a CPU fills up its blocks, which other rules tell",
        _NARROW,
    ),
    Passes(
        "TF32 in multiples of 4",
        _NARROW,
        target="nvidia-tensor-cores",
    ),
    Passes(
        "a stem alone",
        """agraph (float[1,3,64,64] x) => (float[1,32,64,64] y) <float[32,3,3,3] w> {
            y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
        target="qualcomm-hexagon",
    ),
    Passes(
        "a small part of the model",
        """agraph (float[1,3,64,64] x) => (float[1,20,1,1] y)
        <float[64,3,3,3] s, float[64,64,3,3] w, float[20,64,1,1] h> {
            a = Conv <pads = [1,1,1,1]> (x, s)
            b = Conv <pads = [1,1,1,1]> (a, w)
            c = GlobalAveragePool (b)
            y = Conv (c, h)
        }""",
        target="qualcomm-hexagon",
    ),
)
