"""pytest's fixture, in sessions of pytest within this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from archlint.checked_model import CheckedModel
from repositories import Repo, isolate, pointer
from this_repository import ROOT

pytest_plugins = ["pytester"]

SAMPLES = ROOT / "samples"
MACS = 5 * 5 * 192 * 32 * 28 * 28
PARAMETERS = 5 * 5 * 192 * 32 + 32


def dense(width: int) -> bytes:
    """A product of ``n`` rows, whatever that is, with a matrix."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [width, 4], [1.0] * (width * 4))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "n", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "n", 4])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """A session within this one forgets what it loads, and numpy can be loaded only once."""
    flagged = CheckedModel("inception_5x5.onnx", SAMPLES, dims={})
    flagged.within(macs=MACS).no_worse_than("inception_module.onnx", macs="+900%", fail_on="never")


class Project:
    """A project with models, in which one test is run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.root = pytester.path
        self._pytester = pytester
        (self.root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        shutil.copy(SAMPLES / "inception_5x5.onnx", self.root / "flagged.onnx")
        shutil.copy(SAMPLES / "inception_module.onnx", self.root / "reduced.onnx")
        (self.root / "rows.onnx").write_bytes(dense(8))
        (self.root / "wide.onnx").write_bytes(dense(10))

    def says(self, body: str, *options: str) -> str:
        """Nothing where the test passes; what pytest prints of it otherwise."""
        self._pytester.makepyfile(f"def test_models(archlint_model, tmp_path):\n    {body}\n")
        without = [
            word
            for name in ("cacheprovider", "hypothesispytest", "xdist")
            for word in ("-p", f"no:{name}")
        ]
        plain = ["-Werror", "--assert=plain", "--no-header", "--color=no"]
        ran = self._pytester.runpytest_inprocess(*plain, *without, *options)
        text = ran.stdout.str()
        assert ran.ret in (0, 1), text
        return "" if ran.ret == 0 else text

    def errors(self, body: str, *options: str) -> list[str]:
        """The lines of the error that fails the test; its lines show no code of archlint."""
        text = self.says(body, *options)
        assert f"{ROOT}" not in text
        return [line[1:].strip() for line in text.splitlines() if line.startswith("E   ")]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """A project in a temporary folder, which is the working directory."""
    return Project(pytester)


@pytest.mark.parametrize(
    "chain",
    [
        f"within(macs={MACS})",
        f"within(macs='{MACS}', params='153.632k', file_size='1MB', peak_activation='1MiB')",
        "within(macs='121M').clean(fail_on='error').within(params='1M')",
        "clean(ignore=['ARC101', 'ARC201'])",
        "clean(select=['ARC7'])",
        "clean(fail_on='never')",
        "no_worse_than('flagged.onnx')",
        "no_worse_than('reduced.onnx', params='+900%', macs='+900%', fail_on='never')",
    ],
)
def test_what_holds_passes(chain: str, project: Project) -> None:
    """Each link returns the model."""
    assert project.says(f"archlint_model('flagged.onnx').{chain}") == ""


@pytest.mark.parametrize(
    ("chain", "told"),
    [
        (f"within(macs={MACS - 1})",
         "model costs 120,422,400 MACs, 1 over its budget of 120,422,399 (within: macs)"),
        ("within(params='100k')",
         "model has 153,632 parameters, 53.6 % over its budget of 100k (within: params)"),
        ("within(file_size='1kB')", "over its budget of 1kB (within: file-size)"),
        ("within(peak_activation='1kB')", "over its budget of 1kB (within: peak-activation)"),
        ("clean()", "conv5x5: ARC101 wide-convolution: 5×5 convolution over 192 channels"),
        ("clean(ignore=['ARC101'])", "conv5x5: ARC201 large-kernel"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told(chain: str, told: str, project: Project) -> None:
    """As a log has it: the model, what is wrong, and how much of it there is."""
    lines = project.errors(f"archlint_model('flagged.onnx').{chain}")
    assert lines[0].startswith("AssertionError: flagged.onnx: ")
    assert told in lines[0]
    assert lines[-1] == "1 finding in 1 model."
    assert len(lines) == 2


def test_unknown_costs_are_not_within_anything(project: Project) -> None:
    """Until their dims are bound; 3 rows of 8 · 4 products then."""
    (line, _) = project.errors("archlint_model('rows.onnx').within(macs='1T')")
    assert "its budget of 1T MACs cannot be judged" in line
    (line, _) = project.errors("archlint_model('rows.onnx').within(peak_activation='1TB')")
    assert "cannot be judged" in line
    bound = "archlint_model('rows.onnx', dims={'n': 3})"
    assert project.says(f"{bound}.within(macs={3 * 8 * 4})") == ""
    assert "ARC905" in project.says(f"{bound}.within(macs={3 * 8 * 4 - 1})")


@pytest.mark.parametrize(
    ("chain", "told"),
    [
        ("no_worse_than('rows.onnx')", ["96 → 120 MACs", "32 → 40 parameters"]),
        ("no_worse_than('rows.onnx', macs='+24%')", ["+25.0 %, more than the +24%"]),
        ("no_worse_than('rows.onnx', macs='+25%')", []),
        ("no_worse_than('rows.onnx', params=7, macs='+1k')", ["more than the +7"]),
        ("no_worse_than('rows.onnx', params=8)", []),
        ("no_worse_than('wide.onnx', file_size=0)", []),
    ],
)
def test_beside_a_file(chain: str, told: list[str], project: Project) -> None:
    """8 · 4 weights become 10 · 4, for each of 3 rows; what is named may grow, else nothing may."""
    lines = project.errors(f"archlint_model('wide.onnx', dims={{'n': 3}}).{chain}")
    assert len(lines) == (len(told) + 1 if told else 0)
    for line, part in zip(lines, told, strict=False):
        assert part in line


def test_beside_a_revision(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new is told, of costs and of findings; a new model has nothing to be worse
    than."""
    isolate(monkeypatch)
    repo = Repo(project.root)
    clean = (project.root / "reduced.onnx").read_bytes()
    flagged = (project.root / "flagged.onnx").read_bytes()
    repo.commit(**{"old.onnx": flagged, "model.onnx": clean})
    repo.write("model.onnx", flagged)
    repo.write("new.onnx", (project.root / "wide.onnx").read_bytes())
    for name in ("old", "new"):
        assert project.says(f"archlint_model('{name}.onnx').no_worse_than('main')") == ""
    lines = project.errors("archlint_model('model.onnx').no_worse_than('main', macs='+900%')")
    assert "conv5x5: ARC101" in lines[0]
    assert lines[1:] == ["1 finding in 1 model."]


def test_a_base_that_cannot_be_analysed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is none that anything is better than."""
    isolate(monkeypatch)
    repo = Repo(project.root)
    content = (project.root / "rows.onnx").read_bytes()
    repo.commit(**{"rows.onnx": pointer(content + b" ")})
    repo.write("rows.onnx", content)
    (line,) = project.errors("archlint_model('rows.onnx').no_worse_than('main')")
    assert line.startswith("AssertionError: rows.onnx: its base main (")


def test_settings_are_those_of_the_configuration(project: Project) -> None:
    """The nearest one, as for the command; another where one is named; accepted findings pass."""
    toml = project.root / "archlint.toml"
    body = "archlint_model('flagged.onnx').clean()"
    toml.write_text('fail-on = "error"\n')
    assert project.says(body) == ""
    toml.write_text(
        'ignore = ["ARC101", "ARC201"]\nexclude = ["flagged.onnx"]\nforce-exclude = true\n'
    )
    assert project.says(body) == ""
    toml.write_text('[[budget]]\nmacs = "1k"\n[[ignore]]\nrule = "ARC101"\npath = "*.onnx"\n')
    (line, _) = project.errors(body)
    assert "over its budget of 1k (archlint.toml: budget[0].macs)" in line
    toml.rename(project.root / "other.toml")
    assert "ARC101" in project.errors(body)[0]
    body = "archlint_model(tmp_path / 'm.onnx', config='other.toml').clean()"
    copied = f"__import__('shutil').copy('flagged.onnx', tmp_path / 'm.onnx'); {body}"
    (line, _) = project.errors(copied)
    assert "over its budget of 1k" in line


def test_a_baseline_is_heeded(project: Project) -> None:
    """What is in it is accepted."""
    command = [sys.executable, "-m", "archlint", "check", "flagged.onnx", "--write-baseline"]
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)
    assert project.says("archlint_model('flagged.onnx').clean()") == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing.onnx", "no such file or folder"),
        ("text.onnx", "is a text file"),
        ("pointer.onnx", "is a Git LFS pointer"),
    ],
)
def test_what_is_no_model(name: str, told: str, project: Project) -> None:
    """Holds no assertion."""
    (project.root / "text.onnx").write_text("hello\n")
    (project.root / "pointer.onnx").write_bytes(pointer(b"content"))
    for link in ("within(macs='1T')", "clean(fail_on='never')", "no_worse_than('rows.onnx')"):
        (line, *_) = project.errors(f"archlint_model('{name}').{link}")
        assert line.startswith(f"AssertionError: {name}: ")
        assert told in line


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ("within()", "within: limits nothing"),
        ("within(macs='1X')", "within: macs: there is no unit 'X'"),
        ("within(macs=-1)", "within: macs: must be between 0 and"),
        ("clean(fail_on='fatal')", "archlint_model: fail_on: "),
        ("clean(select=['ARC999'])", "--select"),
        ("no_worse_than('no-such-revision')", "no-such-revision"),
        ("no_worse_than('rows.onnx', macs='2X')", "no_worse_than: regression.macs: "),
    ],
)
def test_wrong_arguments(chain: str, why: str, project: Project) -> None:
    """Are errors of the test, of a kind that is a ValueError."""
    (line, *_) = project.errors(f"archlint_model('rows.onnx').{chain}")
    assert line.startswith("archlint.analyzer.errors.ConfigError: ")
    assert why in line


def test_paths_are_those_of_the_root_folder(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever pytest was started, and whatever the working directory of a test is; it stays."""
    monkeypatch.chdir(pytester.mkdir("inner"))
    body = "import os; os.chdir(tmp_path); archlint_model('flagged.onnx').within(macs='1M')"
    (line, _) = project.errors(body, f"--rootdir={project.root}", f"{project.root}")
    assert line.startswith("AssertionError: flagged.onnx: ARC905 over-budget: model costs")
    whole = project.root / "flagged.onnx"
    (line, _) = project.errors(
        f"archlint_model({str(whole)!r}).within(macs='1M')", f"--rootdir={project.root}",
        f"{project.root}",
    )  # fmt: skip
    assert line.startswith("AssertionError: flagged.onnx: ARC905 over-budget: model costs")
    stays = "import os; os.chdir(tmp_path); archlint_model('rows.onnx').clean(); "
    stays += "assert os.getcwd() == os.path.realpath(tmp_path)"
    assert project.says(stays, f"--rootdir={project.root}", f"{project.root}") == ""


def test_it_costs_nothing_to_those_who_do_not_ask(tmp_path: Path) -> None:
    """pytest loads the plugin, and with it no other module of archlint nor what they need."""
    code = (
        "import sys, pytest; before = set(sys.modules); import archlint.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True,
        encoding="utf-8", env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert ran.stdout.strip() == "['archlint', 'archlint.pytest_plugin']"
