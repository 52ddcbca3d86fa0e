"""ARC713: weights so small that a CPU handles them in microcode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx import TensorProto

from archlint.analyzer.cost import CostTable
from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Node
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import (
    Flags,
    Match,
    Passes,
    Rule,
    RuleContext,
    RuleGroup,
    option,
)  # fmt: skip
from archlint.analyzer.stored import Weight, weights
from archlint.analyzer.text import percent, plural

_LANES = 16  # 32-bit floats of an AVX-512 register
_ASSIST = 3_000  # MACs that take as long as one assist
_BYTE = 4  # and as moving a byte: 48 MACs and 12 bytes a nanosecond on a core with AVX-512
_SHOWN = 8  # nodes that a finding names, those that lose most
_WIDE = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BFLOAT16})


@dataclass(frozen=True)
class DenormalWeights(Rule):
    """Weights that are denormal numbers, with which some CPUs compute 100 times as slowly.

    Why it matters
        Below 1.18e-38 a 32-bit float is denormal: not 0 yet, but with fewer digits. Intel CPUs do
        not compute with such numbers in hardware; each vector instruction that meets one takes an
        assist of some 150 clock cycles, in which onnxruntime does 3,000 MACs otherwise. Of m MACs
        in vectors of 16 that read weights of which a share s is denormal, m/16 · (1 - (1 - s)^16)
        instructions do: s = 1 % makes that 0.0093·m assists, each as long as 3,000 MACs, or 29
        times the time. Measured with a MatMul of 128 rows by 768·768 weights: 1.3 times at 0.01 %,
        4.2 at 0.1 %, 31 at 1 %, 163 at 10 % and 197 where all are; with a 3×3 convolution of 64
        channels 1.4, 4.2, 30, 157 and 190; with a depthwise one 2.8 at 1 % and 14 where all are
        (onnxruntime 1.31, one thread of a Xeon with AVX-512, Cascade Lake). A byte that a model
        moves takes as long as 4 MACs; by that ResNet-18 with 0.1 % of its kernels' weights denormal
        takes 3.5 times as long, and took 2.9 times. Users have reported 2,400 ms on an Intel CPU
        for a model that took 70 ms as soon as denormal numbers were read as 0, and 40 ms on one of
        AMD.

    What to do
        Store 0 instead: ``w[np.abs(w) < np.finfo(w.dtype).tiny] = 0``. Where the file must stay as
        it is, set onnxruntime's session option session.set_denormal_as_zero to 1. The threads of a
        session follow its option; the thread that calls it follows that of the first session of
        the process. torch.set_flush_denormal(True) does it in PyTorch.

    When not to apply
        On GPUs, NPUs and CPUs that compute with denormal numbers in hardware, and with runtimes
        that store 0 themselves, as OpenVINO does.

    Not flagged
        Numbers of float16 and narrower, whose denormal ones are normal as soon as they are widened.
        Models that take less than ``min_slowdown`` longer by the formula, as where the weights are
        those of a few small layers, or of no product at all.

    Known limits
        The formula is that of products with AVX-512: depthwise convolutions lose less. Numbers that
        become denormal while the model runs, or when a BatchNormalization is folded into a kernel,
        are not seen. Where the cost of a layer is unknown, so is what the others are of the whole,
        and the rule is silent: bind the dims. The first 64 GiB of weights are read.

    References
        onnxruntime, issue 7448, Poor inference performance on Intel CPU, 2021, https://github.com/microsoft/onnxruntime/issues/7448
        Intel, oneMKL Developer Guide, Operating on Denormals, 2023, https://intel.com/content/www/us/en/docs/onemkl/developer-guide-linux/2023-1/operating-on-denormals.html
        OpenVINO, pull request 15929, 2023, https://github.com/openvinotoolkit/openvino/pull/15929
    """

    code = "ARC713"
    name = "denormal-weights"
    group = RuleGroup.COST
    confidence = Confidence.MEDIUM
    kind = FixKind.DECISION
    reads_weights = True
    advice = (
        "store 0 for them, or set onnxruntime's session.set_denormal_as_zero: a MatMul with 1 % of "
        "them took 31 times as long (onnxruntime 1.31, Xeon with AVX-512, one thread)"
    )

    min_slowdown: float = option(
        0.05,
        "smallest share of its time that the model must lose by the formula",
        minimum=0.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The nodes that lose most, if the model loses enough."""
        costs = context.costs
        held: dict[Node, list[Weight]] = {}
        for weight in weights(costs):
            for node in weight.readers:
                held.setdefault(node, []).append(weight)
        losses = {
            node: _lost(_share(read), cost.macs)
            for node, read in held.items()
            if (cost := costs.cost(node)) is not None
        }
        slow = sorted((n for n, lost in losses.items() if lost), key=lambda n: (-losses[n], n.id))
        lost, total = sum(losses.values()), costs.total()
        whole = total.macs + _BYTE * total.bytes
        if not slow or lost < self.min_slowdown * whole or _is_partial(costs):
            return
        read = {weight.name: weight for node in slow for weight in held[node]}
        denormal = sum(map(_denormal, read.values()))
        share = percent(denormal, sum(weight.elements for weight in read.values()))
        times = 1 + lost / whole
        yield Match(
            tuple(sorted(slow[:_SHOWN], key=lambda node: node.id)),
            f"of the weights of {plural(len(slow), 'node')} {denormal:,} ({share}) "
            f"{'is' if denormal == 1 else 'are'} denormal: an Intel CPU takes some "
            f"{times:,.{0 if times >= 10 else 1}f} times as long for the model",
            {"denormal": denormal, "slowdown": round(times, 2)},
        )


def _is_partial(costs: CostTable) -> bool:
    """Whether nodes that may be products have no known cost."""
    nodes = (costs.graph.nodes[place] for place in costs.uncosted)
    return any(n.op_type == "MatMul" or costs.parameters.of_node.get(n.id) for n in nodes)


def _denormal(weight: Weight) -> int:
    """How many elements are denormal in a type that computes with them as such."""
    if weight.value.dtype not in _WIDE:
        return 0
    return weight.elements * weight.tally.denormals if weight.filled else weight.tally.denormals


def _share(read: list[Weight]) -> float:
    elements = sum(weight.elements for weight in read)
    return sum(map(_denormal, read)) / elements if elements else 0.0


def _lost(share: float, macs: int) -> float:
    """MACs that take as long as the assists of so many MACs."""
    return _ASSIST * macs / _LANES * (1 - (1 - share) ** _LANES)


def _numbers(count: int, first: str) -> str:
    return ", ".join([first, *["0.5"] * (count - 1)])


def _model(numbers: str, kind: str = "float", more: str = "y = Relu (t)") -> str:
    return f"""agraph ({kind}[1,4] x, float[1,64,56,56] z) => ({kind}[1,4] y)
    <{kind}[4,4] w = {{{numbers}}}, float[64,64,3,3] v> {{
        [product] t = MatMul (x, w)
        {more}
    }}"""


CASES = (
    Flags("one of 16 weights", _model(_numbers(16, "1e-40")), at="product"),
    Flags(
        "all weights, made of one number",
        """agraph (float[1,8] x) => (float[1,8] y) {
            dims = Constant <value_ints = [8,8]> ()
            w = ConstantOfShape <value = float[1] {-1e-39}> (dims)
            [product] y = MatMul (x, w)
        }""",
        at="product",
    ),
    Passes("the smallest normal number", _model(_numbers(16, "1.17549435e-38"))),
    Passes("0 instead", _model(_numbers(16, "0"))),
    Passes(
        "half of the bits of a float16", _model(_numbers(16, "1").replace("0.5", "1"), "float16")
    ),
    Passes(
        "a small layer of a large model",
        _model(_numbers(16, "1e-40"), more="y = Relu (t)\n        u = Conv (z, v)"),
    ),
    Passes(
        "a layer beside one of unknown cost",
        _model(_numbers(16, "1e-40"), more="y = Relu (t)\n        u = Conv (z, v)").replace(
            "64,56,56", "64,h,56"
        ),
    ),
    Passes(
        "a bias, which nothing is multiplied with",
        """agraph (float[1,4] x) => (float[1,4] y) <float[4] w = {1e-40, 0, 1, 1}> {
            y = Add (x, w)
        }""",
    ),
    Passes(
        "weights without data",
        """agraph (float[1,2] x) => (float[1,2] y) <float[2,2] w> { y = MatMul (x, w) }""",
    ),
)
