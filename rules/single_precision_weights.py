"""ARC601: a model whose weights are all in single precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx import TensorProto

from archlint.analyzer.finding import Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import percent, size


@dataclass(frozen=True)
class SinglePrecisionWeights(Rule):
    """Weights in single precision, where the hardware multiplies narrower numbers faster.

    Why it matters
        A weight takes 4 bytes in single precision, 2 in half, 1 in eight bits, and wide units
        multiply twice and four times as many of them at once. What is left of that depends on the
        target. On a CPU with VNNI instructions eight bits took 0.45 of the time of a detector
        (onnxruntime 1.31, one thread: unsigned activations, signed weights with a scale for each
        channel), but 0.87 to 0.98 with one scale a tensor and unsigned weights. Half precision took
        0.97 to 1.00 there: the kernels of that provider compute in single precision. GPUs and NPUs
        have units for it.

    What to do
        Quantise to eight bits for CPUs and NPUs, with a calibration set, and check the accuracy:
        weights and activations for a convolutional network, with ranges computed at run time for a
        transformer or a recurrent one. Convert to half precision for GPUs. Both halve the file and
        more.

    When not to apply
        On processors without instructions for products of eight bits quantised models are not
        rarely slower than the float ones, says onnxruntime's documentation. Half precision for a
        CPU that computes in single precision only adds conversions. Where the accuracy leaves no
        room, and for layers whose values leave the range of half precision (65,504), single
        precision is right.

    Not flagged
        Models with less than ``min_share`` of their weights in single precision; those with fewer
        than ``min_parameters``.

    Known limits
        It reads types, not hardware: whether the target gains anything must be measured. Weights
        that are stored in half precision and cast to single precision before use count as half. The
        time of a model that waits for activations or for memory falls by less than that of its
        products.

    References
        Jacob et al., Quantization and Training of Neural Networks, 2017, arXiv:1712.05877.
        Micikevicius et al., Mixed Precision Training, 2017, arXiv:1710.03740.
        onnxruntime, Quantize ONNX models, 2025, https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """

    code = "ARC601"
    name = "single-precision-weights"
    group = RuleGroup.TARGET
    severity = Severity.NOTE
    kind = FixKind.DECISION
    advice = (
        "for a CPU quantise to eight bits, signed weights with a scale for each channel: 0.45 of "
        "a detector's time (onnxruntime 1.31, CPU with VNNI, one thread), where half precision "
        "gains nothing; for a GPU convert to half precision"
    )

    min_share: float = option(
        0.9, "share of the weights in single precision", minimum=0.0, maximum=1.0
    )
    min_parameters: int = option(
        1_000_000, "parameters below which a model is small: 4 MB in single precision", minimum=1
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The model as a whole."""
        parameters = context.costs.parameters
        whole = context.costs.parameter_count
        single = parameters.elements(
            frozenset(
                name
                for name in parameters.names
                if parameters.stored(name).dtype == TensorProto.FLOAT
            )
        )
        if single >= max(self.min_parameters, self.min_share * whole):
            yield Match(
                (),
                f"{percent(single, whole)} of the parameters are in single precision: "
                f"{size(4 * single)}",
                {"parameters": single},
            )


_LAYER = """agraph ({kind}[1,1024] x) => ({kind}[1,1024] y) <{kind}[1024,1024] w> {{
    y = MatMul (x, w)
}}"""

CASES = (
    Flags("a layer in single precision", _LAYER.format(kind="float"), at=""),
    Passes("in half precision", _LAYER.format(kind="float16")),
    Passes(
        "weights in eight bits behind a DequantizeLinear",
        """agraph (float[1,1024] x) => (float[1,1024] y) <int8[1024,1024] w, float s> {
            d = DequantizeLinear (w, s)
            y = MatMul (x, d)
        }""",
    ),
    Passes(
        "a small model",
        "g (float[1,64] x) => (float[1,64] y) <float[64,64] w> {y = MatMul (x, w)}",
    ),
)
