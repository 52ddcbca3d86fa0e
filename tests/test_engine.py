"""The engine: each node is reported once, under the rule whose proposal is worth most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.cost import count
from archlint.analyzer.engine import CRASH_CODE, CRASH_NAME, accepted, run
from archlint.analyzer.finding import Alternative, Confidence, Finding, Severity
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, Proposal, price
from archlint.analyzer.reader import read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import CostRule, Match, Rule, RuleContext
from archlint.config import Chosen, choose_rules
from archlint.pipeline import lint_model

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.onnx"))

# Four products of 8x8 numbers, 64 MACs each.
CHAIN = """agraph (float[1,8] x) => (float[1,8] y)
<float[8,8] k, float[8,8] l, float[8,8] m, float[8,8] n> {
    [a] p = MatMul (x, k)
    [b] q = MatMul (p, l)
    [c] r = MatMul (q, m)
    [d] y = MatMul (r, n)
}"""


@dataclass(frozen=True)
class Stub(CostRule):
    """Puts one product, or two where ``narrow`` is set, in place of a run of nodes."""

    code = "ARC990"
    name = "stub"
    min_share: float = 0.0
    min_macs: int = 0
    at: tuple[str, ...] = ()
    narrow: int = 0
    silent: bool = False
    fails: str = ""
    message: str = "run {}"

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Each run of the named nodes; ``a-b`` is one."""
        by_name = {node.name: node for node in context.graph.nodes}
        for names in self.at:
            nodes = tuple(by_name[name] for name in names.split("-"))
            yield Match(nodes, self.message.format(names))
        if self.fails == "match":
            raise LookupError("no luck")

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """One product from the first input to the last output."""
        if self.fails == "propose":
            raise LookupError("no luck")
        if self.silent:
            return None
        output = match.nodes[-1].outputs[0]
        builder = GraphBuilder("stub", reserved=[output])
        value = builder.input(match.nodes[0].input(0), (1, 8))
        if self.narrow:
            value = builder.linear(value, 8, self.narrow, bias=False)
            builder.linear(value, self.narrow, 8, bias=False, output=output)
        else:
            builder.linear(value, 8, 8, bias=False, output=output)
        builder.output(output)
        return Proposal("one product", FixKind.RETRAIN, match.nodes, builder.graph())


def stub(code: str, *at: str, doubtful: bool = False, **options: Any) -> Stub:
    """A stub rule of this code."""
    confidence = Confidence.LOW if doubtful else Confidence.MEDIUM
    made: Stub = type("Coded", (Stub,), {"code": code, "confidence": confidence})(at=at, **options)
    return made


def context_of(text: str) -> RuleContext:
    """What rules see of a model."""
    costs = count(load(from_text(text)))
    return RuleContext(costs.graph, costs)


Told = list[tuple[str, str, list[tuple[str, int]]]]


def told(rules: Sequence[Rule]) -> Told:
    """Of each finding on the chain: code, nodes, and its alternatives with their savings."""
    return [
        (
            finding.code,
            "-".join(node.name for node in finding.nodes),
            [(other.code, other.priced.saved_macs) for other in finding.alternatives],
        )
        for finding in run(rules, context_of(CHAIN))
    ]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([], [], id="no-rules"),
        pytest.param(
            [stub("ARC991", "a-b"), stub("ARC992", "c-d")],
            [("ARC991", "a-b", []), ("ARC992", "c-d", [])],
            id="apart",
        ),
        pytest.param(
            [stub("ARC991", "a-b"), stub("ARC992", "b-c-d")],
            [("ARC992", "b-c-d", [("ARC991", 64)])],
            id="overlap-larger-saving-wins",
        ),
        pytest.param(
            [stub("ARC991", "a-b"), stub("ARC992", "b-c"), stub("ARC993", "c-d")],
            [("ARC991", "a-b", [("ARC992", 64)]), ("ARC993", "c-d", [])],
            id="a-tie-goes-to-the-first-code",
        ),
        pytest.param(
            [stub("ARC991", "b-c", "a-b")],
            [("ARC991", "a-b", [("ARC991", 64)])],
            id="a-tie-of-one-rule-goes-to-the-first-place",
        ),
        pytest.param(
            [stub("ARC991", "a", narrow=3), stub("ARC992", "a", narrow=1),
             stub("ARC993", "a", narrow=2)],
            [("ARC992", "a", [("ARC993", 64 - 2 * 16), ("ARC991", 64 - 3 * 16)])],
            id="alternatives-by-their-saving",
        ),
        pytest.param(
            [stub("ARC991", "b-c", narrow=1), stub("ARC992", "a-b"), stub("ARC993", "c-d")],
            [("ARC991", "b-c", [("ARC992", 64), ("ARC993", 64)])],
            id="overlap-on-both-sides",
        ),
        pytest.param(
            [stub("ARC991", "a-b"), stub("ARC992", "c-d"), stub("ARC993", "b-c", narrow=5)],
            [("ARC991", "a-b", [("ARC993", 2 * 64 - 2 * 40)]), ("ARC992", "c-d", [])],
            id="overlap-with-two-findings",
        ),
        pytest.param(  # 2 · (64 − 32) MACs and parameters against 64 − 16
            [stub("ARC991", "c", narrow=1), stub("ARC992", "a", "d", narrow=2, message="alike")],
            [("ARC992", "a", []), ("ARC992", "d", []), ("ARC991", "c", [])],
            id="alike-ones-count-together",
        ),
        pytest.param(
            [stub("ARC991", "c", narrow=1), stub("ARC992", "a", "d", narrow=2)],
            [("ARC991", "c", []), ("ARC992", "a", []), ("ARC992", "d", [])],
            id="others-do-not",
        ),
        pytest.param(
            [stub("ARC991", "a-b-c", doubtful=True), stub("ARC992", "a", narrow=3)],
            [("ARC992", "a", [("ARC991", 2 * 64)])],
            id="a-doubtful-one-stays-an-alternative",
        ),
        pytest.param(
            [stub("ARC991", "a-b", doubtful=True), stub("ARC992", "c", narrow=3)],
            [("ARC992", "c", []), ("ARC991", "a-b", [])],
            id="a-doubtful-one-comes-last",
        ),
        pytest.param([stub("ARC991", "a")], [], id="no-saving"),
        pytest.param([stub("ARC991", "a", narrow=8)], [], id="more-expensive"),
        pytest.param([stub("ARC991", "a-b", silent=True)], [], id="no-proposal"),
        pytest.param([stub("ARC991", "a-b", min_share=64 / 256)],
                     [("ARC991", "a-b", [])], id="just-enough-of-the-model"),
        pytest.param([stub("ARC991", "a-b", min_share=65 / 256)], [], id="too-little"),
        pytest.param(  # 2 · (64 − 16) of 256
            [stub("ARC991", "a", "c", narrow=1, min_share=96 / 256, message="alike")],
            [("ARC991", "a", []), ("ARC991", "c", [])],
            id="enough-together",
        ),
        pytest.param(
            [stub("ARC991", "a", "c", narrow=1, min_share=97 / 256, message="alike")],
            [],
            id="too-little-together",
        ),
        pytest.param(
            [stub("ARC991", "a", "c", narrow=1, min_share=96 / 256)], [], id="two-faults-apart"
        ),
        pytest.param([stub("ARC991", "a-b", min_macs=128)],
                     [("ARC991", "a-b", [])], id="just-large-enough"),
        pytest.param([stub("ARC991", "a-b", min_macs=129)], [], id="too-small"),
    ],
)  # fmt: skip
def test_each_node_is_reported_once(rules: list[Rule], expected: Told) -> None:
    """Under the proposal that is worth most; what overlaps it is listed with it."""
    assert told(rules) == expected
    assert told(rules[::-1]) == expected


def test_a_finding_has_its_facts() -> None:
    """Cost, share and description are those of the nodes that it names."""
    (finding,) = run([stub("ARC991", "a-b-c")], context_of(CHAIN))
    assert (finding.name, finding.message, finding.described) == (
        "stub", "run a-b-c", "fully connected 8→8",
    )  # fmt: skip
    assert (finding.cost.macs, finding.share) == (3 * 64, 3 / 4)
    assert finding.priced is not None
    assert (finding.priced.saved_macs, finding.priced.saved_parameters) == (2 * 64, 2 * 64)


@pytest.mark.parametrize("fails", ["match", "propose"])
def test_a_crash_takes_down_one_rule(fails: str) -> None:
    """It is a finding of its own, before the others, and says whose fault it is."""
    broken = stub("ARC991", "a-b", fails=fails)
    crash, other = run([broken, stub("ARC992", "c-d")], context_of(CHAIN))
    assert (crash.code, crash.name, crash.severity) == (CRASH_CODE, CRASH_NAME, Severity.ERROR)
    assert (crash.nodes, crash.priced, crash.alternatives) == ((), None, ())
    assert "rule ARC991 failed: LookupError: no luck" in crash.message
    assert other.code == "ARC992"
    assert [proposal.title for proposal in accepted([crash, other])] == ["one product"]


def test_advice_is_no_alternative() -> None:
    """A rule that proposes no graph adds nothing to the findings of others, and is not asked to."""
    advising = type("Advising", (Stub,), {"code": "ARC993", "kind": FixKind.DECISION})
    others = [advising(at=("a-b",), fails="propose"), stub("ARC992", "b-c")]
    (finding,) = run([stub("ARC991", "a-b")], context_of(CHAIN), others)
    assert [other.code for other in finding.alternatives] == ["ARC992"]


def rank(found: Finding | Alternative) -> tuple[bool, int]:
    """What is doubtful last, and before it what saves most: a weight is 12 MACs."""
    assert found.priced is not None
    worth = found.priced.saved_macs + 12 * found.priced.saved_parameters
    return found.confidence is Confidence.LOW, -worth


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_findings_of_a_real_model_are_disjoint(path: Path) -> None:
    """With every rule: no node in two proposals, largest worth first, also among alternatives."""
    report = lint_model(read(str(path)), Chosen(choose_rules(["ALL"])))
    proposing = [finding for finding in report.findings if finding.priced is not None]
    nodes = [node.id for proposal in accepted(proposing) for node in proposal.replaces]
    assert len(nodes) == len(set(nodes))
    ranks = [rank(finding) for finding in proposing]
    assert ranks == sorted(ranks)
    for finding in proposing:
        others = [rank(finding), *map(rank, finding.alternatives)]
        assert others == sorted(others)
    assert (report.effect is None) == (not proposing)
    if report.effect is not None:
        savings = (finding.priced.saved_macs for finding in proposing if finding.priced)
        assert report.effect.macs_before - report.effect.macs_after == sum(savings)


def test_the_effect_is_counted_and_not_summed() -> None:
    """Two convolutions share a weight: both proposals save it, but the model has it once."""
    text = """agraph (float[1,192,28,28] x, float[1,192,28,28] z)
    => (float[1,32,28,28] y, float[1,32,28,28] t) <float[32,192,5,5] w> {
        [one] y = Conv <pads = [2,2,2,2]> (x, w)
        [two] t = Conv <pads = [2,2,2,2]> (z, w)
    }"""
    report = lint_model(from_text(text), Chosen(choose_rules(["ARC101"])))
    shared, narrow = 5 * 5 * 192 * 32, 192 * 16 + 5 * 5 * 16 * 32
    assert [finding.nodes[0].name for finding in report.findings] == ["one", "two"]
    for finding in report.findings:
        assert finding.priced is not None
        assert finding.priced.saved_parameters == shared - narrow
    assert report.effect is not None
    assert report.effect.parameters_before == shared
    assert report.effect.parameters_after == 2 * narrow
    pixels = 28 * 28
    assert report.effect.macs_before == 2 * pixels * shared
    assert report.effect.macs_after == 2 * pixels * narrow


HEAD = """agraph (float[1,64,14,14] x) => (float[1,10] main, float[1,10] aux)
<float[64,64,3,3] a, float[64,64,3,3] b, float[512,3136] v, float[10,512] w, float[10,64] u> {
    c = Conv <pads = [1,1,1,1]> (x, a)
    r = Relu (c)
    [pool] p = MaxPool <kernel_shape = [2,2], strides = [2,2]> (r)
    [flat] f = Flatten (p)
    [hidden] h = Gemm <transB = 1> (f, v)
    [head] aux = Gemm <transB = 1> (h, w)
    d = Conv <pads = [1,1,1,1]> (r, b)
    q = GlobalAveragePool (d)
    g = Flatten (q)
    [classifier] main = Gemm <transB = 1> (g, u)
}"""


@pytest.mark.parametrize(
    ("select", "code", "others", "saved"),
    [
        pytest.param(["ARC302"], "ARC302", [], 3136 * 512 + 512 * 10, id="head"),
        pytest.param(["ARC301"], "ARC301", [], (3136 - 64) * 512, id="classifier"),
        pytest.param(
            ["ARC301,ARC302"], "ARC302", ["ARC301"], 3136 * 512 + 512 * 10, id="classifier-in-head"
        ),
    ],
)
def test_what_goes_is_not_improved_too(
    select: list[str], code: str, others: list[str], saved: int
) -> None:
    """A flattened classifier in an auxiliary head: the saving of the head, once."""
    report = lint_model(from_text(HEAD), Chosen(choose_rules(select)))
    (finding,) = report.findings
    assert (finding.code, [other.code for other in finding.alternatives]) == (code, others)
    whole = 2 * 14 * 14 * 64 * 64 * 9 + 3136 * 512 + 512 * 10 + 64 * 10
    assert report.effect is not None
    assert (report.effect.macs_before, report.effect.macs_after) == (whole, whole - saved)


def test_a_weight_that_is_read_once_counts_as_twelve_macs() -> None:
    """Four products of one row become one, which saves as many weights as MACs."""
    context = context_of(CHAIN)
    rule = stub("ARC991", "a-b-c-d")
    (match,) = rule.match(context)
    proposal = rule.propose(match, context)
    assert proposal is not None
    assert rule.worth(match, price(proposal, context.costs)) == 3 * 64 + 12 * 3 * 64
