"""What is told of a fixed model as text, and the parts that it is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan
from typing import Final

import pytest
from jsonschema import Draft202012Validator

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.layers import layer_of
from archlint.analyzer.fix.approximate import Amount
from archlint.analyzer.fix.candidates import Candidate
from archlint.analyzer.fix.goals import Goal, TargetError, by_target
from archlint.analyzer.fix.probes import Probe, probed, probes
from archlint.analyzer.load import load
from archlint.analyzer.proof.drift import Drift
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report import Failure, fix_json
from archlint.analyzer.report.fixes import FixGroup, FixReport, Size, render
from archlint.analyzer.text import Paint
from archlint.analyzer.timing.measurement import Measured
from archlint.analyzer.timing.providers import parse_providers
from archlint.fix_amount import amount_of

HEAD: Final = "g (float[1,4] x) => (float[1,4] y)"
(CPU,) = parse_providers([])
FOLDED: Final = FixGroup("ARC402", "unfolded-normalization", "equivalent", ("conv",), ("folded",))
REPORT: Final = FixReport(
    path="a.onnx",
    output="b.onnx",
    applied=(FOLDED,),
    rejected=(),
    refused=(),
    before=Size(1_000, 0, 80, 5, 400),
    after=Size(900, 1, 60, 4, 300),
    samples=2,
    drifts=(
        Drift("y", True, 0.0, 0.0, True, 4),
        Drift("r", False, 2e-7, 1e-7, True, 4),
        Drift("n", False, 1e-7, 1e-7, True, 4),
    ),
    probes=(Probe("y", "r", "Sigmoid"),),
    measured=Measured(CPU, why="it has no time"),
)


def text(report: FixReport, width: int | None = None) -> str:
    """The report without colours."""
    return render(report, Paint(), width)


def test_the_report_as_text() -> None:
    assert text(REPORT) == (
        "a.onnx → b.onnx\n"
        "  ARC402 unfolded-normalization [equivalent]: applied at 1 place\n"
        "    conv: folded\n"
        "\n"
        "  MACs      1,000 → 900 MACs (−10.0 %), without 1 node of unknown cost\n"
        "            80 → 60 parameters (−25.0 %)\n"
        "            5 → 4 nodes (−20.0 %)\n"
        "            400 B → 300 B in files (−25.0 %)\n"
        "  time      not measured: it has no time\n"
        "  error     output y: 0.0e+00 relative, at most 0.0e+00\n"
        "              before its Sigmoid: 2.0e-07 relative, at most 1.0e-07\n"
        "            layer n: 1.0e-07 relative, at most 1.0e-07\n"
        "  on        2 samples of made-up inputs; give real ones by --inputs\n"
    )


@pytest.mark.parametrize("width", [30, 60, 100])
def test_no_line_of_prose_is_wider_than_the_terminal(width: int) -> None:
    long = replace(
        REPORT,
        rejected=(replace(FOLDED, why="word " * 40),),
        refused=(("ARC401", "node", "word " * 40),),
        notes=("word " * 40, "word " * 30),
        samples_file="word " * 30,
    )
    wide = [line for line in text(long, width).splitlines() if "word" in line]
    assert len(wide) > 10
    assert all(len(line) <= width for line in wide)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        pytest.param(
            replace(REPORT, applied=()), "  nothing to fix: the file is a copy", id="copy"
        ),
        pytest.param(replace(REPORT, applied=(), output=None), "  nothing to fix", id="nothing"),
        pytest.param(
            replace(REPORT, applied=(), rejected=(replace(FOLDED, why="slow"),)),
            "  nothing was applied: the file is a copy",
            id="rejected",
        ),
        pytest.param(
            replace(REPORT, applied=(), refused=(("ARC402", "", "why"),)),
            "    cannot fix ARC402: why",
            id="rule-failed",
        ),
        pytest.param(
            replace(REPORT, rejected=(replace(FOLDED, why="it is slower"),)),
            "  ARC402 unfolded-normalization [equivalent]: not applied at 1 place",
            id="not-applied",
        ),
        pytest.param(
            replace(REPORT, samples_file="x\x1b[31m.npz"),
            "  on        2 samples of x\\x1b[31m.npz",
            id="escaped-file",
        ),
        pytest.param(
            replace(REPORT, notes=("one", "two")), "  note      one\n            two", id="notes"
        ),
        pytest.param(
            replace(REPORT, drifts=(Drift("y", True, inf, inf, False, 4),)),
            "  error     output y: NaN or infinite on one side alone",
            id="infinite",
        ),
        pytest.param(
            replace(REPORT, drifts=(Drift("y", True, nan, nan, False, 0, "why"),)),
            "  error     output y: not compared, why",
            id="skipped",
        ),
        pytest.param(
            replace(REPORT, drifts=tuple(Drift(f"y{n}", True, 0, 0, True, 1) for n in range(12))),
            "            and 2 outputs more; JSON has them all",
            id="many-outputs",
        ),
        pytest.param(
            replace(REPORT, drifts=tuple(Drift(f"n{n}", False, 0, 0, True, 1) for n in range(7))),
            "            2 layers with smaller errors",
            id="many-layers",
        ),
        pytest.param(
            replace(
                REPORT, applied=(replace(FOLDED, places=tuple("abcd"), titles=("", "", "", "")),)
            ),
            "    and 1 more",
            id="many-places",
        ),
    ],
)
def test_a_line_of_the_text(report: FixReport, line: str) -> None:
    assert f"{line}\n" in text(report)


def test_a_time_is_told_once() -> None:
    """Of a rule that alone was applied it is that of the whole."""
    group = replace(FOLDED, measured=REPORT.measured)
    assert "the model with it" not in text(replace(REPORT, applied=(group,)))
    other = replace(FOLDED, measured=Measured(CPU, why="another"))
    line = "    the model with it: not measured: another\n"
    assert line in text(replace(REPORT, applied=(other,)))


def test_json_has_no_number_that_json_lacks() -> None:
    """By the schema; infinite and unknown errors are null."""
    report = replace(
        REPORT,
        drifts=(
            Drift("y", True, inf, 1e-3, True, 4),
            Drift("z", True, nan, nan, False, 0, "why"),
            Drift("n", False, inf, inf, False, 4),
        ),
        notes=("a",),
        diff="--- a",
    )
    content = fix_json.render("1.0", [report, REPORT], [Failure("c.onnx", "why")])
    document = json.loads(content, parse_constant=pytest.fail)
    Draft202012Validator(json.loads(fix_json.schema())).validate(document)
    first, second = document["models"]
    errors = [(one["relative"], one["largest"], one["finite"]) for one in first["errors"]]
    assert errors == [(None, 1e-3, True), (None, None, None), (None, None, False)]
    assert (first["diff"], second["diff"]) == ("--- a", None)
    assert [one["probe_of"] for one in second["errors"]] == [[], ["y"], []]
    assert document["failures"] == [{"path": "c.onnx", "why": "why"}]


@pytest.mark.parametrize(
    ("body", "value", "operator"),
    [
        pytest.param("[a] y = Relu(x)", "y", "", id="the-output"),
        pytest.param("[a] h = Relu(x) [b] y = Sigmoid(h)", "h", "Sigmoid", id="squeezed"),
        pytest.param("[a] h = Relu(x) [b] y = Identity(h)", "y", "", id="passed-on"),
        pytest.param(
            "[a] h = Relu(x) [b] i = Softmax(h) [c] y = Identity(i)", "h", "Softmax", id="before"
        ),
        pytest.param(
            "[a] h = Relu(x) [b] i = Sigmoid(h) [c] y = Tanh(i)", "h", "Sigmoid", id="two"
        ),
        pytest.param("[a] h = Relu(x) [b] y = acme.Sigmoid(h)", "y", "", id="another-domain"),
        pytest.param("[a] y = Sigmoid(x)", "x", "Sigmoid", id="the-input"),
    ],
)
def test_errors_are_judged_in_front_of_what_squeezes(body: str, value: str, operator: str) -> None:
    text = f'<ir_version: 8, opset_import: ["": 17, "acme": 1]> {HEAD} {{ {body} }}'
    graph = load(from_text(text))
    assert probed(graph, graph) == (Probe("y", value, operator),)
    assert probes(graph) == (value,)


@pytest.mark.parametrize(
    ("after", "value"),
    [
        pytest.param("[a] h = Relu(x) [d] y = Sigmoid(h)", "h", id="the-copy-is-gone"),
        pytest.param("[a] h = Abs(x) [b] i = Identity(h) [d] y = Sigmoid(i)", "i", id="all-there"),
        pytest.param("[a] k = Relu(x) [d] y = Sigmoid(k)", "y", id="nothing-left"),
    ],
)
def test_a_probe_is_in_both_graphs(after: str, value: str) -> None:
    before = load(from_text(f"{HEAD} {{ [a] h = Relu(x) [b] i = Identity(h) [c] y = Sigmoid(i) }}"))
    (probe,) = probed(before, load(from_text(f"{HEAD} {{ {after} }}")))
    assert probe.value == value


@pytest.mark.parametrize(
    ("energy", "rank", "target", "amount"),
    [
        (0.9, None, None, Amount(energy=0.9)),
        (None, 16.0, None, Amount(rank=16)),
        (None, 0.5, None, Amount(rank=0.5)),
        (None, None, "-30%", Amount(save=0.3)),
        (None, None, " −12.5 % ", Amount(save=0.125)),
        (None, None, "700M", Amount(macs=700 * 10**6)),
        (None, None, "1.5g", Amount(macs=15 * 10**8)),
        (None, None, "12", Amount(macs=12)),
    ],
)
def test_an_amount(
    energy: float | None, rank: float | None, target: str | None, amount: Amount
) -> None:
    assert amount_of(energy, rank, target, unsafe=True) == amount
    with pytest.raises(ConfigError, match="changes the function a little; say --unsafe too"):
        amount_of(energy, rank, target, unsafe=False)


def test_no_amount() -> None:
    assert amount_of(None, None, None, unsafe=False) is None


def candidates(*saved: tuple[int, float, float]) -> list[Candidate]:
    """Options of one layer by their MACs, effort and error."""
    graph = load(from_text("g (float[1,4,4,4] x) => (y) <float[4,4,1,1] w> { y = Conv(x, w) }"))
    layer = layer_of(graph, graph.nodes[0])
    assert layer is not None
    return [Candidate(layer, Form.INPUT, (n,), *one) for n, one in enumerate(saved)]


LAYERS: Final = {
    1: candidates((10, 8.0, 0.1), (40, 30.0, 0.4)),
    2: candidates((20, 25.0, 0.3)),
}
ALIKE: Final = {1: 1.0, 2: 1.0}


@pytest.mark.parametrize(
    ("macs", "effort", "ranks"),
    [
        pytest.param(10, 5, [0], id="one"),
        pytest.param(20, 20, [0], id="the-other"),
        pytest.param(25, 5, [0, 0], id="cheap-ones"),  # 0.1² + 0.3² < 0.4²
        pytest.param(60, 50, [1, 0], id="all"),
        pytest.param(0, 0, [], id="met"),
    ],
)
def test_the_target_is_met_for_the_least_error(
    macs: float, effort: float, ranks: list[int]
) -> None:
    goal = Goal(macs, effort, 0.5, (100, 100.0))
    chosen = by_target("a.onnx", LAYERS, goal, ALIKE, ())
    assert [one.ranks[0] for one in chosen] == ranks
    assert goal.is_met(chosen)


@pytest.mark.parametrize(
    ("excluded", "most"),
    [
        pytest.param((), "ask for -55% at most", id="all"),
        pytest.param((LAYERS[1][1],), "ask for -30% at most", id="one-is-slow"),
        pytest.param(
            (*LAYERS[1], *LAYERS[2]),
            "its MACs and the time that goes with them, nor as much as 1 %",
            id="none",
        ),
    ],
)
def test_a_target_out_of_reach_says_what_is_not(excluded: tuple[Candidate, ...], most: str) -> None:
    """Of a model of 100 MACs and an effort of 100: 40 + 20 MACs and 30 + 25 of effort at most."""
    goal = Goal(90, 90.0, 0.9, (100, 100.0))
    with pytest.raises(TargetError, match="low-rank layers cannot save 90 % of") as raised:
        by_target("a.onnx", LAYERS, goal, ALIKE, excluded)
    assert raised.value.path == "a.onnx"
    assert raised.value.why.endswith(most)
