"""The page on snapshots: its commands are typed, git and cp too, and print what it shows."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from archlint.analyzer.compare.snapshot import parse
from command_line import Run
from pages import Example, blocks, examples, prose_of, shows
from repositories import Repo, isolate

SAMPLES = Path(__file__).parent.parent / "samples"
PAGE = "snapshots"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with the samples, whose PATH has this archlint."""
    isolate(monkeypatch)
    made = Repo(tmp_path / "repository")
    shutil.copytree(SAMPLES, made.root / "samples", ignore=shutil.ignore_patterns("*.py", "_*"))
    programs = tmp_path / "bin"
    programs.mkdir()
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m archlint "$@"\n'
    (programs / "archlint").write_text(script, encoding="utf-8")
    (programs / "archlint").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(SAMPLES.parent))
    monkeypatch.chdir(made.root)
    return made


def settle(repo: Repo) -> None:
    """What the page says to tell git, which is two lines in two blocks; and a commit of the model
    as it was, from which the page goes on."""
    lines = [line for b in blocks(PAGE) if b.language == "sh" for line in b.text.splitlines()]
    attributes = []
    for line in lines:
        match shlex.split(line):
            case ["git", *arguments]:
                repo.git(*arguments)
            case ["echo", text, ">>", ".gitattributes"]:
                attributes.append(text)
            case _:
                pytest.fail(line)
    assert attributes == ["*.arch text eol=lf", "*.onnx diff=onnx"]
    repo.write(".gitattributes", "\n".join(attributes).encode())
    shutil.copy("samples/inception_module.onnx", "module.onnx")
    repo.commit()


def test_commands_print_what_the_page_shows(repo: Repo, run: Run) -> None:
    settle(repo)
    (repo.root / "module.onnx").unlink()
    last = 0
    for example in [e for b in blocks(PAGE) if b.language == "console" for e in examples(b)]:
        match example.words:
            case ["archlint", *arguments]:
                ran = run(*arguments)
                last, printed = int(ran.code), ran.err + ran.out
            case ["cp", source, target]:
                shutil.copy(source, target)
                printed = ""
            case ["echo", "$?"]:
                printed = f"{last}\n"
            case ["git", *arguments]:
                printed = repo.git(*arguments) + "\n"
            case _:
                pytest.fail(example.typed)
        assert shows(example.output, printed), f"{example.typed}\n{printed}"


def shown(start: str) -> Example:
    """The example of a command that begins so."""
    every = (e for b in blocks(PAGE) if b.language == "console" for e in examples(b))
    return next(example for example in every if example.typed.startswith(start))


def test_the_hook_is_taken(repo: Repo, run: Run) -> None:
    """Its command, with the name of a file behind it, as pre-commit runs it."""
    shutil.copy("samples/lenet5.onnx", "m.onnx")
    (block,) = (b for b in blocks(PAGE) if b.language == "yaml")
    (entry,) = (line for line in block.text.splitlines() if "entry: " in line)
    program, *arguments = entry.partition("entry: ")[2].split()
    assert program == "archlint"
    assert run(*arguments, "m.onnx").out == "m.onnx.arch: new\n"


def test_the_words_of_the_format_are_those_that_are_written() -> None:
    """Cells and keys that the page explains stand in the snapshot that it shows."""
    page = prose_of(PAGE)
    text = shown("archlint snapshot show").output
    for word in ("$0", "weights 64x192x1x1, 64", "-> 1x64x28x28", "9,633,792 MACs"):
        assert f"`{word}`" in page
        assert word in text
    for word in ("(not float)", "? MACs", "# body:", "# gone:", r"\x20", "runs If.then_branch"):
        assert word in page


def test_the_comment_of_the_page_is_one(repo: Repo, run: Run) -> None:
    """Behind the line that it is shown at, it accepts the finding there."""
    (line,) = next(b for b in blocks(PAGE) if b.language == "text").text.splitlines()
    scope, comment = line.split("  ")[0], line.partition("# ")[2]
    shutil.copy("samples/inception_module_naive.onnx", "module.onnx")
    run("snapshot", "write", "module.onnx")
    path = Path("module.onnx.arch")
    lines = path.read_text(encoding="utf-8").split("\n")
    at = next(place for place, one in enumerate(lines) if one.startswith(f"{scope}  "))
    assert line.split("  ")[-2] in lines[at]
    lines[at] += f"  # {comment}"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert len(parse("\n".join(lines), "m").comments) == 1
    before, after = (
        run("module.onnx", "--output-format", "concise", "--config", f"model-ignores={value}").out
        for value in ("false", "true")
    )
    assert "branch5x5/conv/Conv: ARC101" in before
    assert "branch5x5/conv/Conv" not in after
