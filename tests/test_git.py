"""What archlint asks of git, in real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archlint.analyzer.errors import ConfigError
from archlint.git import Repository
from repositories import Repo, isolate


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def around(path: Path) -> Repository:
    found = Repository.around(str(path))
    assert found is not None
    return found


def test_a_repository_is_that_of_the_folder(repo: Repo, tmp_path: Path) -> None:
    path = repo.write("a/b/m.onnx", b"")
    for place in (path, path.parent, repo.root, repo.root / "gone" / "m.onnx"):
        assert around(place).root == str(repo.root)
    assert Repository.around(str(tmp_path)) is None
    assert Repository.around(str(repo.root / ".git" / "objects")) is None  # no working tree


def test_the_variables_of_a_hook_do_not_choose_the_repository(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    other.commit(f=b"")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    repo_root = around(repo.root)
    assert repo_root.root == str(repo.root)
    assert repo_root.tracked == {}


def test_a_folder_with_odd_signs(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "a b\n\udce9 ")
    repo.commit(f=b"")
    assert around(repo.root).root == str(repo.root)
    assert around(repo.root).tracked == {"f": "H"}


def test_behind_a_link(repo: Repo, tmp_path: Path) -> None:
    path = repo.write("models/m.onnx", b"")
    (tmp_path / "link").symlink_to(repo.root / "models")
    (repo.root / "last.onnx").symlink_to("models/m.onnx")
    found = around(tmp_path / "link")
    assert found.relative(str(tmp_path / "link" / "m.onnx")) == "models/m.onnx"
    assert found.relative(str(repo.root / "last.onnx")) == "last.onnx"  # itself, not its target
    assert found.relative(str(path)) == "models/m.onnx"
    assert found.relative(str(tmp_path / "m.onnx")) is None
    assert found.relative(str(repo.root / "..m.onnx")) == "..m.onnx"


def test_revisions(repo: Repo) -> None:
    first = repo.commit(f=b"1")
    repo.git("tag", "-a", "v1", "-m", "v1")
    second = repo.commit(f=b"2")
    found = around(repo.root)
    for revision, commit in {
        "main": second, "HEAD": second, "HEAD~1": first, "v1": first, first[:12]: first,
        "main@{0}": second, ":/c": second,
    }.items():  # fmt: skip
        assert found.resolve(revision) == commit


@pytest.mark.parametrize(
    "revision",
    ["none", "", "--output=x", "-h", "--all", "--git-dir", "a b", "\0", "HEAD:f", "main..HEAD"],
)
def test_what_is_no_revision(repo: Repo, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit(f=b"")
    monkeypatch.chdir(repo.root)
    with pytest.raises(ConfigError, match="there is no such commit") as raised:
        around(repo.root).resolve(revision)
    assert "\n" not in str(raised.value)
    assert sorted(os.listdir(repo.root)) == [".git", "f"]


def test_a_branch_that_begins_with_a_dash_is_one(repo: Repo) -> None:
    commit = repo.commit(f=b"")
    repo.git("update-ref", "refs/heads/-output=x", commit)
    assert around(repo.root).resolve("-output=x") == commit


def test_a_branch_that_only_the_remote_has_is_proposed(repo: Repo) -> None:
    commit = repo.commit(f=b"")
    repo.git("update-ref", "refs/remotes/origin/base", commit)
    with pytest.raises(ConfigError, match=r"did you mean 'origin/base'"):
        around(repo.root).resolve("base")


def test_the_base_is_where_the_branches_part(repo: Repo) -> None:
    fork = repo.commit(f=b"1")
    repo.git("switch", "-q", "-c", "work")
    repo.commit(f=b"2")
    repo.git("switch", "-q", "main")
    repo.commit(g=b"3")
    repo.git("switch", "-q", "work")
    found = around(repo.root)
    assert found.base("main") == fork == repo.git("merge-base", "main", "HEAD")


def test_no_base(repo: Repo) -> None:
    repo.commit(f=b"1")
    repo.git("switch", "-q", "--orphan", "other")
    found = around(repo.root)
    with pytest.raises(ConfigError, match=r"HEAD has no commit yet"):
        found.base("main")
    repo.commit(g=b"2")
    with pytest.raises(ConfigError, match=r"'main': has no commit in common with HEAD$"):
        found.base("main")


def test_a_shallow_clone_says_how_to_get_the_rest(repo: Repo, tmp_path: Path) -> None:
    repo.commit(f=b"1")
    repo.git("switch", "-q", "-c", "work")
    repo.commit(f=b"2")
    repo.git("switch", "-q", "main")
    repo.commit(f=b"3")
    clone = tmp_path / "clone"
    address = repo.root.as_uri()
    repo.git("clone", "-q", "--depth=1", "--no-single-branch", address, str(clone))
    found = around(clone)
    for revision in ("origin/work", "none"):
        with pytest.raises(ConfigError, match=r"git fetch --unshallow .*fetch-depth: 0"):
            found.base(revision)


def test_a_linked_working_tree(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit(f=b"")
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "other")
    found = around(tmp_path / "tree")
    assert found.root == str(tmp_path / "tree")
    assert found.base("main") == commit
    assert os.path.realpath(found.lfs_folder) == str(repo.root / ".git" / "lfs" / "objects")


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("elsewhere", ".git/elsewhere/objects"),
        ("/srv/lfs", "/srv/lfs/objects"),
        ("~/lfs", "~/lfs/objects"),
    ],
)
def test_where_lfs_keeps_its_objects(repo: Repo, storage: str, expected: str) -> None:
    # https://github.com/git-lfs/git-lfs/blob/main/docs/man/git-lfs-config.adoc: lfs.storage is
    # relative to the folder of git.
    repo.git("config", "lfs.storage", storage)
    assert around(repo.root).lfs_folder == os.path.join(repo.root, os.path.expanduser(expected))


def test_a_submodule_is_a_repository_of_its_own(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit(**{"m.onnx": b"x"})
    repo.commit(f=b"")
    repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(other.root), "sub")
    repo.commit()
    assert around(repo.root / "sub" / "m.onnx").root == str(repo.root / "sub")
    assert set(around(repo.root).tracked) == {".gitmodules", "f", "sub"}


def test_without_git(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"^git: is not installed, or not in PATH$"):
        Repository.around(str(repo.root))


def test_a_git_that_cannot_be_started(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text("#!/nowhere\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"^git: cannot be started: No such file"):
        Repository.around(str(repo.root))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_repository_of_another_user(repo: Repo) -> None:
    os.chown(repo.root / ".git", 12345, 12345)
    os.chown(repo.root, 12345, 12345)
    with pytest.raises(ConfigError) as raised:
        Repository.around(str(repo.root))
    said = str(raised.value)
    assert said.endswith(f"run: git config --global --add safe.directory '{repo.root}'")
    assert "\n" not in said


def test_what_git_says_is_one_line(repo: Repo) -> None:
    (repo.root / ".git" / "config").write_text("[\n")
    with pytest.raises(ConfigError, match=r"git says: bad config line 1 in file") as raised:
        Repository.around(str(repo.root))
    assert "\n" not in str(raised.value)


def test_nothing_of_a_repository_is_run(repo: Repo, tmp_path: Path) -> None:
    # Programs that settings may name for what archlint asks; each would leave a file.
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    repo.write(".gitattributes", b"*.onnx filter=lfs diff=d merge=d\n")
    repo.commit(**{"m.onnx": b"1"})
    for key in (
        "core.fsmonitor", "filter.lfs.clean", "filter.lfs.smudge", "filter.lfs.process",
        "diff.d.textconv", "diff.d.command", "diff.external", "core.pager", "core.sshCommand",
    ):  # fmt: skip
        repo.git("config", key, str(program))
    repo.git("config", "filter.lfs.required", "true")
    repo.git("config", "core.hooksPath", str(tmp_path))
    for hook in ("post-index-change", "fsmonitor-watchman"):
        shutil.copy(program, tmp_path / hook)
    repo.write("n.onnx", b"2")
    # Older than what it lists: git must look into the files, through their filters.
    os.utime(repo.root / ".git" / "index", ns=(10**18, 10**18))
    from archlint.git_models import BaseModels

    found = around(repo.root)
    models = BaseModels(found, found.base("main"))
    path = str(repo.root / "m.onnx")
    assert models.is_same(path)
    assert not models.is_same(str(repo.root / "n.onnx"))
    assert models.removed([str(repo.root)], [path]) == []
    with models.materialised(path) as stored:
        assert Path(getattr(stored, "path", "")).read_bytes() == b"1"
    assert not (tmp_path / "ran").exists()


def test_nothing_is_written(repo: Repo) -> None:
    repo.commit(f=b"1")
    os.utime(repo.root / "f", ns=(10**18, 10**18))  # git would note it in the index
    before = (repo.root / ".git" / "index").read_bytes()
    from archlint.git_models import BaseModels

    found = around(repo.root)
    assert not BaseModels(found, found.base("main")).is_same(str(repo.root / "g"))
    assert BaseModels(found, found.base("main")).is_same(str(repo.root / "f"))
    assert (repo.root / ".git" / "index").read_bytes() == before


def test_git_is_no_program_of_the_working_directory(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = repo.write("git", b"#!/bin/sh\ntouch ran\n")
    program.chmod(0o755)
    monkeypatch.chdir(repo.root)
    assert around(repo.root).root == str(repo.root)
    assert not (repo.root / "ran").exists()


def test_a_run_without_a_base_loads_nothing_of_git() -> None:
    code = "import sys, archlint.paths, archlint.pipeline; print('archlint.git' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
