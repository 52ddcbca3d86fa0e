"""The pages about services and tools that run archlint: what they tell to write is taken there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages import Block, blocks, text_of
from this_repository import ROOT

pytest_plugins = ["pytester"]

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
TEMPLATE = (ROOT / "templates" / "gitlab" / "archlint.yml").read_text("utf-8")
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PAGES = ("github", "gitlab", "pre-commit")
WORKFLOWS = [
    block
    for page in PAGES
    for block in blocks(page)
    if (block.file or "").startswith(".github/workflows/")
]


def installed(name: str) -> str:
    """The path of a program beside the interpreter or on the path."""
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose first cell is this."""
    table = re.compile(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
    (found,) = table.findall(text_of(page))
    return [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in found.splitlines()]


@pytest.mark.parametrize("block", WORKFLOWS, ids=range(len(WORKFLOWS)))
def test_workflows_are_valid(block: Block, tmp_path: Path) -> None:
    """By actionlint, which knows the inputs of the actions that they use."""
    path = tmp_path / "workflow.yml"
    path.write_text(block.text)
    command = [installed("actionlint"), "-no-color", str(path)]
    ran = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout


def test_workflows_give_inputs_that_there_are() -> None:
    """Of archlint's own action, which actionlint does not know; the page uses it."""
    given = [
        (step["uses"], name)
        for block in WORKFLOWS
        for job in yaml.safe_load(block.text)["jobs"].values()
        for step in job["steps"]
        if "archlint@" in step.get("uses", "")
        for name in step["with"]
    ]
    assert {uses for uses, _ in given} == {"OWNER/archlint@REVISION"}
    assert {name for _, name in given} <= set(ACTION["inputs"])


def test_the_inputs_of_the_action_are_listed() -> None:
    """All of them, with their defaults."""
    listed = {name: default for name, default, _ in rows("github", "input")}
    assert listed == {name: one["default"] for name, one in ACTION["inputs"].items()}
    outputs = text_of("github").partition("Outputs are ")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([\w-]+)`", outputs)) == set(ACTION["outputs"])


def test_the_inputs_of_the_template_are_listed() -> None:
    """All of them, with their defaults."""
    inputs = yaml.safe_load(TEMPLATE.partition("\n---\n")[0])["spec"]["inputs"]
    listed = {name: default for name, default, _ in rows("gitlab", "input")}
    assert listed == {name: one.get("default", "") for name, one in inputs.items()}


def test_the_hooks_are_listed() -> None:
    """All of them, with what they start."""
    listed = {name: does for name, _, does in rows("pre-commit", "hook")}
    entries = {hook["id"]: hook["entry"] for hook in HOOKS}
    assert set(listed) == set(entries)
    assert all(listed[name] in (entry, "the same, for the model `m.onnx")
               for name, entry in entries.items())  # fmt: skip


def test_configurations_of_pre_commit_are_valid(tmp_path: Path) -> None:
    """By pre-commit itself, and with hooks that there are."""
    shown = [block for block in blocks("pre-commit") if block.file == ".pre-commit-config.yaml"]
    assert len(shown) == 2
    ids = {hook["id"] for hook in HOOKS}
    for number, block in enumerate(shown):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block.text.replace("REVISION", "ab" * 20))
        command = [installed("pre-commit"), "validate-config", str(path)]
        ran = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
        assert {hook["id"] for hook in yaml.safe_load(block.text)["repos"][0]["hooks"]} <= ids


def test_the_tests_of_the_page_do_what_it_says(pytester: pytest.Pytester) -> None:
    """The first fails with the lines that are shown; the second passes where nothing changed."""
    (pytester.path / "models").mkdir()
    shutil.copy(ROOT / "samples" / "inception_5x5.onnx", pytester.path / "models")
    for block in blocks("pytest"):
        if block.language == "python" and block.file is not None:
            (pytester.path / block.file).write_text(block.text)
    who = ["-c", "user.name=A", "-c", "user.email=a@localhost"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-qm", "models"]):
        subprocess.run(["git", *words], cwd=pytester.path, check=True)  # noqa: S607 - as typed
    code = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--color=no"]
    own = {**os.environ, "COLUMNS": "80"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *code], cwd=pytester.path, env=own, check=False,
        capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert "1 failed, 1 passed" in ran.stdout, ran.stdout
    (shown,) = [block.text for block in blocks("pytest") if block.language == "text"]
    printed = [line for line in ran.stdout.splitlines() if line.startswith((">", "E "))]
    assert shown.splitlines() == printed
