"""From what a user names to the models that are meant."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archlint.analyzer.report import Failure
from archlint.cli import main
from archlint.configuration import configure
from archlint.paths import find_models

SAMPLES = Path(__file__).parent.parent / "samples"
CLEAN, FLAGGED = str(SAMPLES / "mlpconv.onnx"), str(SAMPLES / "inception_5x5.onnx")

FILES = (
    "b.onnx", "a.onnx", "notes.txt", "deep/er/c.onnx", "deep/d.onnx", "deep/.cache/e.onnx",
    ".git/f.onnx", "empty/readme", "odd[1].onnx", "folder.onnx/g.onnx", "model.pb", "-",
)  # fmt: skip


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files to find, as the working directory."""
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(["a.onnx"], ["a.onnx"], id="file"),
        pytest.param(["model.pb"], ["model.pb"], id="file-of-any-name"),
        pytest.param(["b.onnx", "a.onnx"], ["b.onnx", "a.onnx"], id="in-the-order-given"),
        pytest.param(["a.onnx", "b.onnx", "a.onnx"], ["a.onnx", "b.onnx"], id="each-once"),
        pytest.param(["./a.onnx", "a.onnx"], ["./a.onnx"], id="each-once-however-written"),
        pytest.param(["deep"], ["deep/d.onnx", "deep/er/c.onnx"], id="folder"),
        pytest.param(["deep/"], ["deep/d.onnx", "deep/er/c.onnx"], id="folder-with-slash"),
        pytest.param(["deep/er", "deep"], ["deep/er/c.onnx", "deep/d.onnx"], id="folders-overlap"),
        pytest.param(
            ["."],
            ["./a.onnx", "./b.onnx", "./deep/d.onnx", "./deep/er/c.onnx", "./folder.onnx/g.onnx",
             "./odd[1].onnx"],
            id="hidden-folders-are-skipped",
        ),
        pytest.param([".git"], [".git/f.onnx"], id="hidden-folder-that-is-named"),
        pytest.param(["folder.onnx"], ["folder.onnx/g.onnx"], id="folder-named-like-a-model"),
        pytest.param(["?.onnx"], ["a.onnx", "b.onnx"], id="glob"),
        pytest.param(["*.onnx"], ["a.onnx", "b.onnx", "odd[1].onnx"], id="glob-without-folders"),
        pytest.param(["**/d.onnx"], ["deep/d.onnx"], id="glob-of-any-depth"),
        pytest.param(["odd[1].onnx"], ["odd[1].onnx"], id="file-before-glob"),
        pytest.param(["-", "a.onnx", "-"], ["-", "a.onnx"], id="standard-input-once"),
        pytest.param(["./-", "-"], ["./-", "-"], id="a-file-named-as-standard-input"),
        pytest.param([], [], id="nothing"),
    ],
)  # fmt: skip
def test_what_is_named_is_found(paths: list[str], expected: list[str]) -> None:
    """Files as given, folders with their subfolders in order, globs; each model once."""
    assert find_models(paths, configure()) == (expected, [])


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("c.onnx", "no such file or folder", id="file"),
        pytest.param("a.onnx/b.onnx", "no such file or folder", id="below-a-file"),
        pytest.param("", "no such file or folder", id="empty-name"),
        pytest.param("empty", "the folder holds no .onnx file", id="folder"),
        pytest.param("*.pt", "nothing matches the pattern", id="glob"),
    ],
)
def test_what_names_no_model_is_a_failure(path: str, why: str) -> None:
    """The other paths are found all the same."""
    assert find_models(["b.onnx", path, "a.onnx"], configure()) == (
        ["b.onnx", "a.onnx"], [Failure(path, why)],
    )  # fmt: skip


def test_a_broken_link_is_left_to_the_reader(tree: Path) -> None:
    """It exists, so that the reader says what is wrong with it."""
    (tree / "link.onnx").symlink_to("nowhere")
    assert find_models(["link.onnx"], configure()) == (["link.onnx"], [])


def test_a_folder_is_searched_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order in which the file system lists it."""
    walked = list(os.walk("."))
    expected = find_models(["."], configure())
    monkeypatch.setattr(os, "walk", lambda _folder: [
        (place, folders, files[::-1]) for place, folders, files in walked[::-1]
        if ".git" not in place and ".cache" not in place
    ])  # fmt: skip
    assert find_models(["."], configure()) == expected


def truncated(path: Path) -> None:
    """Half of a model."""
    whole = Path(CLEAN).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    ("missing", lambda path: None, "no such file or folder"),
    ("folder", Path.mkdir, "the folder holds no .onnx file"),
    ("*.nothing", lambda path: None, "nothing matches the pattern"),
    ("text.onnx", lambda path: path.write_text("hello\n"), "is a text file"),
    ("lfs.onnx", lambda path: path.write_bytes(LFS), "Git LFS pointer"),
    ("empty.onnx", Path.touch, "the file is empty"),
    ("short.onnx", truncated, "is damaged"),
    ("link.onnx", lambda path: path.symlink_to("nowhere"), "No such file"),
]


@pytest.mark.parametrize("command", ["check", "cost"])
@pytest.mark.parametrize(("name", "make", "told"), BROKEN, ids=[name for name, *_ in BROKEN])
def test_an_input_that_fails_is_told_and_the_rest_analysed(
    command: str,
    name: str,
    make: Callable[[Path], object],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 3, one line that names it; the models before and after it are reported."""
    path = tmp_path / "here" / name
    path.parent.mkdir()
    make(path)
    for others in ([CLEAN, FLAGGED], []):
        paths = [*others[:1], str(path), *others[1:]]
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
            patch.setattr(sys, "argv", ["archlint", command, *paths])
            main()
        assert left.value.code == 3
        output, errors = capsys.readouterr()
        (line,) = errors.splitlines()
        assert line.startswith(f"archlint: error: {path}: ")
        assert told in line
        assert all(f"{other}: " in output for other in others)
