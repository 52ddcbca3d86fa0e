"""External data of models in git: what stands beside a model of a commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archlint.analyzer.reader import read
from archlint.trees import Stored
from repositories import OLD, Repo, beside, isolate, model_bytes, pointer

TWO = model_bytes(3)
EXTERNAL = model_bytes(2, "w.bin", "sub/v.bin")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def test_external_data_is_beside_the_model(repo: Repo) -> None:
    # 2 · 4 floats of 4 bytes each.
    files = {"a/m.onnx": EXTERNAL, "a/w.bin": b"w" * 32, "a/sub/v.bin": b"v" * 32}
    repo.commit(**files)
    for name in files:
        (repo.root / name).unlink()
    path = repo.write("a/m.onnx", TWO)
    with beside(repo).materialised(str(path)) as stored:
        assert isinstance(stored, Stored)
        assert stored.holes == ()
        model = read(stored.path)
        assert model.problems == ()
        assert model.external_bytes == 64
        assert Path(stored.path).parent.joinpath("sub/v.bin").read_bytes() == b"v" * 32
    assert not Path(stored.path).exists()


@pytest.mark.parametrize(
    "location", ["../out.bin", "/etc/passwd", "a/../../out.bin", "m.onnx", "link.bin", "none", ""]
)
def test_what_is_no_external_data_of_the_model_is_not_written(repo: Repo, location: str) -> None:
    (repo.root / "models").mkdir()
    (repo.root / "models" / "link.bin").symlink_to("../out.bin")
    model = model_bytes(2, location)
    repo.commit(**{"models/m.onnx": model, "out.bin": b"w" * 32})
    path = repo.write("models/m.onnx", TWO)
    with beside(repo).materialised(str(path)) as stored:
        assert isinstance(stored, Stored)
        folder = Path(stored.path).parent
        assert os.listdir(folder) == ["m.onnx"]
        assert Path(stored.path).read_bytes() == model
        assert not (folder.parent / "out.bin").exists()


def test_data_without_its_object_has_the_right_size(repo: Repo) -> None:
    here, gone = b"h" * 32, b"g" * 32
    repo.store(here)
    model = model_bytes(2, "gone.bin", "here.bin")
    files = {"m.onnx": model, "here.bin": pointer(here), "gone.bin": pointer(gone)}
    repo.commit(**files)
    path = repo.write("m.onnx", TWO)
    with beside(repo).materialised(str(path)) as stored:
        assert isinstance(stored, Stored)
        assert stored.holes == ("gone.bin",)
        folder = Path(stored.path).parent
        assert folder.joinpath("here.bin").read_bytes() == here
        assert folder.joinpath("gone.bin").read_bytes() == bytes(32)
        assert read(stored.path).problems == ()


def test_data_too_large_to_copy_is_a_hole(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archlint.trees._MOST_COPIED", 40)
    repo.commit(**{"m.onnx": EXTERNAL, "w.bin": b"w" * 32, "sub/v.bin": b"v" * 32})
    with beside(repo).materialised(str(repo.root / "m.onnx")) as stored:
        assert isinstance(stored, Stored)
        assert stored.holes == ("w.bin",)  # 32 and 32 bytes are more than 40


def test_a_pointer_that_claims_more_than_there_is_room_for(repo: Repo) -> None:
    claim = pointer(b"").replace(b"size 0", b"size 999999999999999999")
    repo.commit(**{"m.onnx": model_bytes(2, "w.bin"), "w.bin": claim})
    with beside(repo).materialised(str(repo.root / "m.onnx")) as stored:
        assert isinstance(stored, Stored)
        assert read(stored.path).problems  # it is missing


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"w.bin": b"W" * 32}, False),
        ({"w.bin": None}, False),
        ({"sub/v.bin": b"v" * 31}, False),
        ({"other.bin": b"2"}, True),
        ({"w.bin": b"w" * 32}, True),  # written again
    ],
)
def test_a_model_is_the_same_with_the_same_external_data(
    repo: Repo, changed: dict[str, bytes | None], *, same: bool
) -> None:
    repo.commit(
        **{"m.onnx": EXTERNAL, "w.bin": b"w" * 32, "sub/v.bin": b"v" * 32, "other.bin": b"1"}
    )
    for name, data in changed.items():
        if data is None:
            (repo.root / name).unlink()
        else:
            os.utime(repo.write(name, data), ns=OLD)
    assert beside(repo).is_same(str(repo.root / "m.onnx")) is same


def test_external_data_of_a_model_that_was_moved_along(repo: Repo) -> None:
    repo.commit(**{"a/m.onnx": EXTERNAL, "a/w.bin": b"w" * 32, "a/sub/v.bin": b"v" * 32})
    repo.git("mv", "a", "b")
    path = repo.root / "b" / "m.onnx"
    assert beside(repo).is_same(str(path))
    repo.write("b/w.bin", b"W" * 32)
    assert not beside(repo).is_same(str(path))


def test_data_that_is_missing_here_and_there_is_the_same(repo: Repo) -> None:
    repo.commit(**{"m.onnx": EXTERNAL, "w.bin": b"w" * 32, "other.bin": b"1"})
    repo.write("other.bin", b"2")  # so that the model is read
    assert beside(repo).is_same(str(repo.root / "m.onnx"))
    repo.write("sub/v.bin", b"v" * 32)
    assert not beside(repo).is_same(str(repo.root / "m.onnx"))
