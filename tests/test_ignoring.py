"""Findings that a configuration accepts, and the entries of it that serve no more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from command_line import Run

SAMPLE = Path(__file__).parent.parent / "samples" / "inception_5x5.onnx"  # ARC101 at conv5x5
ENTRY = '[[ignore]]\nrule = "ARC101"\n'


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two equal models, which is the working directory."""
    for name in ("a.onnx", "b.onnx"):
        shutil.copy(SAMPLE, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(run: Run, text: str, *arguments: str, paths: tuple[str, ...] = (".",)) -> dict[str, Any]:
    """The findings of each model with the configuration, by code, as their messages."""
    Path("archlint.toml").write_text(text, encoding="utf-8")
    document = run(*paths, "--output-format", "json", "--select", "ARC101", *arguments).document
    return {
        model["path"].removeprefix("./"): {f["code"]: f["message"] for f in model["findings"]}
        for model in document["models"]
    }


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        pytest.param(ENTRY, set(), id="rule"),
        pytest.param('[[ignore]]\nrule = "wide-convolution"', set(), id="name"),
        pytest.param('[[ignore]]\nrule = "ARC1"', set(), id="prefix"),
        pytest.param('[[ignore]]\nrule = "ALL"', set(), id="all"),
        pytest.param('[[ignore]]\nrule = "ARC2"', {"a.onnx", "b.onnx"}, id="another-rule"),
        pytest.param(ENTRY + 'path = "a.*"', {"b.onnx"}, id="path"),
        pytest.param(ENTRY + 'node = "conv*"', set(), id="node"),
        pytest.param(ENTRY + 'node = "Conv*"', {"a.onnx", "b.onnx"}, id="case-of-a-node"),
        pytest.param(ENTRY + 'op = "Conv"', set(), id="operator"),
        pytest.param(ENTRY + 'op = "MatMul"', {"a.onnx", "b.onnx"}, id="another-operator"),
        pytest.param(
            ENTRY + 'node = "conv*"\nop = "MatMul"', {"a.onnx", "b.onnx"}, id="both-must-hold"
        ),
        pytest.param(ENTRY + "expires = 9999-12-31", set(), id="not-yet"),
        pytest.param(ENTRY + "expires = 2000-01-01", {"a.onnx", "b.onnx"}, id="expired"),
        pytest.param('ignore = [{rule = "ARC101", path = "b.onnx"}]', {"a.onnx"}, id="inline"),
    ],
)
def test_an_entry_hides_what_it_means(entry: str, left: set[str], models: Path, run: Run) -> None:
    """By the rule, and by each of path, node and operator that it gives."""
    codes = found(run, entry)
    assert {model for model, told in codes.items() if "ARC101" in told} == left


def test_what_is_hidden_does_not_count(models: Path, run: Run) -> None:
    """Neither for the exit code nor in what all proposals would change."""
    Path("archlint.toml").write_text(ENTRY, encoding="utf-8")
    ran = run(".", "--select", "ARC101", "--output-format", "json")
    assert ran.code == 0
    assert [model["effect"] for model in ran.document["models"]] == [None, None]


@pytest.mark.parametrize(
    ("entry", "code", "told"),
    [
        pytest.param(ENTRY, None, "", id="used"),
        pytest.param(ENTRY + 'path = "a.onnx"', None, "", id="used-in-one"),
        pytest.param(
            ENTRY + 'node = "stem"', "ARC901", "hides no finding of ARC101 in 2 models", id="unused"
        ),
        pytest.param(ENTRY + 'path = "c.onnx"', None, "", id="of-no-model-of-the-run"),
        pytest.param('[[ignore]]\nrule = "ARC2"', None, "", id="of-a-rule-that-did-not-run"),
        pytest.param(
            ENTRY + "expires = 2000-01-01", "ARC902", "has expired on 2000-01-01", id="expired"
        ),
        pytest.param(
            "require-reason = true\n" + ENTRY, "ARC903", "gives no reason", id="no-reason"
        ),
        pytest.param(
            "require-reason = true\n" + ENTRY + 'reason = "measured"', None, "", id="reason"
        ),
    ],
)
def test_an_entry_that_serves_no_more_is_a_finding(
    entry: str, code: str | None, told: str, models: Path, run: Run
) -> None:
    """Of the last model that it speaks of, naming the file and the entry."""
    first, last = found(run, entry).values()
    own = {key: message for key, message in last.items() if key.startswith("ARC9")}
    assert not any(key.startswith("ARC9") for key in first)
    assert list(own) == ([] if code is None else [code])
    for message in own.values():
        assert message.startswith("archlint.toml: ignore[0] ")
        assert told in message


@pytest.mark.parametrize("paths", [("a.onnx",), ("b.onnx",)])
def test_a_run_over_some_models_judges_no_entry_for_all(
    paths: tuple[str, ...], models: Path, run: Run
) -> None:
    """What hides nothing in one may hide something in the other."""
    told = found(run, ENTRY + 'node = "stem"', paths=paths)
    assert [list(codes) for codes in told.values()] == [["ARC101"]]


def test_entries_of_extended_files_count_too(models: Path, run: Run) -> None:
    """They add to each other, and are named by their own files."""
    (models / "base.toml").write_text(ENTRY + 'path = "a.onnx"', encoding="utf-8")
    codes = found(run, 'extend = "base.toml"\n' + ENTRY + 'path = "b.onnx"\nnode = "stem"')
    assert "ARC101" not in codes["a.onnx"]
    assert "ARC101" in codes["b.onnx"]
    assert codes["b.onnx"]["ARC901"].startswith("archlint.toml: ignore[0] hides no finding")
