"""The report as SARIF: the schema, Microsoft's validator, and what code scanning asks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from archlint import __version__
from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import IgnoredReport, Report, sarif
from archlint.analyzer.report.context import Context, RuleText
from reports import AFTER, BARE, BEFORE, CONTEXT, REPORTS, RULE, finding, model

SCHEMA = json.loads((Path(__file__).parent / "data/sarif-2.1.0.schema.json").read_text("utf-8"))
MULTITOOL = os.environ.get("ARCHLINT_SARIF_MULTITOOL") or shutil.which("Sarif.Multitool")


def log(report: Report, context: Context = CONTEXT) -> dict[str, Any]:
    """The log, which the schema has been held against."""
    document: dict[str, Any] = json.loads(sarif.render(report, context))
    Draft4Validator(SCHEMA).validate(document)
    return document


def results(report: Report, context: Context = CONTEXT) -> list[dict[str, Any]]:
    """The results of the only run."""
    (run,) = log(report, context)["runs"]
    listed: list[dict[str, Any]] = run["results"]
    return listed


@pytest.mark.parametrize("context", [CONTEXT, BARE], ids=["known", "bare"])
@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_valid(name: str, context: Context) -> None:
    listed = results(REPORTS[name], context)
    assert len(listed) == len(REPORTS[name].findings)
    for result in listed:
        assert result["message"]["text"].strip()
        (location,) = result["locations"]  # code scanning reads the first
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1


@pytest.mark.skipif(MULTITOOL is None, reason="ARCHLINT_SARIF_MULTITOOL names no program")
@pytest.mark.parametrize("name", REPORTS)
def test_the_multitool_of_microsoft_accepts_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report.sarif"
    path.write_text(sarif.render(REPORTS[name], CONTEXT), "utf-8")
    done = subprocess.run(
        [str(MULTITOOL), "validate", str(path), "--rule-kind", "Sarif;Ghas"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if ": error " in line or ": warning " in line]
    assert "Done. 1 files scanned." in done.stdout
    assert said == []


def test_the_shape_of_a_result() -> None:
    (result,) = results(REPORTS["one"])
    node = {"name": "conv5x5", "fullyQualifiedName": "main_graph::conv5x5", "kind": "node"}
    assert result == {
        "ruleId": "ARC101",
        "ruleIndex": 0,
        "level": "warning",
        "message": {
            "text": "5×5 convolution over 192 channels has no 1×1 reduction before it. Node "
            "conv5x5. Suggested: 1×1 reduction to 16 channels before it: 120,422,400 → 12,443,648 "
            "MACs (−89.7 %)."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "models/net.onnx"},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
                },
                "logicalLocations": [node],
            }
        ],
        "partialFingerprints": {
            "primaryLocationLineHash": "9a1f0c3b77de4a52:1",
            "archlintStructure/v1": "9a1f0c3b77de4a52:1",
        },
        "rank": 25.0,
        "properties": {
            "macs": {"before": BEFORE, "after": AFTER},
            "share": 0.25,
            "confidence": "high",
            "parameters": {"before": 153_600, "after": 15_872},
            "proposal": "1×1 reduction to 16 channels before it",
            "kind": "retrain",
        },
    }


def test_a_rule_is_described_once() -> None:
    driver = log(REPORTS["twins"])["runs"][0]["tool"]["driver"]
    assert driver["rules"] == [
        {
            "id": "ARC101",
            "name": "WideConvolution",
            "shortDescription": {"text": "A wide kernel."},
            "fullDescription": {"text": "A wide kernel. It costs."},
            "help": {"text": "A wide kernel. It costs.", "markdown": "# ARC101\n\nText."},
            "helpUri": "https://docs.example/rules/ARC101.html",
            "defaultConfiguration": {"level": "warning"},
            "properties": {
                "tags": ["cost", "retrain"],
                "precision": "medium",
                "problem.severity": "warning",
            },
        }
    ]
    assert driver["informationUri"] == "https://docs.example"


@pytest.mark.parametrize(
    ("severity", "level", "problem"),
    [
        (Severity.ERROR, "error", "error"),
        (Severity.WARNING, "warning", "warning"),
        (Severity.NOTE, "note", "recommendation"),
    ],
)
def test_levels(severity: Severity, level: str, problem: str) -> None:
    rules: dict[str, RuleText] = {"ARC101": replace(RULE, severity=severity)}
    report = Report(__version__, (model(findings=[finding(severity=severity)]),))
    (run,) = log(report, replace(CONTEXT, rules=rules))["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert run["results"][0]["level"] == rule["defaultConfiguration"]["level"] == level
    assert rule["properties"]["problem.severity"] == problem


def test_the_states_of_a_comparison() -> None:
    listed = results(REPORTS["compared"])
    states = {
        result["partialFingerprints"]["archlintStructure/v1"]: result["baselineState"]
        for result in listed
    }
    assert states == {
        "aa:1": "new", "bb:1": "updated", "cc:1": "unchanged", "dd:1": "new",
        "9a1f0c3b77de4a52:1": "new",
    }  # fmt: skip
    assert all("baselineState" not in result for result in results(REPORTS["one"]))
    worse = next(result for result in listed if result["baselineState"] == "updated")
    assert "It had 90,000,000 MACs before and has 120,422,400 now." in worse["message"]["text"]


def test_failures_are_notifications_of_a_run_that_was_no_success() -> None:
    (run,) = log(REPORTS["failures"])["runs"]
    (invocation,) = run["invocations"]
    (told,) = invocation["toolExecutionNotifications"]
    assert not invocation["executionSuccessful"]
    assert told["level"] == "error"
    assert told["message"]["text"] == "It could not be analysed: is no ONNX model."
    at = told["locations"][0]["physicalLocation"]["artifactLocation"]
    assert at == {"uri": "models/broken.onnx"}
    (skipped,) = log(REPORTS["compared"])["runs"][0]["invocations"]
    assert skipped["executionSuccessful"]
    assert [one["level"] for one in skipped["toolExecutionNotifications"]] == ["note"]


def test_a_crash_of_a_rule_is_no_success() -> None:
    crashed = finding(code=CRASH_CODE, severity=Severity.ERROR)
    (run,) = log(Report(__version__, (model(findings=[crashed]),)))["runs"]
    assert not run["invocations"][0]["executionSuccessful"]


def test_brackets_and_braces_are_no_links_and_no_placeholders() -> None:
    message = "shape [1,{n}] of [y](1)"
    (result,) = results(Report(__version__, (model(findings=[finding(message=message)]),)))
    text = result["message"]["text"]
    assert text.startswith(r"shape \[1,{{n}}\] of \[y\](1). ")


def test_ignored_findings_are_left_out() -> None:
    ignored = IgnoredReport(finding("hidden"), "archlint.toml", "known")
    report = Report(__version__, (replace(model(), ignored=(ignored,)),))
    assert results(report) == []
    assert "hidden" not in sarif.render(report, CONTEXT)


def test_a_version_that_is_not_semantic_is_told_as_such() -> None:
    driver = log(replace(REPORTS["empty"], version="0.2.0.dev1"))["runs"][0]["tool"]["driver"]
    assert driver["version"] == "0.2.0.dev1"
    assert "semanticVersion" not in driver
