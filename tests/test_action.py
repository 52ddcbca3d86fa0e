"""The scripts of GitHub's action, with a runner, an archlint and an API that stand in."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from repositories import isolate
from runner_of_github import REPORT, Job, Ran, made
from this_repository import ROOT, copy_of_this_one

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job in an empty checkout."""
    isolate(monkeypatch)
    return made(tmp_path)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, ["check", "--", "."]),
        ({"PATHS": "a.onnx 'b c.onnx'\n \"d\"/*"}, ["check", "--", "a.onnx", "b c.onnx", "d/*"]),
        ({"PATHS": ""}, ["check", "--", "."]),
        ({"PATHS": "--isolated"}, ["check", "--", "--isolated"]),
        ({"BASE": "none"}, ["check", "--", "."]),
        ({"BASE": "--upload-pack=x"}, ["check", "--base=--upload-pack=x", "--", "."]),
        ({"BASE": "main; id"}, ["check", "--base=main; id", "--", "."]),
        ({"FAIL_ON": "error"}, ["check", "--fail-on=error", "--", "."]),
        ({"ARGS": "--select 'ARC1' -j 2"}, ["check", "--select", "ARC1", "-j", "2", "--", "."]),
        (
            {"ARGS": "$(touch made) `touch made`", "PATHS": "; touch made && $HOME %PATH%"},
            ["check", "$(touch", "made)", "`touch", "made`", "--", ";", "touch", "made", "&&",
             "$HOME", "%PATH%"],
        ),
    ],
)  # fmt: skip
def test_inputs_become_words(inputs: dict[str, str], words: list[str], job: Job) -> None:
    """Split and unquoted as in a shell, and never run by one."""
    assert job.check(inputs=inputs).code == 0
    assert job.words == words
    assert list(job.checkout.iterdir()) == []


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"ARGS": "'--select"}, "args cannot be split into words: No closing quotation"),
        ({"PATHS": "a\\"}, "paths cannot be split into words: No escaped character"),
        ({"SUMMARY": "yes"}, "summary must be true or false, and is 'yes'"),
        ({"COMMENT": "a\n::error::b"}, "comment must be true or false, and is 'a\n::error::b'"),
    ],
)
def test_wrong_inputs(inputs: dict[str, str], why: str, job: Job) -> None:
    """Are told in one annotation, with the exit code of wrong use; archlint is not started."""
    ran = job.check(inputs=inputs)
    assert (ran.code, ran.obeyed) == (2, [("error", why)])
    assert not (job.temporary / "words").exists()


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_is_that_of_archlint(code: int, job: Job) -> None:
    """It is an output too; that archlint was used wrongly is annotated."""
    job.will(code, "the text of the report")
    ran = job.check()
    assert (ran.code, ran.outputs["exit-code"]) == (code, str(code))
    assert "the text of the report" in ran.log
    assert "on stderr" in ran.log
    assert len(ran.told("error")) == (code == 2)


def test_an_archlint_that_is_not_there(job: Job) -> None:
    """Is no finding."""
    (job.temporary / "archlint").unlink()
    ran = job.check()
    assert ran.code == 2
    assert "archlint cannot be started" in ran.log


def test_outputs(job: Job) -> None:
    """Numbers of findings, and files that are there."""
    job.will(sarif="{}", markdown="# text")
    outputs = job.check(inputs={"UPLOAD_SARIF": "true"}).outputs
    assert (outputs["findings"], outputs["new-findings"]) == ("3", "2")
    assert json.loads(Path(outputs["report-file"]).read_text()) == REPORT
    assert Path(outputs["sarif-file"]).read_text() == "{}"
    assert Path(outputs["markdown-file"]).read_text() == "# text"


def test_without_a_base_all_findings_are_new(job: Job) -> None:
    """They have no state then."""
    job.will(report={"models": [{"findings": [{"state": None}, {}]}], "failures": []})
    assert job.check().outputs["new-findings"] == "2"


def test_a_file_that_is_named_like_an_output(job: Job) -> None:
    """Adds no output."""
    name = "a\nfindings=0\nexit-code<<x\n0\nx\n.sarif"
    job.will(1, sarif="{}")
    outputs = job.check(inputs={"SARIF": name}).outputs
    assert outputs["sarif-file"] == str(job.checkout / name)
    assert (outputs["findings"], outputs["exit-code"]) == ("3", "1")


HOSTILE = """\
::error file=README.md,line=1::text of a model
::stop-commands::mine
::mine::
::set-output name=findings::0
::0123456789abcdef0123456789abcdef::
::notice::more text"""


def test_text_of_a_model_is_no_command(job: Job) -> None:
    """Neither in the log nor in the file of annotations, which holds annotations alone."""
    job.will(
        1, HOSTILE, github="::error file=m.onnx::ours\n::set-env name=A::b\n::add-mask::c\nd\n"
    )
    assert job.check().obeyed == [("error", "ours")]


def test_annotations_can_be_turned_off(job: Job) -> None:
    """archlint is then not asked for them."""
    job.will(1, github="::error file=m.onnx::ours\n")
    assert job.check(inputs={"ANNOTATIONS": "false"}).obeyed == []


def test_summary(job: Job) -> None:
    """The Markdown report, unless it is not wanted."""
    job.will(markdown="# Models\n")
    assert job.check().summary == "# Models\n"
    assert job.check(inputs={"SUMMARY": "false", "COMMENT": "true"}).summary == ""


def test_a_long_summary_is_cut(job: Job) -> None:
    """At 1 MiB, between lines, with its blocks closed: GitHub drops what is longer."""
    line = "- ×××××××××× <b>bold</b>\n"
    job.will(markdown="<details>\n" + line * 60_000)
    summary = job.check().summary
    assert 0.99 * 2**20 < len(summary.encode()) <= 2**20
    body, closing, end = summary.partition("\n</details>\n")
    assert body.removeprefix("<details>\n").strip("\n").splitlines()[-1] + "\n" == line
    assert (bool(closing), end.strip()) == (True, "The rest is in the report.")


def test_a_pointer_is_explained(job: Job) -> None:
    """What the checkout needs for it."""
    failure = {"path": "m.onnx", "why": "is a Git LFS pointer to 12.35 MB, not the model"}
    job.will(3, report={"models": [], "failures": [failure]})
    (notice,) = job.check().told("notice")
    assert "'lfs: true'" in notice


def test_a_version_is_no_option_of_pip(job: Job) -> None:
    """Nor an address, nor several packages."""
    for version in ("--index-url=http://a", "1.0 other", "1.0;python_version>'3'", "latest", "@ x"):
        ran = job.step("install.py", {"VERSION": version})
        assert (ran.code, len(ran.told("error"))) == (2, 1)
    assert not (job.temporary / "archlint-environment").exists()


def test_an_old_python_is_told(job: Job, tmp_path: Path) -> None:
    """There is one line, and the input that helps."""
    for name in ("python3", "python"):
        old = tmp_path / "old" / name
        old.parent.mkdir(exist_ok=True)
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    for name in ("bash", "dirname"):
        (tmp_path / "old" / name).symlink_to(str(shutil.which(name)))
    ran = job.step("check.py", variables={"PATH": str(tmp_path / "old")})
    assert ran.code == 2
    assert "python-version" in ran.told("error")[0]


def test_no_input_is_put_into_a_script() -> None:
    """Whatever it is: the runner would paste it."""
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_actions_of_others_are_named_by_commit() -> None:
    """With the release in a comment."""
    text = (ROOT / "action.yml").read_text("utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one) for one in used)


def test_every_variable_of_the_scripts_is_given() -> None:
    """And every input is used."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "action").glob("*.py"))
    read = set(re.findall(r'(?:text|flag|words)_of\("([\w-]+)"\)', text))
    variables = {name for step in STEPS for name in step.get("env", {})}
    assert {f"INPUT_{name.replace('-', '_').upper()}" for name in read} == {
        name for name in variables if name.startswith("INPUT_")
    }
    assert set(re.findall(r"inputs\.([\w-]+)", json.dumps(STEPS))) == set(ACTION["inputs"])
    outputs = set(re.findall(r'output\("([\w-]+)"', text)) | {"report-file", "sarif-file"}
    assert set(ACTION["outputs"]) <= outputs


def test_the_metadata_is_valid() -> None:
    """By GitHub's schema, as the schema store has it."""
    pytest.importorskip("check_jsonschema")
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    ran = subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=False, capture_output=True, encoding="utf-8"
    )
    assert ran.returncode == 0, ran.stdout


def test_the_shell_script_is_clean() -> None:
    """By shellcheck."""
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    script = str(ROOT / "action" / "run.sh")
    ran = subprocess.run([shellcheck, script], check=False, capture_output=True, encoding="utf-8")
    assert (ran.returncode, ran.stdout) == (0, "")


def substituted(text: str, known: Mapping[str, str]) -> str:
    """The text with the values of its expressions."""
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: known[found[1]], text)


@pytest.mark.slow
def test_the_whole_action(job: Job, tmp_path: Path) -> None:
    """Its steps in their order, as action.yml has them: archlint is installed from this repository,
    and checks a sample."""
    copy_of_this_one(tmp_path / "action")
    shutil.copy(ROOT / "samples" / "inception_5x5.onnx", job.checkout / "a model.onnx")
    given = {"paths": "'a model.onnx'", "sarif": "archlint.sarif"}
    defaults = {name: one["default"] for name, one in ACTION["inputs"].items()}
    known = {f"inputs.{name}": value for name, value in (defaults | given).items()}
    place = {"GITHUB_ACTION_PATH": str(tmp_path / "action")}
    steps = {step["id"]: step for step in STEPS if "id" in step}

    def perform(name: str) -> Ran:
        own = {key: substituted(value, known) for key, value in steps[name]["env"].items()}
        ran = job.step(steps[name]["run"].rpartition(" ")[2], variables=own | place)
        known.update({f"steps.{name}.outputs.{key}": one for key, one in ran.outputs.items()})
        return ran

    assert list(steps) == ["install", "check"]
    installed, ran = perform("install"), perform("check")
    assert (installed.code, ran.code) == (0, 1), installed.log + ran.log
    values = {name: substituted(one["value"], known) for name, one in ACTION["outputs"].items()}
    assert (values["findings"], values["new-findings"], values["exit-code"]) == ("1", "1", "1")
    report = json.loads(Path(values["report-file"]).read_text("utf-8"))
    assert report["models"][0]["path"] == "a model.onnx"
    sarif = json.loads(Path(values["sarif-file"]).read_text("utf-8"))
    assert sarif["runs"][0]["results"][0]["ruleId"] == "ARC101"
    assert "ARC101" in ran.summary
    assert "a model.onnx" in ran.log
    assert "5×5 convolution over 192 channels" in ran.told("warning")[0]
