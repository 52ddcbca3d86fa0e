"""ARC712: an operator set that runtimes no longer promise to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option


@dataclass(frozen=True)
class OutdatedOpset(Rule):
    """A model of an operator set that runtimes no longer promise to run.

    Why it matters
        onnxruntime promises to run the operator sets of ai.onnx from 7 on, that of ONNX 1.2 of
        2018, and warns that a model of an older one may run or may not. A larger number is worth
        asking for where tools need it: QuantizeLinear has an axis, for scales by channel, from 13
        on, and 16-bit integers from 21 on; onnxruntime's quantiser wants 10 at least.

    What to do
        Export the model again, or convert it with onnx.version_converter, and compare the outputs.

    When not to apply
        Where the runtime at hand runs the model and its outputs are right, a conversion only adds a
        risk. onnx.version_converter has no adapter for some operators and stops there ("No
        Adapter"): then export again from where the model was made, or leave it.

    Not flagged
        Operator sets from ``oldest`` on. An old one that runtimes support is no fault: its
        operators run in the same kernels as those of later sets.

    Known limits
        It reads the number that the file declares, not what its operators need: most operators of a
        file of set 6 may be the same in 7. Operator sets of other domains are not compared, and one
        that is newer than the runtime's is not told.

    References
        ONNX, Versioning, 2024, section Released Versions.
        onnxruntime, Versioning, 2025, https://github.com/microsoft/onnxruntime/blob/main/docs/Versioning.md
        onnx, issue 6561, 2024, https://github.com/onnx/onnx/issues/6561
    """

    code = "ARC712"
    name = "outdated-opset"
    group = RuleGroup.SUSPICIOUS
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    advice = "export the model again or convert it with onnx.version_converter; compare the outputs"

    oldest: int = option(7, "the oldest operator set of ai.onnx that is no fault", minimum=1)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """The graph, if its operators are of an old set."""
        graph = context.graph
        if graph.opset < self.oldest and any(not node.domain for node in graph.nodes):
            yield Match(
                (),
                f"operator set {graph.opset} of ai.onnx is older than {self.oldest}, the first "
                "that is supported",
                {"opset": graph.opset},
            )


def _of(opset: int) -> str:
    return f"""<ir_version: 3, opset_import: ["" : {opset}]>
agraph (float[1,4] x) => (float[1,4] y) {{ y = Relu (x) }}"""


CASES = (
    Flags("operator set 6", _of(6), at=""),
    Flags("older than the user asks for", _of(12), at="", options={"oldest": 13}),
    Passes("operator set 7", _of(7)),
    Passes("as old as the user allows", _of(13), options={"oldest": 13}),
    Passes(
        "operators of another domain alone",
        """<ir_version: 8, opset_import: ["" : 1, "ai.onnx.ml" : 3]>
agraph (float[1,4] x) => (float[1,4] y) { y = ai.onnx.ml.Scaler <offset=[0.], scale=[1.]> (x) }""",
    ),
)
