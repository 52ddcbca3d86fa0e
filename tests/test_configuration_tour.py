"""A repository with three models and nested configurations, through the command line."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archlint.analyzer.reader.text import from_text
from archlint.analyzer.timing.prediction.cache import FOLDER_VARIABLE
from archlint.environment import CONFIG, OUTPUT_FILE, OUTPUT_FORMAT
from archlint.reading import layers_of
from archlint.settings import EXCLUDED, FIELDS
from command_line import Run

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "samples" / "inception_5x5.onnx"  # one finding: ARC101
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

FILES = {
    "pyproject.toml": """
        [project]
        name = "vision"
        [tool.archlint]
        fail-on = "error"
        output-format = "concise"
        [tool.archlint.rules.wide-convolution]
        reduction = 0.5
        [tool.archlint.per-file-ignores]
        "old_*.onnx" = ["ARC101", "ARC2"]
    """,
    "models/mobile/archlint.toml": """
        extend = "../../pyproject.toml"
        severity.ARC101 = "error"
    """,
    "models/server/.archlint.toml": 'select = ["ARC7"]\n',
}
MODELS = ("models/mobile/m.onnx", "models/old_m.onnx", "models/server/m.onnx")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository, and the working directory in it."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("\n        ", "\n"), encoding="utf-8")
    for name in MODELS:
        shutil.copy(SAMPLE, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(document: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """The codes and severities of the findings, by model."""
    return {
        model["path"]: [(f["code"], f["severity"]) for f in model["findings"]]
        for model in document["models"]
    }


@pytest.mark.parametrize(
    ("options", "mobile", "old", "server", "code"),
    [
        pytest.param([], [("ARC101", "error")], [], [], 1, id="nearest"),
        pytest.param(
            ["--isolated"], *[[("ARC101", "warning")]] * 3, 1, id="isolated"
        ),
        pytest.param(["--ignore", "ARC1,ARC2"], [], [], [], 0, id="ignored"),
        pytest.param(
            ["--config", "severity.ARC101='note'"], [("ARC101", "note")], [], [], 0, id="inline"
        ),
        pytest.param(
            ["--select", "ARC101", "--fail-on", "never"],
            [("ARC101", "error")], [], [("ARC101", "warning")], 0, id="selected",
        ),
        pytest.param(
            ["--config", "models/server/.archlint.toml"], [], [], [], 0, id="one-file"
        ),
        pytest.param(
            ["--config", "models/server/.archlint.toml", "--extend-select", "ARC101"],
            *[[("ARC101", "warning")]] * 3, 1, id="extended",
        ),
    ],
)  # fmt: skip
def test_each_model_has_its_settings(
    options: list[str],
    mobile: list[tuple[str, str]],
    old: list[tuple[str, str]],
    server: list[tuple[str, str]],
    code: int,
    project: Path,
    run: Run,
) -> None:
    """Rules, severities and what makes the run fail; files below options."""
    ran = run("models", "--output-format", "json", *options)
    assert found(ran.document) == dict(zip(MODELS, (mobile, old, server), strict=True))
    assert ran.code == code


def test_the_working_directory_says_how_it_is_written(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the models have; the option wins."""
    assert run("models/mobile/m.onnx").out.startswith("models/mobile/m.onnx: conv5x5: ARC101")
    assert run("models/mobile/m.onnx", "--output-format", "full").out.startswith("ARC101")
    monkeypatch.chdir(project / "models" / "server")
    assert run("../mobile/m.onnx").out.startswith("ARC101")


def test_standard_input_is_of_the_working_directory(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no folder of its own."""
    for folder, count in (("models/mobile", 1), ("models/server", 0)):
        monkeypatch.chdir(project / folder)
        pipe = SimpleNamespace(buffer=io.BytesIO(SAMPLE.read_bytes()), isatty=lambda: False)
        monkeypatch.setattr(sys, "stdin", pipe)
        assert len(found(run("-", "--output-format", "json").document)["-"]) == count


def test_options_of_rules_reach_them(project: Path, run: Run) -> None:
    """The proposal for 192 to 32 channels has half of 32, by the file of the folder above."""
    ran = run("models/mobile/m.onnx", "--output-format", "full")
    assert "a 1×1 bottleneck of 16 channels" in ran.out
    ran = run("models/mobile/m.onnx", "--output-format", "full", "--set", "ARC101.width=8")
    assert "a 1×1 bottleneck of 8 channels" in ran.out


def test_bindings_of_files_need_no_model(project: Path, run: Run) -> None:
    """They are for the models that have them; those of the command line must fit one."""
    assert run("models/mobile/m.onnx", "--config", "dims.seq=128").code == 1
    ran = run("models/mobile/m.onnx", "--dim", "seq=128")
    assert (ran.code, ran.out) == (2, "")
    assert "no model has the dim 'seq'" in ran.error


def test_costs_are_counted_with_the_same_bindings(project: Path, run: Run) -> None:
    """A matrix product of batch × 64 by 64 × 32, at the size that the folder's file gives."""
    text = "agraph (float[batch,64] x) => (float[batch,32] y) <float[64,32] w> { y = MatMul(x, w) }"
    (project / "m.onnx").write_bytes(from_text(text).proto.SerializeToString())
    (project / "archlint.toml").write_text("dims.batch = 8", encoding="utf-8")
    for options, batch in (([], 8), (["--dim", "batch=3"], 3), (["--isolated"], 1)):
        (model,) = run("cost", "m.onnx", "--output-format", "json", *options).document["models"]
        assert model["cost"]["macs"] == batch * 64 * 32
    growth = run("cost", "m.onnx", "--scaling", "batch", "--output-format", "json")
    assert growth.code == 0


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        pytest.param("models/archlint.toml", "select = [", "is no TOML", id="broken"),
        pytest.param("models/archlint.toml", "a\x1b[31m = 1", "is no TOML", id="escape"),
        pytest.param("models/archlint.toml", '"\\u001b[31m" = 1', "there is no key", id="escaped"),
        pytest.param("models/archlint.toml", 'selct = ["ARC1"]', "did you mean", id="key"),
        pytest.param("models/mobile/archlint.toml", 'extend = "x"', "no file", id="extend"),
    ],
)
def test_a_wrong_file_ends_the_run(
    name: str, text: str, told: str, project: Path, run: Run
) -> None:
    """Before anything is analysed, with one line that names the file."""
    (project / name).write_text(text, encoding="utf-8")
    ran = run("models")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(f"{name}: ")
    assert told in ran.error
    assert ran.error.isprintable()


def test_config_shows_what_holds(project: Path, run: Run) -> None:
    """As TOML that says the same if it is read again, each line with its source."""
    ran = run("config", "models/mobile")
    assert 'severity.ARC101 = "error"  # models/mobile/archlint.toml' in ran.out
    assert 'fail-on = "error"  # pyproject.toml' in ran.out
    assert "rules.ARC101.reduction = 0.5  # pyproject.toml" in ran.out
    assert "require-reason = false  # default" in ran.out
    (project / "again.toml").write_text(ran.out, encoding="utf-8")
    again = run("config", "--config", "again.toml")
    assert tomllib.loads(again.out) == tomllib.loads(ran.out)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["fail-on"], 'fail-on = "error"  # pyproject.toml\n', id="key"),
        pytest.param(
            ["fail-on", "models/server"], 'fail-on = "warning"  # default\n', id="key-and-folder"
        ),
        pytest.param(
            ["select", "models/server/m.onnx"],
            'select = ["ARC7"]  # models/server/.archlint.toml\n',
            id="key-and-model",
        ),
        pytest.param(
            ["rules.wide-convolution.reduction"],
            "rules.ARC101.reduction = 0.5  # pyproject.toml\n",
            id="option-by-name",
        ),
        pytest.param(
            ["rules.ARC101.min-channels"],
            "rules.ARC101.min_channels = 64  # default\n",
            id="default-option",
        ),
        pytest.param(["target"], "# target is not set\n", id="not-set"),
        pytest.param(
            ["fail-on", "--config", "fail-on='note'"],
            "fail-on = \"note\"  # --config fail-on='note'\n",
            id="option",
        ),
    ],
)
def test_config_shows_one_key(arguments: list[str], expected: str, project: Path, run: Run) -> None:
    """Its value for the path, and the source."""
    assert run("config", *arguments).out == expected


def test_config_is_told_as_json(project: Path, run: Run) -> None:
    """Where settings come from, the rules that run, and every setting."""
    document = run("config", "models/mobile", "--output-format", "json").document
    assert document["sources"] == ["pyproject.toml", "models/mobile/archlint.toml"]
    assert "ARC101" in document["rules"]
    settings = {one["key"]: (one["value"], one["source"]) for one in document["settings"]}
    assert settings["fail-on"] == ("error", "pyproject.toml")
    assert settings["select"] == (None, "default")
    assert settings["rules.ARC101.width"] == (None, "default")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["fail_on"], "did you mean 'fail-on'?", id="key"),
        pytest.param(["fail_on", "."], "did you mean 'fail-on'?", id="key-and-path"),
        pytest.param(["fail-on", "no"], "no such setting, file or folder", id="path"),
        pytest.param(["rules.ARC1O1"], "did you mean 'ARC101'?", id="rule"),
        pytest.param(["rules.ARC101.widht"], "did you mean 'width'?", id="option"),
        pytest.param(["fail-on.x"], "there is no such setting", id="no-table"),
    ],
)
def test_config_tells_what_there_is_not(
    arguments: list[str], told: str, project: Path, run: Run
) -> None:
    """In one line."""
    ran = run("config", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.error


def test_files_lists_the_models(project: Path, run: Run) -> None:
    """One a line, as check would take them; what names none is told."""
    ran = run("files", "models", "models/mobile/m.onnx", "nix")
    assert ran.out.splitlines() == list(MODELS)
    assert (ran.code, ran.error) == (3, "nix: no such file or folder")


def test_a_run_without_files_loads_little(tmp_path: Path) -> None:
    """Nothing that only some files and other commands need."""
    code = (
        "import sys; from archlint.configuration import configure;"
        f"configure().chosen({str(tmp_path / 'm.onnx')!r});"
        "unwanted = {'packaging', 'archlint.reading', 'archlint.kinds', 'archlint.ignoring'};"
        "sys.exit(bool(unwanted & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


EXAMPLES = PAGE.split("```toml\n")[1:]


@pytest.mark.parametrize("example", [text.partition("```")[0] for text in EXAMPLES])
def test_examples_of_the_page_are_right(example: str, tmp_path: Path) -> None:
    """Each is read as the file that it would be; what it extends is there."""
    name = "pyproject.toml" if "[tool." in example else "archlint.toml"
    extended = tomllib.loads(example).get("extend")
    if extended:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / extended).write_text("", encoding="utf-8")
    path = tmp_path / "a" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(example, encoding="utf-8")
    assert layers_of(str(path))


def test_the_page_tells_what_is_excluded() -> None:
    """The list that it shows is the default."""
    (example,) = (text for text in EXAMPLES if text.startswith("exclude = "))
    shown = tomllib.loads(example.partition("```")[0])["exclude"]
    assert shown == [pattern.text for pattern in EXCLUDED]


def test_the_page_tells_of_every_variable() -> None:
    """Those that archlint reads."""
    variables = (CONFIG, OUTPUT_FORMAT, OUTPUT_FILE, FOLDER_VARIABLE, "NO_COLOR", "FORCE_COLOR")
    for variable in variables:
        assert f"| `{variable}` |" in PAGE


def test_the_page_tells_of_every_setting() -> None:
    """Each has a row in the table."""
    for key in FIELDS:
        assert f"| `{key}` |" in PAGE
