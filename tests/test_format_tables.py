"""The findings as comma-separated values, as JSON lines and by model."""

from __future__ import annotations

import csv
import io
import json

import pytest

from archlint import __version__
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import Report, as_json, grouped, json_lines, tabular
from archlint.analyzer.text import Paint, safe
from reports import AFTER, BEFORE, HOSTILE, REPORTS, finding, model


def rows(report: Report) -> list[dict[str, str]]:
    """The rows by the names of the columns."""
    return list(csv.DictReader(io.StringIO(tabular.render(report), newline=""), strict=True))


@pytest.mark.parametrize("name", REPORTS)
def test_a_row_a_finding(name: str) -> None:
    listed = rows(REPORTS[name])
    assert len(listed) == len(REPORTS[name].findings)
    for row in listed:
        assert None not in row
        assert None not in row.values()
        for cell in row.values():
            assert cell == "" or cell.isprintable()
            assert not cell.startswith(("=", "+", "@"))
            assert not cell.startswith("-") or cell[1:].isdigit()


def test_the_columns_of_a_row() -> None:
    (row,) = rows(REPORTS["one"])
    assert {name: cell for name, cell in row.items() if cell} == {
        "path": "models/net.onnx", "code": "ARC101", "name": "wide-convolution",
        "severity": "warning", "confidence": "high", "nodes": "conv5x5", "operator": "Conv",
        "module": "stem",
        "message": "5×5 convolution over 192 channels has no 1×1 reduction before it",
        "macs": str(BEFORE), "share": "0.25", "proposal": "1×1 reduction to 16 channels before it",
        "kind": "retrain", "macs_before": str(BEFORE), "macs_after": str(AFTER),
        "parameters_before": "153600", "parameters_after": "15872", "file": "models/net.onnx",
        "line": "1", "fingerprint": "9a1f0c3b77de4a52:1",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"])
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = rows(Report(__version__, (model(text, [finding(text, message=text)]),)))
    assert row["path"] == row["message"] == row["nodes"] == f"'{safe(text)}"


@pytest.mark.parametrize("name", REPORTS)
def test_a_line_a_finding_as_the_json_report_has_it(name: str) -> None:
    report = REPORTS[name]
    text = json_lines.render(report)
    assert text.isascii()
    assert "##" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    expected = [
        {"path": one["path"], **found}
        for one in json.loads(as_json.render(report))["models"]
        for found in one["findings"]
    ]
    assert lines == [
        {key: value for key, value in one.items() if key != "group"} for one in expected
    ]


@pytest.mark.parametrize("width", [None, 30, 80])
@pytest.mark.parametrize("name", REPORTS)
def test_every_report_by_model(name: str, width: int | None) -> None:
    text = grouped.render(REPORTS[name], Paint(), width)
    assert text.endswith(".\n")
    assert all(line.isprintable() for line in text.split("\n"))
    if width is None:  # a log, which a build service reads
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
        assert "##vso" not in text


def test_the_most_severe_come_first_and_equal_ones_are_one() -> None:
    findings = [
        finding("a"), finding("b"), finding("c", severity=Severity.NOTE),
        finding("d", severity=Severity.ERROR, proposed=False),
    ]  # fmt: skip
    report = Report(__version__, (model(findings=findings), model("clean.onnx")))
    text = grouped.render(report, Paint(), None)
    message = "5×5 convolution over 192 channels has no 1×1 reduction before it"
    saved = "[120,422,400 → 12,443,648 MACs (−89.7 %)]"
    assert text.splitlines() == [
        "models/net.onnx: 4 findings",
        f"  error ARC101 wide-convolution: {message}",
        "      d",
        f"  warning ARC101 wide-convolution ×2: {message} {saved}",
        "      a, b",
        f"  note ARC101 wide-convolution: {message} {saved}",
        "      c",
        "",
        "4 findings in 2 models.",
    ]


def test_colours_change_no_letter() -> None:
    plain = grouped.render(REPORTS["compared"], Paint(), 40)
    painted = grouped.render(REPORTS["compared"], Paint(on=True), 40)
    assert "\x1b[" in painted
    for code in ("1", "31", "33", "34", "1;31", "1;33", "1;34", "0"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == plain


def test_inputs_that_failed_are_listed() -> None:
    text = grouped.render(REPORTS["failures"], Paint(), None)
    assert text.startswith("not analysed:\n  models/broken.onnx: is no ONNX model\n\n")
    hostile = grouped.render(REPORTS["hostile"], Paint(), None)
    assert hostile.count("cannot be read: ") == len(HOSTILE)
