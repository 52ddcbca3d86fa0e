"""Models that are named by a revision and a path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archlint.analyzer.errors import ConfigError
from archlint.git_models import parse_revision_path, revision_file
from archlint.trees import Stored
from repositories import Repo, isolate, model_bytes

ONE, TWO = model_bytes(2), model_bytes(3)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main:models/a.onnx", ("main", "models/a.onnx")),
        ("origin/main~2:a.onnx", ("origin/main~2", "a.onnx")),
        ("main@{2025-01-01 10:00}:a.onnx", ("main@{2025-01-01 10:00}", "a.onnx")),
        ("HEAD^{/fix: it}:a.onnx", ("HEAD^{/fix: it}", "a.onnx")),
        ("main:a:b.onnx", ("main", "a:b.onnx")),
        (":a.onnx", ("", "a.onnx")),
        (":0:a.onnx", ("", "a.onnx")),
        (":./a.onnx", ("", "./a.onnx")),
        ("main:./a.onnx", ("main", "./a.onnx")),
        ("-x:a.onnx", ("-x", "a.onnx")),
        ("there:a.onnx", None),  # a file of this name
        ("C:\\models\\a.onnx", None),
        ("C:/models/a.onnx", None),
        ("m:a.onnx", ("m", "a.onnx")),
        ("s3://bucket/a.onnx", None),
        (":/message", None),
        ("main:/a.onnx", None),
        ("main:", None),
        ("a.onnx", None),
        ("main@{1:2", ("main@{1", "2")),
        ("", None),
        ("-", None),
    ],
)
def test_revision_paths(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    expected: tuple[str, str] | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there:a.onnx").write_bytes(b"")
    assert parse_revision_path(text) == expected


def test_a_model_by_its_revision(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit(**{"models/a.onnx": ONE, "models/a.onnx.arch": b"text"})
    repo.write("models/a.onnx", TWO)
    repo.git("add", "-A")
    repo.write("models/a.onnx", b"")
    monkeypatch.chdir(repo.root / "models")
    for text, expected in {
        "main:models/a.onnx": ONE, "main:./a.onnx": ONE, "main:../models/a.onnx": ONE,
        ":models/a.onnx": TWO, ":./a.onnx": TWO, "HEAD:models//./a.onnx": ONE,
    }.items():  # fmt: skip
        found = revision_file(text)
        assert found is not None
        assert found.snapshot() == "text"
        with found.stored() as stored:
            assert isinstance(stored, Stored)
            assert Path(stored.path).read_bytes() == expected
            assert os.path.basename(stored.path) == "a.onnx"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("main:a.onnx", r"no such file in commit \w{12}; did you mean 'main:./a.onnx'\?$"),
        ("main:none.onnx", r"^main:none.onnx: there is no such file in commit \w{12}$"),
        ("main:../../a.onnx", "there is no such file in commit"),
        (":none.onnx", "there is no such file in the index of git"),
        ("none:a.onnx", "^git revision 'none': there is no such commit"),
        ("--all:a.onnx", "^git revision '--all': there is no such commit"),
    ],
)  # fmt: skip
def test_a_model_that_a_revision_has_not(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    repo.commit(**{"models/a.onnx": ONE})
    monkeypatch.chdir(repo.root / "models")
    with pytest.raises(ConfigError, match=why):
        revision_file(text)


def test_a_revision_outside_of_any_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"the working directory is in no git repository"):
        revision_file("main:a.onnx")
    assert revision_file("a.onnx") is None
