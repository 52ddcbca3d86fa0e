"""ARC408: scales and shifts by constants that the weights of a layer could take in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.describe import describe
from archlint.analyzer.finding import Confidence
from archlint.analyzer.foldable import Foldable, foldable, foldables
from archlint.analyzer.folded_layer import folded
from archlint.analyzer.passes import PassRule, elements_of
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Flags, Match, Passes, RuleContext


@dataclass(frozen=True)
class UnfoldedScale(PassRule):
    """Scales and shifts by constants beside a layer whose weights could take them in.

    Why it costs
        s·(W·x + b) + t is (s·W)·x + (s·b + t): a layer scales and shifts its channels for free.
        onnxruntime 1.31 does so by itself behind a convolution for a Mul by a constant without axes
        or by one of [C,1,1], and for an Add of [C,1,1], each as the second input. It leaves a Mul
        or Add of one number as [1], every Div and Sub, a constant in the first place, and all that
        is in front of a convolution or behind Gemm and ConvTranspose. Each is a pass over the map,
        brings it out of the layout in blocks and keeps the activation out of the kernel: with a Mul
        and an Add of [1] before its Relu a 1×1 convolution of 64 channels on 80×80 took 1.56 times
        as long, a depthwise 3×3 1.79, a 3×3 1.14 (CPU, one thread). The text detector of PP-OCRv4
        has 31 such layers: with their constants folded it takes 0.86 of its time.

    What to do
        Multiply the weights by the scale before the export, and add the shift to the bias. In front
        of a convolution the weights of each input channel are multiplied, and the bias gets their
        sum times the shift, if it does not pad. ``archlint fix`` does so in the file.

    When not to apply
        In a file that is meant to be trained further. A quantiser with one scale for a whole tensor
        suffers from weights that the factors of channels have spread. OpenVINO folds them by
        itself: with the pair and without it a 1×1 and a depthwise 3×3 took the same time
        (onnxruntime-openvino 1.24, CPU).

    Not flagged
        What onnxruntime folds by itself; layers that something else reads too, weights of integers,
        weights that are computed from the input or that several layers share; a shift in front of a
        convolution that pads; the bias behind a MatMul. Fewer than ``min_elements``, and all places
        that together save less than ``min_share``.

    Known limits
        In front of a layer only convolutions are looked at, and a scale whose shift cannot go with
        it stays too. A constant that differs from pixel to pixel is not folded. Without known
        shapes nothing is told. What onnxruntime folds is that of version 1.31 on a CPU.

    References
        Jacob et al., Quantization and Training, 2017, arXiv:1712.05877, section 3.2.
        onnxruntime, Graph optimizations, 2025, https://onnxruntime.ai/docs/performance/model-optimizations/graph-optimizations.html
    """

    code = "ARC408"
    name = "unfolded-scale"
    confidence = Confidence.HIGH
    kind = FixKind.EQUIVALENT

    def places(self, context: RuleContext) -> Iterator[Match]:
        """Layers with scales and shifts that onnxruntime leaves."""
        for found in foldables(context.graph):
            names = Counter(node.operator for node in found.unfolded)
            what = " and ".join(f"{n}× {op}" if n > 1 else op for op, n in sorted(names.items()))
            layer = describe(context.graph, found.layer)
            yield Match(
                found.nodes,
                f"{what} by constants {_where(found)} {layer}: its weights can take that in",
                {
                    "operators": len(found.unfolded),
                    "elements": elements_of(context.graph, found.unfolded),
                },
            )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The layer alone, with a bias where something is added."""
        graph = context.graph
        found = next(one for node in match.nodes if (one := foldable(graph, node)))
        return folded(
            graph,
            found.layer,
            found.after,
            found.before,
            found.source,
            shifted=found.shifted,
            title="the layer alone, the constants folded into its weights",
            remark="It saves time, not MACs.",
        )


def _where(found: Foldable) -> str:
    left = {node.id for node in found.unfolded}
    places = (("in front of", found.before), ("behind", found.after))
    return " and ".join(text for text, nodes in places if any(node.id in left for node in nodes))


_PAIR = """m = Mul (k, c)
            [shift] a = Add (m, d)"""
_DENSE = "float[64,64,1,1] w, float[1] k, float[1] d"
_MAP = "float[1,64,80,80]"
_MACS = 80 * 80 * 64 * 64


def _layer(nodes: str, weights: str = _DENSE) -> str:
    """A graph of a map of 64 channels that ends in an activation."""
    return f"""agraph ({_MAP} x) => ({_MAP} y) <{weights}> {{
            {nodes}
            y = Relu (a)
        }}"""


CASES = (
    Flags(
        "a learnt scale and shift, one number each, behind a convolution",
        _layer(f"""c = Conv (x, w)
            {_PAIR}"""),
        at="shift",
        macs=(_MACS, _MACS),
    ),
    Flags(
        "between an activation and a convolution",
        _layer(f"""c = HardSigmoid (x)
            {_PAIR.replace(" a = ", " b = ")}
            a = Conv (b, w)"""),
        at="shift",
        macs=(_MACS, _MACS),
    ),
    Flags(
        "a Div and a Sub for each channel behind a depthwise convolution",
        _layer(
            """c = Conv <group = 64, pads = [1,1,1,1]> (x, w)
            [scale] m = Div (c, k)
            a = Sub (m, d)""",
            "float[64,1,3,3] w, float[64,1,1] k, float[64,1,1] d",
        ),
        at="scale",
        macs=(80 * 80 * 64 * 9, 80 * 80 * 64 * 9),
    ),
    Flags(
        "a scale of the features behind a product with a constant matrix, and its bias",
        """agraph (float[1,3136,96] x) => (float[1,3136,96] y)
        <float[96,96] w, float[96] b, float[96] k> {
            p = MatMul (x, w)
            a = Add (p, b)
            [scale] y = Mul (a, k)
        }""",
        at="scale",
        macs=(3136 * 96 * 96, 3136 * 96 * 96),
    ),
    Passes(
        "a factor and a summand for each channel, which onnxruntime folds",
        _layer(
            f"c = Conv (x, w) {_PAIR.replace('(k, c)', '(c, k)')}",
            "float[64,64,1,1] w, float[64,1,1] k, float[64,1,1] d",
        ),
    ),
    Passes(
        "something else reads the convolution",
        _layer(f"c = Conv (x, w) {_PAIR.replace('a = Add', 'b = Add')} a = Add (b, c)"),
    ),
    Passes(
        "a shift in front of a convolution that pads",
        _layer(
            "c = HardSigmoid (x) m = Mul (k, c) b = Add (m, d) a = Conv <pads = [1,1,1,1]> (b, w)",
            "float[64,64,3,3] w, float[1] k, float[1] d",
        ),
    ),
    Passes(
        "factors that differ from pixel to pixel",
        _layer(f"c = Conv (x, w) {_PAIR}", "float[64,64,1,1] w, float[80,80] k, float[80,80] d"),
    ),
    Passes(
        "the bias behind a product with a constant matrix",
        """agraph (float[1,3136,96] x) => (float[1,3136,96] y) <float[96,96] w, float[96] b> {
            p = MatMul (x, w)
            y = Add (b, p)
        }""",
    ),
    Passes(
        "a small share of the time: 2·20·20·64·20 of 20·20·512·9·512 MACs and those of the 1×1",
        """agraph (float[1,512,20,20] x) => (float[1,64,20,20] y)
        <float[512,512,3,3] v, float[64,512,1,1] w, float[1] k, float[1] d> {
            r = Conv <pads = [1,1,1,1]> (x, v)
            c = Conv (r, w)
            m = Mul (k, c)
            y = Add (m, d)
        }""",
    ),
)
