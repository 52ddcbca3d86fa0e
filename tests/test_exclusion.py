"""What is left out where folders are searched, and by force where it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from archlint.configuration import configure
from archlint.paths import find_models
from archlint.patterns import Pattern
from command_line import Run

MODELS = (
    "m.onnx", "_m.onnx", "vendor/v.onnx", "a/m.onnx", "a/vendor/v.onnx", "a/b/m.onnx",
    "a/b/vendor/v.onnx", ".venv/x.onnx", ".hidden.onnx", "a/node_modules/x.onnx",
    "a/__pycache__/x.onnx", "a/site-packages/x.onnx", "venv/x.onnx",
)  # fmt: skip
VISIBLE = (
    "_m.onnx", "a/b/m.onnx", "a/b/vendor/v.onnx", "a/m.onnx", "a/vendor/v.onnx", "m.onnx",
    "vendor/v.onnx",
)  # fmt: skip
VENDORED = {path for path in VISIBLE if "vendor" in path}


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MODELS:
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path / "project")


def found(*paths: str, **files: str) -> list[str]:
    """The models of the paths, with an archlint.toml in these folders; ``root`` is the working
    directory."""
    for folder, text in files.items():
        path = Path("." if folder == "root" else folder.replace("__", "/"), "archlint.toml")
        path.write_text(text, encoding="utf-8")
    return [path.removeprefix("./") for path in find_models(paths, configure())[0]]


def without(*left_out: str) -> list[str]:
    """The models that are found by default, but for these."""
    return [path for path in VISIBLE if path not in left_out]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [*VISIBLE], id="default"),
        pytest.param('extend-exclude = ["vendor"]', without(*VENDORED), id="folder-anywhere"),
        pytest.param('extend-exclude = ["./vendor"]', without("vendor/v.onnx"), id="own-folder"),
        pytest.param('extend-exclude = ["vendor/**"]', without("vendor/v.onnx"), id="all-in"),
        pytest.param('extend-exclude = ["**/vendor/**"]', without(*VENDORED), id="all-in-any"),
        pytest.param('extend-exclude = ["_*.onnx"]', without("_m.onnx"), id="file"),
        pytest.param(
            'extend-exclude = ["a/*"]', ["_m.onnx", "m.onnx", "vendor/v.onnx"], id="all-of-one"
        ),
        pytest.param('extend-exclude = ["a/*.onnx"]', without("a/m.onnx"), id="files-of-one"),
        pytest.param(
            'exclude = ["a", "vendor", ".venv"]',
            [".hidden.onnx", "_m.onnx", "m.onnx", "venv/x.onnx"],
            id="in-place-of-the-default",
        ),
        pytest.param("exclude = []", sorted(MODELS), id="nothing"),
    ],
)
def test_a_folder_is_searched_but_for_what_is_excluded(text: str, expected: list[str]) -> None:
    """By files and folders, relative to the configuration; a glob finds the same."""
    assert found(".", root=text) == expected
    hidden = [path for path in expected if not path.startswith(".")]  # no glob looks there
    assert found("**/*.onnx") == hidden


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("vendor/v.onnx", ["vendor/v.onnx"], id="file"),
        pytest.param("vendor", ["vendor/v.onnx"], id="folder"),
        pytest.param("vendor/*.onnx", ["vendor/v.onnx"], id="glob-in-it"),
        pytest.param("a/vendor/", ["a/vendor/v.onnx"], id="deeper-folder"),
        pytest.param(".venv", [".venv/x.onnx"], id="hidden-folder"),
        pytest.param("v[e]ndor/*.onnx", [], id="glob-around-it"),
        pytest.param("a/b", ["a/b/m.onnx"], id="below"),
    ],
)
def test_what_is_named_is_not_excluded(path: str, expected: list[str]) -> None:
    """But what is below it is."""
    assert found(path, root='extend-exclude = ["vendor"]\n') == expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(["vendor/v.onnx", "m.onnx"], ["m.onnx"], id="file"),
        pytest.param(["vendor"], [], id="folder"),
        pytest.param(["a/vendor"], [], id="deeper-folder"),
        pytest.param([".venv/x.onnx"], [], id="of-the-default"),
        pytest.param(["../project/vendor/v.onnx"], [], id="another-way"),
        pytest.param(["-", "a/b/m.onnx"], ["-", "a/b/m.onnx"], id="standard-input"),
    ],
)
def test_by_force_what_is_named_is_left_out_too(paths: list[str], expected: list[str]) -> None:
    """Silently: whoever names files for archlint does not know its configuration."""
    text = 'extend-exclude = ["vendor"]\nforce-exclude = true'
    Path("archlint.toml").write_text(text, encoding="utf-8")
    assert find_models(paths, configure()) == (expected, [])


def test_folders_above_the_project_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project in a hidden folder is checked like any other."""
    (tmp_path / "project").rename(tmp_path / ".project")
    monkeypatch.chdir(tmp_path / ".project")
    assert found(".") == [*VISIBLE]
    assert found("m.onnx", root="force-exclude = true") == ["m.onnx"]
    monkeypatch.chdir(tmp_path)
    assert find_models([".project/a/m.onnx"], configure())[0] == [".project/a/m.onnx"]


def test_the_nearest_configuration_decides() -> None:
    """About what is in its folder; about the folder itself that around it does."""
    inner = 'extend-exclude = ["m.onnx"]'
    outer = 'extend-exclude = ["vendor"]'
    expected = ["_m.onnx", "a/b/vendor/v.onnx", "a/vendor/v.onnx", "m.onnx"]
    assert found(".", root=outer, a=inner) == expected
    Path("a/archlint.toml").unlink()
    again = found(".", a__b="", root='extend-exclude = ["a/b"]')
    assert again == without("a/b/m.onnx", "a/b/vendor/v.onnx")


def test_the_command_line_wins() -> None:
    """``--exclude`` stands in place of all, ``--extend-exclude`` beside it; both are relative to
    the working directory."""
    Path("archlint.toml").write_text('extend-exclude = ["a"]\nforce-exclude = true')
    models = find_models(["."], configure(exclude=["vendor", ".*"]))[0]
    assert models == ["./_m.onnx", "./m.onnx", "./venv/x.onnx"]
    models = find_models(["."], configure(extend_exclude=["./m.onnx"]))[0]
    assert models == ["./_m.onnx", "./vendor/v.onnx"]
    assert find_models(["a"], configure(force_exclude=False))[0] != []
    assert find_models(["a"], configure())[0] == []


@pytest.mark.parametrize(
    ("arguments", "out", "code", "told"),
    [
        pytest.param(["a/b"], ["a/b/m.onnx", "a/b/vendor/v.onnx"], 0, "", id="files"),
        pytest.param(
            ["a/b", "--extend-exclude", "vendor"], ["a/b/m.onnx"], 0, "", id="extend-exclude"
        ),
        pytest.param(["m.onnx", "--exclude", "m.onnx"], ["m.onnx"], 0, "", id="exclude"),
        pytest.param(["m.onnx", "--exclude", "m.onnx", "--force-exclude"], [], 0, "", id="force"),
        pytest.param(
            ["a/b", "--exclude", "*.onnx"], [], 3, "a/b: the folder holds no .onnx file beside "
            "what is excluded; see: archlint config exclude", id="all-of-a-folder",
        ),
        pytest.param(
            ["*.onnx", "--exclude", "*m.onnx"], [], 3, "*.onnx: nothing matches the pattern beside "
            "what is excluded; see: archlint config exclude", id="all-of-a-glob",
        ),
        pytest.param(["m.onnx", "--exclude", ""], ["m.onnx"], 0, "", id="empty"),
    ],
)  # fmt: skip
def test_files_obeys(arguments: list[str], out: list[str], code: int, told: str, run: Run) -> None:
    """As check does; a run without models is told unless that was forced."""
    ran = run("files", *arguments)
    assert (ran.out.splitlines(), ran.code) == (out, code)
    assert ran.err == (f"archlint: error: {told}\n" if told else "")
    assert run(*arguments, "--select", "ARC101").code == (0 if out == [] and not told else 3)


def test_a_broken_file_where_no_model_is_does_not_matter() -> None:
    """It is read for models alone."""
    Path("a/empty").mkdir()
    Path("a/empty/inner").mkdir()
    Path("a/empty/archlint.toml").write_text("broken [")
    assert found(".") == [*VISIBLE]


@pytest.mark.parametrize(
    ("pattern", "path", "means"),
    [
        pytest.param("a", "a", True, id="folder"),
        pytest.param("a", "a/m.onnx", False, id="in-a-folder"),
        pytest.param("a/**", "a/m.onnx", True, id="all-in"),
        pytest.param("a/**", "a", True, id="the-folder-of-all"),
        pytest.param("a/*", "a/b/m.onnx", False, id="below"),
        pytest.param("*", "a/m.onnx", True, id="anything"),
        pytest.param(".", ".", True, id="own-folder"),
        pytest.param(".", "a", False, id="in-the-own-folder"),
    ],
)
def test_patterns_mean_a_path_itself(pattern: str, path: str, means: bool) -> None:
    """Not what is in it: that goes with the folder."""
    assert Pattern(pattern, str(Path.cwd())).means(path) == means
