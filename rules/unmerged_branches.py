"""ARC401: parallel linear branches whose sum one convolution computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd

from archlint.analyzer.derivation import derived
from archlint.analyzer.describe import kernel_text
from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph, per_graph
from archlint.analyzer.linear_chains import Branch, BranchedSum, branched_sums, covering
from archlint.analyzer.merged_branches import merged
from archlint.analyzer.patterns import conv_sizes
from archlint.analyzer.proposal import FixKind, Priced, Proposal, draft
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option, saved_share


@dataclass(frozen=True)
class UnmergedBranches(CostRule):
    """Parallel linear branches of one map that are added, where one convolution does the same.

    Why it costs
        Convolutions, batch normalisations and the identity are linear, and so is their sum: a 3×3
        and a 1×1 convolution C→C beside the identity do 9·C² + C² multiply-accumulates a pixel,
        normalise each branch and add twice; one 3×3 with the sum of the weights does 9·C². With 64
        channels that is 40,960 MACs a pixel against 36,864, and the passes of the additions on top:
        on 56×56 the time fell to 0.85 (onnxruntime 1.31, CPU, one thread), and that of a depthwise
        3×3 beside the identity, which saves a pass alone, to 0.71.

    What to do
        Such branches help to train a network and are meant to be merged for inference: call what
        the model offers for that (``switch_to_deploy``, ``reparameterize_model``) before the
        export. Each branch becomes one kernel of the largest size, its normalisation folded in, and
        the kernels and biases are added; ``archlint fix`` does so with the weights of the file.

    When not to apply
        Keep the branches in the file that is trained further. Look at the accuracy again where the
        merged network is quantised: the sum can hold outliers that no branch has, and RepVGG loses
        more than 20 % top-1 in eight bits unless its normalisations are placed for that (Chu et
        al.).

    Not flagged
        Branches of different inputs (a residual block), with an activation, or read by something
        else; kernels of which none reaches all that the others do (1×3 beside 3×1, two dilations);
        one dense convolution beside the identity, whose addition takes 5 % of the time; weights of
        integers.

    Known limits
        A branch is one convolution with scales and shifts of its channels: two convolutions in a
        row, a pooling or a transposed convolution in a branch hide it, and the others are merged
        without it. Of kernels none of which reaches all that the others do no larger one is made
        up. Maps of unknown size are not looked at.

    References
        Ding et al., RepVGG, 2021, arXiv:2101.03697, section 3.3.
        Vasu et al., MobileOne, 2022, arXiv:2206.04040, section 3.3.
        Chu et al., Make RepVGG Greater Again, 2022, arXiv:2212.01593.
    """

    code = "ARC401"
    name = "unmerged-branches"
    confidence = Confidence.HIGH
    kind = FixKind.EQUIVALENT

    min_share: float = saved_share(0.001)
    min_macs: int = option(
        1_000_000,
        "MACs of the flagged nodes below which it is silent: some 0.1 ms of depthwise ones",
        minimum=0,
    )

    min_byte_share: float = option(
        0.01,
        "share of the bytes that the model moves whose saving suffices for depthwise ones",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Sums of linear branches of which one convolution reaches all pixels."""
        for whole in _sums(context.graph).values():
            if (largest := covering(whole.branches)) is not None:
                kinds = Counter(_kind(branch) for branch in whole.branches)
                names = (f"{count}× {kind}" if count > 1 else kind for kind, count in kinds.items())
                bias = int(any(branch.shifted for branch in whole.branches))
                yield Match(
                    whole.nodes,
                    f"{len(whole.branches)} linear branches of one map are added "
                    f"({', '.join(sorted(names))}); one {kernel_text(largest.kernel)} convolution "
                    "computes the same",
                    {"branches": len(whole.branches), "bias": bias},
                )

    def may_pay(self, match: Match, context: RuleContext, times: int) -> bool:  # noqa: ARG002 - no share to sum
        """Whether the flagged nodes do enough; what they save is known with the proposal."""
        return context.costs.total(match.nodes).macs >= self.min_macs

    def pays(self, priced: Priced, context: RuleContext, times: int) -> bool:
        """Whether it saves MACs, or, where depthwise kernels wait for memory, bytes."""
        if super().pays(priced, context, times):
            return True
        convs = [conv_sizes(context.graph, node) for node in priced.proposal.replaces]
        depthwise = all(conv is None or conv.groups == conv.in_channels > 1 for conv in convs)
        saved = priced.before.bytes - priced.after.bytes
        enough = times * saved >= self.min_byte_share * context.costs.total().bytes
        return depthwise and priced.saved_macs >= 0 and enough

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The largest convolution alone, with a bias where a branch has one or is normalised."""
        branches = _sums(context.graph)[match.nodes[-1].id].branches
        convs = [branch.conv for branch in branches if branch.conv is not None]
        largest = max(convs, key=lambda conv: conv.taps)
        groups = gcd(*(conv.groups for conv in convs))  # what one of them mixes, the sum mixes
        builder, x = draft(context.graph, "merged", match.nodes, branches[0].source)
        output = match.nodes[-1].output(0)
        builder.conv(
            x, largest.out_channels, largest.kernel, stride=largest.strides, pads=largest.pads,
            dilations=largest.dilations, groups=groups, bias=bool(match.evidence["bias"]),
            name="merged", output=output,
        )  # fmt: skip
        builder.output(output)
        title = f"one {kernel_text(largest.kernel)} convolution with the sum of their weights"
        proposal = Proposal(title, self.kind, match.nodes, builder.graph())
        return derived(
            proposal, context.graph, lambda c: merged(c, branches, largest, groups).weights
        )


@per_graph
def _sums(graph: Graph) -> Mapping[int, BranchedSum]:
    """The sums of linear branches by the last of their nodes."""
    return {whole.nodes[-1].id: whole for whole in branched_sums(graph)}


def _kind(branch: Branch) -> str:
    return "identity" if branch.conv is None else f"{kernel_text(branch.conv.kernel)} conv"


_NORM = "float[64] s, float[64] b, float[64] m, float[64] v"
_DENSE = "float[64,64,3,3] w, float[64,64,1,1] p"
_SAME = "Conv <pads = [1,1,1,1]>"
_HALVING = "Conv <pads = [1,1,1,1], strides = [2,2]>"
_DEPTHWISE = "Conv <pads = [1,1,1,1], group = 256>"


def _added(nodes: str, weights: str = _DENSE, made: str = "float[1,64,56,56] y") -> str:
    """A graph that adds branches of a map of 64 channels, or of as many as the map behind."""
    read = "256" if "256,56" in made else "64"
    return f"""agraph (float[1,{read},56,56] x) => ({made}) <{weights}> {{
            {nodes}
        }}"""


CASES = (
    Flags(
        "a block of RepVGG as it is trained",
        _added(
            f"""a = {_SAME} (x, w)
            an = BatchNormalization (a, s, b, m, v)
            c = Conv (x, p)
            cn = BatchNormalization (c, s, b, m, v)
            i = BatchNormalization (x, s, b, m, v)
            t = Add (an, cn)
            [sum] u = Add (t, i)
            y = Relu (u)""",
            f"{_DENSE}, {_NORM}",
        ),
        at="sum",
        macs=(56 * 56 * (64 * 9 * 64 + 64 * 64), 56 * 56 * 64 * 9 * 64),
    ),
    Flags(
        "three convolutions with a stride, one with a bias, in one sum",
        _added(
            f"""a = {_HALVING} (x, w) c = {_HALVING} (x, u, b)
            d = Conv <strides = [2,2]> (x, p)
            [sum] y = Sum (a, c, d)""",
            "float[128,64,3,3] w, float[128,64,3,3] u, float[128,64,1,1] p, float[128] b",
            "float[1,128,28,28] y",
        ),
        at="sum",
        macs=(28 * 28 * 128 * (2 * 9 + 1) * 64, 28 * 28 * 128 * 9 * 64),
    ),
    Flags(
        "a depthwise block of MobileOne as it is trained",
        _added(
            f"""a = {_DEPTHWISE} (x, w) c = {_DEPTHWISE} (x, u)
            d = Conv <group = 256> (x, p)
            t = Add (a, c) [sum] y = Add (t, d)""",
            "float[256,1,3,3] w, float[256,1,3,3] u, float[256,1,1,1] p",
            "float[1,256,56,56] y",
        ),
        at="sum",
        macs=(56 * 56 * 256 * (2 * 9 + 1), 56 * 56 * 256 * 9),
    ),
    Flags(
        "beside a branch of another input: only the sum of two is merged",
        _added(
            f"""z = Sigmoid (x) a = {_SAME} (x, w) c = Conv (x, p)
            [inner] t = Add (a, c) y = Add (t, z)"""
        ),
        at="inner",
        macs=(56 * 56 * 64 * (9 + 1) * 64, 56 * 56 * 64 * 9 * 64),
    ),
    Flags(
        "a depthwise convolution beside the identity, as in conditional positions: a pass is saved",
        _added(
            f"a = {_DEPTHWISE} (x, w) [sum] b = Add (a, x) y = Relu (b)",
            "float[256,1,3,3] w",
            "float[1,256,56,56] y",
        ),
        at="sum",
        macs=(56 * 56 * 256 * 9, 56 * 56 * 256 * 9),
    ),
    Passes(
        "a residual block: its convolution reads another value than is added",
        _added(
            f"a = {_SAME} (x, w) r = Relu (a) c = {_SAME} (r, u) y = Add (c, x)",
            "float[64,64,3,3] w, float[64,64,3,3] u",
        ),
    ),
    Passes(
        "an activation in one of the branches",
        _added(f"a = {_SAME} (x, w) c = Conv (x, p) r = Relu (c) y = Add (a, r)"),
    ),
    Passes(
        "another node reads a branch",
        _added(
            f"a = {_SAME} (x, w) c = Conv (x, p) y = Add (a, c) z = Relu (c)",
            made="float[1,64,56,56] y, float[1,64,56,56] z",
        ),
    ),
    Passes(
        "two 3×3 that are padded on opposite sides: a kernel that holds both costs more",
        _added(
            "a = Conv <pads = [0,0,2,2]> (x, w) b = Conv <pads = [2,2,0,0]> (x, u) y = Add (a, b)",
            "float[64,64,3,3] w, float[64,64,3,3] u",
        ),
    ),
    Passes(
        "two dilations: a kernel that holds both costs more",
        _added(
            f"""a = {_SAME} (x, w)
            c = Conv <pads = [2,2,2,2], dilations = [2,2]> (x, u) y = Add (a, c)""",
            "float[64,64,3,3] w, float[64,64,3,3] u",
        ),
    ),
    Passes(
        "one dense convolution beside the identity", _added(f"a = {_SAME} (x, w) y = Add (a, x)")
    ),
    Passes(
        "a normalisation that learns: it is no constant scale",
        _added(
            f"""a = {_SAME} (x, w) c = Conv (x, p)
            n, rm, rv = BatchNormalization <training_mode = 1> (c, s, b, m, v) y = Add (a, n)""",
            f"{_DENSE}, {_NORM}",
        ),
    ),
)
