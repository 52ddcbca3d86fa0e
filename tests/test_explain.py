"""Rules explained from their own documentation."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import DEFAULT_GROUPS, Rule, RuleGroup
from archlint.cli import main
from archlint.explain.text import as_text
from archlint.remarks import REMARKS
from archlint.rules import all_rules, cases_of
from archlint.selection import Named
from command_line import Run

ROOT = Path(__file__).parent.parent
SECTIONS = (  # after why it costs, or matters
    "What to do", "When not to apply", "Not flagged", "Known limits", "References", "Fix safety",
)  # fmt: skip
EVERY: list[Named] = [*all_rules(), *REMARKS]
EACH = [pytest.param(rule, id=rule.code) for rule in all_rules()]
COLUMNS = (40, 60, 80)


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
@pytest.mark.parametrize("columns", COLUMNS)
def test_an_explanation_fits_the_terminal(rule: type[Rule], columns: int) -> None:
    """But for words that are longer, such as addresses; and it says the same."""
    text = as_text([rule], columns)
    wide = [line for line in text.splitlines() if len(line) > columns]
    assert all(len(line.split()) <= 2 for line in wide), wide
    words = "".join(as_text([rule]).split())
    assert "".join(text.split()) == words


def test_an_explanation_is_never_wider_than_can_be_read() -> None:
    """However wide the terminal is."""
    assert as_text(all_rules(), 300) == as_text(all_rules(), 80)


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_is_found_by_its_name(rule: type[Rule], capsys: pytest.CaptureFixture[str]) -> None:
    """The name tells the same as the code."""
    assert told(capsys, rule.name) == told(capsys, rule.code)


def test_all_rules_are_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Each as it is told alone, then the remarks on a run."""
    alone = [told(capsys, rule.code) for rule in EVERY]
    assert told(capsys, "--all") == "\n".join(alone)


KEYS = {
    "code", "name", "summary", "group", "default", "severity", "confidence", "fix", "fix_safety",
    "fix_command", "since", "origin", "floor", "options", "why", "what_to_do", "not_flagged",
    "when_not_to_apply", "known_limits", "references", "cases", "explanation",
}  # fmt: skip


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """All rules as JSON, by code."""
    document = json.loads(told(capsys, "--all", "--output-format", "json"))
    return {entry["code"]: entry for entry in document}


def test_as_json_a_rule_is_an_object(listed: dict[str, dict[str, Any]]) -> None:
    """Each with its metadata, where its fault lies, how much it must weigh, and its cases."""
    for rule in all_rules():
        entry = listed[rule.code]
        assert set(entry) == KEYS
        assert (entry["name"], entry["since"]) == (rule.name, rule.since)
        assert RuleGroup(entry["group"]) is rule.group
        assert entry["default"] == (rule.group in DEFAULT_GROUPS and not rule.reads_weights)
        assert entry["severity"] == str(rule.severity) in set(map(str, Severity))
        assert Confidence(entry["confidence"]) is rule.confidence
        assert FixKind(entry["fix"]) is rule.kind
        assert entry["fix_safety"].lower().startswith(f"{rule.kind}: ")
        assert entry["origin"] == "archlint"
        options = {option["name"]: option["default"] for option in entry["options"]}
        floors = {name for name, default in options.items() if name[:4] == "min_" and default}
        assert floors <= set(entry["floor"])
        assert entry["floor"].items() <= options.items()
        assert entry["cases"]["flags"] >= 1
        assert entry["cases"]["passes"] >= 2
        assert sum(entry["cases"].values()) == len(cases_of(rule))


def test_as_json_a_rule_tells_its_options(listed: dict[str, dict[str, Any]]) -> None:
    """With their bounds."""
    for rule in all_rules():
        fields = dataclasses.fields(rule)
        options = listed[rule.code]["options"]
        assert [option["name"] for option in options] == [field.name for field in fields]
        for option, field in zip(options, fields, strict=True):
            assert set(option) == {"name", "default", "help", "minimum", "maximum"}
            assert option["default"] == field.default
            assert option["help"] == field.metadata["help"] != ""
            low, high = option["minimum"], option["maximum"]
            assert field.default is None or low is None or field.default >= low
            assert field.default is None or high is None or field.default <= high


def test_as_json_the_sections_are_texts(listed: dict[str, dict[str, Any]]) -> None:
    """Those of the docstring, each by itself and all together, and sources with addresses."""
    for rule in all_rules():
        entry = listed[rule.code]
        plain = " ".join((rule.__doc__ or "").split())
        assert entry["explanation"].startswith(entry["summary"])
        assert all(title in entry["explanation"] for title in SECTIONS if title in plain)
        for key in ("summary", "why", "what_to_do", "not_flagged", "when_not_to_apply"):
            assert " ".join(entry[key].split()) in plain, key
        assert entry["references"]
        for source in entry["references"]:
            assert source["text"] in plain
            papers = re.findall(r"arXiv:(\S+\d)", source["text"])
            assert [f"https://arxiv.org/abs/{paper}" for paper in papers] == [
                url for url in source["urls"] if "arxiv" in url
            ]
            assert all(url.startswith("https://") for url in source["urls"])


def test_as_markdown_a_rule_is_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that stands in docs/, from the installed package alone; all of them in a row."""
    page = (ROOT / "docs" / "rules" / "ARC101.md").read_text(encoding="utf-8")
    assert told(capsys, "ARC101", "--output-format", "markdown") == page
    together = told(capsys, "--all", "--output-format", "markdown")
    titles = re.findall(r"^# (\w+) ", together, flags=re.MULTILINE)
    assert titles == [rule.code for rule in EVERY]
    assert page in together


def test_one_rule_as_json_is_a_list_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The shape of the document does not depend on how many rules are asked for."""
    (entry,) = json.loads(told(capsys, "wide-convolution", "--output-format", "json"))
    width = {option["name"]: option for option in entry["options"]}["width"]
    assert (entry["code"], width["default"], width["minimum"]) == ("ARC101", None, 1)


PLUGIN = '''"""A rule of a house."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Rule


@dataclass(frozen=True)
class OddHouse(Rule):
    """A house that is odd."""

    code = "HOUSE901"
    name = "odd-house"
    kind = FixKind.DECISION
    advice = "even it out"

    def match(self, context):
        """Nowhere."""
        return iter(())


CASES = {}
'''


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("(Flags('broken', 'no graph', at='x'),)", "its case 'broken' cannot be run: ParseError: "),
        ("(Flags('none', 'g () => (y) {}', at='x', options={'a': 1}),)", "TypeError: "),
        ("3", "CASES must be a tuple of Flags and Passes, or such tuples by code"),
    ],
)
def test_a_plugin_whose_cases_are_broken_is_named(
    cases: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """In one line, not as a fault of archlint."""
    (tmp_path / "house.py").write_text(PLUGIN.format(cases), encoding="utf-8")
    (tmp_path / "archlint.toml").write_text('plugins = ["house.py"]', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = run("rule", "HOUSE901", "--output-format", "markdown")
    assert ran.code == 2
    assert ran.error.startswith("rule HOUSE901")
    assert said in ran.error


def test_a_rule_of_a_plugin_without_cases_has_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """What it says of itself, and where it comes from."""
    (tmp_path / "house.py").write_text(PLUGIN.format("()"), encoding="utf-8")
    (tmp_path / "archlint.toml").write_text('plugins = ["house.py"]', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    page = run("rule", "odd-house", "--output-format", "markdown").out
    assert page.startswith("# HOUSE901 odd-house\n\nA house that is odd.\n")
    assert "plugin **" in page
    assert "## Example" not in page
