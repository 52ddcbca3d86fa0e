"""Findings that a comment in the snapshot beside a model accepts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archlint.analyzer.report.as_json import schema
from command_line import Run

SAMPLES = Path(__file__).parent.parent / "samples"
CODES = ("ARC901", "ARC903", "ARC904")
NODE = "/inception_3a/branch5x5/conv/Conv"  # a 5×5 over 192 channels: ARC101
LINE = "inception_3a.branch5x5.conv"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """The working directory, with a module without reductions, and its snapshot."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(SAMPLES / "inception_module_naive.onnx", "m.onnx")
    assert run("snapshot", "write", "m.onnx").code == 0
    return tmp_path


def comment(text: str, scope: str = LINE) -> int:
    """The number of the line of a scope, behind which that is written."""
    path = Path("m.onnx.arch")
    lines = path.read_text(encoding="utf-8").split("\n")
    at = next(place for place, line in enumerate(lines) if line.startswith(f"{scope}  "))
    lines[at] += f"  # {text}"
    path.write_text("\n".join(lines), encoding="utf-8")
    return at + 1


def told(run: Run, *arguments: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The findings, and those that are ignored."""
    options = ("--output-format", "json", "--select", "ARC101", "--ignore", "ARC908")
    report = run("m.onnx", *options, *arguments).document
    Draft202012Validator(json.loads(schema())).validate(report)
    (model,) = report["models"]
    return model["findings"], model["ignored"]


def at_node(findings: list[dict[str, Any]]) -> list[str]:
    """The codes of the findings at the node."""
    return [f["code"] for f in findings if any(node["name"] == NODE for node in f["nodes"])]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("archlint: ignore[ARC101]", None, id="code"),
        pytest.param("archlint: ignore[ARC101] the stem", "the stem", id="reason"),
        pytest.param("archlint: ignore[wide-convolution] x", "x", id="name"),
        pytest.param("archlint:ignore [ARC2, arc1] #12: y", "#12: y", id="loosely"),
        pytest.param("wide. # archlint: ignore[ARC101] z", "z", id="behind-words"),
        pytest.param("archlint: ignore[ARC2] a # archlint: ignore[ALL] b", "b", id="two"),
    ],
)
def test_a_comment_accepts_findings_at_its_line(
    text: str, reason: str | None, desk: Path, run: Run
) -> None:
    """And the report says which line did."""
    findings, _ = told(run)
    assert at_node(findings) == ["ARC101"]
    number = comment(text)
    findings, ignored = told(run)
    assert at_node(findings) == []
    (one,) = ignored
    assert one["by"] == f"m.onnx.arch:{number}"
    assert one["reason"] == reason
    assert not one["in_model"]
    assert one["nodes"][0]["name"] == NODE


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        pytest.param("archlint: ignore[ARC999]", "ARC904", "names the rule 'ARC999'", id="rule"),
        pytest.param("archlint: ignore[]", "ARC904", "names no rule", id="no-rule"),
        pytest.param("archlint: ignore", "ARC904", "cannot be followed; write", id="no-bracket"),
        pytest.param("archlint ignore[ARC101]", "ARC904", "cannot be followed", id="no-colon"),
        pytest.param("Archlint: ignore[ARC1", "ARC904", "cannot be followed", id="half-bracket"),
        pytest.param(f"archlint: ignore[ARC101] {'x' * 1000}", "ARC904", "longer", id="long"),
        pytest.param("archlint: ignore[ARC102] it was", None, "", id="rule-did-not-run"),
        pytest.param("about archlints", None, "", id="other-words"),
        pytest.param("noqa: ARC101", None, "", id="another-tool"),
    ],
)
def test_what_cannot_be_followed_is_told(
    text: str, code: str | None, why: str, desk: Path, run: Run
) -> None:
    """With its line; words to people are none of archlint's business."""
    number = comment(text)
    findings, ignored = told(run)
    assert ignored == []
    assert at_node(findings)[0] == "ARC101"
    remarks = [finding for finding in findings if finding["code"] in CODES]
    assert [remark["code"] for remark in remarks] == ([code] if code else [])
    if code:
        assert remarks[0]["message"].startswith(f"m.onnx.arch:{number} ")
        assert why in remarks[0]["message"]


def test_a_comment_that_accepts_nothing_is_told(desk: Path, run: Run) -> None:
    """One of a rule that finds nothing there, however many lines have it."""
    number = comment("archlint: ignore[ARC101] small", "inception_3a.branch1x1.conv")
    comment("archlint: ignore[ARC101] small", "inception_3a.branch_pool.conv")
    (one,) = (finding for finding in told(run)[0] if finding["code"] in CODES)
    assert one["code"] == "ARC901"
    where = f"m.onnx.arch:{number} (and 1 more line)"
    assert one["message"] == f"{where} hides no finding of ARC101; remove it"
    assert len(one["nodes"]) == 2
    findings, _ = told(run, "--ignore", "ARC901")
    assert not any(finding["code"] in CODES for finding in findings)


def test_a_reason_can_be_asked_for(desk: Path, run: Run) -> None:
    number = comment("archlint: ignore[ARC101]")
    findings, ignored = told(run, "--config", "require-reason=true")
    (one,) = (finding for finding in findings if finding["code"] in CODES)
    assert one["code"] == "ARC903"
    assert one["message"].startswith(f"m.onnx.arch:{number} gives no reason")
    assert len(ignored) == 1


def test_comments_need_not_be_heard(desk: Path, run: Run) -> None:
    """Who checks models of others is not silenced by what lies beside them."""
    comment("archlint: ignore[ARC101]")
    findings, ignored = told(run, "--config", "model-ignores=false")
    assert (at_node(findings), ignored) == (["ARC101"], [])


def test_a_snapshot_out_of_date_counts_where_it_still_fits(desk: Path, run: Run) -> None:
    """Another model has the same convolution behind a reduction: its line is recognised."""
    number = comment("archlint: ignore[ARC201] as published")
    gone = comment("archlint: ignore[ARC101]", "inception_3a.branch_pool.pool")
    shutil.copy(SAMPLES / "inception_module.onnx", "m.onnx")
    findings, ignored = told(run, "--select", "ARC201")
    assert [one["by"] for one in ignored] == [f"m.onnx.arch:{number}"]
    (one,) = findings
    assert one["message"].startswith(f"m.onnx.arch:{gone} hides no finding of ARC101; remove it")


def test_a_comment_without_its_operation_is_told(desk: Path, run: Run) -> None:
    """Before the snapshot is written anew, and behind it, where the comment is kept at the end."""
    number = comment("archlint: ignore[ARC101]")
    shutil.copy(SAMPLES / "lenet5.onnx", "m.onnx")
    why = "hides no finding of ARC101: its operation is there no more; remove it"
    (one,) = told(run)[0]
    assert (one["code"], one["message"]) == ("ARC901", f"m.onnx.arch:{number} {why}")
    assert one["nodes"] == []
    run("snapshot", "write", "m.onnx")
    last = len(Path("m.onnx.arch").read_text(encoding="utf-8").splitlines())
    (one,) = told(run)[0]
    assert one["message"] == f"m.onnx.arch:{last} {why}"


def test_a_snapshot_that_cannot_be_read_is_told_where_it_accepts(desk: Path, run: Run) -> None:
    """One without entries is not looked into."""
    path = Path("m.onnx.arch")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Concat(", "Concat ("), encoding="utf-8")
    assert not any(finding["code"] in CODES for finding in told(run)[0])
    comment("archlint: ignore[ARC101]")
    (one,) = (finding for finding in told(run)[0] if finding["code"] in CODES)
    assert one["code"] == "ARC904"
    assert one["message"].startswith("m.onnx.arch:22 is no operation")
    path.unlink()
    path.symlink_to("m.onnx")
    (one,) = (finding for finding in told(run)[0] if finding["code"] in CODES)
    assert one["message"].startswith("m.onnx.arch is a link")


def test_a_comment_in_a_body_is_told(desk: Path, run: Run) -> None:
    """Findings are told at lines of the main graph; the next snapshot keeps it at the end."""
    path = Path("m.onnx.arch")
    head = path.read_text(encoding="utf-8")
    body = (
        "# body: If.then_branch\n# operations: 1\n# operations of unknown cost: 0\n# MACs: 0\n"
        "# parameters: 0\n-  Relu  $0  -> 1  # archlint: ignore[ARC101]\n"
    )
    path.write_text(f"{head}\n{body}", encoding="utf-8")
    (one,) = (finding for finding in told(run)[0] if finding["code"] in CODES)
    assert one["code"] == "ARC904"
    assert "stands in a body" in one["message"]
    ran = run("snapshot", "write", "m.onnx")
    assert "kept at the end" in ran.err
    gone = "# gone: -  Relu  $0  -> 1  # archlint: ignore[ARC101]"
    assert path.read_text(encoding="utf-8").splitlines()[-1] == gone
