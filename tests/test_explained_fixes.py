"""Whether a rule says that ``archlint fix`` does what it says, and whether that is so."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from archlint.analyzer.fix.engine import Rewritten, Subject, rewrite
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Flags, Rule, RuleGroup
from archlint.commands import app
from archlint.explain.safety import fix_command_of, safety_of
from archlint.remarks import REMARKS
from archlint.rules import all_rules, cases_of
from archlint.rules.low_rank_weights import LowRankWeights

EACH = [pytest.param(rule, id=rule.code) for rule in all_rules()]
WITH_OPTIONS = {
    "ARC104": "archlint fix --unsafe --energy 0.9",
    "ARC302": "archlint fix --drop-output NAME",
    "ARC501": "archlint fix --pad-channels",
}


def rewritten(rule: type[Rule], case: Flags) -> Rewritten:
    """The model of a case with what the rule fixes in it."""
    subject = Subject(from_text(case.onnx_text), Bindings())
    return rewrite(subject, [rule(**case.options)])


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_says_whether_it_is_fixed(rule: type[Rule]) -> None:
    """As the engine does with its cases: where weights are declared alone, it would with them."""
    done = [rewritten(rule, case) for case in cases_of(rule) if isinstance(case, Flags)]
    fixes = any(one.changes or one.refusals for one in done)
    assert all(
        refusal.why.endswith("is not in the file") for one in done for refusal in one.refusals
    )
    assert fix_command_of(rule) == WITH_OPTIONS.get(rule.code, "archlint fix" if fixes else None)
    said = safety_of(rule)
    assert ("`archlint fix` does it by itself, and compares" in said) == fixes
    option = WITH_OPTIONS.get(rule.code, "").removeprefix("archlint fix ")
    assert (f"`archlint fix` does it with `{option}`, and" in said) == bool(option)


def test_a_remark_is_not_fixed() -> None:
    """It is about a run."""
    assert {fix_command_of(remark) for remark in REMARKS} == {None}


def test_options_that_fixes_need_are_told_as_they_are_taken() -> None:
    """Each is one of the command; the share of ARC104 is its default."""
    known = set(re.findall(r"--[a-z-]+", CliRunner().invoke(app, ["fix", "--help"]).output))
    assert {command.split()[2] for command in WITH_OPTIONS.values()} <= known
    assert f" {LowRankWeights().energy:g}" in WITH_OPTIONS["ARC104"]


@pytest.mark.parametrize(
    ("kind", "group", "promised"),
    [
        (FixKind.EQUIVALENT, RuleGroup.COST, True),
        (FixKind.EQUIVALENT, RuleGroup.PEDANTIC, True),
        (FixKind.EQUIVALENT, RuleGroup.TARGET, False),
        (FixKind.DECISION, RuleGroup.COST, False),
        (FixKind.RETRAIN, RuleGroup.COST, False),
    ],
)
def test_of_a_plugins_rule_fixes_follow_from_its_class(
    kind: FixKind, group: RuleGroup, *, promised: bool
) -> None:
    """They are promised of equivalent ones as far as their proposals derive weights."""
    own: type[Rule] = type(
        "OddHouse", (Rule,), {"code": "HOUSE901", "kind": kind, "group": group, "origin": "house"}
    )
    assert fix_command_of(own) == ("archlint fix" if promised else None)
    told = "`archlint fix` does it by itself, where the proposal derives its weights, and compares"
    assert (told in safety_of(own)) == promised
