"""Rules explained from their own documentation."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import pytest

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Rule, RuleGroup
from archlint.cli import main
from archlint.rules import all_rules

SECTIONS = ("What to do", "Not flagged", "References")  # after why it costs, or matters
EACH = [pytest.param(rule, id=rule.code) for rule in all_rules()]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What ``archlint rule`` prints."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.setattr(sys, "argv", ["archlint", "rule", *arguments])
        main()
    output, errors = capsys.readouterr()
    assert (left.value.code or 0, errors) == (0, "")
    return output


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_is_explained_at_length(
    rule: type[Rule], capsys: pytest.CaptureFixture[str]
) -> None:
    """Title, summary, every section, every option with its default, in 80 columns."""
    text = told(capsys, rule.code)
    lines = text.splitlines()
    assert lines[0] == f"{rule.code} {rule.name}"
    assert (rule.__doc__ or "").splitlines()[0] in " ".join(text.split())
    assert [line for line in lines if line in SECTIONS] == list(SECTIONS)
    assert (f"--set {rule.code}." in text) == bool(dataclasses.fields(rule))
    for field in dataclasses.fields(rule):
        assert any(line.startswith(f"    {field.name} = ") for line in lines)
    assert max(map(len, lines)) <= 80
    assert "`" not in text


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_is_found_by_its_name(rule: type[Rule], capsys: pytest.CaptureFixture[str]) -> None:
    """The name tells the same as the code."""
    assert told(capsys, rule.name) == told(capsys, rule.code)


def test_all_rules_are_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Each as it is told alone."""
    alone = [told(capsys, rule.code) for rule in all_rules()]
    assert told(capsys, "--all") == "\n".join(alone)


def test_as_json_a_rule_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its metadata, its options with their bounds, and the explanation."""
    listed: list[dict[str, Any]] = json.loads(told(capsys, "--all", "--output-format", "json"))
    assert [entry["code"] for entry in listed] == [rule.code for rule in all_rules()]
    for entry, rule in zip(listed, all_rules(), strict=True):
        assert set(entry) == {
            "code", "name", "summary", "group", "severity", "confidence", "fix", "since",
            "options", "explanation",
        }  # fmt: skip
        assert (entry["name"], entry["since"]) == (rule.name, rule.since)
        assert entry["group"] in set(RuleGroup)
        assert entry["severity"] in set(map(str, Severity))
        assert entry["confidence"] in set(Confidence)
        assert entry["fix"] in set(FixKind)
        assert entry["explanation"].startswith(entry["summary"])
        assert all(section in entry["explanation"] for section in SECTIONS)
        fields = dataclasses.fields(rule)
        assert [option["name"] for option in entry["options"]] == [field.name for field in fields]
        for option, field in zip(entry["options"], fields, strict=True):
            assert set(option) == {"name", "default", "help", "minimum", "maximum"}
            assert option["default"] == field.default
            assert option["help"] == field.metadata["help"] != ""
            low, high = option["minimum"], option["maximum"]
            assert field.default is None or low is None or field.default >= low
            assert field.default is None or high is None or field.default <= high


def test_one_rule_as_json_is_a_list_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The shape of the document does not depend on how many rules are asked for."""
    (entry,) = json.loads(told(capsys, "wide-convolution", "--output-format", "json"))
    width = {option["name"]: option for option in entry["options"]}["width"]
    assert (entry["code"], width["default"], width["minimum"]) == ("ARC101", None, 1)
