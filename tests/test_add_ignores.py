"""Entries that are written for what is found, and the files that they are added to."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import onnx
import pytest

from build_all import build_sample
from command_line import Run

SAMPLE = Path(__file__).parent.parent / "samples" / "inception_5x5.onnx"  # ARC101 at conv5x5
REASON = "measured: it is needed"
ADD = ("--add-ignore", REASON, "--select", "ARC101")

ENTRY = """
[[ignore]]
rule = "ARC101"
path = "./m.onnx"
node = "conv5x5"
reason = "measured: it is needed"
"""
INLINE = (
    '    {rule = "ARC101", path = "./m.onnx", node = "conv5x5", '
    'reason = "measured: it is needed"},\n'
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds one model with one finding."""
    shutil.copy(SAMPLE, tmp_path / "m.onnx")
    monkeypatch.chdir(tmp_path)


CASES = [
    pytest.param("archlint.toml", "", ENTRY.lstrip("\n"), id="empty"),
    pytest.param(".archlint.toml", "a", None, id="broken"),
    pytest.param("archlint.toml", "# why\n", f"# why\n{ENTRY}", id="comment"),
    pytest.param("archlint.toml", "fail-on='note'", f"fail-on='note'\n{ENTRY}", id="no-last-line"),
    pytest.param(
        "archlint.toml",
        "[[ignore]]  # first\nrule = 'ARC2'\n[dims]\nn = 8 # x\n",
        f"[[ignore]]  # first\nrule = 'ARC2'\n{ENTRY}\n[dims]\nn = 8 # x\n",
        id="headers-before",
    ),
    pytest.param(
        "archlint.toml",
        "fail-on = 'note'\r\n",
        f"fail-on = 'note'\r\n{ENTRY}".replace("\r\n", "\n").replace("\n", "\r\n"),
        id="line-ends-of-windows",
    ),
    pytest.param("archlint.toml", "\ufeff[dims]\n", f"\ufeff[dims]\n{ENTRY}", id="mark"),
    pytest.param(
        "archlint.toml",
        'ignore = ["ARC103"]  # both\nfail-on = "note"\n',
        f'ignore = ["ARC103",\n{INLINE}]  # both\nfail-on = "note"\n',
        id="list-on-one-line",
    ),
    pytest.param("archlint.toml", "ignore = []\n", f"ignore = [\n{INLINE}]\n", id="empty-list"),
    pytest.param(
        "archlint.toml",
        "ignore = [\n  'ARC103',  # dense ]\n  # last\n]\n",
        f"ignore = [\n  'ARC103',  # dense ]\n  # last\n{INLINE}]\n",
        id="list-with-comments",
    ),
    pytest.param(
        "archlint.toml",
        "ignore = [\n  'ARC103'  # dense\n]\n",
        f"ignore = [\n  'ARC103',  # dense\n{INLINE}]\n",
        id="list-without-last-comma",
    ),
    pytest.param(
        "archlint.toml",
        "severity = {ALL = 'note'}\nignore = [{rule = 'ARC2', reason = 'a ] \" b'}, 'ARC3']\n",
        "severity = {ALL = 'note'}\nignore = [{rule = 'ARC2', reason = 'a ] \" b'}, 'ARC3',\n"
        f"{INLINE}]\n",
        id="brackets-in-texts",
    ),
    pytest.param(
        "pyproject.toml",
        "[tool.archlint]\n[tool.ruff.lint]\nignore = ['E501']\n",
        "[tool.archlint]\n"
        + ENTRY.replace("[[ignore]]", "[[tool.archlint.ignore]]")
        + "\n[tool.ruff.lint]\nignore = ['E501']\n",
        id="pyproject",
    ),
    pytest.param(
        "pyproject.toml",
        "[tool.ruff.lint]\nignore = ['E501']\n[tool.archlint]\nignore = ['ARC103']\n",
        f"[tool.ruff.lint]\nignore = ['E501']\n[tool.archlint]\nignore = ['ARC103',\n{INLINE}]\n",
        id="list-of-pyproject",
    ),
    pytest.param("pyproject.toml", "tool = {archlint = {}}\n", None, id="table-on-one-line"),
]


@pytest.mark.parametrize(("name", "before", "after"), CASES)
def test_entries_are_added_and_nothing_else_changes(
    name: str, before: str, after: str | None, run: Run
) -> None:
    """At the end, or in the list that is there; what takes none is told and left as it was."""
    path = Path(name)
    path.write_bytes(before.encode())
    ran = run("m.onnx", *ADD)
    assert path.read_bytes().decode() == (before if after is None else after)
    if after is None:
        assert ran.code == 2
        assert ran.error.startswith(f"{name}: ")
        return
    assert (ran.code, ran.out, ran.err) == (0, f"{name}: 1 entry added\n", "")
    again = run("m.onnx", *ADD)
    assert again.out == "Nothing was found that an entry could ignore.\n"
    assert path.read_bytes().decode() == after
    assert run("m.onnx", "--select", "ARC101").out.endswith("No findings in 1 model, 1 ignored.\n")


def test_each_model_has_its_file(run: Run) -> None:
    """The nearest one; a new one in the working directory where there is none."""
    for folder in ("a", "a/b", "c[1]"):
        Path(folder).mkdir()
        shutil.copy(SAMPLE, Path(folder) / "m.onnx")
    Path("a/archlint.toml").touch()
    ran = run(".", *ADD)
    assert ran.out == "a/archlint.toml: 2 entries added\narchlint.toml: 2 entries added\n"
    own, other = (
        [entry["path"] for entry in tomllib.loads(Path(name).read_text())["ignore"]]
        for name in ("archlint.toml", "a/archlint.toml")
    )
    assert (own, other) == (["c[[]1]/m.onnx", "./m.onnx"], ["b/m.onnx", "./m.onnx"])
    assert run(".", *ADD).out == "Nothing was found that an entry could ignore.\n"


def named(name: str, output_name: str | None = None) -> None:
    """The model with another name at its finding."""
    model = build_sample("inception_5x5")
    (node,) = (one for one in model.graph.node if one.name == "conv5x5")
    node.name = name
    if output_name is not None:
        for other in model.graph.node:
            names = [output_name if value == node.output[0] else value for value in other.input]
            other.input[:] = names
        for value in model.graph.output:
            value.name = output_name if value.name == node.output[0] else value.name
        node.output[0] = output_name
    onnx.save(model, "m.onnx")


@pytest.mark.parametrize(
    ("name", "made", "node"),
    [
        pytest.param("a*b[0]?", None, "a[*]b[[]0][?]", id="wildcards"),
        pytest.param("", "made/1", "made/1", id="no-name-is-its-output"),
        pytest.param('q"\\\n\x7f\u202e', None, 'q"\\\n\x7f\u202e', id="marks"),
        pytest.param("  ", None, "??", id="blank"),
        pytest.param("[*]", None, "[[][*]]", id="escaped-already"),
        pytest.param("größe", None, "größe", id="letters"),
    ],
)
def test_any_node_is_meant_literally(name: str, made: str | None, node: str, run: Run) -> None:
    """Whatever it is called, the entry finds it again, and the file shows all of it."""
    named(name, made)
    assert run("m.onnx", *ADD).code == 0
    text = Path("archlint.toml").read_text(encoding="utf-8")
    assert all(line.isprintable() for line in text.split("\n"))
    (entry,) = tomllib.loads(text)["ignore"]
    assert entry["node"] == node
    assert run("m.onnx", *ADD).out == "Nothing was found that an entry could ignore.\n"


def test_remarks_are_not_written(run: Run) -> None:
    """An entry cannot hide that another one hides nothing."""
    Path("archlint.toml").write_text("[[ignore]]\nrule = 'ARC101'\nnode = 'other'\n")
    assert run("m.onnx", *ADD).out == "archlint.toml: 1 entry added\n"
    entries = tomllib.loads(Path("archlint.toml").read_text())["ignore"]
    assert [entry["rule"] for entry in entries] == ["ARC101", "ARC101"]


def test_a_finding_of_the_whole_graph_names_no_node(run: Run) -> None:
    """ARC706: the nodes of the model stand in another order than they run."""
    model = build_sample("inception_5x5")
    nodes = [model.graph.node[place] for place in reversed(range(len(model.graph.node)))]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, "m.onnx")
    assert run("m.onnx", "--add-ignore", "sorted later", "--select", "ARC706").code == 0
    (entry,) = tomllib.loads(Path("archlint.toml").read_text())["ignore"]
    assert entry == {"rule": "ARC706", "path": "./m.onnx", "reason": "sorted later"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(
            ["m.onnx", "--add-ignore", " ", "--config", "require-reason=true"],
            "--add-ignore: give a reason: archlint.toml asks for one",
            id="reason-is-wanted",
        ),
        pytest.param(
            ["m.onnx", *ADD, "--isolated"], "--add-ignore: --isolated uses no file", id="isolated"
        ),
        pytest.param(
            ["../m.onnx", *ADD], "--add-ignore: no configuration file holds for ../m", id="outside"
        ),
    ],
)
def test_where_no_entry_can_be_is_told(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """In one line, and nothing is written."""
    (tmp_path / "inner").mkdir()
    shutil.copy("m.onnx", "inner/m.onnx")
    monkeypatch.chdir(tmp_path / "inner")
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(told)
    assert not list(tmp_path.glob("**/*.toml"))


def test_no_reason_is_none(run: Run) -> None:
    """Where none is asked for."""
    assert run("m.onnx", "--add-ignore", "", "--select", "ARC101").code == 0
    (entry,) = tomllib.loads(Path("archlint.toml").read_text())["ignore"]
    assert "reason" not in entry


@pytest.mark.parametrize(
    "place", ["os.access", "archlint.add_ignores.replace_file"], ids=["read-only", "full"]
)
def test_a_file_that_cannot_be_written_is_told(
    place: str, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """With its name, and it is left as it was."""

    def fails(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    Path("archlint.toml").write_text("# mine\n")
    if place == "os.access":
        monkeypatch.setattr(os, "access", lambda *_: False)
    else:
        monkeypatch.setattr(place, fails)
    ran = run("m.onnx", *ADD)
    assert ran.code == 2
    assert ran.error.startswith("archlint.toml: cannot be written: ")
    assert Path("archlint.toml").read_text() == "# mine\n"


def test_a_run_that_was_not_whole_says_so(run: Run) -> None:
    """Entries are written, and the exit code is that of the input."""
    Path("n.onnx").write_text("nothing")
    ran = run("m.onnx", "n.onnx", *ADD)
    assert (ran.code, ran.out) == (3, "archlint.toml: 1 entry added\n")


def test_files_are_written_as_a_whole(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """A fault while the second is drafted leaves the first as it was."""
    Path("a").mkdir()
    shutil.copy(SAMPLE, "a/m.onnx")
    Path("a/archlint.toml").write_text("# mine\n")
    Path("pyproject.toml").write_text("tool = {archlint = {}}\n")
    ran = run("a/m.onnx", "m.onnx", *ADD)
    assert ran.code == 2
    assert ran.error.startswith(
        "pyproject.toml: cannot take entries as it is written; write [[tool"
    )
    assert Path("a/archlint.toml").read_text() == "# mine\n"
