"""The top of a page: the sentence, the verdict, the numbers, and what to beware of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.cost import Cost
from archlint.analyzer.dims import Cause
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import (
    Change,
    EffectReport,
    LatencyReport,
    ModelReport,
    Predicted,
    Report,
    State,
    Unknown,
    ValueReport,
)
from archlint.analyzer.report.html.head import head
from archlint.analyzer.report.html.headline import sentence
from archlint.analyzer.report.html.method import facts
from archlint.analyzer.report.html.numbers import numbers, tied
from archlint.analyzer.report.layers import Kernels
from archlint.analyzer.timing.measurement import Comparison, Measured
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval
from reports import AFTER, BEFORE, finding, model, totals

WHOLE = 4 * BEFORE
CPU = parse_providers(["cpu"])[0]
RULES = ("ARC101", "ARC102")
OVER = replace(
    finding(
        "",
        code="ARC905",
        message="MACs over the budget of 400 M",
        severity=Severity.ERROR,
        proposed=False,
    ),
    evidence={"quantity": "macs", "found": WHOLE, "limit": "400 M"},
)
OVER_4G = replace(OVER, evidence={**OVER.evidence, "limit": "4G"})


def timed(low: float, high: float) -> Measured:
    """Ten milliseconds, and that many times as many."""
    middle = (low + high) / 2
    comparison = Comparison(
        CPU, 1, Clock.CPU, "1.31", 1e7, middle * 1e7, middle, Interval(low, high), 9, 0, {}, {}, 0
    )
    return Measured(CPU, comparison)


PAIRED = timed(1.55, 1.65).comparison
assert PAIRED is not None
UNEVEN = Measured(CPU, replace(PAIRED, after=1.5e7))  # a quotient of medians of 1.5


def against(macs: int | None, parameters: int = 500_000, **kinds: Any) -> ModelReport:
    """A model whose base had so many MACs and parameters."""
    before = replace(totals(macs), parameters=parameters)
    measured = kinds.pop("measured", ())
    difference = Difference(before, totals(WHOLE), 8, **kinds)
    return replace(model(), change=Change("main", difference, measured=measured))


def latency(*, quiet: bool) -> LatencyReport:
    return LatencyReport("cpu, 1 thread", 12.5, 12.0, 13.0, quiet)


def forecast(nanoseconds: float, missing: int = 0) -> Predicted:
    return Predicted("cpu, 1 thread", "cpu", 1, "CPU", "1.31", nanoseconds, missing)


PROPOSAL = finding().proposal
assert PROPOSAL is not None
SAVING = replace(
    model(findings=[finding()]),
    effect=EffectReport(WHOLE, WHOLE - BEFORE + AFTER, 500_000, 362_272),
)
HIDDEN = replace(model(), unknown_nodes=2)
SLOW: dict[str, str | int | float] = {"quantity": "latency", "found": 15.0, "limit": "12ms"}
FEWER_BYTES = replace(
    finding(), proposal=replace(PROPOSAL, before=Cost(bytes_read=300), after=Cost(bytes_read=100))
)
UNSAVED = EffectReport(WHOLE, WHOLE, 500_000, 500_000)
LIGHTER = replace(
    model(findings=[FEWER_BYTES] * 2), cost=Cost(macs=WHOLE, bytes_read=1_000), effect=UNSAVED
)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        # 1 − (3 · BEFORE + AFTER) / (4 · BEFORE) = 22.4 %
        (SAVING, "481.7 M MACs; one change would remove 22 %"),
        (replace(SAVING, unknown_nodes=1), "At least 481.7 M MACs; one change would remove 22 %"),
        (model(findings=[finding()]), "481.7 M MACs; 1 finding"),
        (model(), "No findings in 9 nodes"),
        (replace(model(), rules=RULES), "No findings in 9 nodes, 2 rules"),
        (HIDDEN, "No findings, but the cost of 2 of 9 nodes is unknown"),
        (
            replace(HIDDEN, cost=Cost(), findings=(finding(),)),
            "The number of MACs is unknown; 1 finding",
        ),
        (
            replace(SAVING, findings=(OVER_4G, finding()), change=Change()),
            "A new model of 481.7 M MACs, over its budget of 4G MACs; one change would remove 22 %",
        ),
        (
            model(findings=[OVER, replace(OVER, evidence=SLOW)]),
            "481.7 M MACs, over its budget of 400 M MACs and 12ms a run; 2 findings",
        ),
        (LIGHTER, "481.7 M MACs; 2 changes would remove 40 % of the memory traffic"),
        (  # 1 − 2 / 5 ms
            replace(
                LIGHTER, predicted=forecast(5e6), effect=replace(UNSAVED, predicted=forecast(2e6))
            ),
            "481.7 M MACs; 2 changes would take 60 % off the predicted time",
        ),
        (  # what is not predicted is in one of the two times alone
            replace(
                LIGHTER,
                predicted=forecast(5e6, 1),
                effect=replace(UNSAVED, predicted=forecast(2e6)),
            ),
            "481.7 M MACs; 2 changes would remove 40 % of the memory traffic",
        ),
        (replace(model(), was_checked=False), "Not checked: only its snapshot is here"),
        (replace(model(), change=Change()), "A new model of 481.7 M MACs"),
        (replace(model(), change=Change("main")), "The same model as in the base"),
        (against(WHOLE // 2), "This change doubles the arithmetic of the model"),
        (against(2 * WHOLE), "This change halves the arithmetic of the model"),
        (against(WHOLE * 4 // 5), "This change raises the arithmetic of the model by 25 %"),
        (against(0), "This change adds the arithmetic of the model"),
        (against(WHOLE, 1_000_000), "The same arithmetic; this change halves the parameters"),
        (
            against(WHOLE // 2, measured=(timed(1.7, 1.9),)),
            "This change doubles the arithmetic of the model and makes it 1.8 times as slow on cpu",
        ),
        (  # the interval is ±14 % of its middle: too wide for a headline
            against(WHOLE // 2, measured=(timed(1.5, 2.0),)),
            "This change doubles the arithmetic of the model",
        ),
        (  # the interval holds 1: nothing is known
            against(WHOLE // 2, measured=(timed(0.9, 1.2),)),
            "This change doubles the arithmetic of the model",
        ),
        (
            replace(
                against(WHOLE // 2, measured=(timed(1.7, 1.9),)), latencies=(latency(quiet=False),)
            ),
            "This change doubles the arithmetic of the model",
        ),
    ],
)
def test_sentence(report: ModelReport, expected: str) -> None:
    """The first that applies."""
    assert sentence(report) == expected


@pytest.mark.parametrize(
    ("failed", "findings", "verdict", "badge"),
    [
        (None, (), "", ""),
        (False, (finding(),), "pass", "Passes"),
        (True, (finding(),), "fail", "Fails"),
        (True, (OVER, finding()), "fail", "Fails the budget"),
        (True, (replace(OVER, evidence={"quantity": "macs"}), finding()), "fail", "Fails"),
    ],
)
def test_verdict(failed: bool | None, findings: Any, verdict: str, badge: str) -> None:
    """That of the run; a limit that cannot be judged is no broken budget."""
    top = head(replace(model(findings=findings), failed=failed))
    assert (top.verdict, top.badge) == (verdict, badge)


def test_reasons() -> None:
    """Broken budgets, then how much was found."""
    top = head(model(findings=[OVER, finding(), finding()]))
    assert top.reasons == ("MACs over the budget of 400 M", "1 error, 2 warnings")
    lower = replace(OVER, message="model costs 481,689,600 MACs")
    assert head(model(findings=[lower])).reasons[0] == "Model costs 481,689,600 MACs"
    assert head(model()).reasons == ()
    told = replace(against(WHOLE), findings=(finding(state=State.NEW),))
    assert head(told).reasons == ("1 warning new or worse",)


def test_eyebrow() -> None:
    """The base, what goes in; nothing of it, or of the path, is markup for a terminal."""
    inputs = tuple(ValueReport(f"in{n}", (1, "seq", 2)) for n in range(5))
    top = head(replace(against(1), inputs=inputs, path="a\x1b[1m.onnx"))
    shown = "in0 1×seq×2, in1 1×seq×2, in2 1×seq×2, 2 more inputs"
    assert (top.path, top.eyebrow) == ("a\\x1b[1m.onnx", f"against main · {shown} · opset 17")


def test_numbers_beside_a_base() -> None:
    """Each as it is, and how it differs."""
    macs, parameters, moved, time = numbers(against(WHOLE // 2, 400_000))
    assert (macs.value, macs.delta, macs.tone) == ("481.7 M", "+100.0 % from 240.8 M", "up")
    assert (parameters.delta, parameters.tone) == ("+25.0 % from 400.0 k", "up")
    assert (moved.delta, moved.tone) == ("peak unchanged", "")
    assert (time.value, time.is_known) == ("not measured", False)


def test_what_is_unknown_is_no_zero() -> None:
    """A model of which nothing is known has no numbers."""
    report = replace(
        model(), cost=Cost(), unknown_nodes=9, peak_unknown=3, peak_bytes=0, least_macs=0
    )
    macs, _, moved, _ = numbers(report)
    assert [macs.value, moved.value, macs.is_known, moved.is_known] == ["unknown"] * 2 + [False] * 2
    assert "0" not in "".join((*macs.notes, *moved.notes))
    some = next(numbers(HIDDEN))
    assert some.value == "at least 481.7 M"
    assert "2 nodes of unknown cost" in some.notes


def test_a_budget_is_told_where_it_is_broken() -> None:
    """At the number that breaks it."""
    macs, parameters, *_ = numbers(model(findings=[OVER]))
    assert "over its budget of 400 M" in macs.notes
    grown = replace(OVER, code="ARC906", evidence={**OVER.evidence, "limit": "+5%"})
    assert "its budget lets it grow by +5%" in next(numbers(model(findings=[grown]))).notes
    assert not any("budget" in note for note in parameters.notes)


@pytest.mark.parametrize(
    ("report", "label", "value", "note"),
    [
        (
            replace(model(), latencies=(latency(quiet=True),)),
            "Latency, measured",
            "12.5 ms",
            "12.0 ms to 13.0 ms (95 %), cpu, 1 thread",
        ),
        (
            replace(model(), predicted=Predicted("cpu, 1 thread", "cpu", 1, "CPU", "1.31", 3e6, 2)),
            "Latency, predicted",
            "at least 3.00 ms",
            "a prediction for cpu, 1 thread, not a measurement",
        ),
        (model(), "Latency", "not measured", "archlint check --verify"),
    ],
)
def test_latency(report: ModelReport, label: str, value: str, note: str) -> None:
    """Measured where it was measured, else predicted, else said to be neither."""
    *_, time = numbers(report)
    assert (time.label, time.value) == (label, value)
    assert note in time.notes


@pytest.mark.parametrize(
    ("measured", "value", "delta", "note"),
    [
        (timed(1.4, 1.6), "15.0 ms", "+50.0 % against the base",
         "base 10.0 ms; +40.0 to +60.0 % (95 %)"),
        (UNEVEN, "15.0 ms", "+60.0 % against the base", "base 10.0 ms; +55.0 to +65.0 % (95 %)"),
        (timed(0.94, 1.06), "10.0 ms", "no measurable change (−6.0 to +6.0 %)", "base 10.0 ms"),
        (Measured(CPU, why="no room"), "12.5 ms", "", "12.0 ms to 13.0 ms (95 %), cpu, 1 thread"),
    ],
)  # fmt: skip
def test_a_change_of_time_is_told_outside_of_the_noise(
    measured: Measured, value: str, delta: str, note: str
) -> None:
    """Else that none can be measured; it is the ratio of runs in turns, of which the medians are
    told beside it."""
    report = replace(against(WHOLE, measured=(measured,)), latencies=(latency(quiet=True),))
    *_, time = numbers(report)
    assert (time.value, time.delta, time.notes[0]) == (value, delta, note)


CAUSES = (
    Unknown(Cause("dim 'height' is unbound", "--dim height=128"), ("a", "b")),
    Unknown(Cause("there is no rule for it"), ("c",)),
)
BUSY = Kernels("cpu", "1.31", 1e6, 0.0, 9, 0.31, disturbed=True)


def beside_kernels(total: float) -> ModelReport:
    """A run of 12.5 ms without a profiler, and so many nanoseconds of kernels."""
    kernels = Kernels("cpu, 1 thread", "1.31", total, 0.0, 9, 1.0, disturbed=False)
    return replace(model(), latencies=(latency(quiet=True),), kernels=kernels)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (model(), []),
        (replace(model(), was_checked=False), ["Only a snapshot was here."]),
        (
            replace(model(), latencies=(latency(quiet=False),), kernels=BUSY),
            [
                "The machine was busy while it was measured: the profiled runs had 31 % of a core.",
                "MACs, parameters and bytes are exact.",
            ],
        ),
        (
            replace(model(), latencies=(latency(quiet=True),), kernels=replace(BUSY, cores=1.0)),
            ["The machine was busy while the times of nodes were measured."],
        ),
        (
            replace(model(), kernels=replace(BUSY, cores=1.0, threads=4)),
            ["measured: the profiled runs had 25 % of 4 cores."],
        ),
        (  # (14 − 11) / (14 + 11)
            replace(model(), latencies=(replace(latency(quiet=True), low=11.0, high=14.0),)),
            ["The measured times vary by ±12 %. Measure again on a quiet machine"],
        ),
        (  # 15 ms is 20 % above 12.5 ms
            beside_kernels(15e6),
            [
                "The kernels sum to 15.0 ms, 20.0 % above the 12.5 ms of a run without a profiler.",
                "Read the times of nodes as shares.",
            ],
        ),
        (
            beside_kernels(10e6),
            ["The kernels sum to 10.0 ms, 20.0 % below the 12.5 ms of a run without a profiler."],
        ),
        (beside_kernels(14e6), []),  # 12 % above
        (
            replace(model(), unknown=CAUSES, unknown_nodes=3),
            [
                "The cost of 3 of 9 nodes is unknown and in no total:",
                "2 nodes: dim 'height' is unbound; bind it with --dim height=128",
                "1 node: there is no rule for it",
            ],
        ),
        (
            replace(model(), notes=("dim 'batch' taken as 1",)),
            ["About these numbers: dim 'batch' taken as 1."],
        ),
    ],
)
def test_caveats(report: ModelReport, told: list[str]) -> None:
    """Only where there is something to beware of, with what to do."""
    caveats = head(report).caveats
    text = "\n".join(" ".join((one.title, one.text, *one.more)) for one in caveats)
    assert bool(caveats) == bool(told)
    for words in told:
        assert words in text


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (beside_kernels(12.51e6), "The kernels sum to the 12.5 ms of a run without a profiler."),
        (beside_kernels(13e6), "The kernels sum to 13.0 ms, 4.0 % above the 12.5 ms of a run"),
        (replace(beside_kernels(13e6), latencies=()), "apart from those: 13.0 ms in all"),
    ],
)
def test_kernels_beside_a_run(report: ModelReport, told: str) -> None:
    """What nodes take together is told beside what a run takes, wherever both are known."""
    text = dict(facts(report, Report("1", (report,))))["Times of nodes"]
    assert told in text
    assert ("without a profiler" in text) == bool(report.latencies)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("at least 0.0063 ms", ["at", "least", "0.0063\u00a0ms"]),
        ("+103.1 % from 1.583 G", ["+103.1\u00a0%", "from", "1.583\u00a0G"]),
        ("2 models, 5 Gemm", ["2", "models,", "5", "Gemm"]),
        ("6.423 MB of 481.7 M MACs", ["6.423\u00a0MB", "of", "481.7\u00a0M", "MACs"]),
    ],
)
def test_a_number_keeps_its_unit(text: str, parts: list[str]) -> None:
    """At the end of a line; names of things may go to the next one."""
    assert tied(text).split(" ") == parts
