"""The report for GitLab and for reviewdog, held against their forms."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from archlint import __version__
from archlint.analyzer.report import Line, Report, State, gitlab, rdjson
from archlint.analyzer.report.context import Context
from reports import BARE, CONTEXT, MANY, REPORTS, finding, model

RDFORMAT = os.environ.get("ARCHLINT_RDFORMAT_VALIDATOR") or shutil.which("rdformat-validator")
# What docs.gitlab.com, "Code Quality report format", lists; other properties are ignored.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "pattern": "^archlint/"},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "lines": {"required": ["begin"], "properties": {"begin": {"minimum": 1}}},
                },
            },
        },
    },
}
# DiagnosticResult of reviewdog.proto, with the fields that archlint writes and no others.
POSITION = {"type": "object", "properties": {"line": {"type": "integer", "minimum": 1}}}
NAMED = {"properties": {"url": {"type": "string"}}, "additionalProperties": {"type": "string"}}
RDJSON = {
    "type": "object",
    "required": ["source", "diagnostics"],
    "additionalProperties": False,
    "properties": {
        "source": {"type": "object", "required": ["name"], **NAMED},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location", "severity"],
                "additionalProperties": False,
                "properties": {
                    "message": {"type": "string", "minLength": 1},
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {"type": "object", "required": ["value"], **NAMED},
                    "location": {
                        "type": "object",
                        "required": ["path"],
                        "additionalProperties": False,
                        "properties": {
                            "path": {"type": "string", "minLength": 1},
                            "range": {"required": ["start"], "properties": {"start": POSITION}},
                        },
                    },
                },
            },
        },
    },
}


def told(report: Report) -> int:
    """How many findings are for who made the change, and how many inputs failed."""
    return sum(len(one.told) for one in report.models) + len(report.failures)


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_of_the_form_of_gitlab(name: str) -> None:
    report = REPORTS[name]
    text = gitlab.render(report, CONTEXT)
    assert text.isascii()  # so that there is no byte order mark, and no lone surrogate
    document = json.loads(text)
    Draft202012Validator(GITLAB).validate(document)
    assert len(document) == len(report.findings) + len(report.failures)
    fingerprints = [issue["fingerprint"] for issue in document]
    assert len(set(fingerprints)) == len(fingerprints)
    json.dumps(document, ensure_ascii=False).encode()  # fails for a lone surrogate


def test_nothing_to_tell_is_an_empty_list_for_gitlab() -> None:
    assert gitlab.render(REPORTS["clean"], CONTEXT) == "[]\n"


def test_the_shape_of_an_issue_of_gitlab() -> None:
    (issue,) = json.loads(gitlab.render(REPORTS["anchored"], CONTEXT))
    assert issue["description"].startswith("ARC101 wide-convolution: 5×5 convolution")
    assert issue["check_name"] == "archlint/ARC101"
    assert issue["severity"] == "minor"
    assert issue["location"] == {"path": "src/net.py", "lines": {"begin": 7}}


def test_a_fingerprint_of_gitlab_is_of_the_model_and_the_structure_alone() -> None:
    moved = finding(
        "renamed", message="5×5 convolution over 200 channels", anchor=Line("net.py", 9)
    )
    reports = [
        Report(__version__, (model(path, [one]),))
        for path, one in (
            ("a.onnx", finding()), ("a.onnx", moved), ("./a.onnx", finding()),
            ("b.onnx", finding()), ("a.onnx", finding(fingerprint="9a1f0c3b77de4a52:2")),
        )
    ]  # fmt: skip
    first, same, again, other, second = (
        json.loads(gitlab.render(report, CONTEXT))[0]["fingerprint"] for report in reports
    )
    assert first == same == again
    assert len({first, other, second}) == 3


def test_gitlab_is_told_all_findings_with_their_states() -> None:
    listed = json.loads(gitlab.render(REPORTS["compared"], CONTEXT))
    states = [issue["state"] for issue in listed]
    assert states == ["new", "worse", "unchanged", "new", "new"]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_of_the_form_of_reviewdog(name: str) -> None:
    document = json.loads(rdjson.render(REPORTS[name], CONTEXT))
    Draft202012Validator(RDJSON).validate(document)
    assert len(document["diagnostics"]) == told(REPORTS[name])


@pytest.mark.skipif(RDFORMAT is None, reason="ARCHLINT_RDFORMAT_VALIDATOR names no program")
@pytest.mark.parametrize("name", REPORTS)
def test_a_validator_of_the_diagnostic_format_accepts_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(rdjson.render(REPORTS[name], CONTEXT), "utf-8")
    done = subprocess.run(
        [str(RDFORMAT), str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_shape_of_a_diagnostic() -> None:
    document = json.loads(rdjson.render(REPORTS["one"], CONTEXT))
    (diagnostic,) = document["diagnostics"]
    assert document["source"] == {"name": "archlint", "url": "https://docs.example"}
    assert diagnostic["location"] == {"path": "models/net.onnx", "range": {"start": {"line": 1}}}
    assert diagnostic["code"] == {
        "value": "ARC101", "url": "https://docs.example/rules/ARC101.html",
    }  # fmt: skip
    assert "url" not in json.loads(rdjson.render(REPORTS["one"], BARE))["source"]


@pytest.mark.parametrize("render", [gitlab.render, rdjson.render])
def test_what_a_name_says_is_no_command(render: Callable[[Report, Context], str]) -> None:
    """No line begins a command that is not archlint's, whatever the names are."""
    for line in render(REPORTS["hostile"], CONTEXT).splitlines():
        assert line.isprintable()
        assert not re.match(r"\s*::error file=README", line)
        assert "##vso[task.setvariable" not in line


def test_many_findings_and_an_old_one() -> None:
    many = REPORTS["many"]
    old = replace(many.findings[0], state=State.UNCHANGED)
    report = replace(many, models=(replace(many.models[0], findings=(*many.findings, old)),))
    assert len(json.loads(gitlab.render(report, CONTEXT))) == MANY + 1
