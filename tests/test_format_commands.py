"""The report as commands in the log of GitHub and of Azure Pipelines, read as these read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from archlint import __version__
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import Report, State, azure, github
from archlint.analyzer.report.context import Context
from reports import BARE, CONTEXT, MANY, REPORTS, finding, model


def told(report: Report) -> int:
    """How many findings are for who made the change, and how many inputs failed."""
    return sum(len(one.told) for one in report.models) + len(report.failures)


def commands(report: Report, context: Context = CONTEXT) -> list[tuple[str, dict[str, str], str]]:
    """The commands as GitHub's runner takes a line apart: level, properties, text."""
    listed = []
    for line in github.render(report, context).splitlines():
        assert line.startswith("::")
        head, text = line[2:].split("::", 1)  # the first pair behind the level ends its properties
        level, _, rest = head.partition(" ")
        pairs = [pair.partition("=") for pair in rest.split(",")]
        properties = {name: _decoded(value) for name, _, value in pairs}
        assert set(properties) <= {"file", "line", "endLine", "title"}
        assert level in {"error", "warning", "notice"}
        listed.append((level, properties, _decoded(text)))
    return listed


def _decoded(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@pytest.mark.parametrize("name", REPORTS)
def test_a_step_shows_all_annotations_that_are_written(name: str) -> None:
    listed = commands(REPORTS[name])
    levels = [level for level, _, _ in listed]
    assert all(levels.count(level) <= 10 for level in ("error", "warning", "notice"))
    expected = told(REPORTS[name])
    if expected <= 9:
        assert len(listed) == expected
    else:
        assert re.match(r"\d[\d,]* more annotations in the report", listed[-1][2])
        count = int(listed[-1][2].split(" ", 1)[0].replace(",", ""))
        assert len(listed) - 1 + count == expected


def test_the_shape_of_an_annotation() -> None:
    line = (
        "::warning file=models/net.onnx,line=1,endLine=1,title=ARC101 wide-convolution::5×5 "
        "convolution over 192 channels has no 1×1 reduction before it. Node conv5x5. Suggested: "
        "1×1 reduction to 16 channels before it: 120,422,400 → 12,443,648 MACs (−89.7 %25).\n"
    )
    assert github.render(REPORTS["one"], BARE) == line


def test_text_cannot_leave_an_annotation() -> None:
    """What is escaped comes back as it was; the percent sign is escaped first."""
    path, message = "a,b:c%0A::d.onnx", "100%0Amore%25 :: x, y"
    report = Report(__version__, (model(path, [finding(message=message)]),))
    ((level, properties, text),) = commands(report)
    assert (level, properties["file"]) == ("warning", path)
    assert text.startswith(message)


def test_the_most_severe_and_dearest_annotations_are_kept() -> None:
    cheap = [finding(f"cheap{n}", proposed=False) for n in range(20)]
    note = finding("note", severity=Severity.NOTE)
    error = finding("error", severity=Severity.ERROR)
    report = Report(__version__, (model(findings=[*cheap, note, finding("dear"), error]),))
    listed = commands(report)
    assert [level for level, _, _ in listed] == ["error", *["warning"] * 9, *["notice"] * 2]
    assert "Node error." in listed[0][2]
    assert "Node dear." in listed[1][2]
    assert listed[-1][2] == "12 more annotations in the report: a step shows ten of a kind."


def test_unchanged_findings_make_no_annotation() -> None:
    text = github.render(REPORTS["compared"], CONTEXT)
    assert "Node old." not in text
    assert text.count("\n") == told(REPORTS["compared"])


def test_an_annotation_at_a_line_of_text() -> None:
    ((_, properties, _),) = commands(REPORTS["anchored"])
    assert (properties["file"], properties["line"]) == ("src/net.py", "7")


def issues(report: Report) -> list[tuple[dict[str, str], str]]:
    """The logging commands as the agent of Azure Pipelines takes a line apart."""
    listed = []
    for line in azure.render(report, CONTEXT).splitlines():
        if "##vso[" not in line:
            assert not line.startswith("##")
            continue
        head, _, text = line.removeprefix("##vso[task.logissue ").partition("]")
        assert not head.startswith("##vso")
        properties = dict(pair.split("=", 1) for pair in head.split(";"))
        decoded = {name: _of_azure(value) for name, value in properties.items()}
        listed.append((decoded, _of_azure(text)))
    return listed


def _of_azure(text: str) -> str:
    for code, sign in (
        ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%3B", ";"), ("%AZP25", "%"),
    ):  # fmt: skip
        text = text.replace(code, sign)
    return text


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_issues_of_azure(name: str) -> None:
    listed = issues(REPORTS[name])
    assert len(listed) == told(REPORTS[name])
    for properties, text in listed:
        assert properties["type"] in {"error", "warning"}
        assert set(properties) <= {"type", "sourcepath", "linenumber", "code"}
        assert text


def test_the_shape_of_an_issue_of_azure() -> None:
    path, message = "a;b]c%.onnx", "50 % ]; x"
    report = Report(__version__, (model(path, [finding(message=message)]),))
    line = azure.render(report, CONTEXT)
    assert line.startswith(
        "##vso[task.logissue type=warning;sourcepath=a%3Bb%5Dc%AZP25.onnx;linenumber=1;"
        "code=ARC101]ARC101 wide-convolution: 50 %AZP25 ]; x. Node"
    )
    ((properties, _),) = issues(report)
    assert properties["sourcepath"] == path


def test_a_note_is_a_line_of_the_log() -> None:
    note = finding(severity=Severity.NOTE)
    text = azure.render(Report(__version__, (model(findings=[note]),)), CONTEXT)
    assert text.startswith("models/net.onnx: ARC101 wide-convolution: 5×5")


@pytest.mark.parametrize("render", [github.render, azure.render])
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
    assert len(issues(report)) == MANY
