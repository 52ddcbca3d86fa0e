"""Every rule keeps the contract: its cases hold, its documentation is whole, its options work."""

from __future__ import annotations

import dataclasses
import re
from inspect import cleandoc

import pytest

from archlint.analyzer.cost import count
from archlint.analyzer.engine import run
from archlint.analyzer.finding import Finding
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, splice
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Case, Flags, Passes, Rule, RuleContext
from archlint.analyzer.targets import load_target
from archlint.rules import all_rules, cases_of

# Uncosted nodes and problems are what these rules are about.
ADVISING = {rule for rule in all_rules() if rule.kind is FixKind.DECISION}
RULES = [pytest.param(rule, id=rule.code) for rule in all_rules()]
FLAGS = [
    pytest.param(rule, case, id=f"{rule.code}: {case.title}")
    for rule in all_rules()
    for case in cases_of(rule)
    if isinstance(case, Flags)
]
PROPOSES = [
    pytest.param(rule, case, id=f"{rule.code}: {case.title}")
    for rule in all_rules()
    for case in cases_of(rule)
    if isinstance(case, Flags) and rule not in ADVISING
]
PASSES = [
    pytest.param(rule, case, id=f"{rule.code}: {case.title}")
    for rule in all_rules()
    for case in cases_of(rule)
    if isinstance(case, Passes)
]


def findings(rule: type[Rule], case: Case) -> list[Finding]:
    costs = count(load(from_text(case.onnx_text)))
    assert rule in ADVISING or not costs.uncosted
    return run([rule(**case.options)], RuleContext(costs.graph, costs, load_target(case.target)))


@pytest.mark.parametrize(("rule", "case"), FLAGS)
def test_flags_at_the_node(rule: type[Rule], case: Flags) -> None:
    """A flagging case is found once, at its node; a rule that proposes nothing says what to do."""
    (found,) = [
        finding
        for finding in findings(rule, case)
        if case.at in {node.name for node in finding.nodes} or not (case.at or finding.nodes)
    ]
    assert found.code == rule.code
    assert (found.priced is None) == (rule in ADVISING)
    assert bool(found.advice) == (rule in ADVISING)


@pytest.mark.parametrize(("rule", "case"), PROPOSES)
def test_flags_with_the_price(rule: type[Rule], case: Flags) -> None:
    """A flagged node costs now and then what the formulas say."""
    (found,) = [
        finding
        for finding in findings(rule, case)
        if case.at in {node.name for node in finding.nodes}
    ]
    assert found.priced is not None
    assert (found.priced.before.macs, found.priced.after.macs) == case.macs
    assert found.priced.proposal.kind is rule.kind


@pytest.mark.parametrize(("rule", "case"), PASSES)
def test_passes_near_misses(rule: type[Rule], case: Passes) -> None:
    """A near miss is not found."""
    assert findings(rule, case) == []


@pytest.mark.parametrize(("rule", "case"), PROPOSES)
def test_proposals_fit_into_the_model(rule: type[Rule], case: Flags) -> None:
    """Spliced in, a proposal keeps the output shapes and saves exactly what was priced."""
    model = from_text(case.onnx_text)
    before = count(load(model))
    (found, *_) = findings(rule, case)
    assert found.priced is not None
    after = count(load(splice(model, [found.priced.proposal])))
    assert before.total().macs - after.total().macs == found.priced.saved_macs
    assert not after.uncosted
    for name in after.graph.outputs:
        assert after.graph.value(name).shape == before.graph.value(name).shape


@pytest.mark.parametrize(("rule", "case"), PROPOSES)
def test_following_the_advice_ends_it(rule: type[Rule], case: Flags) -> None:
    """The rule does not flag what it proposed itself."""
    model = from_text(case.onnx_text)
    (found, *_) = findings(rule, case)
    assert found.priced is not None
    costs = count(load(splice(model, [found.priced.proposal])))
    again = run([rule(**case.options)], RuleContext(costs.graph, costs, load_target(case.target)))
    mine = {node.name for node in costs.graph.nodes if node.name.startswith("archlint0/")}
    assert not mine & {node.name for finding in again for node in finding.nodes}


@pytest.mark.parametrize("rule", RULES)
def test_contract(rule: type[Rule]) -> None:
    """Code, name, file, documentation, options and cases are as every rule has them."""
    assert re.fullmatch(r"ARC[1-7]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.__module__ == f"archlint.rules.{rule.name.replace('-', '_')}"
    assert rule.__name__ == rule.name.title().replace("-", "")
    assert rule.kind in FixKind
    cases = cases_of(rule)
    assert any(isinstance(case, Flags) for case in cases)
    assert sum(isinstance(case, Passes) for case in cases) >= 2
    assert len({case.title for case in cases}) == len(cases)


@pytest.mark.parametrize("rule", RULES)
def test_documentation_is_whole(rule: type[Rule]) -> None:
    """One sentence, then the four sections in order; sources with year and number or standard."""
    text = cleandoc(rule.__doc__ or "")
    summary, *_ = text.splitlines()
    assert summary.endswith(".")
    sections = re.findall(r"^(\w[\w ]+)$", text, flags=re.MULTILINE)
    why = "Why it matters" if rule in ADVISING else "Why it costs"
    assert sections == [why, "What to do", "Not flagged", "References"]
    references = text.partition("References\n")[2].strip().splitlines()
    for reference in references:
        paper = re.search(r"(19|20)\d\d, arXiv:\d{4}\.\d{4,5}", reference)
        standard = re.match(r"(ONNX, .*20\d\d|CVE-20\d\d-\d+)", reference.strip())
        assert paper or (standard and rule in ADVISING), reference


@pytest.mark.parametrize("rule", RULES)
def test_options_are_documented_and_named_rightly(rule: type[Rule]) -> None:
    """Every option has a help text and bounds that hold its default; no text names another one."""
    fields = {field.name: field for field in dataclasses.fields(rule)}
    for field in fields.values():
        assert field.metadata["help"]
        assert field.default is None or field.metadata["minimum"] <= field.default
    named = set(re.findall(r"``(min_\w+|max_\w+|reduction|width)``", rule.__doc__ or ""))
    assert named <= set(fields)


def test_codes_and_names_are_unique_and_sorted() -> None:
    """No two rules share a code or a name."""
    codes = [rule.code for rule in all_rules()]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in all_rules()}) == len(codes)


@pytest.mark.parametrize("rule", RULES)
def test_numbers_in_the_documentation_are_derived(rule: type[Rule]) -> None:
    """Every large number of a rule's text is one that its formula gives."""
    known = {
        120_422_400: 28 * 28 * 32 * 25 * 192,
        12_443_648: 28 * 28 * (16 * 192 + 32 * 25 * 16),
        115_605_504: 14 * 14 * 256 * 9 * 256,
        13_647_872: 14 * 14 * (2 * 256 * 64 + 64 * 9 * 64),
        462_422_016: 14 * 14 * 512 * 9 * 512,
        52_283_392: 14 * 14 * 512 * (9 + 512),
        321_126_400: 56 * 56 * 64 * 25 * 64,
        231_211_008: 56 * 56 * 2 * 64 * 9 * 64,
        522_031_104: 17 * 17 * 192 * 49 * 192,
        149_151_744: 17 * 17 * 192 * 14 * 192,
        102_760_448: 512 * 7 * 7 * 4096,
        2_097_152: 512 * 4096,
        # Two heads of GoogLeNet: 1x1 to 128, 2048 to 1024, 1024 to 1000, each with biases.
        6_379_728: (512 + 528) * 128 + 2 * (128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000),
        13_378_280: 6_998_552 + 6_379_728,
        28_005_264: 28 * 28 * 63 * 9 * 63,
        14_450_688: 28 * 28 * 256 * 9 * 8,
    }
    text = re.sub(r"\d+\.\d+", "", rule.__doc__ or "")
    for number in re.findall(r"\d{1,3}(?:,\d{3}){2,}", text):
        value = int(number.replace(",", ""))
        assert known[value] == value
