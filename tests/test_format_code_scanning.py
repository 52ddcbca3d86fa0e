"""The report as SARIF, as code scanning wants it: places, identities, limits."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from archlint import __version__
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import Line, Report, State, sarif
from archlint.analyzer.report.context import Context
from reports import ANCHORED, CONTEXT, REPORTS, RULE, finding, model


def run_of(report: Report, context: Context = CONTEXT) -> dict[str, Any]:
    """The only run of the log."""
    (run,) = json.loads(sarif.render(report, context))["runs"]
    told: dict[str, Any] = run
    return told


def results(report: Report, context: Context = CONTEXT) -> list[dict[str, Any]]:
    """Its results."""
    listed: list[dict[str, Any]] = run_of(report, context)["results"]
    return listed


def test_texts_of_rules_keep_the_limits_of_code_scanning() -> None:
    long = replace(RULE, summary="s" * 3000, why="w" * 3000, tags=tuple(map(str, range(50))))
    context = replace(CONTEXT, rules={"ARC101": long})
    (rule,) = run_of(REPORTS["one"], context)["tool"]["driver"]["rules"]
    assert len(rule["shortDescription"]["text"]) == 1024
    assert len(rule["fullDescription"]["text"]) == 1024
    assert len(rule["properties"]["tags"]) == 20


def test_an_anchor_is_the_place_and_the_model_is_beside_it() -> None:
    (result,) = results(REPORTS["anchored"])
    (place,), (beside,) = result["locations"], result["relatedLocations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "src/net.py"},
        "region": {"startLine": 7, "startColumn": 1, "endLine": 7, "endColumn": 25},
    }
    assert beside["physicalLocation"]["artifactLocation"]["uri"] == "models/net.onnx"
    assert result["partialFingerprints"]["archlintStructure/v1"] == "9a1f0c3b77de4a52:1"


def test_two_models_of_one_line_of_python_are_two_alerts() -> None:
    models = model("a.onnx", [ANCHORED]), model("b.onnx", [ANCHORED])
    first, second = (
        result["partialFingerprints"]["primaryLocationLineHash"]
        for result in results(Report(__version__, models))
    )
    assert first != second
    assert first.endswith(":1")
    assert second.endswith(":1")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("models/net.onnx", "models/net.onnx"),
        ("./models/../net.onnx", "net.onnx"),
        ("a b/ü#?%.onnx", "a%20b/%C3%BC%23%3F%25.onnx"),
        ("c:d.onnx", "c%3Ad.onnx"),
        ("two\nlines.onnx", "two%0Alines.onnx"),
        ("byte\udcff.onnx", "byte%FF.onnx"),
        ("/repo/models/net.onnx", "models/net.onnx"),
        ("s3://bucket/a b.onnx", "s3://bucket/a%20b.onnx"),
        ("is://c.onnx/../x://y", "is://c.onnx/../x://y"),
        ("(x://y)", "%28x%3A/y%29"),
    ],
)
def test_uris_are_encoded_and_start_at_the_root(path: str, uri: str) -> None:
    (result,) = results(Report(__version__, (model(path, [finding()]),)))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_run_in_a_folder_of_the_repository() -> None:
    context = replace(CONTEXT, folder="/repo/models")
    (result,) = results(Report(__version__, (model("net.onnx", [finding()]),)), context)
    at = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert at == {"uri": "models/net.onnx"}


@pytest.mark.slow
def test_no_more_results_than_code_scanning_takes() -> None:
    last = finding("last", severity=Severity.ERROR)
    report = Report(__version__, (model(findings=[*[finding()] * 25_000, last]),))
    text = sarif.render(report, CONTEXT)
    (run,) = json.loads(text)["runs"]
    assert len(run["results"]) == 25_000
    assert run["results"][0]["level"] == "error"
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("1 more finding is left out")
    assert len(gzip.compress(text.encode())) < 10_000_000


def test_a_finding_without_a_fingerprint_has_one_all_the_same() -> None:
    bare = finding(fingerprint="")
    (result,) = results(Report(__version__, (model(findings=[bare]),)))
    own = result["partialFingerprints"]["primaryLocationLineHash"]
    assert len(own) == 18
    assert own.endswith(":1")


def test_an_anchor_without_text_and_a_state_without_a_number() -> None:
    told = finding(anchor=Line("net.onnx.arch", 3), state=State.WORSE)
    (result,) = results(Report(__version__, (model(findings=[told]),)))
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 2}
    assert "before and has" not in result["message"]["text"]
