"""The models of a working tree beside those of a commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archlint.analyzer.errors import ConfigError
from archlint.git import Repository
from archlint.git_models import BaseModels
from archlint.trees import INDEX, Stored, Tree
from repositories import OLD, Repo, beside, content, isolate, model_bytes

ONE, TWO = model_bytes(2), model_bytes(3)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


NAMES = [
    "m.onnx", "models/m.onnx", "a b/c\nd.onnx", "-m.onnx", ":m.onnx", "*.onnx", "é\udcff.onnx",
    '"q".onnx', "tab\there.onnx", "m.pb", "a\\b.onnx", "[m].onnx", "--.onnx",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_any_name(repo: Repo, name: str) -> None:
    repo.commit(**{name: ONE})
    path = repo.root / name
    models = beside(repo)
    assert models.counterpart(str(path)) == name
    assert models.is_same(str(path))
    assert content(models, path) == ONE
    repo.write(name, TWO)
    models = beside(repo)
    assert not models.is_same(str(path))
    assert content(models, path) == ONE


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".onnx")])
def test_a_model_of_any_name_is_renamed(repo: Repo, name: str) -> None:
    repo.commit(**{"first.onnx": ONE, "other": b"1"})
    repo.git("mv", "--", "first.onnx", "./" + name) if "/" not in name else None
    if "/" in name:
        repo.write(name, ONE)
        (repo.root / "first.onnx").unlink()
    repo.git("add", "-A")
    models = beside(repo)
    path = repo.root / name
    assert models.counterpart(str(path)) == "first.onnx"
    assert models.is_same(str(path))
    assert models.removed([str(repo.root)], [str(path)]) == []


def test_a_model_that_was_renamed_and_changed(repo: Repo) -> None:
    before = model_bytes(500)
    after = model_bytes(500, doc="changed")
    repo.commit(**{"a.onnx": before, "gone.onnx": TWO})
    (repo.root / "a.onnx").unlink()
    (repo.root / "gone.onnx").unlink()
    path = repo.write("new/b.onnx", after)
    repo.git("add", "-A")
    models = beside(repo)
    assert models.counterpart(str(path)) == "a.onnx"
    assert not models.is_same(str(path))
    assert content(models, path) == before
    assert models.removed([str(repo.root)], [str(path)]) == [str(repo.root / "gone.onnx")]


def test_a_model_that_was_moved_without_telling_git(repo: Repo) -> None:
    repo.commit(**{"a/m.onnx": ONE, "b/m.onnx": TWO, "c/n.onnx": TWO})
    moved = repo.write("new/n.onnx", TWO)
    for name in ("b/m.onnx", "c/n.onnx"):
        (repo.root / name).unlink()
    models = beside(repo)
    assert models.counterpart(str(moved)) == "c/n.onnx"  # of equal ones that of the same name
    assert models.is_same(str(moved))
    kept = repo.root / "a" / "m.onnx"
    assert models.removed([str(repo.root)], [str(moved), str(kept)]) == [
        str(repo.root / "b/m.onnx")
    ]


def test_what_is_new_has_no_counterpart(repo: Repo, tmp_path: Path) -> None:
    repo.commit(**{"a.onnx": ONE})
    path = repo.write("new.onnx", ONE)  # a copy is none: the first is still there
    models = beside(repo)
    assert models.counterpart(str(path)) is None
    assert not models.is_same(str(path))
    assert models.snapshot(str(path)) is None
    with pytest.raises(ConfigError, match=r"is no file in commit [0-9a-f]{12}$"):
        models.materialised(str(path))
    outside = tmp_path / "m.onnx"
    outside.write_bytes(ONE)
    assert models.counterpart(str(outside)) is None


def test_removed_are_those_below_the_folders_that_were_asked_for(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit(**{"a/x.onnx": ONE, "a/b/y.onnx": TWO, "ab/z.onnx": ONE, "a/n.txt": b"", "f": b"1"})
    for name in ("a/x.onnx", "a/b/y.onnx", "ab/z.onnx", "a/n.txt"):
        (repo.root / name).unlink()
    monkeypatch.chdir(repo.root)
    for asked, expected in (
        (["a"], ["a/b/y.onnx", "a/x.onnx"]),
        (["a/", "a"], ["a/b/y.onnx", "a/x.onnx"]),
        (["."], ["./a/b/y.onnx", "./a/x.onnx", "./ab/z.onnx"]),
        (["ab/z.onnx", "f"], []),
    ):
        assert beside(repo).removed(asked, []) == expected
    (repo.root / "ab").mkdir(exist_ok=True)
    monkeypatch.chdir(repo.root / "ab")
    assert beside(repo).removed(["../a"], []) == ["../a/b/y.onnx", "../a/x.onnx"]


def test_the_base_is_not_the_tip(repo: Repo) -> None:
    repo.commit(**{"m.onnx": ONE})
    repo.git("switch", "-q", "-c", "work")
    repo.commit(f=b"1")
    repo.git("switch", "-q", "main")
    repo.commit(**{"m.onnx": TWO})
    repo.git("switch", "-q", "work")
    assert beside(repo).is_same(str(repo.root / "m.onnx"))


@pytest.mark.parametrize("bit", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_does_not_look_at_are_read(repo: Repo, bit: str) -> None:
    repo.commit(**{"m.onnx": ONE})
    repo.git("update-index", bit, "m.onnx")
    path = repo.write("m.onnx", TWO)
    assert not beside(repo).is_same(str(path))
    repo.write("m.onnx", ONE)
    assert beside(repo).is_same(str(path))


def test_another_content_of_the_same_size_and_a_touched_file(repo: Repo) -> None:
    repo.commit(f=b"1", **{"m.onnx": ONE})
    path = repo.root / "m.onnx"
    os.utime(path, ns=OLD)
    assert beside(repo).is_same(str(path))
    path.write_bytes(ONE[:-1] + b"\0")
    os.utime(path, ns=OLD)
    assert not beside(repo).is_same(str(path))


def test_sha256_repositories(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", "--object-format=sha256")
    repo.commit(**{"m.onnx": ONE})
    path = repo.root / "m.onnx"
    os.utime(path, ns=OLD)
    assert beside(repo).is_same(str(path))
    assert content(beside(repo), path) == ONE


def test_a_link_leads_to_what_it_led_to(repo: Repo) -> None:
    repo.write("v/1.onnx", ONE)
    link = repo.root / "last.onnx"
    link.symlink_to("v/1.onnx")
    repo.commit()
    repo.write("v/2.onnx", TWO)
    assert beside(repo).is_same(str(link))
    link.unlink()
    link.symlink_to("v/2.onnx")
    models = beside(repo)
    assert not models.is_same(str(link))
    assert content(models, link) == ONE


@pytest.mark.parametrize(
    "target", ["m.onnx", "../../out.onnx", "/etc/passwd", "none.onnx", "x" * 4097]
)
def test_a_link_to_nothing_of_the_repository(repo: Repo, target: str) -> None:
    oid_file = repo.root / "target"
    oid_file.write_text(target)
    oid = repo.git("hash-object", "-w", "target")
    oid_file.unlink()
    repo.git("update-index", "--add", "--cacheinfo", f"120000,{oid},m.onnx")
    repo.git("commit", "-q", "-m", "link")
    assert beside(repo).counterpart(str(repo.root / "m.onnx")) is None


def test_a_submodule_is_no_model(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit(**{"m.onnx": ONE})
    allow = ("-c", "protocol.file.allow=always")
    repo.git(*allow, "submodule", "-q", "add", str(other.root), "sub.onnx")
    repo.commit()
    models = beside(repo)
    inner = repo.root / "sub.onnx" / "m.onnx"
    assert models.counterpart(str(repo.root / "sub.onnx")) is None
    assert models.counterpart(str(inner)) is None
    assert models.removed([str(repo.root)], [str(inner)]) == []
    found = Repository.around(str(inner))
    assert found is not None
    assert BaseModels(found, found.base("main")).is_same(str(inner))


def test_a_file_with_two_open_sides_of_a_merge(repo: Repo) -> None:
    repo.commit(**{"m.onnx": ONE})
    repo.git("switch", "-q", "-c", "work")
    repo.commit(**{"m.onnx": TWO})
    repo.git("switch", "-q", "main")
    repo.commit(**{"m.onnx": model_bytes(5)})
    with pytest.raises(Exception, match=r"non-zero exit status"):
        repo.git("merge", "-q", "work")
    models = beside(repo)
    path = repo.root / "m.onnx"
    assert models.counterpart(str(path)) == "m.onnx"
    assert content(models, path) == model_bytes(5)
    assert Tree(models.repository, INDEX).find("m.onnx") is None


def test_the_snapshot_of_the_commit(repo: Repo) -> None:
    repo.commit(**{"m.onnx": ONE, "m.onnx.arch": "é\n".encode()})
    repo.git("mv", "m.onnx", "n.onnx")
    repo.write("n.onnx.arch", b"new")
    models = beside(repo)
    assert models.snapshot(str(repo.root / "n.onnx")) == "é\n"


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x08\x0a\x3a\xff", b"location" * 400])
def test_what_is_no_model_is_compared_all_the_same(repo: Repo, junk: bytes) -> None:
    repo.commit(**{"m.onnx": junk, "n": b"1"})
    repo.write("n", b"2")
    path = repo.root / "m.onnx"
    assert beside(repo).is_same(str(path))
    assert content(beside(repo), path) == junk


def test_a_large_blob_is_not_in_memory(repo: Repo) -> None:
    import tracemalloc

    size = 1 << 24
    repo.commit(**{"m.onnx": bytes(size), "f": b"1"})
    path = repo.write("m.onnx", bytes(size - 1) + b"1")
    models = beside(repo)
    tracemalloc.start()
    assert not models.is_same(str(path))
    with models.materialised(str(path)) as stored:
        assert isinstance(stored, Stored)
        assert os.path.getsize(stored.path) == size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 4
