"""The report as JUnit's XML, as junitparser reads it, and as that of Checkstyle."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from archlint import __version__
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import Change, FindingReport, Report, State, checkstyle, junit
from reports import BARE, CONTEXT, HOSTILE, REPORTS, finding, model

SUGGESTED = "1×1 reduction to 16 channels before it"
# The production Char of XML 1.0, fifth edition.
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def suites(report: Report) -> list[tuple[TestSuite, list[TestCase]]]:
    """The suites with their cases, as GitLab and others read them; their counts are true."""
    text = junit.render(report, CONTEXT)
    assert not ILLEGAL.search(text)
    assert text.encode().startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    document = JUnitXml.fromstring(text.encode())
    told = document.tests, document.failures, document.errors, document.skipped
    document.update_statistics()  # type: ignore[no-untyped-call]  # of junitparser
    assert told == (document.tests, document.failures, document.errors, document.skipped)
    listed = []
    for suite in document:
        assert isinstance(suite, TestSuite)
        told = suite.tests, suite.failures, suite.errors, suite.skipped
        suite.update_statistics()  # type: ignore[no-untyped-call]  # of junitparser
        assert told == (suite.tests, suite.failures, suite.errors, suite.skipped)
        listed.append((suite, [case for case in suite if isinstance(case, TestCase)]))
    return listed


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_read_by_junitparser(name: str) -> None:
    report = REPORTS[name]
    listed = suites(report)
    assert len(listed) == len(report.models) + len(report.failures) + len(report.skipped)
    cases = [case for _, cases in listed for case in cases]
    found = [part for case in cases for part in case.result]
    told = sum(len(one.told) for one in report.models)
    assert sum(isinstance(part, Failure) for part in found) == told
    assert sum(isinstance(part, Error) for part in found) == len(report.failures)
    assert sum(isinstance(part, Skipped) for part in found) == len(report.skipped)


@pytest.mark.parametrize("name", ["twins", "hostile", "many", "compared"])
def test_names_are_unique_in_a_suite(name: str) -> None:
    for _, cases in suites(REPORTS[name]):
        names = [case.name for case in cases]
        assert len(set(names)) == len(names)


def test_the_shape_of_a_failed_case() -> None:
    ((suite, (case,)),) = suites(REPORTS["one"])
    (failure,) = case.result
    assert suite.name == case.classname == "models/net.onnx"
    assert case._elem.get("file") == "models/net.onnx"
    assert case.name == "ARC101 wide-convolution conv5x5"
    assert failure.message == "5×5 convolution over 192 channels has no 1×1 reduction before it."
    assert failure.type == "warning"
    assert str(failure.text).splitlines()[1:] == [
        "Node conv5x5.",
        f"Suggested: {SUGGESTED}: 120,422,400 → 12,443,648 MACs (−89.7 %).",
    ]


def test_twins_are_numbered() -> None:
    ((_, cases),) = suites(REPORTS["twins"])
    plain = "ARC101 wide-convolution conv5x5"
    assert [case.name for case in cases] == [plain, f"{plain} (2)"]


def test_a_name_holds_no_number_that_changes() -> None:
    """GitLab compares the tests of a branch with those of its target by their names."""
    grown = finding(message="5×5 convolution over 200 channels", state=State.WORSE, before=3)
    names = [
        [case.name for _, cases in suites(Report(__version__, (one,))) for case in cases]
        for one in (model(findings=[finding()]), model(findings=[grown]))
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("findings", "name"),
    [([], "No findings"), ([finding(state=State.UNCHANGED)], "No new findings")],
)
def test_a_model_with_nothing_to_tell_passes(findings: list[FindingReport], name: str) -> None:
    one = model(change=Change("main"))
    one = replace(one, findings=tuple(findings))
    ((_, (case,)),) = suites(Report(__version__, (one,)))
    assert case.name == name
    assert case.is_passed


def test_a_model_of_which_only_the_snapshot_is_there_was_skipped() -> None:
    ((_, (case,)),) = suites(Report(__version__, (replace(model(), was_checked=False),)))
    assert case.is_skipped


def test_an_input_that_failed_is_an_error() -> None:
    ((suite, (case,)),) = suites(REPORTS["failures"])
    (error,) = case.result
    assert isinstance(error, Error)
    assert suite.name == "models/broken.onnx"
    assert error.message == "It could not be analysed: is no ONNX model."


def test_hostile_text_is_written_out() -> None:
    text = junit.render(REPORTS["hostile"], CONTEXT)
    for raw in ("\x1b", "\u202e", "\x00", "]]>", "<script"):
        assert raw not in text
    assert "\\x1b[31mred" in text
    assert len(text) < 3_000_000


def errors(report: Report) -> list[tuple[str, dict[str, str]]]:
    """The errors with the names of their files."""
    text = checkstyle.render(report, BARE)
    assert not ILLEGAL.search(text)
    root = ET.fromstring(text.encode())  # noqa: S314 - what was just written
    assert root.tag == "checkstyle"
    names = [file.attrib["name"] for file in root]
    assert len(set(names)) == len(names)
    return [(file.attrib["name"], error.attrib) for file in root for error in file]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_of_the_form_of_checkstyle(name: str) -> None:
    report = REPORTS[name]
    listed = errors(report)
    told = sum(len(one.told) for one in report.models)
    assert len(listed) == told + len(report.failures)
    for path, error in listed:
        assert path
        assert list(error) == ["line", "column", "severity", "message", "source"]
        assert error["severity"] in {"error", "warning", "info"}
        assert int(error["line"]) >= 1
        assert error["source"].startswith("archlint.")


def test_the_place_of_an_error_of_checkstyle() -> None:
    note = replace(REPORTS["anchored"].findings[0], severity=Severity.NOTE)
    ((path, error),) = errors(Report(__version__, (model(findings=[note]),)))
    assert (path, error["line"]) == ("src/net.py", "7")
    assert (error["severity"], error["source"]) == ("info", "archlint.ARC101")


def test_paths_that_xml_cannot_hold() -> None:
    for text in HOSTILE:
        ((path, _),) = errors(Report(__version__, (model(f"m/{text}.onnx", [finding()]),)))
        assert path.startswith("m/")
        assert "\n" not in path
