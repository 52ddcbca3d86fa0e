"""ARC105: convolutions on the whole image before a pooling halves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.dims import Shape
from archlint.analyzer.geometry import Window
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.patterns import ConvSizes, branches, conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rewriting import again
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option
from archlint.analyzer.text import plural

_POOLINGS = frozenset({"MaxPool", "AveragePool"})
_BETWEEN = frozenset({
    "Relu", "LeakyRelu", "PRelu", "Clip", "Elu", "Selu", "HardSwish", "Gelu", "Tanh", "Sigmoid",
    "BatchNormalization",
})  # fmt: skip


@dataclass(frozen=True)
class LateDownsampling(CostRule):
    """Convolutions at the resolution of the image, behind which a pooling halves it.

    Why it costs
        What a convolution costs grows with the pixels that it makes, and behind the pooling a
        quarter of them is left. A first convolution of stride 2 makes that quarter at once: its own
        cost and that of all up to the pooling falls to a quarter, by the clock nearly so. The
        pair before VGG's first pooling takes 52 ms of one CPU core, with a stride 13 ms; a single
        3×3 to 32 channels on 224×224 takes 0.30 of its time (onnxruntime 1.31).

    What to do
        Give the first convolution the stride of the pooling, leave the pooling out, and retrain.
        ResNet, Inception v3, MobileNet and EfficientNet all begin so: what the first layers see is
        redundant (ENet).

    When not to apply
        Where single pixels count: segmentation, super-resolution, keypoints, small objects, small
        print. A stride in place of each pooling cost 0.5 to 1.0 points on CIFAR-10 (9.74 to 10.19 %
        error and 12.47 to 13.46 %, Springenberg et al., table 3), and Szegedy et al. advise against
        sharp bottlenecks early in a network. A wider first kernel, as the 7×7 of ResNet, gives back
        some of what the stride skips.

    Not flagged
        Images whose shorter side is below ``min_side`` pixels, which have no detail to lose; maps
        that something else reads too, as a decoder with skip connections does; a first 1×1; stems
        whose sizes would not fit behind.

    Known limits
        Only the first pooling behind an unbroken chain from an input is looked at: a stem that
        forks (a residual block, x·sigmoid(x)) or that a later convolution halves is not seen. Any
        input whose maps have the size of the convolution's counts as an image. What the
        convolutions have learnt is not looked at.

    References
        Springenberg et al., Striving for Simplicity, 2014, arXiv:1412.6806, section 3, table 3.
        Paszke et al., ENet, 2016, arXiv:1606.02147, section 4, early downsampling.
        Szegedy et al., Rethinking the Inception Architecture, 2015, arXiv:1512.00567, section 2.
    """

    code = "ARC105"
    name = "late-downsampling"

    min_side: int = option(96, "shorter side in pixels from which an image is large", minimum=8)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """First convolutions without a stride, with all up to the pooling behind them."""
        graph = context.graph
        maps = {(graph.value(name).static_shape or ())[2:] for name in graph.inputs}
        for conv in convolutions(graph):
            whole = conv.in_map in maps and branches(graph).feeder(conv.node) is None
            if whole and len(conv.in_map) == 2 and min(conv.in_map) >= self.min_side:
                stem = _stem(graph, conv)
                if stem:
                    size = "×".join(map(str, conv.in_map))
                    count = sum(node.op_type == "Conv" for node in stem)
                    yield Match(
                        stem,
                        f"{plural(count, 'convolution')} on all {size} pixels of the image before "
                        "a pooling leaves a quarter of them",
                        {"convolutions": count},
                    )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The stem with the pooling's stride in its first convolution, without the pooling."""
        graph, (*stem, pooling) = context.graph, match.nodes
        builder, value = draft(graph, "strided", match.nodes)
        for place, node in enumerate(stem):
            output = pooling.output(0) if place == len(stem) - 1 else None
            conv = conv_sizes(graph, node)
            if conv is None:
                value = again(builder, graph, node, value, output)
                continue
            value = builder.conv(
                value, conv.out_channels, conv.kernel, stride=2 if place == 0 else 1,
                pads=conv.pads, dilations=conv.dilations, groups=conv.groups, bias=conv.bias,
                name=f"conv{place + 1}", output=output,
            )  # fmt: skip
        builder.output(value)
        title = "a stride of 2 in the first convolution, no pooling"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())


def _stem(graph: Graph, first: ConvSizes) -> tuple[Node, ...]:
    """The nodes from the first convolution to the pooling that halves its map; none if a stride in
    the convolution would not leave the same map."""
    if min(first.kernel) < 3 or set(first.strides) != {1}:
        return ()
    nodes = [first.node]
    sizes = _slid(first, first.in_map, 2)
    while len(consumers := graph.consumers(nodes[-1].output(0))) == 1:
        if nodes[-1].output(0) in graph.outputs:
            return ()
        (node,) = consumers
        nodes.append(node)
        if node.op_type in _POOLINGS:
            after = graph.value(node.output(0)).static_shape
            halves = list(node.attributes.get("strides") or ()) == [2, 2]
            alone = len([name for name in node.outputs if name]) == 1
            return tuple(nodes) if halves and alone and (after or ())[2:] == sizes else ()
        conv = conv_sizes(graph, node)
        if conv is not None and set(conv.strides) == {1}:
            sizes = _slid(conv, sizes, 1)
        elif node.op_type not in _BETWEEN or not _by_itself(graph, node):
            return ()
    return ()


def _slid(conv: ConvSizes, sizes: Shape | None, stride: int) -> Shape | None:
    """The map that a convolution's kernel makes of another map, with another stride, if any."""
    strides = (stride,) * len(conv.kernel)
    slide = Window(conv.kernel, strides, conv.dilations, conv.pads, same=False)
    try:
        return None if sizes is None else slide.outputs(sizes)
    except ValueError:  # no window fits
        return None


def _by_itself(graph: Graph, node: Node) -> bool:
    """Whether all that a node reads beside its first input is constant."""
    return all(graph.value(name).constant for name in node.inputs[1:] if name)


_VGG = """agraph (float[1,3,224,224] x) => (float[1,64,112,112] y)
    <float[64,3,3,3] v, float[64,64,3,3] w> {
        [first] a = Conv <pads = [1,1,1,1]> (x, v)
        b = Relu (a)
        c = Conv <pads = [1,1,1,1]> (b, w)
        d = Relu (c)
        y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (d)
    }"""

CASES = (
    Flags(
        "the stem of VGG",
        _VGG,
        at="first",
        macs=(224 * 224 * 64 * 9 * (3 + 64), 112 * 112 * 64 * 9 * (3 + 64)),
    ),
    Flags(
        "no padding, a normalisation, a bounded activation, behind a shift of the pixels",
        """agraph (float[1,3,120,160] x) => (float[1,32,58,78] y)
        <float[32,3,5,5] w, float[32] s, float[32] b, float[32] m, float[32] v, float[1,3,1,1] o,
        float low = {0}, float high = {6}> {
            z = Sub (x, o)
            [first] a = Conv (z, w)
            n = BatchNormalization (a, s, b, m, v)
            c = Clip (n, low, high)
            y = AveragePool <kernel_shape = [2,2], strides = [2,2]> (c)
        }""",
        at="first",
        macs=(116 * 156 * 32 * 25 * 3, 58 * 78 * 32 * 25 * 3),
    ),
    Passes(
        "the stem has a stride already",
        """agraph (float[1,3,224,224] x) => (float[1,64,56,56] y) <float[64,3,7,7] w> {
            a = Conv <pads = [3,3,3,3], strides = [2,2]> (x, w)
            b = Relu (a)
            y = MaxPool <kernel_shape = [3,3], strides = [2,2], pads = [1,1,1,1]> (b)
        }""",
    ),
    Passes(
        "a decoder reads the whole map too",
        """agraph (float[1,3,224,224] x) => (float[1,16,112,112] y, float[1,16,224,224] z)
        <float[16,3,3,3] w> {
            a = Conv <pads = [1,1,1,1]> (x, w)
            b = Relu (a)
            y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (b)
            z = Sigmoid (b)
        }""",
    ),
    Passes("a small image", _VGG.replace("224", "64").replace("112", "32")),
    Passes(
        "sizes that would not fit: two convolutions without padding",
        """agraph (float[1,3,224,224] x) => (float[1,32,110,110] y)
        <float[32,3,3,3] v, float[32,32,3,3] w> {
            a = Conv (x, v)
            b = Conv (a, w)
            y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (b)
        }""",
    ),
    Passes(
        "a pooling that keeps the resolution",
        """agraph (float[1,3,224,224] x) => (float[1,32,224,224] y) <float[32,3,3,3] w> {
            a = Conv <pads = [1,1,1,1]> (x, w)
            y = MaxPool <kernel_shape = [3,3], strides = [1,1], pads = [1,1,1,1]> (a)
        }""",
    ),
    Passes(
        "deeper in the network: another convolution has reduced the image",
        """agraph (float[1,3,448,448] x) => (float[1,64,112,112] y)
        <float[32,3,3,3] v, float[64,32,3,3] w> {
            a = Conv <pads = [1,1,1,1], strides = [2,2]> (x, v)
            b = Conv <pads = [1,1,1,1]> (a, w)
            y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (b)
        }""",
    ),
)
