"""Models in Git LFS: a pointer is committed, the working tree has it or what it stands for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archlint.analyzer.reader import read
from archlint.git import Repository
from archlint.git_models import BaseModels
from archlint.lfs import Pointer, pointer_in, pointer_of
from archlint.trees import Stored
from repositories import OLD, Repo, beside, content, isolate, model_bytes, pointer

ONE, TWO = model_bytes(2), model_bytes(3)
EXTERNAL = model_bytes(2, "w.bin", "sub/v.bin")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.mark.parametrize("stat", ["clean", "touched"])
@pytest.mark.parametrize("fetched", [True, False])
def test_the_same_object(repo: Repo, *, fetched: bool, stat: str) -> None:
    repo.commit(**{"m.onnx": pointer(ONE)})
    path = repo.write("m.onnx", ONE if fetched else pointer(ONE))
    if stat == "touched":
        os.utime(path, ns=OLD)
    models = beside(repo)
    assert models.is_same(str(path))
    path.write_bytes(TWO if fetched else pointer(TWO))
    assert not beside(repo).is_same(str(path))


def test_a_model_that_goes_into_lfs_is_the_same(repo: Repo) -> None:
    repo.commit(**{"m.onnx": ONE})
    path = repo.write("m.onnx", pointer(ONE))
    assert beside(repo).is_same(str(path))
    repo.write("m.onnx", pointer(ONE[:-1] + b"\0"))
    assert not beside(repo).is_same(str(path))


@pytest.mark.parametrize("place", ["main", "linked", "stored elsewhere"])
def test_an_object_that_is_there(repo: Repo, tmp_path: Path, place: str) -> None:
    repo.commit(**{"m.onnx": pointer(ONE)})
    root = repo.root
    if place == "stored elsewhere":
        repo.git("config", "lfs.storage", "../kept")
        repo.store(ONE, "kept/objects")
    else:
        repo.store(ONE)
    if place == "linked":
        root = tmp_path / "tree"
        repo.git("worktree", "add", "-q", str(root), "-b", "other")
    path = root / "m.onnx"
    path.write_bytes(TWO)
    found = Repository.around(str(root))
    assert found is not None
    assert content(BaseModels(found, found.base("main")), path) == ONE


def test_an_object_with_external_data(repo: Repo) -> None:
    repo.store(EXTERNAL)
    repo.commit(**{"m.onnx": pointer(EXTERNAL), "w.bin": b"w" * 32, "sub/v.bin": b"v" * 32})
    path = repo.write("m.onnx", TWO)
    with beside(repo).materialised(str(path)) as stored:
        assert isinstance(stored, Stored)
        assert read(stored.path).problems == ()


@pytest.mark.parametrize("state", ["none", "cut short"])
def test_an_object_that_is_not_there(repo: Repo, state: str) -> None:
    if state == "cut short":
        repo.store(ONE).write_bytes(ONE[:-1])
    repo.commit(**{"m.onnx": pointer(ONE)})
    path = repo.write("m.onnx", TWO)
    with beside(repo).materialised(str(path)) as stored:
        assert stored == pointer_of(pointer(ONE))
        assert isinstance(stored, Pointer)
        assert stored.size == len(ONE)


def test_pointers_are_renamed(repo: Repo) -> None:
    repo.commit(**{"a.onnx": pointer(ONE), "b.onnx": pointer(TWO)})
    repo.git("mv", "a.onnx", "c.onnx")
    repo.git("rm", "-q", "b.onnx")
    changed = repo.write("d.onnx", pointer(model_bytes(7)))
    repo.git("add", "-A")
    models = beside(repo)
    assert models.counterpart(str(repo.root / "c.onnx")) == "a.onnx"
    assert models.is_same(str(repo.root / "c.onnx"))
    # Two pointers have a line in common, and that is no likeness of models.
    assert models.counterpart(str(changed)) is None


HEX = "0123456789abcdef" * 4
SPEC = "version https://git-lfs.github.com/spec/v1"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (f"{SPEC}\noid sha256:{HEX}\nsize 12\n", 12),
        (f"{SPEC}\r\noid sha256:{HEX}\r\nsize 12\r\n", 12),
        (f"{SPEC}\noid sha256:{HEX}\nsize 12", 12),
        (f"{SPEC}\noid sha256:{HEX}\nsize -1\n", None),
        (f"{SPEC}\noid sha256:{HEX}\nsize {'9' * 19}\n", None),
        (f"{SPEC}\noid sha256:{HEX[1:]}\nsize 1\n", None),
        (f"{SPEC}\noid sha256:../{HEX[3:]}\nsize 1\n", None),
        (f"{SPEC}\noid md5:{HEX}\nsize 1\n", None),
        (f"{SPEC}\next-0-x sha256:{HEX}\noid sha256:{HEX}\nsize 1\n", None),  # of other content
        (f"{SPEC}\noid sha256:{HEX}\nsize 12\nmore", None),
        ("", None),
    ],
)  # fmt: skip
def test_pointers(tmp_path: Path, text: str, size: int | None) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(text.encode())
    assert pointer_in(str(path)) == (None if size is None else Pointer(HEX, size))


def test_what_can_be_no_pointer_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(pointer(b"") + bytes(1024))
    os.mkfifo(tmp_path / "pipe")
    for name in ("m.onnx", "pipe", "none", "", "\0"):
        assert pointer_in(str(tmp_path / name)) is None
