"""Reports made by hand, for every format: each number in them is said here."""

from __future__ import annotations

from collections.abc import Iterable

from archlint import __version__
from archlint.analyzer.compare.architecture import Totals
from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.cost import Cost
from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.identity import Identity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.report import (
    Change,
    Failure,
    FindingReport,
    Line,
    ModelReport,
    NodeReport,
    ProposalReport,
    Report,
    State,
)
from archlint.analyzer.report.context import Context, RuleText

MANY = 2_000
BEFORE, AFTER = 120_422_400, 12_443_648  # MACs of the 5×5 convolution, and of the proposal
HOSTILE = (
    "two\nlines\r\nand\ttabs",
    "\x1b[31mred\x1b[0m\x07",
    "::error file=README.md,line=1::owned",
    "##vso[task.setvariable variable=PATH]evil",
    "a]]>b<script>alert(1)</script>&amp;",
    "a|b\\|c\\\\|d`e``f```g`",
    "![x](http://evil.example/p.png) [y](1) <img src=x onerror=alert(1)>",
    "@octocat #1 GH-2 a/b#3 deadbeefdeadbeef www.evil.example http://evil.example me@evil.example",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "\ud800lone\udcff",
    "nul\x00in",
    '=HYPERLINK("http://evil.example")',
    "{0} {{1}} %0A%25 $(id) `id` ; rm -rf ]",
    "x" * 10_000,
    "",
    "</summary></details><h1>loud</h1>",
    "```\n# heading\n- item\n~~~",
)


def finding(
    label: str = "conv5x5",
    *,
    message: str = "5×5 convolution over 192 channels has no 1×1 reduction before it",
    code: str = "ARC101",
    severity: Severity = Severity.WARNING,
    state: State | None = None,
    before: int | None = None,
    anchor: Line | None = None,
    fingerprint: str = "9a1f0c3b77de4a52:1",
    proposed: bool = True,
    title: str = "1×1 reduction to 16 channels before it",
) -> FindingReport:
    """A finding that saves 107,978,752 of 120,422,400 MACs."""
    proposal = ProposalReport(
        title, FixKind.RETRAIN, "The function changes.", Cost(macs=BEFORE), Cost(macs=AFTER),
        153_600, 15_872, (), "",
    )  # fmt: skip
    return FindingReport(
        code,
        "wide-convolution",
        severity,
        Confidence.HIGH,
        (NodeReport(label, "Conv", ("stem",)),),
        "Conv 5x5",
        message,
        Identity(fingerprint, label, "stem", "Conv"),
        {"channels": 192},
        Cost(macs=BEFORE),
        0.25,
        proposal=proposal if proposed else None,
        advice="" if proposed else "decide",
        state=state,
        before=before,
        anchor=anchor,
    )


def model(
    path: str = "models/net.onnx",
    findings: Iterable[FindingReport] = (),
    change: Change | None = None,
) -> ModelReport:
    """A model of 481,689,600 MACs: four times those of the finding."""
    return ModelReport(
        path, 1_000, 0, 17, (), (), 9, Cost(macs=4 * BEFORE), 4 * BEFORE, 500_000, 0, 0, 1_600_000,
        "conv5x5", 0, 0, (), 0, (), tuple(findings), change=change,
    )  # fmt: skip


def totals(macs: int | None) -> Totals:
    """What a model costs in a base or a head."""
    return Totals(macs, 500_000, 1_000, 1_600_000, 2_000_000, 9)


def _compared() -> Report:
    told = (
        finding("new", state=State.NEW, fingerprint="aa:1"),
        finding("worse", state=State.WORSE, before=90_000_000, fingerprint="bb:1"),
        finding("old", state=State.UNCHANGED, fingerprint="cc:1"),
        finding(
            "", code="ARC905", message="MACs over the budget of 400 M", state=State.NEW,
            severity=Severity.ERROR, fingerprint="dd:1", proposed=False,
        ),
    )  # fmt: skip
    grown = Difference(totals(361_267_200), totals(4 * BEFORE), 8)
    change = Change("models/net.onnx", grown, (finding("gone", fingerprint="ee:1"),))
    return Report(
        __version__,
        (
            model(findings=told, change=change),
            model("models/new.onnx", [finding(state=State.NEW)], Change()),
            model("models/same.onnx", change=Change("models/same.onnx")),
        ),
        base="main",
        removed=("models/gone.onnx",),
        skipped=("models/pointer.onnx",),
    )


def _hostile() -> Report:
    models = tuple(
        model(
            f"models/{text}.onnx",
            [
                finding(other, message=f"{text} is {other}", title=text, fingerprint=f"{n:x}:1")
                for n, other in enumerate(HOSTILE)
            ],
            Change(text, None, (finding(text),)) if place % 2 else None,
        )
        for place, text in enumerate(HOSTILE)
    )
    return Report(
        __version__,
        models,
        tuple(Failure(text, f"cannot be read: {text}") for text in HOSTILE),
        base=HOSTILE[7],
        removed=HOSTILE,
        skipped=HOSTILE,
    )


def _many() -> Report:
    names = [f"conv{place}" for place in range(MANY)]
    findings = [finding(name, fingerprint=f"{place:016x}:1") for place, name in enumerate(names)]
    return Report(__version__, (model(findings=findings),))


ANCHORED = finding(anchor=Line("src/net.py", 7, "        x = self.conv(x)"))
REPORTS = {
    "empty": Report(__version__),
    "clean": Report(__version__, (model(),)),
    "one": Report(__version__, (model(findings=[finding()]),)),
    "anchored": Report(__version__, (model(findings=[ANCHORED]),)),
    "twins": Report(__version__, (model(findings=[finding(), finding()]),)),
    "compared": _compared(),
    "failures": Report(__version__, failures=(Failure("models/broken.onnx", "is no ONNX model"),)),
    "hostile": _hostile(),
    "many": _many(),
}
RULE = RuleText(
    "ARC101", "wide-convolution", "A wide kernel.", "A wide kernel. It costs.", "# ARC101\n\nText.",
    Severity.WARNING, Confidence.MEDIUM, ("cost", "retrain"),
)  # fmt: skip
CONTEXT = Context("/repo", "/repo", "https://docs.example", {"ARC101": RULE})
BARE = Context("/repo", "/repo")
