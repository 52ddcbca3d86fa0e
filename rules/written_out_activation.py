"""ARC409: an activation written as several operators where ONNX has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.derivation import is_unfed
from archlint.analyzer.finding import Confidence
from archlint.analyzer.passes import PassRule, elements_of
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import Flags, Match, Passes, RuleContext
from archlint.analyzer.written_out import HARD_SWISH, WrittenOut, written_out


@dataclass(frozen=True)
class WrittenOutActivation(PassRule):
    """An activation that is written as several operators where ONNX has one.

    Why it costs
        Each operator reads and writes the whole map, on which the activation itself would be one
        step at the end of the convolution. onnxruntime puts x·relu6(x + 3)/6 together only from
        HardSigmoid and Mul, or from HardSwish: as Add, Clip, Mul and Div it stays four passes
        outside of the layout in blocks. Three 1×1 convolutions of 64 channels on 80×80 with it
        took 4.7 ms, with HardSwish 3.0; HardSigmoid written as three operators took 1.6 times as
        long as the operator, LeakyRelu as max(x, a·x) 1.6, Clip as Min of a Relu 1.2 (onnxruntime
        1.31, CPU, one thread). With HardSwish in one piece at 18 to 28 places PP-OCR's models take
        0.90 to 0.93 of their time, and the small one that tells the direction of text 0.73.

    What to do
        Call the framework's own function (``nn.Hardswish``, ``F.hardsigmoid``, ``F.leaky_relu``)
        and export to opset 14 or later, which has HardSwish. Before it x·HardSigmoid(x) is as fast
        in onnxruntime. ``archlint fix`` puts the operator of the file's opset in place.

    When not to apply
        With OpenVINO, which puts the operators together by itself: nothing is gained there, and
        x·HardSigmoid(x) took 2.9 times as long as the four operators, HardSigmoid 2.1 times as long
        as its three; HardSwish takes the same time, so export to opset 14 (onnxruntime-openvino
        1.24, CPU).

    Not flagged
        What onnxruntime puts together at load: GELU written with Erf, x·sigmoid(x), layer
        normalisation, a Clip behind a Relu. Softplus and Mish, whose operators took three times as
        long as Exp, Add and Log. Values in between that something else reads, slopes of tensors,
        integers; maps of fewer than ``min_elements`` and all places that together save less than
        ``min_share``.

    Known limits
        HardSwish, HardSigmoid, LeakyRelu and Clip are recognised, and no other activation. A single
        Max with zero is not told, nor GELU with Tanh, which onnxruntime puts together outside of
        the layout in blocks. Without known shapes nothing is told.

    References
        Howard et al., Searching for MobileNetV3, 2019, arXiv:1905.02244, section 5.2.
        ONNX, HardSwish, 2021, https://onnx.ai/onnx/operators/onnx__HardSwish.html
    """

    code = "ARC409"
    name = "written-out-activation"
    confidence = Confidence.HIGH
    kind = FixKind.EQUIVALENT

    def places(self, context: RuleContext) -> Iterator[Match]:
        """Activations with more operators than onnxruntime needs for them."""
        graph = context.graph
        for whole in written_out(graph).values():
            if (saved := _saved(whole)) <= 0:
                continue
            name, count = whole.activation.op_type, len(whole.nodes)
            old = name == "HardSwish" and graph.opset < HARD_SWISH
            since = f"; opset {HARD_SWISH} has it as one" if old else ""
            yield Match(
                whole.nodes,
                f"{name} is written as {count} operators{since}",
                {"operators": count, "elements": saved * elements_of(graph, whole.nodes[-1:])},
            )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """The operator of ONNX that computes it."""
        whole = written_out(context.graph)[match.nodes[-1].id]
        builder, x = draft(context.graph, "one", whole.nodes, whole.source)
        output = whole.nodes[-1].output(0)
        whole.activation.write(builder, x, output)
        builder.output(output)
        title = " · ".join(node.op_type for node in builder.graph().node)
        return Proposal(title, self.kind, whole.nodes, builder.graph())

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """Those whose numbers are the file's own, which no input overrides."""
        found = super().fixes(context)
        return (proposal for proposal in found if is_unfed(context.graph, proposal.replaces))


def _saved(whole: WrittenOut) -> int:
    """The operators that go; onnxruntime computes HardSwish as HardSigmoid and Mul."""
    return len(whole.nodes) - (2 if whole.activation.op_type == "HardSwish" else 1)


_MAP = "float[1,64,80,80]"


def _of(nodes: str, opset: int = 17) -> str:
    """A graph of a map of 64 channels with the numbers that hard swish takes."""
    return f"""<ir_version: 8, opset_import: ["" : {opset}]> agraph ({_MAP} x) => ({_MAP} y)
        <float three = {{3.0}}, float zero = {{0.0}}, float six = {{6.0}}, float tenth = {{0.1}},
        float sixth = {{0.16666667}}> {{
            {nodes}
        }}"""


_SWISH = """a = Add (x, three)
            b = Clip (a, zero, six)
            c = Mul (x, b)
            [last] y = Div (c, six)"""

CASES = (
    Flags("hard swish as four operators", _of(_SWISH), at="last", macs=(0, 0)),
    Flags(
        "hard swish divided before the product, before opset 14",
        _of(
            """a = Add (three, x)
            b = Clip (a, zero, six)
            c = Mul (b, sixth)
            [last] y = Mul (c, x)""",
            opset=12,
        ),
        at="last",
        macs=(0, 0),
    ),
    Flags(
        "hard sigmoid as three operators",
        _of("""a = Add (x, three)
            b = Clip (a, zero, six)
            [last] y = Div (b, six)"""),
        at="last",
        macs=(0, 0),
    ),
    Flags(
        "a leaky rectifier as the larger of two",
        _of("""a = Mul (x, tenth)
            [last] y = Max (a, x)"""),
        at="last",
        macs=(0, 0),
    ),
    Flags(
        "a bounded rectifier as the smaller of two",
        _of("""a = Relu (x)
            [last] y = Min (a, six)"""),
        at="last",
        macs=(0, 0),
    ),
    Passes("x·HardSigmoid(x)", _of("a = HardSigmoid (x) y = Mul (x, a)")),
    Passes("x·sigmoid(x)", _of("a = Sigmoid (x) y = Mul (x, a)")),
    Passes(
        "half of hard swish",
        _of(_SWISH.replace("Div (c, six)", "Div (c, three)")),
    ),
    Passes(
        "a gate of another value",
        _of("p = Tanh (x)" + _SWISH.replace("Mul (x, b)", "Mul (p, b)")),
    ),
    Passes(
        "a value in between that something else reads",
        _of(_SWISH.replace("y = Div (c, six)", "d = Div (c, six) y = Add (d, b)")),
    ),
    Passes(
        "a Relu and a Clip, which become one at load", _of("a = Relu (x) y = Clip (a, zero, six)")
    ),
    Passes("a slope above one", _of("a = Mul (x, three) y = Max (a, x)")),
    Passes(
        "a map of few elements",
        _of(_SWISH).replace("64,80,80", "64,1,1"),
    ),
)
