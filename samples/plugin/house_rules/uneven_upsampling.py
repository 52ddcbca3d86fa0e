"""HOUSE101: a transposed convolution whose kernel the stride does not divide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.describe import describe, kernel_text
from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, RuleGroup, option


@dataclass(frozen=True)
class _Upsampling:
    """A transposed convolution with all sizes known; one entry a spatial axis."""

    node: Node
    channels: tuple[int, int]
    groups: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    in_map: tuple[int, ...]
    out_map: tuple[int, ...]

    @property
    def even(self) -> tuple[int, ...]:
        """The largest kernel within this one that the stride divides on every axis."""
        return tuple(s * (k // s) for k, s in zip(self.kernel, self.strides, strict=True))

    @property
    def rest(self) -> list[int]:
        """By how much an even kernel's output is larger than the map, on each axis."""
        sizes = zip(self.in_map, self.out_map, self.strides, self.even, strict=True)
        return [stride * (size - 1) + kernel - out for size, out, stride, kernel in sizes]

    @property
    def fits(self) -> bool:
        """Whether some padding, of the input or the output, makes the same map."""
        return all(-rest < stride for rest, stride in zip(self.rest, self.strides, strict=True))


@dataclass(frozen=True)
class UnevenUpsampling(CostRule):
    """A transposed convolution whose kernel the stride does not divide.

    Why it costs
        A transposed convolution paints a k×k square for every input pixel, s pixels apart. Where s
        does not divide k the squares overlap unevenly: some outputs are the sum of more taps than
        their neighbours, which training must even out and seldom does; the pattern shows as a
        checkerboard. It costs k²·Ci·Co MACs an input pixel. A 3×3 with stride 2, 64→32 on 64×64,
        does 64·64·64·32·3·3 = 75,497,472; a 2×2 does 64·64·64·32·2·2 = 33,554,432.

    What to do
        Take the next smaller kernel that the stride divides, with the padding that keeps the size
        of the map, and retrain. Where a larger one is wanted, round up instead: it costs more and
        overlaps evenly too.

    When not to apply
        The decoder's output is not looked at, as where only its largest value counts.

    Not flagged
        Kernels that the stride divides, and those smaller than it; dilated kernels; stride 1; maps
        under ``min_side``, where no pattern can be seen; savings under ``min_share``.

    Known limits
        What follows may hide the pattern, such as a large average pooling.

    References
        Odena et al., Deconvolution and Checkerboard Artifacts, 2016, https://distill.pub/2016/deconv-checkerboard
    """

    code = "HOUSE101"
    name = "uneven-upsampling"
    group = RuleGroup.COST
    confidence = Confidence.MEDIUM
    kind = FixKind.RETRAIN
    since = "1.0.0"

    min_side: int = option(32, "shortest side of the output in which the pattern shows", minimum=1)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Transposed convolutions that overlap unevenly."""
        graph = context.graph
        for found in _upsamplings(graph):
            if found.even == found.kernel or min(found.out_map) < self.min_side:
                continue
            kernel, strides = kernel_text(found.kernel), kernel_text(found.strides)
            yield Match(
                (found.node,),
                f"{describe(graph, found.node)} with a {kernel} kernel at stride {strides}: its "
                "outputs are sums of unequal numbers of taps",
                {"kernel": kernel, "even_kernel": kernel_text(found.even)},
            )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The same with a kernel that the stride divides."""
        (node,) = match.nodes
        found = _upsampling(context.graph, node)
        if found is None or not found.fits:
            return None  # no padding makes the same map of it
        inputs, outputs = found.channels
        pads = [max(rest, 0) for rest in found.rest]
        builder, x = draft(context.graph, "even", match.nodes)
        weights = [builder.weight("weight", (inputs, outputs // found.groups, *found.even))]
        if node.input(2):
            weights.append(builder.weight("bias", (outputs,), fan_in=2 * inputs))
        y = builder.node(
            "ConvTranspose", x, *weights, output=node.output(0), channels=outputs,
            kernel_shape=found.even, strides=found.strides, group=found.groups,
            pads=[*(pad // 2 for pad in pads), *(pad - pad // 2 for pad in pads)],
            output_padding=[max(-rest, 0) for rest in found.rest],
        )  # fmt: skip
        builder.output(y)
        title = f"a {kernel_text(found.even)} kernel, which the stride divides"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())


def _upsamplings(graph: Graph) -> Iterator[_Upsampling]:
    for node in graph.operators():
        found = _upsampling(graph, node)
        if found is not None and max(found.strides) > 1:
            yield found


def _upsampling(graph: Graph, node: Node) -> _Upsampling | None:
    """What is known of a node; None where it is something else, dilated, or of unknown sizes."""
    if node.operator != "ConvTranspose":
        return None
    x, w = graph.value(node.input(0)).static_shape, graph.value(node.input(1)).static_shape
    y = graph.value(node.output(0)).static_shape
    if x is None or w is None or y is None:
        return None
    kernel, ones = w[2:], (1,) * len(w[2:])
    strides = tuple(node.attributes.get("strides") or ones)
    dilations = tuple(node.attributes.get("dilations") or ones)
    if dilations != ones or any(s > k for s, k in zip(strides, kernel, strict=True)):
        return None
    groups = int(node.attributes.get("group", 1))
    return _Upsampling(node, (x[1], y[1]), groups, kernel, strides, x[2:], y[2:])


_DECODER = """agraph (float[1,64,64,64] x) => (float[1,32,128,128] y) <float[64,32,3,3] w> {
    [up] y = ConvTranspose <strides = [2,2], pads = [1,1,1,1], output_padding = [1,1]> (x, w)
}"""

CASES = (
    Flags(
        "a 3×3 with stride 2 in a decoder",
        _DECODER,
        at="up",
        macs=(64 * 64 * 64 * 32 * 3 * 3, 64 * 64 * 64 * 32 * 2 * 2),
    ),
    Flags(
        "a 5×5 with stride 2 in two groups, with a bias",
        """agraph (float[1,32,40,48] x) => (float[1,16,80,96] y)
        <float[32,8,5,5] w, float[16] b> {
            [up] y = ConvTranspose <strides = [2,2], pads = [1,1,2,2], group = 2> (x, w, b)
        }""",
        at="up",
        macs=(40 * 48 * 32 * 8 * 5 * 5, 40 * 48 * 32 * 8 * 4 * 4),
        options={"min_macs": 0},
    ),
    Flags(
        "uneven on one axis, with padding that is left to the runtime",
        """agraph (float[1,64,64,64] x) => (float[1,64,192,128] y) <float[64,64,3,5] w> {
            [up] y = ConvTranspose <strides = [3,2], auto_pad = "SAME_UPPER"> (x, w)
        }""",
        at="up",
        macs=(64 * 64 * 64 * 64 * 3 * 5, 64 * 64 * 64 * 64 * 3 * 4),
    ),
    Passes(
        "a 4×4 with stride 2",
        """agraph (float[1,64,64,64] x) => (float[1,32,128,128] y) <float[64,32,4,4] w> {
            y = ConvTranspose <strides = [2,2], pads = [1,1,1,1]> (x, w)
        }""",
    ),
    Passes(
        "a 3×3 with stride 1: nothing is left out between the squares",
        """agraph (float[1,64,64,64] x) => (float[1,64,64,64] y) <float[64,64,3,3] w> {
            y = ConvTranspose <pads = [1,1,1,1]> (x, w)
        }""",
    ),
    Passes(
        "a 2×2 with stride 4: its squares do not touch",
        """agraph (float[1,64,64,64] x) => (float[1,64,254,254] y) <float[64,64,2,2] w> {
            y = ConvTranspose <strides = [4,4]> (x, w)
        }""",
    ),
    Passes("a map on which no pattern shows", _DECODER, options={"min_side": 129}),
    Passes("an upsampling that costs little", _DECODER, options={"min_macs": 10**9}),
)
