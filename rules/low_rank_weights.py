"""ARC104: a layer whose trained weights use fewer directions than it has channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archlint.analyzer.describe import kernel_text
from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import CostRule, Flags, Match, Passes, RuleContext, option
from archlint.analyzer.stored import Weight, weights

if TYPE_CHECKING:  # a run that reads no weights does without
    from archlint.analyzer.factor.layers import Layer
    from archlint.analyzer.factor.spectrum import Spectrum
    from archlint.analyzer.factor.unfoldings import Unfolding
    from archlint.analyzer.low_rank import Narrowed

_ALONE = 1 / 3  # of what must be saved, which equal layers save together


@dataclass(frozen=True)
class LowRankWeights(CostRule):
    """A layer whose trained weights use fewer directions than it has channels.

    Why it costs
        The weights of a layer, unfolded to a matrix, have as many singular values as the layer has
        channels, and the sum of their squares is the energy. Where r of n hold nearly all of it,
        the layer is nearly two smaller ones: a 1×1 convolution Ci→r and a k×k r→Co do
        r·(Ci + k²·Co) multiply-accumulates a pixel instead of k²·Ci·Co. In three trained networks
        (Open NSFW, a YOLOv8n, PP-OCRv4's detector) the median 3×3 kernel kept 90 % in 0.45 to 0.62
        of its input directions, which is 0.62 to 0.70 of its MACs. All 3×3 kernels at half their
        input directions made 0.69 to 0.85 of the MACs, and 0.75 to 0.90 of the time (onnxruntime
        1.31, CPU, one thread).

    What to do
        ``archlint fix --unsafe`` writes the factors in place of the layer; with ``--inputs`` they
        are fitted to data, which made 1.5 to 8 times less error at the same rank. This is
        approximate and needs fine-tuning: of the same networks, with three 3×3 kernels at 90 %,
        outputs were 2 to 15 % off before it. Check the accuracy, and the time with ``--verify``. Or
        take the width as a hint and train a narrower layer.

    When not to apply
        Where every digit counts and nothing can be retrained. Directions of little energy are not
        always of little use: what is rare in the data may be in them.

    Not flagged
        Widths that are no less than what the layer has once they are filled up to the multiple of
        channels that the target computes at once, and forms that take more than 97 % of what the
        layer takes with its weights read and its outputs written. Groups, quantised weights,
        weights that several nodes read or that may be fed, NaN, infinities, one number over and
        over. Layers below ``min_macs`` or a third of ``min_share`` of the model's MACs; equal ones
        that together save less than ``min_share``.

    Known limits
        Energy of weights says nothing about accuracy: it does not know the data. Of compact
        networks 95 % or more never saved time. The two sides of a Tucker form are cut one after the
        other, so that it keeps more than is told. Of matrices whose sides are both above 4,096 the
        largest 512 singular values are estimated and the others taken as equal, which tells a
        larger rank than there is. Layers in the bodies of control flow, recurrent layers,
        transposed convolutions and attention operators are not looked at.

    References
        Denton et al., Exploiting Linear Structure, 2014, arXiv:1404.0736.
        Jaderberg et al., Low Rank Expansions, 2014, arXiv:1405.3866.
        Zhang et al., Accelerating Very Deep Convolutional Networks, 2015, arXiv:1505.06798.
        Kim et al., Compression of Deep Networks, 2015, arXiv:1511.06530.
    """

    code = "ARC104"
    name = "low-rank-weights"
    severity = Severity.NOTE
    confidence = Confidence.MEDIUM
    kind = FixKind.APPROXIMATE
    reads_weights = True
    advice = (
        "approximate, needs fine-tuning: archlint fix --unsafe writes the factors, with --inputs "
        "fitted to data"
    )

    energy: float = option(
        0.9, "share of the weights' energy that is kept", minimum=0.01, maximum=0.9999
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Layers whose weights keep the energy in a form that takes less."""
        from archlint.analyzer import low_rank  # late: most runs read no weights

        least = max(self.min_macs, _ALONE * self.min_share * context.costs.total().macs)
        layers = [
            (layer, macs)
            for layer, macs in low_rank.counted_layers(context.costs)
            if macs >= least and len(context.graph.consumers(layer.node.input(1))) == 1
        ]
        trained = _trained(context) if layers else frozenset()
        for layer, macs in layers:
            if layer.node.id in trained:
                spectra = low_rank.spectra_of(context.graph, layer).of
                found = low_rank.narrowest(layer, macs, spectra, self.energy, context.target)
                if found is not None and found.pays:
                    yield self._told(layer, found, spectra)

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The layers of the form that takes least."""
        from archlint.analyzer.factor.forms import Form  # late: as above
        from archlint.analyzer.factor.proposals import factorised

        facts = match.evidence
        ranks = tuple(int(rank) for key, rank in facts.items() if key.endswith("_width"))
        return factorised(context.graph, match.nodes[0], Form(str(facts["form"])), ranks)

    def _told(self, layer: Layer, found: Narrowed, known: Mapping[Unfolding, Spectrum]) -> Match:
        conv = layer.conv
        what = f"fully connected layer over {layer.shape[1]:,} features"
        if conv is not None:
            what = f"{kernel_text(conv.kernel)} convolution over {conv.in_channels:,} channels"
        held = " and ".join(
            f"{rank:,} of {known[side].full:,}{'' if conv is None else f' {side}'}"
            for side, rank in found.sides(known)
        )
        facts: dict[str, str | int | float] = {"energy": self.energy, "form": str(found.form)}
        for side, spectrum in known.items():
            facts |= {
                f"{side}_rank": spectrum.rank(self.energy),
                f"{side}_effective_rank": round(spectrum.effective_rank, 1),
                f"{side}_full_rank": spectrum.full,
            }
        facts |= {f"{side}_width": rank for side, rank in found.sides(known)}
        share = f"{100 * self.energy:g} %"
        message = f"{what}: {held} directions hold {share} of its weights' energy"
        return Match((layer.node,), message, facts)


def _trained(context: RuleContext) -> frozenset[int]:
    """The nodes whose weights were read, are numbers, and are not one number over and over."""
    kernels: dict[int, Weight] = {}
    for weight in weights(context.costs):
        for node in weight.readers:
            known = kernels.setdefault(node.id, weight)
            if weight.elements > known.elements:  # the other is a bias
                kernels[node.id] = weight
    return frozenset(place for place, kernel in kernels.items() if _is_trained(kernel))


def _is_trained(kernel: Weight) -> bool:
    tally = kernel.tally
    return not (kernel.is_one_number or tally.nans or tally.infinities)


def _conv(kernel: str, conv: str = "y = Conv <pads = [1,1,1,1]> (x, w)") -> str:
    return f"""agraph (float[1,64,56,56] x) => (float[1,64,56,56] y)
    <{kernel}> {{
        w = Tile (b, n)
        [conv] {conv}
    }}"""


def _product(
    matrix: str = "float[4,4] b = {1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 3, 0, 1}",
    *,
    features: int = 768,
    more: str = "",
) -> str:
    return f"""agraph (float[1,197,{features}] x) => (float[1,197,{features}] y)
    <{matrix}, int64[2] n = {{{features // 4}, {features // 4}}}> {{
        w = Tile (b, n)
        [layer] y = MatMul (x, w)
        {more}
    }}"""


_TAPS = "float[2,2,1,1] b = {1, 0, 0, 1}, int64[4] n = {32, 32, 3, 3}"

CASES = (
    Flags(
        "a 3×3 whose 64 input channels are two over and over",
        _conv(_TAPS),
        at="conv",
        macs=(56 * 56 * 64 * 9 * 64, 56 * 56 * 16 * (64 + 9 * 16 + 64)),
    ),
    Flags(
        "a product of 768 features with a matrix of rank 4",
        _product(),
        at="layer",
        macs=(197 * 768 * 768, 197 * 2 * 768 * 16),
    ),
    Flags(
        "a 1×1 on the finer grid of another target",
        _conv("float[2,2,1,1] b = {1, 0, 0, 1}, int64[4] n = {32, 32, 1, 1}", "y = Conv (x, w)"),
        at="conv",
        macs=(56 * 56 * 64 * 64, 56 * 56 * 2 * 8 * 64),
        target="generic-avx2",
    ),
    Passes(
        "four of 32 directions: 16, which are computed at once, take as much as all",
        _product(features=32),
        options={"min_macs": 1, "min_share": 0.0},
    ),
    Passes(
        "one number over and over, which stands for weights",
        _product("float[4,4] b = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}"),
    ),
    Passes(
        "a matrix that another layer reads too",
        _product(more="z = MatMul (y, w)"),
    ),
    Passes(
        "a NaN among the weights",
        _product("float[4,4] b = {1, 2, 0, 0, 0, nan, 0, 0, 0, 0, 1, 0, 0, 3, 0, 1}"),
    ),
    Passes("less than the floor", _product(features=128)),
    Passes(
        "groups",
        _conv(
            "float[2,2,1,1] b = {1, 0, 0, 1}, int64[4] n = {32, 16, 3, 3}",
            "y = Conv <pads = [1,1,1,1], group = 2> (x, w)",
        ),
    ),
    Passes(
        "weights of integers",
        """agraph (float[1,197,768] x) => (float[1,197,768] y)
        <int8[4,4] b = {1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 3, 0, 1}, int64[2] n = {192, 192},
        float s = {0.1}, int8 z = {0}> {
            q = Tile (b, n)
            w = DequantizeLinear (q, s, z)
            y = MatMul (x, w)
        }""",
    ),
    Passes(
        "weights without data",
        """agraph (float[1,197,768] x) => (float[1,197,768] y) <float[768,768] w> {
            y = MatMul (x, w)
        }""",
    ),
)
