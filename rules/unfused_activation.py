"""ARC504: a PRelu that takes what a convolution makes out of the blocked layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archlint.analyzer.affine import Doubles
from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.constants import Constants
from archlint.analyzer.derivation import derived
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.layout import is_blocked
from archlint.analyzer.patterns import ConvSizes, conv_sizes, convolutions
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import (
    Flags,
    LayoutRule,
    Match,
    Passes,
    RuleContext,
    RuleGroup,
    option,
)  # fmt: skip


@dataclass(frozen=True)
class UnfusedActivation(LayoutRule):
    """A PRelu that takes what a convolution makes out of the blocked layout.

    Why it costs
        onnxruntime takes Relu, LeakyRelu, Clip, Sigmoid, Tanh and HardSigmoid into the convolution
        in front, and has kernels for sums and for factors of channels in the layout that holds
        channels in blocks. For PRelu it has neither: the map is brought out of the layout, read and
        written again, and brought back, with a branch for each number: on 56×56 with 64
        channels PRelu took 1.6 ms where positive and negative numbers are mixed, 0.3 ms where all
        are positive, and Relu 0.12 ms (onnxruntime 1.31, AVX-512, one thread).

    What to do
        A slope that all channels share is a LeakyRelu. With one slope a a channel, max(x, 0) −
        a·max(−x, 0) is the same number, and all of it runs in blocks: on mixed numbers, a
        convolution with it took 0.54 to 0.92 of the time, with LeakyRelu 0.47 to 0.92. Made-up
        weights may give numbers of one sign, on which nothing is gained: measure the trained model.

    When not to apply
        With other runtimes: OpenVINO takes as long with the one as with the other (3×3 64→64 on
        56×56), and Qualcomm's takes PRelu into the convolution (document 80-63442-10, A16 vs FP16).
        Before quantisation, which would have three more maps to calibrate. Where the trained model
        has numbers of one sign, on which nothing is gained.

    Not flagged
        Convolutions that are not computed in blocks themselves, or that do so many
        multiply-accumulates an output that the activation is a trifle (``max_work``); slopes of
        another shape; values that something else reads too; targets that take in PRelu. Silu,
        HardSwish and GELU cost 2 to 18 % more than Relu, which no other form of them saves.

    Known limits
        Only PRelu right behind a convolution, or behind its batch normalisation, is seen, and not
        behind a sum; the slopes are not read, nor is it known which signs the numbers have. The
        layout is told by onnxruntime's rules, the time is not estimated: the figures are of AVX-512
        with one thread.

    References
        He et al., Delving Deep into Rectifiers, 2015, arXiv:1502.01852, section 2.1.
        Liu et al., Optimizing CNN Model Inference on CPUs, 2018, arXiv:1809.02697, section 3.1.
    """

    code = "ARC504"
    name = "unfused-activation"
    group = RuleGroup.PREVIEW

    max_work: int = option(
        2_500, "multiply-accumulates of the convolution an output, at most", minimum=1
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Convolutions in blocks, with their normalisation and the PRelu that alone reads them."""
        graph, target = context.graph, context.target
        if "PRelu" in target.fused:
            return
        for conv in convolutions(graph):
            work = conv.taps * conv.in_channels // conv.groups
            if work > self.max_work or not is_blocked(graph, conv, target):
                continue
            nodes = _chain(graph, conv)
            if nodes and (slopes := _slopes(graph, nodes[-1], conv)):
                yield Match(
                    nodes,
                    f"PRelu behind a {kernel_text(conv.kernel)} convolution is not taken into it, "
                    "and brings its map out of the blocked layout and back",
                    {"slopes": slopes, "target": target.name},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The convolution with LeakyRelu, or with two Relu and the slopes as a factor."""
        conv = conv_sizes(context.graph, match.nodes[0])
        if conv is None:
            return None
        builder, value = draft(context.graph, "fused", match.nodes)
        value = builder.conv(
            value, conv.out_channels, conv.kernel, stride=conv.strides, pads=conv.pads,
            dilations=conv.dilations, groups=conv.groups, bias=conv.bias, name="conv",
        )  # fmt: skip
        for node in match.nodes[1:-1]:
            value = builder.batch_norm(value, epsilon=node.attributes.get("epsilon", 1e-5))
        last = match.nodes[-1]
        data = context.graph.value(last.input(1)).data
        if match.evidence["slopes"] == 1:
            alpha = 0.25 if data is None else float(data.reshape(-1)[0])
            builder.node("LeakyRelu", value, output=last.output(0), alpha=alpha)
            title = "the same with LeakyRelu"
        else:
            _parts(builder, value, last.output(0))
            title = "the same, PRelu(x) as max(x, 0) − a·max(−x, 0)"
        builder.output(last.output(0))
        remark = f"It saves time with {context.target.title}, not MACs."
        kind = FixKind.EQUIVALENT
        proposal = Proposal(title, kind, match.nodes, builder.graph(), remark=remark)
        if match.evidence["slopes"] == 1 and data is None:
            return proposal
        return derived(proposal, context.graph, lambda c: _weights(c, match.nodes))


def _weights(constants: Constants, nodes: Sequence[Node]) -> list[Doubles]:
    """What the convolution and its normalisation read, then the factors of ``_parts``."""
    names = [name for node in nodes[:-1] for name in node.inputs[1:] if name]
    slopes = np.asarray(constants(nodes[-1].input(1)), np.float64).reshape(1, -1, 1, 1)
    kept = [np.asarray(constants(name), np.float64) for name in names]
    return [*kept, np.full(slopes.shape, -1.0), -slopes]


def _parts(builder: GraphBuilder, x: str, output: str) -> None:
    """max(x, 0) + (−a)·max(−x, 0): factors of channels stay in the layout, Neg does not."""
    shape = (1, builder.channels(x), 1, 1)
    negative = builder.node("Mul", x, builder.weight("minus_one", shape))
    scaled = builder.node("Mul", builder.relu(negative), builder.weight("minus_slope", shape))
    builder.node("Add", builder.relu(x), scaled, output=output)


def _chain(graph: Graph, conv: ConvSizes) -> tuple[Node, ...]:
    """The convolution, its normalisation and the PRelu that alone reads it; else nothing."""
    nodes = [conv.node]
    while nodes[-1].op_type != "PRelu":
        name = nodes[-1].output(0)
        consumers = graph.consumers(name)
        if len(consumers) != 1 or name in graph.outputs or consumers[0].input(0) != name:
            return ()
        if consumers[0].domain or consumers[0].op_type not in ("BatchNormalization", "PRelu"):
            return ()
        nodes.append(consumers[0])
    return tuple(nodes)


def _slopes(graph: Graph, node: Node, conv: ConvSizes) -> int:
    """How many slopes a PRelu has: one, or one a channel; 0 for another shape."""
    slope = graph.value(node.input(1))
    if not slope.constant or slope.elements == 1:
        return int(slope.constant)
    shape = slope.static_shape or ()
    fits = shape[-3:] == (conv.out_channels, 1, 1) and slope.elements == conv.out_channels
    return conv.out_channels if fits else 0


_LEAVES = """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
    <float[64,64,3,3] w, float[64,1,1] a> {
        [conv] c = Conv <pads = [1,1,1,1]> (x, w)
        [act] y = PRelu (c, a)
    }"""
_MACS = 56 * 56 * 64 * 9 * 64

CASES = (
    Flags("a slope for each channel", _LEAVES, at="act", macs=(_MACS, _MACS)),
    Flags(
        "one slope, behind a normalisation",
        """agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
        <float[64,64,1,1] w, float[64] s, float[64] b, float[64] m, float[64] v, float[1] a> {
            [conv] c = Conv (x, w)
            [norm] n = BatchNormalization (c, s, b, m, v)
            [act] y = PRelu (n, a)
        }""",
        at="act",
        macs=(56 * 56 * 64 * 64, 56 * 56 * 64 * 64),
    ),
    Passes(
        "an activation that the convolution takes in",
        _LEAVES.replace("PRelu (c, a)", "LeakyRelu (c)"),
    ),
    Passes(
        "a convolution that something else reads too",
        _LEAVES.replace("y = PRelu (c, a)", "p = PRelu (c, a)\n y = Add (p, c)"),
    ),
    Passes(
        "a convolution that is not computed in blocks",
        _LEAVES.replace("64,56,56] x", "63,56,56] x").replace("64,64,3,3", "64,63,3,3"),
    ),
    Passes(
        "a convolution beside which the activation is a trifle",
        """agraph (float[1,512,14,14] x) => (float[1,512,14,14] y)
        <float[512,512,3,3] w, float[512,1,1] a> {
            c = Conv <pads = [1,1,1,1]> (x, w)
            y = PRelu (c, a)
        }""",
    ),
    Passes(
        "slopes for each pixel",
        _LEAVES.replace("float[64,1,1] a", "float[64,56,56] a"),
    ),
)
