"""The page on writing a rule: its files work, its commands print what it shows, its names exist."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.reader.text import from_text
from archlint.rule_modules import rules_at
from archlint.rules import cases_of
from command_line import Run
from pages import Block, blocks, examples, shows, text_of
from rule_packages import forget

PAGE = "writing-a-rule"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory that the page speaks of, with its rules."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lint_rules").mkdir()
    forget()
    for block in blocks(PAGE):
        if block.language == "python":
            (tmp_path / str(block.file)).write_text(block.text, encoding="utf-8")
    (rule,) = rules_at(str(tmp_path / "lint_rules" / "wide_linear.py"))
    onnx.save(from_text(cases_of(rule)[0].onnx_text).proto, "head.onnx")
    return tmp_path


def test_the_commands_print_what_the_page_shows(desk: Path, run: Run) -> None:
    """In the order of the page; a change that it shows holds for the commands behind it."""
    source = desk / "lint_rules" / "wide_linear.py"
    whole, last = source.read_text(encoding="utf-8"), 0
    for block in blocks(PAGE):
        if block.language == "diff":
            (desk / "lint_rules" / "wide_linear.py").write_text(changed(whole, block))
        if block.file == "archlint.toml":
            (desk / "archlint.toml").write_text(block.text)
        for example in examples(block) if block.language == "console" else ():
            if example.words == ["echo", "$?"]:
                assert example.output == f"{last}\n"
                source.write_text(whole)
                continue
            forget()  # each command is a process
            ran = run(*example.words[1:])
            last = int(ran.code)
            assert shows(example.output, ran.err + ran.out), f"{example.typed}\n{ran.err}{ran.out}"


def changed(text: str, block: Block) -> str:
    """The text with the one line of a diff changed."""
    (old,), (new,) = (re.findall(rf"^\{sign}(.*\n)", block.text, re.MULTILINE) for sign in "-+")
    assert text.count(old) == 1
    return text.replace(old, new)


def test_the_tests_of_the_page_pass(desk: Path) -> None:
    """One a check, under pytest."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rules.py"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "17 passed" in ran.stdout


def test_the_package_of_the_page_is_one() -> None:
    """Its entry point is of the group that archlint reads."""
    (project,) = [block for block in blocks(PAGE) if block.file == "pyproject.toml"]
    document = tomllib.loads(project.text)
    assert document["project"]["entry-points"] == {"archlint.rules": {"acme": "acme_rules"}}


def test_what_a_plugin_may_import_is_there() -> None:
    """Every name of the table, in its module."""
    rows = re.findall(
        r"^\| ((?:`archlint\.[\w.]+`(?:, )?)+) \| (.*) \|$", text_of(PAGE), re.MULTILINE
    )
    assert len(rows) == 11
    for modules, names in rows:
        known: dict[str, object] = {}
        for module in re.findall(r"`([\w.]+)`", modules):
            known |= vars(importlib.import_module(module))
        assert set(re.findall(r"`(\w+)`", names)) <= set(known)
