"""ARC406: equal convolutions of one value whose outputs a Concat joins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from archlint.analyzer.affine import Doubles
from archlint.analyzer.constants import Constants
from archlint.analyzer.derivation import derived
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.finding import Confidence
from archlint.analyzer.linear_layers import with_affine
from archlint.analyzer.proposal import Proposal, draft
from archlint.analyzer.rule import Flags, LayoutRule, Match, Passes, RuleContext, RuleGroup, option
from archlint.analyzer.siblings import Sibling, siblings


@dataclass(frozen=True)
class FragmentedBranches(LayoutRule):
    """Equal convolutions of one value whose outputs a Concat joins, where one does the same.

    Why it costs
        Convolutions of one value with the same kernel are one convolution whose kernels are stacked
        along the output channels. Apart, each reads the whole map again for its few channels, and
        the Concat copies what all have made. The multiply-accumulates stay the same: four 3×3 of
        64→16 on 28×28 do 4·28·28·64·9·16 = 28.9 million, and one 64→64 does as many in 0.66 to 0.82
        of the time. Four 64→8 came down to 0.38 to 0.45, two 64→32 to 0.86, four 1×1 of 64→16 to
        0.72 and two of 128→128 to 0.79 to 0.91 (onnxruntime 1.31, CPU, one thread).

    What to do
        Write one convolution with the channels of all and leave out the Concat. The weights of a
        trained model are stacked in the order of the Concat's inputs, and so are the biases:
        ``archlint fix`` does so.

    When not to apply
        Where the outputs are used apart before they are joined: a Split behind the one convolution
        costs more than the others did. The three 1×1 of an Inception module merged so made the
        module take 1.01 to 1.11 of its time, the two of a cross-stage block 1.07 to 1.26
        (onnxruntime 1.31, CPU, one thread).

    Not flagged
        Other kernels, strides, paddings or dilations (Inception and Fire modules, spatial
        pyramids), other activations; an output that something else reads; grouped convolutions;
        convolutions of more than ``max_width`` channels, which gained 4 % at most in whole blocks
        of 16, unless they are 1×1, are all that the Concat joins and have no more than
        ``max_pointwise_width``.

    Known limits
        Siblings are found where they stand in a row among the inputs of the Concat, and of several
        rows the longest alone. An activation that takes two nodes, such as x·sigmoid(x), or has a
        slope for each channel hides them. The gain depends on how many channels the processor
        computes at once: the figures are those of vectors of 16 floats.

    References
        Ma et al., ShuffleNet V2, 2018, arXiv:1807.11164, guideline 3.
    """

    code = "ARC406"
    name = "fragmented-branches"
    group = RuleGroup.COST
    confidence = Confidence.HIGH

    max_width: int = option(
        32, "channels of the widest convolution above which merging gains nothing", minimum=1
    )
    max_pointwise_width: int = option(
        128, "the same of 1×1 convolutions that are all that the Concat joins", minimum=1
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Rows of siblings that are narrow enough."""
        for node in context.graph.operators():
            row = siblings(context.graph, node)
            if row is None:
                continue
            conv = row.members[0].conv
            widths = [member.conv.out_channels for member in row.members]
            saves_pass = conv.taps == 1 and not any(row.others)  # for the Concat goes
            most = self.max_pointwise_width if saves_pass else self.max_width
            if len(conv.kernel) == 2 and max(widths) <= most:
                yield Match(
                    row.nodes,
                    f"{len(widths)} {kernel_text(conv.kernel)} convolutions of one value, of "
                    f"{_listed(widths)} channels, are joined by a Concat; one of "
                    f"{row.channels} channels computes the same",
                    {"branches": len(widths), "channels": row.channels},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The convolution of all channels, and a Concat where that joins more than them."""
        graph, join = context.graph, match.nodes[-1]
        row = siblings(graph, join)
        if row is None:
            return None
        first = row.members[0]
        before, behind = row.others
        builder, x = draft(graph, "merged", (first.conv.node, join))
        output = join.output(0)
        alone = None if before or behind else output
        value = builder.conv(
            x, row.channels, first.conv.kernel, stride=first.conv.strides, pads=first.conv.pads,
            dilations=first.conv.dilations, bias=any(one.shifted for one in row.members),
            name="merged", output=None if first.activation else alone,
        )  # fmt: skip
        if first.activation is not None:
            value = first.activation.write(builder, value, alone)
        if alone is None:
            for name in dict.fromkeys((*before, *behind)):
                if name != x:
                    builder.input(name, graph.value(name).static_shape or ())
            builder.node("Concat", *before, value, *behind, output=output, axis=1)
        builder.output(output)
        title = f"one {kernel_text(first.conv.kernel)} convolution with the kernels of all"
        proposal = Proposal(title, self.kind, match.nodes, builder.graph())
        return derived(proposal, graph, lambda c: _stacked(c, row.members))


def _stacked(constants: Constants, members: Iterable[Sibling]) -> tuple[Doubles, Doubles]:
    """The kernels of siblings one behind the other, and their biases."""
    layers = [
        with_affine(constants, one.nodes[:-1] if one.activation else one.nodes) for one in members
    ]
    kernels, biases = zip(*(layer.weights for layer in layers), strict=True)
    return np.concatenate(kernels), np.concatenate(biases)


def _listed(widths: list[int]) -> str:
    if len(set(widths)) == 1:
        return f"{widths[0]}"
    return f"{', '.join(map(str, widths[:-1]))} and {widths[-1]}"


_BRANCH = "Conv <pads = [1,1,1,1]>"
_FOUR = "float[16,64,3,3] a, float[16,64,3,3] b, float[16,64,3,3] c, float[16,64,3,3] d"


def _branched(weights: str, nodes: str, channels: int = 64, side: int = 28) -> str:
    """A graph that joins branches of a map of 64 channels."""
    return f"""agraph (float[1,64,28,28] x) => (float[1,{channels},{side},{side}] y) <{weights}> {{
            {nodes}
        }}"""


CASES = (
    Flags(
        "four 3×3 with an activation each",
        _branched(
            _FOUR,
            f"""[first] p = {_BRANCH} (x, a) q = {_BRANCH} (x, b)
            r = {_BRANCH} (x, c) s = {_BRANCH} (x, d)
            pr = Relu (p) qr = Relu (q) rr = Relu (r) sr = Relu (s)
            y = Concat <axis = 1> (pr, qr, rr, sr)""",
        ),
        at="first",
        macs=(28 * 28 * 4 * 64 * 9 * 16, 28 * 28 * 64 * 9 * 64),
    ),
    Flags(
        "two 1×1 of different widths, one normalised and one with a bias, beside the map itself",
        _branched(
            "float[16,64,1,1] a, float[32,64,1,1] b, float[32] c, "
            "float[16] s, float[16] t, float[16] m, float[16] v",
            """p = Conv (x, a) n = BatchNormalization (p, s, t, m, v) q = Conv (x, b, c)
            [join] y = Concat <axis = -3> (x, n, q)""",
            channels=112,
        ),
        at="join",
        options={"min_macs": 0},
        macs=(28 * 28 * 64 * (16 + 32), 28 * 28 * 64 * 48),
    ),
    Flags(
        "with a stride, the activation behind the Concat",
        _branched(
            "float[24,64,3,3] a, float[8,64,3,3] b",
            """[first] p = Conv <pads = [1,1,1,1], strides = [2,2]> (x, a)
            q = Conv <pads = [1,1,1,1], strides = [2,2]> (x, b)
            z = Concat <axis = 1> (p, q) y = Relu (z)""",
            channels=32,
            side=14,
        ),
        at="first",
        options={"min_macs": 0},
        macs=(14 * 14 * 64 * 9 * (24 + 8), 14 * 14 * 64 * 9 * 32),
    ),
    Passes(
        "an Inception module: what the 1×1 of one map make is used apart",
        _branched(
            "float[32,64,1,1] a, float[16,64,1,1] b, float[32,16,3,3] c, float[32,64,1,1] d",
            f"""p = Conv (x, a) q = Conv (x, b) r = {_BRANCH} (q, c)
            m = MaxPool <kernel_shape = [3,3], pads = [1,1,1,1]> (x) s = Conv (m, d)
            y = Concat <axis = 1> (p, r, s)""",
            channels=96,
        ),
        options={"min_macs": 0},
    ),
    Passes(
        "a Fire module: another kernel",
        _branched(
            "float[32,64,1,1] a, float[32,64,3,3] b",
            f"p = Conv (x, a) q = {_BRANCH} (x, b) y = Concat <axis = 1> (p, q)",
        ),
        options={"min_macs": 0},
    ),
    Passes(
        "a spatial pyramid: other dilations",
        _branched(
            "float[32,64,3,3] a, float[32,64,3,3] b",
            f"""p = {_BRANCH} (x, a) q = Conv <pads = [2,2,2,2], dilations = [2,2]> (x, b)
            y = Concat <axis = 1> (p, q)""",
        ),
    ),
    Passes(
        "wide ones: merged they gain nothing",
        _branched(
            "float[64,64,3,3] a, float[64,64,3,3] b",
            f"p = {_BRANCH} (x, a) q = {_BRANCH} (x, b) y = Concat <axis = 1> (p, q)",
            channels=128,
        ),
    ),
    Passes(
        "wide 1×1 beside the map itself: the Concat stays",
        _branched(
            "float[64,64,1,1] a, float[64,64,1,1] b",
            "p = Conv (x, a) q = Conv (x, b) y = Concat <axis = 1> (x, p, q)",
            channels=192,
        ),
    ),
    Passes(
        "an activation behind one of them alone",
        _branched(
            "float[32,64,3,3] a, float[32,64,3,3] b",
            f"p = {_BRANCH} (x, a) q = {_BRANCH} (x, b) r = Relu (p) y = Concat <axis = 1> (r, q)",
        ),
    ),
    Passes(
        "something else reads one of them",
        _branched(
            "float[32,64,3,3] a, float[32,64,3,3] b",
            f"""p = {_BRANCH} (x, a) q = {_BRANCH} (x, b) z = Concat <axis = 1> (p, q)
            pp = Concat <axis = 1> (p, p) y = Add (z, pp)""",
        ),
    ),
    Passes(
        "joined along the height",
        _branched(
            "float[32,64,3,3] a, float[32,64,3,3] b",
            f"""p = {_BRANCH} (x, a) q = {_BRANCH} (x, b) z = Concat <axis = 2> (p, q)
            y = MaxPool <kernel_shape = [2,1], strides = [2,1]> (z)""",
            channels=32,
        ),
    ),
)
