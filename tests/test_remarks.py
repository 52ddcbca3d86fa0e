"""The findings that no rule looks for: described, selected and told like those of rules."""

from __future__ import annotations

import json
import re
import shutil
from inspect import cleandoc
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer import engine
from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Severity
from archlint.remarks import REMARKS, Remark
from archlint.rules import all_rules
from command_line import Run

SAMPLE = Path(__file__).parent.parent / "samples" / "inception_5x5.onnx"  # ARC101 at conv5x5
PAGE = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS = [
    "Why it matters", "What to do", "When not to apply", "Not flagged", "Known limits",
    "References",
]  # fmt: skip
EACH = [pytest.param(remark, id=remark.code) for remark in REMARKS]
UNUSED = '[[ignore]]\nrule = "ARC101"\nnode = "stem"\n'  # of the sample no node is called so


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(SAMPLE, tmp_path / "m.onnx")
    monkeypatch.chdir(tmp_path)


def severities(run: Run, text: str, *arguments: str) -> dict[str, str]:
    """The severities of what is found with a configuration, by code."""
    Path("archlint.toml").write_text(text, encoding="utf-8")
    ran = run("m.onnx", "--output-format", "json", "--select", "ARC101", *arguments)
    (model,) = ran.document["models"]
    return {finding["code"]: finding["severity"] for finding in model["findings"]}


def test_codes_and_names_are_their_own() -> None:
    """In order, and none is a rule's."""
    codes = [remark.code for remark in REMARKS]
    names = {remark.name for remark in REMARKS}
    assert codes == sorted(codes)
    assert all(re.fullmatch("ARC9[0-9]{2}", code) for code in codes)
    assert len(names) == len(codes)
    assert not {*codes, *names} & {part for rule in all_rules() for part in (rule.code, rule.name)}


@pytest.mark.parametrize("remark", EACH)
def test_a_remark_is_documented_as_a_rule_is(remark: type[Remark]) -> None:
    """A sentence, every section, a source with its year; the page of the configuration names it."""
    text = cleandoc(remark.__doc__ or "")
    assert re.match(r"[A-Z][^\n]*\.\n\n", text)
    assert re.findall(r"^(\w[\w ]+)\n(?= )", text, flags=re.MULTILINE) == SECTIONS
    for line in text.partition("\nReferences\n")[2].splitlines():
        assert re.search(r"\b20\d\d\b", line)
    assert remark.advice
    assert f"{remark.code} {remark.name}" in PAGE


@pytest.mark.parametrize("remark", EACH)
def test_a_remark_is_explained(remark: type[Remark], run: Run) -> None:
    """By code and name, in all formats, and among all."""
    text = run("rule", remark.code).out
    assert text.startswith(f"{remark.code} {remark.name}\n")
    assert run("rule", remark.name).out == text
    (entry,) = json.loads(run("rule", remark.code, "--output-format", "json").out)
    said: dict[str, Any] = {"code": remark.code, "name": remark.name, "group": str(remark.group)}
    assert entry.items() >= said.items()
    assert f"\n{remark.code} {remark.name}\n" in run("rule", "--all").out


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        pytest.param(UNUSED, [], "warning", id="told"),
        pytest.param(
            'ignore = ["ARC901", { rule = "ARC101", node = "stem" }]', [], None, id="ignored"
        ),
        pytest.param(UNUSED, ["--ignore", "unused-ignore"], None, id="ignored-by-name"),
        pytest.param(UNUSED, ["--ignore", "ARC9"], None, id="ignored-by-prefix"),
        pytest.param(UNUSED, ["--select", "ARC101"], "warning", id="selected-are-rules"),
        pytest.param(
            UNUSED, ["--config", "ignore=['ARC9']", "--extend-select", "ARC901"], "warning",
            id="back-again",
        ),
        pytest.param(
            f'per-file-ignores."m.onnx" = ["ARC9"]\n{UNUSED}', [], None, id="for-a-model"
        ),
        pytest.param(
            f'per-file-ignores."n.onnx" = ["ARC9"]\n{UNUSED}', [], "warning", id="for-another"
        ),
        pytest.param(f'severity.ARC901 = "error"\n{UNUSED}', [], "error", id="severity"),
        pytest.param(f'severity.ARC9 = "note"\n{UNUSED}', [], "note", id="severity-of-all"),
    ],
)  # fmt: skip
def test_a_remark_is_left_out_like_a_rule(
    text: str, arguments: list[str], expected: str | None, run: Run
) -> None:
    """By selectors, and it has the severity that it is given."""
    assert severities(run, text, *arguments).get("ARC901") == expected


def test_a_remark_is_told_at_a_model_that_wants_it(run: Run) -> None:
    """The last of those that the entry speaks of, but for those that leave it out."""
    shutil.copy(SAMPLE, "n.onnx")
    text = f'per-file-ignores."n.onnx" = ["ARC9"]\n{UNUSED}'
    Path("archlint.toml").write_text(text, encoding="utf-8")
    report = run(".", "--output-format", "json", "--select", "ARC101").document
    codes = [[finding["code"] for finding in model["findings"]] for model in report["models"]]
    assert codes == [["ARC101", "ARC901"], ["ARC101"]]


def test_that_a_rule_failed_is_always_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is ignored, and the exit code is that of a fault."""

    def fails(*_: object) -> list[object]:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "_candidates", fails)
    text = '[[ignore]]\nrule = "ALL"\n'
    found = severities(run, text, "--ignore", "ARC9,ARC900")
    assert found == {CRASH_CODE: str(Severity.ERROR)}
    assert severities(run, 'severity.ARC900 = "note"')[CRASH_CODE] == "note"
    assert run("m.onnx", "--select", "ARC101", "--fail-on", "never").code == 2


def test_the_schema_of_configurations_knows_remarks(run: Run) -> None:
    """As selectors, and not as rules of entries."""
    definitions = run("schema", "config").document["$defs"]
    known = definitions["selector"]["anyOf"][0]["enum"]
    assert {"ARC9", "ARC90", "ARC901", "unused-ignore"} <= set(known)
