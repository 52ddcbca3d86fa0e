"""What the environment says in place of options."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from archlint.output import terminal
from command_line import Run

SAMPLE = Path(__file__).parent.parent / "samples" / "inception_5x5.onnx"  # ARC101 at conv5x5


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(SAMPLE, tmp_path / "m.onnx")
    (tmp_path / "archlint.toml").write_text('output-format = "json"', encoding="utf-8")
    (tmp_path / "other.toml").write_text('fail-on = "never"', encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "arguments", "source"),
    [
        pytest.param("", [], "archlint.toml", id="file"),
        pytest.param("concise", [], "ARCHLINT_OUTPUT_FORMAT", id="over-the-file"),
        pytest.param(
            "concise", ["--config", "output-format='full'"], "--config output-format='full'",
            id="below-the-command-line",
        ),
        pytest.param("concise", ["--isolated"], "ARCHLINT_OUTPUT_FORMAT", id="without-files"),
    ],
)  # fmt: skip
def test_a_variable_wins_over_files(
    variable: str, arguments: list[str], source: str, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """And loses to options; ``archlint config`` names it."""
    monkeypatch.setenv("ARCHLINT_OUTPUT_FORMAT", variable)
    assert run("config", "output-format", *arguments).out.endswith(f"# {source}\n")
    out = run("m.onnx", *arguments).out
    kind = "json" if out.startswith("{") else "full" if out.startswith("ARC") else "concise"
    said = {"archlint.toml": "json", "ARCHLINT_OUTPUT_FORMAT": "concise"}
    assert kind == said.get(source, "full")
    assert run("m.onnx", "--output-format", "full").out.startswith("ARC101")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        pytest.param("OUTPUT_FORMAT", "jsn", ": there is no format 'jsn'; did you mean", id="near"),
        pytest.param("OUTPUT_FORMAT", "xyzzy", ": there is no format 'xyzzy'; it can", id="far"),
        pytest.param("CONFIG", "no.toml", ": there is no file 'no.toml'", id="no-file"),
        pytest.param("CONFIG", "fail-on='note'", ": there is no file", id="no-key"),
        pytest.param("OUTPUT_FILE", "no/x", " no/x: cannot be written: No such file", id="output"),
    ],
)
def test_a_wrong_value_is_told(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """In one line that names the variable."""
    monkeypatch.setenv(f"ARCHLINT_{name}", value)
    ran = run("m.onnx")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(f"ARCHLINT_{name}{told}")


def test_a_file_for_all_models(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """In place of those that would be found; an option stands in place of it."""
    monkeypatch.setenv("ARCHLINT_CONFIG", "other.toml")
    assert run("config", "fail-on").out == 'fail-on = "never"  # other.toml\n'
    assert run("m.onnx").code == 0
    assert run("m.onnx", "--isolated").code == 1
    assert run("m.onnx", "--config", "archlint.toml").out.startswith("{")


def test_a_file_for_the_findings(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Those of check alone; an option stands in place of it."""
    monkeypatch.setenv("ARCHLINT_OUTPUT_FILE", "found.json")
    assert run("m.onnx").out == ""
    assert len(json.loads(Path("found.json").read_text())["models"]) == 1
    before = Path("found.json").read_bytes()
    assert run("m.onnx", "-o", "other.json").out == ""
    assert Path("other.json").read_bytes() == before
    assert run("cost", "m.onnx").out != ""
    assert Path("found.json").read_bytes() == before


@pytest.mark.parametrize(
    ("variables", "is_terminal", "colour"),
    [
        pytest.param({}, True, True, id="terminal"),
        pytest.param({}, False, False, id="pipe"),
        pytest.param({"NO_COLOR": "1"}, True, False, id="unwanted"),
        pytest.param({"NO_COLOR": ""}, True, True, id="empty-is-not-set"),
        pytest.param({"FORCE_COLOR": "1"}, False, True, id="forced"),
        pytest.param({"FORCE_COLOR": ""}, False, False, id="empty-forces-nothing"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, id="unwanted-wins"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False, id="on-a-terminal-too"),
        pytest.param({"TERM": "dumb"}, True, False, id="dumb"),
        pytest.param({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True, id="forced-on-a-dumb-one"),
    ],
)
def test_colours(
    variables: dict[str, str], is_terminal: bool, colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As no-color.org asks, which wins over FORCE_COLOR; never in a file."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    paint, columns = terminal(None)
    assert paint.on == colour
    assert (columns is not None) == is_terminal
    assert not terminal("x")[0].on


@pytest.mark.parametrize(
    ("text", "arguments", "place"),
    [
        pytest.param(
            "input-shapes.input = [1, 3, 8]", [], "archlint.toml: input-shapes.input", id="file"
        ),
        pytest.param(
            "", ["--config", "input-shapes.input=[1,3]"],
            "--config input-shapes.input=[1,3]: input-shapes.input: ", id="key-and-value",
        ),
        pytest.param(
            "input-shapes.input = [1]", ["--input-shape", "input=1,3"],
            "--input-shape input=1,3: ", id="option",
        ),
    ],
)  # fmt: skip
def test_a_shape_that_contradicts_a_model_names_its_place(
    text: str, arguments: list[str], place: str, run: Run
) -> None:
    """And the model: the sample's input is of rank four."""
    Path("archlint.toml").write_text(text, encoding="utf-8")
    for command in ("check", "cost"):
        ran = run(command, "m.onnx", *arguments)
        assert ran.code == 2
        assert ran.error.startswith(place)
        assert ": m.onnx: input 'input' is declared as [1,192,28,28], not [" in ran.error
