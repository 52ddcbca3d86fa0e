"""The cards of findings: their words, numbers and drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.finding import Confidence, Forecast, Severity
from archlint.analyzer.proposal import FixKind, Step
from archlint.analyzer.report import (
    BlockReport,
    EffectReport,
    FindingReport,
    IgnoredReport,
    Line,
    ModelReport,
    NodeReport,
    ProposalReport,
    State,
)
from archlint.analyzer.report.html import diagram, findings
from archlint.analyzer.report.html.cards import rules_of
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layout import layout
from archlint.analyzer.report.html.merged import merged
from archlint.analyzer.report.html.sketch import Box, Kind, Sketch, sketches, value
from archlint.analyzer.report.layers import Kernels, LayerReport
from archlint.analyzer.timing.measurement import Comparison, Measured
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval
from archlint.work import Prepared, Request, Task, answer
from geometry import overlaps
from partials import Partial
from reports import AFTER, BEFORE, HOSTILE, finding, model

SAMPLES = Path(__file__).parent.parent / "samples"
WIDE = 5 * 5 * 192 * 32 * 28 * 28  # MACs of a convolution: kernel × channels × pixels
NARROW = (192 * 16 + 5 * 5 * 16 * 32) * 28 * 28
MESSAGE = (
    "{0}×{0} convolution over {1} channels has no 1×1 reduction before it; any below {2} saves"
)


def page(report: ModelReport) -> Partial:
    return Partial("findings.html.j2", findings.section(report, Ids()))


def analysed(name: str) -> ModelReport:
    request = Request.of({"isolated": True}, layers=True)
    report = answer(request, Task(str(SAMPLES / name)), Prepared(request.configuration())).report
    assert report is not None
    return report


def measured(low: float, high: float, before: float = 1e6) -> Measured:
    """A proposal that takes between so many times what it replaces, which takes 1 ms."""
    (cpu,) = parse_providers([])
    kernels = {cpu.full_name: 1}
    return Measured(
        cpu,
        Comparison(
            cpu, 1, Clock.CPU, "1.0", before, before * low, low, Interval(low, high), 30, 0,
            kernels, kernels, 0,
        ),
    )  # fmt: skip


def layer(place: int, macs: int | None = BEFORE, **known: Any) -> LayerReport:
    cost = None if macs is None else Cost(macs=macs)
    plain = LayerReport(f"n{place}", "Conv", "5×5 conv 192→32", "1x32x28x28", cost=cost)
    return replace(plain, **known)


def at(place: int, found: FindingReport | None = None) -> FindingReport:
    """A finding at a layer."""
    return replace(found or finding(), nodes=(NodeReport(f"n{place}", "Conv", (), place),))


def test_a_real_model_is_told_in_the_numbers_of_the_formula() -> None:
    seen = page(analysed("inception_5x5.onnx"))
    assert (WIDE, NARROW) == (BEFORE, AFTER) == (120_422_400, 12_443_648)
    for told in (
        "▲ Warning · 5×5 convolution over 192 channels has no 1×1 reduction before it",
        "120,422,400 MACs",
        "12,443,648 MACs",
        "9.7× fewer",
        "120.4 M → 12.44 M −89.7 % of the whole model",
        "What to try. A 1×1 bottleneck of 16 channels.",
        "nn.Conv2d(192, 16, 1),",
        "or 2 stacked 3×3 convolutions: 50,577,408 MACs (−58.0 %), ARC201 large-kernel",
        "The function changes: retrain the network and check its accuracy.",
        "Following the first finding would bring the model from 120.4 M to 12.44 M MACs (−89.7 %).",
        "rules found nothing",
    ):
        assert told in seen.text
    assert "All together" not in seen.text  # it would say the same again
    assert "easured" not in seen.text
    assert "redicted" not in seen.text
    assert {"#finding-1", "#node-0"} <= set(seen.targets)
    assert findings.section(analysed("inception_5x5.onnx"), Ids()).linked == {0}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["3×3 conv"], "3×3 conv"),
        (["over 832 channels", "over 1,024 channels"], "over 832 to 1,024 channels"),
        (["5×5 of 64", "3×3 of 64", "3×3 of 8"], "3×3 or 5×5 of 8 to 64"),
        ([f"{n}×{n}" for n in (3, 5, 7, 11)], "3×3 to 11×11"),
        (["some 29.5 ms, 2 cores", "some 7.0 ms, 2 cores"], "some 7.0 to 29.5 ms, 2 cores"),
        (["output 'aux1' is", "output 'aux2' is"], None),  # no range of names
        (["conv1 costs 2", "conv2 costs 2"], None),
        (["one", "two words"], None),
        (["a 1 b", "a 1 b 2"], None),
    ],
)
def test_texts_that_differ_in_numbers_are_one(texts: Sequence[str], told: str | None) -> None:
    assert merged(texts) == told


def test_the_findings_of_a_rule_are_one_card() -> None:
    sizes = ((5, 192, 155), (5, 832, 640), (3, 256, 200))
    found = [
        finding(f"c{n}", message=MESSAGE.format(*size), title=f"a bottleneck of {n} channels")
        for n, size in enumerate(sizes, start=1)
    ]
    seen = page(model(findings=found))
    title = "3×3 or 5×5 convolution over 192 to 832 channels has no 1×1 reduction before it"
    assert f"{title}, at 3 places" in seen.text
    assert "Any below 155 to 640 saves." in seen.text
    assert "A bottleneck of 1 to 3 channels." in seen.text
    assert seen.tags["article"] == 1
    # Of 481,689,600 MACs, three times 107,978,752 go: 67.2 %.
    assert "361.3 M → 37.33 M −67.2 % of the whole model" in seen.text
    assert all(f"a bottleneck of {n} channels" in seen.text for n in (1, 2, 3))


def test_messages_that_differ_in_words_are_listed() -> None:
    found = [finding(message=f"output 'aux{n}' is a head: why?") for n in range(14)]
    seen = page(model(findings=found))
    assert "Wide convolution, at 14 places" in seen.text
    assert "Output 'aux11' is a head: why? And 2 more." in seen.text
    assert "'aux12'" not in seen.text


def test_budgets_are_at_no_place() -> None:
    text = "model has 5 MACs, 20.4 % over its budget of 4 (archlint.toml: budgets.macs)"
    broken = [
        replace(finding(code="ARC905", message=message, proposed=False), nodes=(), cost=Cost())
        for message in (text, "a run takes 5 ms: 25 % over its budget")
    ]
    seen = page(model(findings=broken))
    assert "Wide convolution, 2 times" in seen.text
    assert "place" not in seen.text
    assert not seen.tags["dl"]
    alone = page(model(findings=broken[:1]))
    assert f"M{text[1:]} ARC905" in alone.text  # what is in brackets is no clause of its own


def test_errors_of_the_run_come_first_then_the_most_severe_then_what_saves_most() -> None:
    budget = finding("", code="ARC905", severity=Severity.ERROR, proposed=False)
    doubtful = replace(finding(code="ARC103"), confidence=Confidence.LOW)
    small = finding(code="ARC201")
    assert small.proposal is not None
    small = replace(small, proposal=replace(small.proposal, after=Cost(macs=BEFORE - 1)))
    error = finding(code="ARC710", severity=Severity.ERROR, proposed=False)
    note = finding(code="ARC720", severity=Severity.NOTE)
    found = [note, doubtful, small, error, finding(), budget]
    codes = [group[0].code for group in rules_of(model(findings=found))]
    assert codes == ["ARC905", "ARC710", "ARC101", "ARC201", "ARC103", "ARC720"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (measured(0.2, 0.3), "Measured: confirmed on cpu: 1.00 ms → 0.200 ms, ratio 0.200 [0.2"),
        (measured(1.1, 1.2), "Measured: refuted on cpu: 1.00 ms → 1.10 ms, ratio 1.100 [1.1"),
        (measured(0.9, 1.1), "Measured: inconclusive on cpu:"),
        (measured(0.2, 0.3, 99_000), "Measured: too small to matter on cpu:"),
        (
            Measured(measured(1, 1).provider, why="it does not run"),
            "Not measured on cpu: it does not run.",
        ),
    ],
)
def test_verdicts_of_the_stopwatch_are_told_as_they_are(given: Measured, told: str) -> None:
    found = replace(finding(), measured=(given,), forecast=Forecast("this CPU", 4e6, 1e6))
    seen = page(model(findings=[found]))
    assert told in seen.text
    words = ("onfirmed", "efuted", "nconclusive", "oo small", "ot measured")
    assert sum(word in seen.text for word in words) == 1
    assert "Predicted 4.00 ms → 1.00 ms both predicted, on this CPU" in seen.text
    if given.comparison:
        interval = given.comparison.interval
        assert f"[{interval.low:.3f} to {interval.high:.3f}]" in seen.text


def test_several_verdicts_are_counted() -> None:
    given = [measured(0.2, 0.3), measured(0.3, 0.4), measured(1.1, 1.2)]
    found = [replace(finding(f"c{n}"), measured=(one,)) for n, one in enumerate(given)]
    seen = page(model(findings=found))
    assert "Measured: confirmed at 2, refuted at 1 of 3 places on cpu." in seen.text
    assert "c0: confirmed on cpu: 1.00 ms → 0.200 ms" in seen.text
    assert "refuted: ×1.100 time [1.100 to 1.200]" in seen.text


def test_predicted_is_never_called_measured() -> None:
    found = [replace(finding(), forecast=Forecast("this CPU", 4e6, 1e6)), finding("other")]
    seen = page(model(findings=found))
    assert "both predicted at 1 of 2 places, on this CPU" in seen.text
    assert "easured" not in seen.text


def test_measured_now_is_that_of_the_kernels_and_no_difference_is_made() -> None:
    layers = (
        layer(0, measured=3e6, kernel=(0, 1)),
        layer(1, 0),
        layer(2, measured=5e6),
    )
    kernels = Kernels("cpu", "1.0", 12e6, 2e6, 20, 1.0, disturbed=False)
    timed = replace(model(findings=[at(0)]), layers=layers, kernels=kernels)
    found = replace(timed.findings[0], forecast=Forecast("this CPU", 4e6, 1e6))
    seen = page(replace(timed, findings=(found,)))
    assert "Measured now 3.00 ms 30.0 % of the measured time, with what is fused" in seen.text
    assert "on a busy machine" not in seen.text
    assert "Predicted 4.00 ms → 1.00 ms" in seen.text
    busy = page(replace(timed, kernels=replace(kernels, disturbed=True)))
    assert "on a busy machine" in busy.text


def test_unknown_is_never_zero() -> None:
    advice = replace(finding(proposed=False), cost=Cost())
    unknown = replace(model(findings=[at(0, advice)]), layers=(layer(0, None),))
    assert "unknown" in page(unknown).text
    known = replace(model(findings=[at(0, advice)]), layers=(layer(0, 0),))
    assert "unknown" not in page(known).text
    some = replace(advice, cost=Cost(macs=5), nodes=(at(0).nodes[0], at(1).nodes[0]))
    both = replace(model(findings=[some]), layers=(layer(0, 5), layer(1, None)))
    assert "MACs at least 5" in page(both).text
    lead = page(replace(model(findings=[finding()]), unknown_nodes=3)).text
    assert "from at least 481.7 M to at least 373.7 M MACs" in lead


def test_states_beside_a_base() -> None:
    found = (
        finding("a", state=State.NEW),
        finding("b", state=State.WORSE, before=90_000_000),
        finding("c", code="ARC102", state=State.WORSE, before=100_000_000),
        finding("old", state=State.UNCHANGED),
    )
    seen = page(model(findings=found))
    assert "1 new 1 worse" in seen.text
    assert "Worse: 100,000,000 → 120,422,400 MACs (+20.4 %)" in seen.text
    assert "Already in the base: 1 finding old: ARC101 wide-convolution" in seen.text
    assert "at 2 places" in seen.text


def test_what_needs_no_action_is_folded() -> None:
    ignored = (
        IgnoredReport(finding("a"), "archlint.toml:3", "it is short"),
        IgnoredReport(finding("b", code="ARC103"), "the model", None, in_model=True),
    )
    seen = page(replace(model(), ignored=ignored, rules=("ARC101", "ARC102", "ARC201")))
    assert "2 findings ignored" in seen.text
    assert "(reason: it is short; by archlint.toml:3)" in seen.text
    assert "(no reason given; by the model)" in seen.text
    assert "2 rules found nothing ARC102 ARC201" in seen.text


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (replace(model(), rules=("ARC101", "ARC102")), "No findings in 9 nodes, 2 rules."),
        (model(findings=[finding(state=State.UNCHANGED)]), "No new findings in 9 nodes."),
        (replace(model(), was_checked=False), "Not checked: only its snapshot is here."),
    ],
)
def test_nothing_to_tell_is_told_calmly(report: ModelReport, told: str) -> None:
    seen = page(report)
    assert told in seen.text
    assert not seen.tags["article"]


@pytest.mark.parametrize(
    ("limit", "told"),
    [("400M", "within its budget of 400M"), ("300 M", "still over its budget of 300 M"), ("?", "")],
)
def test_the_lead_says_whether_the_budget_would_hold(limit: str, told: str) -> None:
    evidence: dict[str, str | int | float] = {
        "quantity": "macs",
        "found": 481_689_600,
        "limit": limit,
    }
    budget = finding("", code="ARC905", severity=Severity.ERROR, proposed=False)
    found = (finding(), replace(budget, nodes=(), evidence=evidence))
    seen = page(model(findings=found))
    # 481,689,600 - 107,978,752 = 373,710,848
    alone = "Following ARC101 alone would bring the model from 481.7 M to 373.7 M MACs (−22.4 %)"
    assert f"{alone}{', ' * bool(told)}{told}." in seen.text


def test_all_proposals_together() -> None:
    effect = EffectReport(4 * BEFORE, BEFORE, 500_000, 100_000)
    found = (finding("a"), finding("b", code="ARC102"))
    seen = page(replace(model(findings=found), effect=effect))
    assert "All together: 481.7 M → 120.4 M MACs (−75.0 %)." in seen.text


def test_places_are_rows_and_the_rest_is_summed_up() -> None:
    block = BlockReport("Inception", 2, 9, "the 2nd of 9 Inception blocks")
    found = [replace(finding(f"c{n}"), block=block, described=f"conv {n}") for n in range(60)]
    seen = page(model(findings=found))
    assert seen.tags["tr"] == 1 + 50
    assert "in the 2nd of 9 Inception blocks" in seen.text
    # Ten times 120,422,400 and 12,443,648.
    assert "And 10 more places, 1.204 G → 124.4 M MACs together." in seen.text
    assert not [target for target in seen.targets if target.startswith("#node")]


def test_places_that_are_alike_are_one_row() -> None:
    """Two cases: one of 24 places in the order of the findings, one of a single place."""
    other = replace(at(24), described="5×5 conv 64→64")
    found = [*(at(place) for place in range(23)), other, at(23)]
    report = replace(model(findings=found), layers=tuple(map(layer, range(25))))
    seen = page(report)
    assert seen.tags["tr"] == 1 + 2
    assert "25 places Node What it is MACs each now after Fewer n0 and 23 " in seen.text
    assert "n23 Conv 5x5 120,422,400 12,443,648 9.7×" in seen.text
    assert "n24 5×5 conv 64→64 120,422,400" in seen.text
    assert {f"#node-{place}" for place in range(25)} <= set(seen.targets)
    assert findings.section(report, Ids()).linked == set(range(25))


def test_columns_of_nothing_are_left_out() -> None:
    """No MACs now and none after; where all are saved, that none are left is told."""
    found = at(0)
    assert found.proposal is not None
    bytes_alone = replace(found.proposal, before=Cost(weight_bytes=9), after=Cost())
    none = page(model(findings=[replace(found, proposal=bytes_alone, cost=Cost())]))
    assert "Node What it is n0 Conv 5x5 What to try" in none.text
    gone = replace(found.proposal, after=Cost())
    assert (
        "MACs now after n0 Conv 5x5 120,422,400 0"
        in page(model(findings=[replace(found, proposal=gone)])).text
    )


@pytest.mark.parametrize(("rules", "folded"), [(5, 0), (6, 2), (20, 16)])
def test_of_many_cards_the_later_ones_are_brief(rules: int, folded: int) -> None:
    """What they are and cost is seen; what to try is folded with where it is."""
    seen = page(model(findings=[finding("a", code=f"ARC{101 + n}") for n in range(rules)]))
    assert seen.tags["article"] == rules
    assert seen.text.count("Where it is, and what to try") == folded
    assert seen.tags["details"] == rules + folded


def test_the_first_card_alone_is_open() -> None:
    found = [finding("a"), finding("b", code="ARC102"), finding("c", code="ARC201")]
    seen = page(model(findings=found))
    assert (seen.tags["article"], seen.attributes["open"]) == (3, 1)
    assert {"finding-1", "finding-2", "finding-3"} <= set(seen.ids)


def test_long_snippets_are_folded_and_say_whose_they_are() -> None:
    found = []
    for count in (20, 3):
        one = finding(f"of {count}")
        assert one.proposal is not None
        proposal = replace(one.proposal, snippet="\n".join(f"x{n}" for n in range(count)))
        found.append(replace(one, proposal=proposal))
    seen = page(model(findings=found))
    assert "20 lines of PyTorch" in seen.text
    assert "For of 20:" in seen.text
    assert "lines of PyTorch" not in page(model(findings=found[1:])).text


@pytest.mark.parametrize(
    "known",
    [{"source": (Line("net.py", 7, "  x = f(x)"),)}, {"anchor": Line("net.py", 7, "x = f(x)")}],
)
def test_the_line_that_made_it_is_told(known: dict[str, Any]) -> None:
    found = replace(finding(), **known)
    assert "Source: net.py:7: x = f(x)" in page(model(findings=[found])).text


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_models_are_harmless(text: str) -> None:
    found = finding(text, message=f"{text} is bad: {text}", title=text)
    assert found.proposal is not None
    steps = (Step(text, 1, text, (-1,)),)
    proposal = replace(found.proposal, snippet=text, caveat=text, steps=steps)
    found = replace(at(0, found), proposal=proposal, described=text, source=(Line(text, 1, text),))
    hostile = LayerReport(text, text, text, text, cost=Cost(macs=BEFORE))
    report = replace(
        model(text, [found, replace(found, state=State.UNCHANGED)]),
        layers=(hostile,),
        ignored=(IgnoredReport(found, text, text),),
        rules=(text,),
    )
    plain = page(model(findings=[finding()]))
    seen = page(report)
    allowed = {*plain.tags, "svg", "g", "rect", "text", "path", "title", "circle", "line", "tspan"}
    allowed |= {
        "figure",
        "figcaption",
        "pre",
        "code",
        "br",
        "small",
        "ul",
        "li",
        "details",
        "summary",
    }
    assert set(seen.tags) <= allowed
    assert not [name for name in seen.attributes if name.startswith("on") or name == "style"]
    assert len(seen.ids) == len(set(seen.ids))
    assert all(target.startswith("#") for target in seen.targets)
    seen.source.encode()  # surrogates are written out


def chain(count: int) -> Sketch:
    boxes = [
        value("1x8x4x4", "input"),
        *(Box(Kind.OPERATOR, f"op{n}", macs=n) for n in range(count)),
    ]
    return Sketch((*boxes, value("", "output")), tuple((n, n + 1) for n in range(count + 1)))


@pytest.mark.parametrize("kept", [1, 2, 3, 7])
def test_a_shortened_chain_is_a_chain_of_the_same_macs(kept: int) -> None:
    whole = chain(20)
    short = whole.shortened(kept)
    assert sum(box.macs or 0 for box in short.boxes) == sum(range(20))
    assert len(short.boxes) == kept + 3
    assert short.edges == tuple((n, n + 1) for n in range(kept + 2))
    assert f"… {20 - kept} more" in [box.text for box in short.boxes]


def test_what_is_suggested_may_fork_and_join() -> None:
    steps = (
        Step("1×1 conv 8→4", 10, "1x4x9x9", (-1,)),
        Step("3×3 conv 4→4", 20, "1x4x9x9", (0,)),
        Step("5×5 conv 4→4", 30, "1x4x9x9", (0,)),
        Step("Concat", 0, "1x8x9x9", (1, 2)),
        Step("Add", 0, "1x8x9x9", (-1, 3)),
    )
    found = at(0)
    assert found.proposal is not None
    proposal = replace(found.proposal, steps=steps)
    report = replace(model(), layers=(layer(0),))
    now, suggested = sketches(report, found, proposal)
    assert [box.text for box in now.boxes] == ["input", "5×5 conv", "32 channels"]
    assert suggested.edges == ((0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (0, 5), (4, 5), (5, 6))
    placed = layout([(40, 80)] * 7, suggested.edges)
    assert not overlaps(placed, [(40, 80)] * 7)
    assert diagram.draw(report, found, proposal)


@pytest.mark.parametrize("count", [3, 12, 40, 300])
def test_a_drawing_is_as_wide_as_a_page_at_most(count: int) -> None:
    steps = tuple(
        Step("3×3 depthwise conv 1,024→1,024", n, "1x8x4x4", (n - 1,)) for n in range(count)
    )
    found = at(0)
    assert found.proposal is not None
    proposal = replace(found.proposal, steps=steps)
    drawing = diagram.draw(replace(model(), layers=(layer(0),)), found, proposal)
    width = float(drawing.split('width="')[1].split('"')[0])
    assert width <= diagram.WIDTH
    assert ("more" in drawing) is (count > 3)


def test_a_removal_is_drawn_as_such() -> None:
    report = analysed("inception_5x5.onnx")
    found = report.findings[0]
    assert found.proposal is not None
    gone = replace(found.proposal, steps=(), after=Cost())
    drawing = diagram.draw(report, found, gone)
    assert "removed" in drawing
    assert "none left" in drawing


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (Cost(macs=10), Cost(macs=25), "2.5× more"),
        (Cost(macs=10, weight_bytes=90), Cost(macs=10, weight_bytes=30), "30 bytes moved"),
        (
            Cost(ops_by_family=(("add", 8),)),
            Cost(ops_by_family=(("add", 2),)),
            "2 other operations",
        ),
    ],
)
def test_bars_count_what_changes(before: Cost, after: Cost, told: str) -> None:
    proposal = ProposalReport("x", FixKind.EQUIVALENT, "", before, after, 5, 5, (), "")
    found = replace(at(0), proposal=proposal)
    drawing = diagram.draw(replace(model(), layers=(layer(0),)), found, proposal)
    assert told in drawing


def test_the_drawing_of_a_real_proposal() -> None:
    report = analysed("resnet_basic_block.onnx")
    found = report.findings[0]
    assert found.proposal is not None
    now, suggested = sketches(report, found, found.proposal)
    assert [box.text for box in now.boxes] == ["256 channels", "3×3 conv", "256 channels"]
    assert [(box.text, box.detail) for box in suggested.boxes] == [
        ("256 channels", "14×14"),
        ("1×1 conv", "256 → 64"),
        ("Relu", ""),
        ("3×3 conv", "64 → 64"),
        ("Relu", ""),
        ("1×1 conv", "64 → 256"),
        ("256 channels", "14×14"),
    ]
    # 256·64 + 9·64·64 + 64·256 MACs a pixel, of 14×14.
    assert sum(box.macs or 0 for box in suggested.boxes) == (2 * 256 * 64 + 9 * 64 * 64) * 196
