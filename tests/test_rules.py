"""Every rule keeps the contract: its cases hold, its documentation is whole, its options work."""

from __future__ import annotations

import re

import pytest

from archlint.analyzer.rule import Rule
from archlint.rule_cases import Check, checks_of
from archlint.rules import all_rules

RULES = [pytest.param(rule, id=rule.code) for rule in all_rules()]
CHECKS = [check for rule in all_rules() for check in checks_of(rule)]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_every_check_holds(check: Check) -> None:
    """Those of ``archlint rule --test``, which the tests of that command see fail."""
    assert check.flaws() == []


@pytest.mark.parametrize("rule", RULES)
def test_the_code_and_the_file_say_what_the_rule_is(rule: type[Rule]) -> None:
    """The families ARC1 to ARC7; the file and the class have the rule's name."""
    assert re.fullmatch(r"ARC[1-7]\d\d", rule.code)
    assert rule.__module__ == f"archlint.rules.{rule.name.replace('-', '_')}"
    assert rule.__name__ == rule.name.title().replace("-", "")
    assert rule.origin == ""


def test_codes_and_names_are_unique_and_sorted() -> None:
    """No two rules share a code or a name; the catalogue does not shrink."""
    codes = [rule.code for rule in all_rules()]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in all_rules()}) == len(codes) >= 35


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
