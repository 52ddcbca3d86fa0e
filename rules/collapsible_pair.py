"""ARC403: two linear layers in a row whose product costs less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from archlint.analyzer.affine import Doubles
from archlint.analyzer.constants import Constants
from archlint.analyzer.derivation import derived
from archlint.analyzer.describe import describe, kernel_text
from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Node
from archlint.analyzer.linear_chains import (
    conv_pair,
    layer_features,
    layer_pair,
    reads_one_pixel,
    shifts,
)  # fmt: skip
from archlint.analyzer.linear_layers import product, with_affine
from archlint.analyzer.patterns import ConvSizes, conv_sizes
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import Flags, Match, ParameterRule, Passes, RuleContext


@dataclass(frozen=True)
class CollapsiblePair(ParameterRule):
    """Two linear layers in a row, with no activation between them, whose product costs less.

    Why it costs
        Two linear layers compose to one, whatever the width M between them. A 1×1 convolution Ci→M
        and a 3×3 M→Co do M·(Ci + 9·Co) multiply-accumulates a pixel, their product 9·Ci·Co: less
        wherever M > 9·Ci·Co / (Ci + 9·Co). Of 64→128→64 it is 81,920 a pixel against 36,864; on
        56×56 the product took 0.48 of the time (onnxruntime 1.31, CPU, one thread).

    What to do
        Most often an activation was forgotten: then put it there and retrain, and the pair is worth
        its price. If the pair is meant to be linear (over-parameterised for training), multiply the
        weights and keep one layer. The biases and normalisations between them go into its bias.
        ``archlint fix`` does that.

    When not to apply
        Keep the pair while the network is trained: networks that were expanded so and contracted
        for inference did better than compact ones trained directly (Guo et al.), so multiply in the
        export. Keep it, too, where one of the two is replaced or trained apart from the other. One
        layer rounds otherwise than two: outputs differ in the last digits.

    Not flagged
        Pairs that cost less than their product: a narrow middle is a low-rank factorisation, and a
        depthwise convolution before a 1×1 a separable one. A padded kernel behind a 1×1 with a
        bias, whose borders no single convolution computes. Two kernels larger than 1×1. A middle
        that something else reads.

    Known limits
        Of three layers in a row two are told; the third is found once these are one. Scales and
        shifts of channels and an Identity may stand between the layers, a Dropout or a Reshape
        hides them. Transposed convolutions, products of two values and weights of integers are not
        looked at. Whether an activation was forgotten the graph cannot say.

    References
        Guo et al., ExpandNets, 2018, arXiv:1811.10495, section 3.
        Saxe et al., Exact solutions to the nonlinear dynamics of learning, 2013, arXiv:1312.6120.
    """

    code = "ARC403"
    name = "collapsible-pair"
    confidence = Confidence.HIGH
    kind = FixKind.EQUIVALENT

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Layers that another linear layer alone feeds."""
        graph = context.graph
        for node in graph.operators():
            chain = conv_pair(graph, node) or layer_pair(graph, node)
            if chain:
                first, second = (describe(graph, end) for end in (chain[0], chain[-1]))
                yield Match(
                    chain,
                    f"{first} and {second} stand in a row with no activation between them; one "
                    "layer computes the same and costs less: was an activation forgotten?",
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The product of the two layers."""
        graph, (first, *between, second) = context.graph, match.nodes
        convs = conv_sizes(graph, first), conv_sizes(graph, second)
        if convs[0] is not None and convs[1] is not None:
            return self._conv(match, context, (convs[0], convs[1]))
        before, after = layer_features(graph, first), layer_features(graph, second)
        if before is None or after is None:
            return None
        bias = shifts(between) or bool(first.input(2) or second.input(2))
        output = second.output(0)
        builder, x = draft(graph, "product", match.nodes)
        if "Gemm" in (first.op_type, second.op_type):
            builder.linear(x, before[0], after[1], bias=bias, name="product", output=output)
        else:
            weight = builder.weight("product.weight", (before[0], after[1]))
            value = builder.node(
                "MatMul", x, weight, name="product", output=None if bias else output
            )
            if bias:
                shift = builder.weight("product.bias", (after[1],), fan_in=2 * before[0])
                builder.node("Add", value, shift, name="shift", output=output)
        builder.output(output)
        title = f"one layer {before[0]:,}→{after[1]:,} with the product of their weights"
        proposal = Proposal(title, self.kind, match.nodes, builder.graph())
        in_first = "Gemm" not in (first.op_type, second.op_type)  # as a MatMul has its weight
        return derived(proposal, graph, lambda c: _weights(c, match.nodes, in_first=in_first))

    def _conv(
        self, match: Match, context: RuleContext, convs: tuple[ConvSizes, ConvSizes]
    ) -> Proposal:
        first, second = convs
        wide = first if reads_one_pixel(second) else second
        strides = [a * b for a, b in zip(first.strides, second.strides, strict=True)]
        builder, x = draft(context.graph, "product", match.nodes)
        output = second.node.output(0)
        builder.conv(
            x, second.out_channels, wide.kernel, stride=strides, pads=wide.pads,
            dilations=wide.dilations, groups=gcd(first.groups, second.groups),
            bias=first.bias or second.bias or shifts(match.nodes), name="product", output=output,
        )  # fmt: skip
        builder.output(output)
        title = f"one {kernel_text(wide.kernel)} convolution with the product of their weights"
        proposal = Proposal(title, self.kind, match.nodes, builder.graph())
        return derived(proposal, context.graph, lambda c: _weights(c, match.nodes))


def _weights(
    constants: Constants, nodes: tuple[Node, ...], *, in_first: bool = False
) -> tuple[Doubles, Doubles]:
    """The product of two layers, which takes in what is between them."""
    layer = product(with_affine(constants, nodes[:-1]), with_affine(constants, nodes[-1:]))
    return layer.kernel.T if in_first else layer.kernel, layer.bias


_NORM = "float[128] s, float[128] b, float[128] m, float[128] v"

CASES = (
    Flags(
        "a 1×1 that widens and a 3×3, no activation between them",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
        <float[128,64,1,1] p, float[64,128,3,3] w> {
            a = Conv (x, p)
            [wide] y = Conv <pads = [1,1,1,1]> (a, w)
        }""",
        at="wide",
        macs=(56 * 56 * (64 * 128 + 128 * 9 * 64), 56 * 56 * 64 * 9 * 64),
    ),
    Flags(
        "a 3×3 with a stride, normalised, and a 1×1 that has a stride too",
        f"""agraph (float[1,64,56,56] x) => (float[1,32,14,14] y)
        <float[128,64,3,3] w, {_NORM}, float[32,128,1,1] p, float[32] c> {{
            a = Conv <pads = [1,1,1,1], strides = [2,2]> (x, w)
            n = BatchNormalization (a, s, b, m, v)
            [second] y = Conv <strides = [2,2]> (n, p, c)
        }}""",
        at="second",
        macs=(28 * 28 * 128 * 9 * 64 + 14 * 14 * 32 * 128, 14 * 14 * 32 * 9 * 64),
    ),
    Flags(
        "a 1×1 with a bias before a 3×3 without padding",
        """agraph (float[1,64,58,58] x) => (float[1,64,56,56] y)
        <float[128,64,1,1] p, float[128] b, float[64,128,3,3] w> {
            a = Conv (x, p, b)
            [wide] y = Conv (a, w)
        }""",
        at="wide",
        macs=(58 * 58 * 64 * 128 + 56 * 56 * 128 * 9 * 64, 56 * 56 * 64 * 9 * 64),
    ),
    Flags(
        "two grouped 1×1: the product has the groups that both share",
        """agraph (float[1,128,56,56] x) => (float[1,128,56,56] y)
        <float[256,32,1,1] p, float[128,128,1,1] q> {
            a = Conv <group = 4> (x, p)
            [second] y = Conv <group = 2> (a, q)
        }""",
        at="second",
        macs=(56 * 56 * (256 * 32 + 128 * 128), 56 * 56 * 128 * 64),
    ),
    Flags(
        "two fully connected layers with a Dropout's Identity between them",
        """agraph (float[1,1024] x) => (float[1,1024] y)
        <float[4096,1024] v, float[4096] b, float[1024,4096] w> {
            a = Gemm <transB = 1> (x, v, b)
            d = Identity (a)
            [second] y = Gemm <transB = 1> (d, w)
        }""",
        at="second",
        macs=(2 * 1024 * 4096, 1024 * 1024),
    ),
    Flags(
        "the two products of a transformer's feed-forward without the activation",
        """agraph (float[1,197,768] x) => (float[1,197,768] y)
        <float[768,3072] v, float[3072] b, float[3072,768] w> {
            a = MatMul (x, v)
            c = Add (b, a)
            [second] y = MatMul (c, w)
        }""",
        at="second",
        macs=(197 * 2 * 768 * 3072, 197 * 768 * 768),
    ),
    Passes(
        "a low-rank pair: its product costs more",
        """agraph (float[1,256,28,28] x) => (float[1,256,28,28] y)
        <float[64,256,1,1] p, float[256,64,1,1] q> { a = Conv (x, p) y = Conv (a, q) }""",
    ),
    Passes(
        "a low-rank pair of products",
        """agraph (float[1,197,768] x) => (float[1,197,768] y)
        <float[768,128] v, float[128,768] w> { a = MatMul (x, v) y = MatMul (a, w) }""",
    ),
    Passes(
        "a depthwise-separable convolution",
        """agraph (float[1,256,28,28] x) => (float[1,256,28,28] y)
        <float[256,1,3,3] d, float[256,256,1,1] p> {
            a = Conv <pads = [1,1,1,1], group = 256> (x, d) y = Conv (a, p)
        }""",
    ),
    Passes(
        "a padded 3×3 behind a 1×1 with a bias: its borders differ",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
        <float[128,64,1,1] p, float[128] b, float[64,128,3,3] w> {
            a = Conv (x, p, b)
            y = Conv <pads = [1,1,1,1]> (a, w)
        }""",
    ),
    Passes(
        "a padded 3×3 behind a normalised 1×1",
        f"""agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
        <float[128,64,1,1] p, {_NORM}, float[64,128,3,3] w> {{
            a = Conv (x, p)
            n = BatchNormalization (a, s, b, m, v)
            y = Conv <pads = [1,1,1,1]> (n, w)
        }}""",
    ),
    Passes(
        "an activation between them",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
        <float[128,64,1,1] p, float[64,128,3,3] w> {
            a = Conv (x, p)
            r = Relu (a)
            y = Conv <pads = [1,1,1,1]> (r, w)
        }""",
    ),
    Passes(
        "something else reads the middle",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y, float[1,128,56,56] z)
        <float[128,64,1,1] p, float[64,128,3,3] w> {
            a = Conv (x, p)
            y = Conv <pads = [1,1,1,1]> (a, w)
            z = Relu (a)
        }""",
    ),
    Passes(
        "positions are added between two products: they differ from row to row",
        """agraph (float[1,197,768] x) => (float[1,197,768] y)
        <float[768,3072] v, float[197,3072] b, float[3072,768] w> {
            a = MatMul (x, v)
            c = Add (a, b)
            y = MatMul (c, w)
        }""",
    ),
)
