"""Equal findings are told once, with all their places."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report import FindingReport, ModelReport, Report, as_json, concise, full
from archlint.analyzer.report.groups import group_numbers, grouped
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.text import Paint
from archlint.analyzer.timing.measurement import Measured
from archlint.analyzer.timing.providers import Provider
from archlint.config import Chosen, choose_rules
from archlint.pipeline import lint_model

# Two basic blocks of ResNet-18 on 14x14 (He et al. 2015, figure 5), then a plain convolution of the
# same width, and one on half the map.
NETWORK = """agraph (float[1,256,14,14] x) => (y) <float[256,256,3,3] w> {
    [one] a = Conv <pads = [1,1,1,1]> (x, w)
    b = Relu (a)
    [two] c = Conv <pads = [1,1,1,1]> (b, w)
    d = Add (c, x)
    [three] e = Conv <pads = [1,1,1,1]> (d, w)
    f = Relu (e)
    [four] g = Conv <pads = [1,1,1,1]> (f, w)
    h = Add (g, d)
    [five] i = Conv <pads = [1,1,1,1]> (h, w)
    j = MaxPool <kernel_shape = [2,2], strides = [2,2]> (i)
    [six] y = Conv <pads = [1,1,1,1]> (j, w)
}"""
NOW = 14 * 14 * 256 * 9 * 256
THEN = 14 * 14 * (256 * 64 + 64 * 9 * 64 + 64 * 256)
WHOLE = 5 * NOW + 7 * 7 * 256 * 9 * 256


@pytest.fixture(scope="module")
def model() -> ModelReport:
    """What one rule says of the network."""
    return reported(lint_model(from_text(NETWORK), Chosen(choose_rules(["ARC102"]))))


def text_of(model: ModelReport) -> list[str]:
    """The lines of the full report."""
    return full.render(Report("1", (model,)), Paint(), None).splitlines()


def paragraphs(model: ModelReport) -> list[str]:
    """Their first lines up to the message."""
    return [line.partition(":")[0] for line in text_of(model) if line.startswith("ARC")]


def test_equal_findings_are_one_paragraph(model: ModelReport) -> None:
    """With how many there are, their places by blocks, and what all of them save."""
    name = "ARC102 unreduced-residual-block"
    assert paragraphs(model) == [f"{name} ×4", name, name]
    lines = text_of(model)
    start = next(place for place, line in enumerate(lines) if line.startswith("  -->"))
    assert lines[start + 1] == "      three, four in the 2nd of 2 residual blocks"
    assert lines[start].endswith(": one, two in the 1st of 2 residual blocks")
    assert (NOW, THEN) == (115_605_504, 13_647_872)
    assert (4 * NOW, 4 * THEN) == (462_422_016, 54_591_488)
    share = 100 * 4 * (NOW - THEN) / WHOLE
    assert f"{share:.1f}" == "67.2"
    for line in (
        "  now        3×3 conv 256→256: 115,605,504 MACs, 19.0 % of the model",
        "  saves      115,605,504 → 13,647,872 MACs (−88.2 %), ratio 0.12",
        "  in all     462,422,016 → 54,591,488 MACs (−88.2 %) at 4 places, −67.2 % of the model",
    ):
        assert line in lines
    assert [line[:8] for line in lines].count("  in all") == 1
    assert lines[-1] == "6 findings in 1 model."


def test_what_is_in_no_block_is_a_group_of_its_own(model: ModelReport) -> None:
    """The rule tells a plain stack from a residual block; a smaller map costs less."""
    places = [[f.nodes[0].label for f in group.findings] for group in grouped(model.findings)]
    assert places == [["one", "two", "three", "four"], ["five"], ["six"]]
    blocks = [finding.block and finding.block.text for finding in model.findings]
    first, second = "the 1st of 2 residual blocks", "the 2nd of 2 residual blocks"
    assert blocks == [first, first, second, second, None, None]


def test_concise_keeps_a_line_for_each(model: ModelReport) -> None:
    """One place a line, for tools that jump to it."""
    lines = concise.render(Report("1", (model,)), Paint()).splitlines()
    assert len(lines) == 6 + 1
    assert not [line for line in lines if "×4" in line]


def test_json_keeps_each_finding_with_its_group(model: ModelReport) -> None:
    """And with its block as numbers."""
    found = json.loads(as_json.render(Report("1", (model,))))["models"][0]["findings"]
    assert [finding["group"] for finding in found] == [1, 1, 1, 1, 2, 3]
    assert [finding["nodes"][0]["name"] for finding in found][3] == "four"
    assert found[3]["block"] == {"kind": "residual", "number": 2, "count": 2}
    assert found[4]["block"] is None


def with_verdicts(findings: tuple[FindingReport, ...], *why: str) -> tuple[FindingReport, ...]:
    """The findings, each with a verdict that could not be had."""
    provider = Provider("cpu", "CPUExecutionProvider")
    verdicts = [(Measured(provider, why=reason),) for reason in why]
    pairs = zip(findings, verdicts, strict=True)
    return tuple(replace(finding, measured=verdict) for finding, verdict in pairs)


def test_an_equal_verdict_is_told_once(model: ModelReport) -> None:
    """A verdict that differs makes a group of its own."""
    same = replace(model, findings=with_verdicts(model.findings[:4], *["broken"] * 4))
    assert text_of(same).count("  measured   not measured: broken") == 1
    differs = with_verdicts(model.findings[:4], "broken", "lost", "broken", "broken")
    assert group_numbers(differs) == [1, 2, 1, 1]


def test_places_of_several_nodes_are_told_apart() -> None:
    """A comma stands between the nodes of a place, a semicolon between places."""
    text = """agraph (float[1,64,7,7] x) => (y, z) <int64[2] s, float[3136,64] w> {
        [first] a = Flatten (x)
        [second] y = MatMul (a, w)
        [third] b = Flatten (x)
        [fourth] z = MatMul (b, w)
    }"""
    options = ["ARC301.min_macs=0"]
    found = lint_model(from_text(text), Chosen(choose_rules(["ARC301"], options=options)))
    (place,) = [line for line in text_of(reported(found)) if line.startswith("  -->")]
    assert place.endswith(": first, second; third, fourth")
