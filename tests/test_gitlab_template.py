"""GitLab's template: its form by GitLab's schema, and its script in the shells that run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages import blocks
from this_repository import ROOT

TEMPLATE = (ROOT / "templates" / "gitlab" / "archlint.yml").read_text("utf-8")
HEAD, _, BODY = TEMPLATE.partition("\n---\n")
INPUTS: dict[str, dict[str, str]] = yaml.safe_load(HEAD)["spec"]["inputs"]
RECORDER = """\
#!{python}
import json, pathlib, sys
with open(pathlib.Path(__file__).parent / "words", "a") as file:
    print(json.dumps([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]), file=file)
sys.exit(3 if sys.argv[0].endswith("archlint") else 0)
"""


def job(**given: str) -> dict[str, Any]:
    """The job, included with these inputs."""
    values = {name: one.get("default", "") for name, one in INPUTS.items()} | given
    text = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: values[found[1]], BODY)
    (found,) = yaml.safe_load(text).values()
    return dict(found)


def test_every_input_is_used() -> None:
    """And nothing else is."""
    assert set(re.findall(r"inputs\.([\w-]+)", BODY)) == set(INPUTS)
    assert [name for name, one in INPUTS.items() if "default" not in one] == ["package"]


def configurations() -> list[Any]:
    """The template as one document, and what the page tells to write."""
    shown = [block.text for block in blocks("gitlab") if block.language == "yaml"]
    whole = {**yaml.safe_load(HEAD), "archlint": job()}
    return [whole, *(yaml.safe_load(text) for text in shown)]


def test_it_is_valid(tmp_path: Path) -> None:
    """By GitLab's schema."""
    pytest.importorskip("check_jsonschema")
    names = []
    for number, found in enumerate(configurations()):
        path = tmp_path / f"{number}.yml"
        path.write_text(yaml.safe_dump(found))
        names.append(path.name)
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", *names]
    ran = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, check=False, capture_output=True, encoding="utf-8"
    )
    assert ran.returncode == 0, ran.stdout
    assert len(names) > 1


def test_what_the_script_writes_is_kept() -> None:
    """Whatever the exit code, and where GitLab looks for it."""
    found = job()
    written = dict(re.findall(r"--output (\w+)=(\S+)", "".join(found["script"])))
    artifacts = found["artifacts"]
    assert artifacts["when"] == "always"
    assert artifacts["reports"] == {"codequality": written["gitlab"], "junit": written["junit"]}
    assert artifacts["paths"] == [written["json"], written["markdown"], written["html"]]


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("given", "base", "words"),
    [
        ({}, "", ["--", "."]),
        ({}, "0a1b2c", ["--base=0a1b2c", "--", "."]),
        ({"fail-on": "error"}, "", ["--fail-on=error", "--", "."]),
        ({"args": "-j 2 --select ARC1"}, "", ["-j", "2", "--select", "ARC1", "--", "."]),
        ({"paths": "*.onnx models"}, "a b", ["--base=a b", "--", "*.onnx", "models"]),
        ({"paths": "$(id) `id` ; id | id > id"}, "$(id)",
         ["--base=$(id)", "--", "$(id)", "`id`", ";", "id", "|", "id", ">", "id"]),
    ],
)  # fmt: skip
def test_the_script(
    shell: str, given: dict[str, str], base: str, words: list[str], tmp_path: Path
) -> None:
    """What it starts, in a project with models; it fails as archlint does."""
    found = job(package="tools/a wheel.whl", **given)
    project, programs = tmp_path / "project", tmp_path / "programs"
    for folder in (project, programs):
        folder.mkdir()
    (project / "a.onnx").touch()
    for name in ("archlint", "python"):
        program = programs / name
        program.write_text(RECORDER.format(python=sys.executable))
        program.chmod(0o755)
    variables = {name: value for name, value in found["variables"].items() if "$CI" not in value}
    own = {**os.environ, **variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    if base:
        own["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = base
    script = "set -e\n" + "\n".join(found["script"])
    code = subprocess.run(
        [str(shutil.which(shell)), "-c", script], cwd=project, env=own, check=False
    ).returncode
    pip, archlint = map(json.loads, (programs / "words").read_text().splitlines())
    assert pip == ["python", "-m", "pip", "install", "--quiet", "tools/a wheel.whl"]
    assert archlint[:2] == ["archlint", "check"]
    assert archlint[-len(words) :] == words
    assert archlint[-len(words) - 1].startswith("html=")
    assert code == 3
    assert [path.name for path in project.iterdir()] == ["a.onnx"]


def test_an_image_with_archlint_installs_nothing(tmp_path: Path) -> None:
    """Where no package is named."""
    script = job()["script"][0]
    ran = subprocess.run(
        [str(shutil.which("sh")), "-c", script], check=False, capture_output=True,
        env={"PATH": str(tmp_path), "ARCHLINT_PACKAGE": ""},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
