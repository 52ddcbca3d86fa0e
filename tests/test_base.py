"""A check beside a base: a revision of git, a folder, one file; and ``archlint diff``."""

from __future__ import annotations

import json
import math
import shutil
import struct
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from command_line import Run
from inception_module import build as build_reduced
from inception_module_naive import build as build_naive
from repositories import Repo, isolate, pointer

REDUCED, NAIVE = 128_049_152, 308_281_344  # MACs, as the samples state them
REDUCED_WEIGHTS, NAIVE_WEIGHTS = 163_696, 393_472


def content(model: onnx.ModelProto) -> bytes:
    """The file of a model."""
    found: bytes = model.SerializeToString()
    return found


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository whose ``main`` has a module with reductions; the working directory."""
    isolate(monkeypatch)
    repo = Repo(tmp_path / "repo")
    monkeypatch.chdir(repo.root)
    repo.commit(**{"models/net.onnx": content(build_reduced())})
    return repo


def states(run: Run, *arguments: str) -> dict[str, Any]:
    """The states of the findings of each model, and its MACs before and after, by its path."""
    document = run("check", *arguments, "--output-format", "json").document
    found = {}
    for model in document["models"]:
        difference = (model["base"] or {}).get("difference")
        macs = difference and (difference["before"]["macs"], difference["after"]["macs"])
        listed = sorted((one["code"], one["state"]) for one in model["findings"])
        found[model["path"].removeprefix("./")] = (listed, macs)
    return found


NEW = ([("ARC101", "new"), ("ARC101", "new")], (REDUCED, NAIVE))
SAME = ([("ARC201", "unchanged")], None)


@pytest.mark.parametrize("kind", ["revision", "folder", "file"])
def test_every_kind_of_base_says_the_same(kind: str, repo: Repo, run: Run) -> None:
    """What is compared does not depend on where the base is."""
    shutil.copytree("models", "../old/models")
    base = {"revision": "main", "folder": "../old", "file": "../old/models/net.onnx"}[kind]
    assert states(run, "models", "--base", base) == {"models/net.onnx": SAME}
    repo.write("models/net.onnx", content(build_naive()))
    assert states(run, "models", "--base", base) == {"models/net.onnx": NEW}


def test_the_base_is_where_the_branches_parted(repo: Repo, run: Run) -> None:
    """What came to main since then is no change of this branch."""
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit(**{"notes.txt": b"x"})
    repo.git("checkout", "-q", "main")
    repo.commit(**{"models/net.onnx": content(build_naive())})
    repo.git("checkout", "-q", "topic")
    assert states(run, "models", "--base", "main") == {"models/net.onnx": SAME}


def test_a_renamed_model_keeps_its_base(repo: Repo, run: Run) -> None:
    """Git follows it; a model that is new has none, and what is gone is told."""
    repo.git("mv", "models/net.onnx", "models/other.onnx")
    repo.write("models/added.onnx", content(build_naive()))
    found = states(run, "models", "--base", "main")
    assert found["models/other.onnx"] == SAME
    assert found["models/added.onnx"] == (NEW[0], None)
    document = run("models", "--base", "main", "--output-format", "json").document
    assert document["removed"] == []
    Path("models/other.onnx").unlink()
    document = run("models", "--base", "main", "--output-format", "json").document
    assert document["removed"] == ["models/net.onnx"]


def test_pointers_stand_for_their_objects(repo: Repo, run: Run) -> None:
    """A base kept by Git LFS is resolved from the local store; without its object it is told."""
    reduced, naive = content(build_reduced()), content(build_naive())
    repo.commit(**{"models/net.onnx": pointer(reduced)})
    repo.write("models/net.onnx", reduced)
    assert states(run, "models", "--base", "main") == {"models/net.onnx": SAME}
    repo.write("models/net.onnx", naive)
    missing = run("models", "--base", "main")
    assert missing.code == 3
    assert "its object of Git LFS" in missing.error
    assert "git lfs fetch" in missing.error
    repo.store(reduced)
    assert states(run, "models", "--base", "main") == {"models/net.onnx": NEW}


@pytest.mark.parametrize(
    ("choice", "code", "told"),
    [
        pytest.param("error", 3, "git lfs pull", id="error"),
        pytest.param("skip", 0, "1 input skipped", id="skip"),
        pytest.param("snapshot", 0, "no rule ran", id="snapshot"),
    ],
)
def test_a_pointer_without_its_object_is_never_passed_in_silence(
    choice: str, code: int, told: str, repo: Repo, run: Run
) -> None:
    """It fails, is counted, or is answered by its snapshot, as the user wants."""
    assert run("snapshot", "write", "models").code == 0
    repo.write("models/net.onnx", pointer(content(build_reduced())))
    ran = run("models", "--on-lfs-pointer", choice)
    assert ran.code == code
    assert told in ran.out + ran.err
    if choice == "snapshot":
        assert f"{REDUCED:,} MACs, {REDUCED_WEIGHTS:,} parameters" in ran.out


def test_a_snapshot_holds_a_budget_without_its_model(repo: Repo, run: Run) -> None:
    """And is compared with the snapshot of the base, whose model is a pointer too."""
    run("snapshot", "write", "models")
    repo.commit(**{"models/net.onnx": pointer(content(build_reduced()))})
    repo.write("models/net.onnx", content(build_naive()))
    run("snapshot", "write", "models")
    repo.write("models/net.onnx", pointer(content(build_naive())))
    Path("archlint.toml").write_text('[[budget]]\nregression = {macs = "+2%"}', encoding="utf-8")
    ran = run("models", "--base", "main", "--on-lfs-pointer", "snapshot")
    assert ran.code == 1
    assert f"{REDUCED:,} → {NAIVE:,} MACs" in ran.out
    assert "ARC906 cost-regression" in ran.out


def test_what_is_accepted_is_not_fixed(repo: Repo, run: Run) -> None:
    """An entry that hides a finding of the base mends nothing."""
    repo.commit(**{"models/net.onnx": content(build_naive())})
    repo.git("checkout", "-q", "-b", "topic")
    Path("archlint.toml").write_text('[[ignore]]\nrule = "ARC101"', encoding="utf-8")
    model = build_naive()
    model.producer_version = "2"
    repo.write("models/net.onnx", content(model))
    ran = run("models", "--base", "main")
    assert ran.code == 0
    assert "fixed" not in ran.out
    assert "2 ignored" in ran.out


def test_weights_of_the_base_are_its_own(repo: Repo, run: Run) -> None:
    """A rule that reads weights reads those of the file that it looks at."""
    nan, one = (struct.pack("<f", number) for number in (math.nan, 1))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor("w", TensorProto.FLOAT, [2, 2], 4 * nan, raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    repo.commit(**{"models/net.onnx": content(model)})
    model.graph.initializer[0].raw_data = 4 * one
    repo.write("models/net.onnx", content(model))
    ran = run("models", "--base", "main", "--select", "ARC711")
    assert ran.code == 0
    assert "1 fixed" in ran.out


def test_a_difference_is_told_in_full(repo: Repo, run: Run) -> None:
    """By files and by revisions, as text, JSON and Markdown."""
    repo.write("naive.onnx", content(build_naive()))
    ran = run("diff", "main:models/net.onnx", "naive.onnx")
    assert (ran.code, ran.err) == (0, "")
    assert f"{REDUCED:,} → {NAIVE:,} MACs (+{100 * (NAIVE / REDUCED - 1):.1f} %)" in ran.out
    assert f"{REDUCED_WEIGHTS:,} → {NAIVE_WEIGHTS:,} parameters" in ran.out
    assert "14 → 10 operations" in ran.out
    assert "findings: 2 new" in ran.out
    found = run("diff", "main:models/net.onnx", "naive.onnx", "--output-format", "json").document
    difference = found["models"][0]["base"]["difference"]
    assert (difference["before"]["macs"], difference["after"]["macs"]) == (REDUCED, NAIVE)
    assert {one["operator"] for one in difference["removed"]} == {"Conv", "Relu"}
    summary = run("diff", "naive.onnx", "main:models/net.onnx", "--output-format", "markdown")
    assert "2 fixed" in summary.out
    same = run("diff", "naive.onnx", "naive.onnx")
    assert (same.code, "unchanged" in same.out) == (0, True)


@pytest.mark.parametrize(
    ("sides", "code", "told"),
    [
        pytest.param(("missing.onnx", "models/net.onnx"), 2, "no such file", id="no-file"),
        pytest.param(("nowhere:a.onnx", "models/net.onnx"), 2, "no such commit", id="no-revision"),
        pytest.param(("main:b.onnx", "models/net.onnx"), 2, "no such file", id="no-such-file"),
        pytest.param(("main:--output=x", "models/net.onnx"), 2, "no such file", id="option"),
        pytest.param(("notes.txt", "models/net.onnx"), 3, "notes.txt", id="no-model"),
    ],
)
def test_a_side_that_is_no_model_is_told(
    sides: tuple[str, str], code: int, told: str, repo: Repo, run: Run
) -> None:
    """In one line that names it."""
    repo.write("notes.txt", b"not a model at all")
    ran = run("diff", *sides)
    assert ran.code == code
    assert told in ran.error


def test_the_report_beside_a_base_is_as_its_schema(repo: Repo, run: Run) -> None:
    """With a difference, with none, and for a model that is new."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(run("schema", "report").out))
    repo.write("models/added.onnx", content(build_naive()))
    repo.write("models/net.onnx", content(build_naive()))
    document = run("models", "--base", "main", "--output-format", "json").document
    validator.validate(document)
    assert {model["base"]["name"] is None for model in document["models"]} == {True, False}


def test_a_snapshot_of_another_architecture_is_told(repo: Repo, run: Run) -> None:
    """A reviewer would read what is not merged; names and weights are not in it."""
    run("snapshot", "write", "models")
    model = build_reduced()
    model.graph.node[0].name = "other"
    repo.write("models/net.onnx", content(model))
    assert "ARC908" not in run("models").out
    repo.write("models/net.onnx", content(build_naive()))
    ran = run("models", "--output-format", "concise")
    assert "ARC908 stale-snapshot: models/net.onnx.arch: the architecture differs" in ran.out
    assert "ARC908" not in run("models", "--ignore", "ARC908").out
