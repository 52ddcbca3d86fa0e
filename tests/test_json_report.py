"""The report as JSON: its schema, its numbers, and the file that it is written to."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from jsonschema import Draft202012Validator

from archlint import __version__
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report import as_json
from archlint.analyzer.rule import RuleContext
from archlint.rules.wide_convolution import WideConvolution
from command_line import Run

SAMPLES = Path(__file__).parent.parent / "samples"
CLEAN, FLAGGED, LENET = (
    str(SAMPLES / f"{name}.onnx") for name in ("mlpconv", "inception_module_naive", "lenet5")
)
UNKNOWN = """agraph (float[1,seq,64] x) => (y, z, float t) <float[64,32] w> {
    y = MatMul (x, w)
    z = Mystery <domain = "odd"> (x)
    t = ReduceMean <keepdims = 0> (x)
}"""


@pytest.fixture
def unknown(tmp_path: Path) -> str:
    """A model with costs that cannot be known."""
    path = tmp_path / "unknown.onnx"
    onnx.save(from_text(UNKNOWN.replace(' <domain = "odd">', "")).proto, path)
    return str(path)


@pytest.fixture
def validator(run: Run) -> Draft202012Validator:
    """The schema that archlint prints."""
    schema = run("schema", "report").document
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


RUNS = [
    pytest.param(["check", CLEAN], 0, id="clean"),
    pytest.param(["check", FLAGGED], 1, id="findings"),
    pytest.param(["check", "--select", "ALL", "--fail-on", "never", LENET, FLAGGED], 0, id="all"),
    pytest.param(["check", FLAGGED, "none.onnx"], 3, id="a-failure-too"),
    pytest.param(["check", "none.onnx"], 3, id="only-a-failure"),
    pytest.param(["check", "UNKNOWN"], 0, id="unknown-costs"),
    pytest.param(["cost", LENET, CLEAN], 0, id="cost"),
    pytest.param(["cost", "--by", "node", "UNKNOWN"], 0, id="cost-unknown"),
    pytest.param(["cost", "--by", "op", FLAGGED], 0, id="cost-by-op"),
    pytest.param(["cost", "--by", "scope", FLAGGED], 0, id="cost-by-scope"),
    pytest.param(["cost", "none.onnx"], 3, id="cost-of-a-failure"),
]


@pytest.mark.parametrize(("arguments", "code"), RUNS)
def test_every_document_is_valid(
    arguments: list[str],
    code: int,
    unknown: str,
    validator: Draft202012Validator,
    run: Run,
) -> None:
    """By the schema that archlint prints; and two runs give the same bytes."""
    given = [unknown if argument == "UNKNOWN" else argument for argument in arguments]
    ran = run(*given, "--output-format", "json")
    assert ran.code == code
    assert list(validator.iter_errors(ran.document)) == []
    assert ran.document["schema_version"] == as_json.SCHEMA_VERSION
    assert ran.document["tool"] == {"name": "archlint", "version": __version__}
    assert ran.out.isascii()
    assert ran.out.endswith("\n")
    again = run(*given, "--output-format", "json")
    assert (again.out, again.err) == (ran.out, ran.err)


def test_the_crash_of_a_rule_is_valid_too(
    validator: Draft202012Validator,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is a finding without nodes, confidence and proposal."""

    def crash(_rule: WideConvolution, _context: RuleContext) -> Iterator[None]:
        raise ZeroDivisionError

    monkeypatch.setattr(WideConvolution, "match", crash)
    document = run("--output-format=json", FLAGGED).document
    assert list(validator.iter_errors(document)) == []
    crashed = document["models"][0]["findings"][0]
    assert (crashed["code"], crashed["severity"]) == ("ARC900", "error")
    assert (crashed["nodes"], crashed["confidence"], crashed["proposal"]) == ([], None, None)


def test_the_schema_is_closed(validator: Draft202012Validator) -> None:
    """A document without its version, or with a field of an unknown meaning, is not valid."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "tool": {"name": "archlint", "version": "1"},
        "models": [],
        "failures": [],
        "base": None,
        "removed": [],
        "skipped": [],
    }
    assert validator.is_valid(document)
    for field in document:
        assert not validator.is_valid({key: document[key] for key in document if key != field})
    assert not validator.is_valid({**document, "schema_version": 2})
    assert not validator.is_valid({**document, "failures": [{"path": "x"}]})
    assert not validator.is_valid({**document, "failures": [{"path": "x", "why": "", "more": 1}]})


def test_numbers_are_those_of_the_full_report(run: Run) -> None:
    """Both are made from one report."""
    text = run(FLAGGED).out
    (model,) = run("--output-format", "json", FLAGGED).document["models"]
    assert f"{model['cost']['macs']:,} MACs, {model['parameters']:,} parameters" in text
    assert len(model["findings"]) == 2
    changes = [*(finding["proposal"] for finding in model["findings"]), model["effect"]]
    for change in changes:
        for unit in ("macs", "parameters"):
            before, after = change[unit]["before"], change[unit]["after"]
            assert f"{before:,} → {after:,} {unit.replace('macs', 'MACs')} (" in text
    for finding in model["findings"]:
        assert f"{finding['code']} {finding['name']}: {finding['message']}\n" in text
        place = f"{finding['nodes'][0]['name']} in the {finding['block']['kind']} block"
        assert f"{FLAGGED}: {place}\n" in text
        assert f"{finding['description']}: {finding['cost']['macs']:,} MACs, " in text
        assert f"{100 * finding['share']:.1f} % of the model\n" in text
        assert f"{finding['proposal']['title']}\n" in text
        assert all(step["text"] in text for step in finding["proposal"]["steps"])
        assert all(line in text for line in finding["proposal"]["pytorch"].splitlines())
        assert finding["proposal"]["caveat"] in text
        for other in finding["alternatives"]:
            assert f"{other['proposal']['title']}: {other['proposal']['macs']['after']:,}" in text


def test_sums_hold(run: Run) -> None:
    """Flops are twice the MACs and the other operations; steps sum to the proposal."""
    for path in (FLAGGED, LENET):
        (model,) = run("cost", "--output-format", "json", path).document["models"]
        cost = model["cost"]
        assert cost["flops"] == 2 * cost["macs"] + sum(cost["ops"].values())
        for key in ("macs", "bytes_read", "bytes_written", "weight_bytes"):
            assert cost[key] == sum(row["cost"][key] for row in model["rows"])
        (model,) = run("--output-format", "json", path).document["models"]
        for finding in model["findings"]:
            proposal = finding["proposal"]
            assert sum(step["macs"] for step in proposal["steps"]) == proposal["macs"]["after"]
            assert finding["share"] == round(finding["cost"]["macs"] / cost["macs"], 6)


def test_what_is_unknown_is_in_no_number(unknown: str, run: Run) -> None:
    """The reasons are listed with their nodes and their remedy."""
    (model,) = run("cost", "--output-format", "json", unknown).document["models"]
    assert model["inputs"] == [{"name": "x", "shape": [1, "seq", 64]}]
    assert model["cost"]["macs"] == 0
    assert [row["unknown"] for row in model["rows"]] == [1, 1, 1]
    remedies = {reason["remedy"]: reason["nodes"] for reason in model["unknown"]}
    assert remedies["--dim seq=128"] == ["y", "t"]
    assert [nodes for remedy, nodes in remedies.items() if not remedy] == [["z"]]


def test_failures_name_the_path_as_it_was_given(run: Run) -> None:
    """In the order given, what names nothing first; the models stand beside them."""
    ran = run("--output-format", "json", "none.onnx", CLEAN, "no*.onnx")
    assert [failure["path"] for failure in ran.document["failures"]] == ["none.onnx", "no*.onnx"]
    assert [model["path"] for model in ran.document["models"]] == [CLEAN]
    assert len(ran.err.splitlines()) == 2


@pytest.mark.parametrize("command", [["check"], ["cost"], ["check", "--output-format", "json"]])
def test_a_file_gets_what_stdout_would(command: list[str], tmp_path: Path, run: Run) -> None:
    """The file holds it, stdout nothing, and no temporary file is left; the exit code stays."""
    plain = run(*command, FLAGGED)
    for _ in range(2):  # the second time the file exists
        ran = run(*command, FLAGGED, "-o", tmp_path / "report")
        assert (ran.code, ran.out, ran.err) == (plain.code, "", "")
        assert (tmp_path / "report").read_text(encoding="utf-8") == plain.out
        assert os.listdir(tmp_path) == ["report"]


def test_a_link_stays_a_link(tmp_path: Path, run: Run) -> None:
    """What it leads to is replaced, and keeps its permissions."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    assert run(CLEAN, "-o", tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink()
    assert "No findings" in (tmp_path / "real").read_text()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to(tmp_path: Path, run: Run) -> None:
    """It is not replaced by a file, and nor is a device."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(CLEAN, "-o", tmp_path / "pipe").code == 0
        assert b"No findings in 1 model." in os.read(reader, 65_536)
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(
    ("target", "failing", "why"),
    [
        pytest.param("none/report", None, errno.ENOENT, id="missing-folder"),
        pytest.param("report/report", None, errno.ENOTDIR, id="folder-is-a-file"),
        pytest.param("folder", None, errno.EISDIR, id="target-is-a-folder"),
        pytest.param("report", (os, "mkdir"), errno.EACCES, id="unwritable-folder"),
        pytest.param("report", (shutil, "copymode"), errno.ENOSPC, id="no-space"),
        pytest.param("report", (os, "replace"), errno.EPERM, id="not-replaceable"),
    ],
)
def test_a_file_that_cannot_be_written_is_kept(
    target: str,
    failing: tuple[Any, str] | None,
    why: int,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, exit code 2, the old file as it was, nothing left beside it."""
    (tmp_path / "report").write_text("old")
    (tmp_path / "folder").mkdir()

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(why, os.strerror(why))

    if failing is not None:
        monkeypatch.setattr(*failing, fail)
    path = tmp_path / target
    ran = run(FLAGGED, "-o", path)
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert line.startswith(f"archlint: error: -o {path}: cannot be written: {os.strerror(why)}")
    assert (tmp_path / "report").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["folder", "report"]
