"""The hooks, run by pre-commit and by prek from this repository as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from external_data import save_external
from repositories import Repo, isolate, pointer
from this_repository import ROOT, copy_of_this_one

SAMPLES = ROOT / "samples"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
POINTER = pointer(bytes(12_345_678))
CONFIGURATION = """\
repos:
  - repo: {this}
    rev: {commit}
    hooks:
      - id: archlint
        args: [--output-format=concise]
      - id: archlint-external-data
        args: [--output-format=concise]
      - id: archlint-snapshot
"""
Hook = Callable[..., tuple[int, str]]

PLAIN, EXTERNAL, SNAPSHOT = "archlint", "archlint-external-data", "archlint-snapshot"


def program(name: str) -> list[str]:
    """The command of an installed program of Python."""
    if find_spec(name.replace("-", "_")) is None:
        pytest.skip(f"{name} is not installed")
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    assert found is not None
    return [found]


def test_the_manifest_is_valid() -> None:
    """By the program that reads it."""
    command = [*program("pre-commit"), "validate-manifest", str(HOOKS)]
    ran = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.fixture(scope="module", autouse=True)
def _isolated() -> Iterator[None]:
    """git and the programs that start it see nothing of whoever runs this."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        yield


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository of models that has this one as the source of its hooks."""
    this = tmp_path_factory.mktemp("source") / "archlint"
    revision = copy_of_this_one(this)
    repo = Repo(tmp_path_factory.mktemp("models"))
    save_external(str(repo.root / "split.onnx"), "split.onnx.data")
    flagged = (SAMPLES / "inception_5x5.onnx").read_bytes()
    files = {
        ".pre-commit-config.yaml": CONFIGURATION.format(this=this, commit=revision).encode(),
        "archlint.toml": b'exclude = ["vendored"]\n',
        "flagged.onnx": flagged,
        "clean.onnx": (SAMPLES / "lenet5.onnx").read_bytes(),
        "pointer.onnx": POINTER,
        "vendored/old.onnx": flagged,
        "notes.txt": b"",
    }
    repo.commit(**files)
    return repo


@pytest.fixture(scope="module", params=["pre-commit", "prek"])
def hook(
    request: pytest.FixtureRequest, models: Repo, tmp_path_factory: pytest.TempPathFactory
) -> Hook:
    """Runs a hook over files, or over what is staged; its environments are made once."""
    command = program(request.param)
    home = str(tmp_path_factory.mktemp("home"))
    own = {**os.environ, "PRE_COMMIT_HOME": home, "PREK_HOME": home, "PRE_COMMIT_COLOR": "never"}

    def run(name: str, files: Sequence[str] = ()) -> tuple[int, str]:
        which = ["--files", *files] if files else []
        ran = subprocess.run(
            [*command, "run", name, "--verbose", *which], cwd=models.root, env=own, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=600,
        )  # fmt: skip
        return ran.returncode, ran.stdout

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "files", "code", "said"),
    [
        (PLAIN, ["clean.onnx"], 0, "No findings in 1 model."),
        (PLAIN, ["flagged.onnx", "clean.onnx"], 1, "flagged.onnx: conv5x5: ARC101"),
        (PLAIN, ["pointer.onnx"], 1, "is a Git LFS pointer to 12.35 MB"),
        (PLAIN, ["vendored/old.onnx", "clean.onnx"], 0, "No findings in 1 model."),
        (PLAIN, ["notes.txt", "split.onnx.data"], 0, "Skipped"),
        (EXTERNAL, ["split.onnx.data"], 0, "No findings in 1 model."),
        (EXTERNAL, ["split.onnx.data", "flagged.onnx"], 1, "1 finding in 2 models."),
    ],
)
def test_hooks(name: str, files: list[str], code: int, said: str, hook: Hook) -> None:
    """What they say of a clean model, a flagged one, a pointer, an excluded one, one by its
    weights."""
    ran, printed = hook(name, files)
    assert (ran, said in printed) == (code, True), printed


@pytest.mark.slow
def test_only_what_is_staged_is_checked(models: Repo, hook: Hook) -> None:
    """Weights that change alone are for the hook that looks at them, and what is gone for none."""
    before = models.git("rev-parse", "HEAD")
    weights = models.root / "split.onnx.data"
    weights.write_bytes(weights.read_bytes()[::-1])
    models.git("add", "--all")
    for name, said in ((PLAIN, "Skipped"), (EXTERNAL, "No findings in 1 model.")):
        code, printed = hook(name)
        assert (code, said in printed) == (0, True), printed
    models.commit()
    (models.root / "flagged.onnx").unlink()
    models.git("add", "--all")
    assert hook(PLAIN)[0] == 0
    models.git("reset", "--quiet", "--hard", before)


@pytest.mark.slow
def test_snapshots_follow_their_models(models: Repo, hook: Hook) -> None:
    """One that changes fails the commit; once it is added the hook is content."""
    before = models.git("rev-parse", "HEAD")
    assert hook(SNAPSHOT, ["clean.onnx"])[0] == 0
    models.commit()
    models.write("clean.onnx", (SAMPLES / "mlpconv.onnx").read_bytes())
    models.git("add", "--all")
    code, printed = hook(SNAPSHOT)
    assert (code, "clean.onnx.arch: updated" in printed) == (1, True), printed
    models.git("add", "--all")
    assert hook(SNAPSHOT)[0] == 0
    models.git("reset", "--quiet", "--hard", before)
