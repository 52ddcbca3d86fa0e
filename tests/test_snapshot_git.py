"""Git shows snapshots in place of models: ``git diff`` and ``git log -p``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from repositories import Repo, isolate, model_bytes, pointer

SAMPLES = Path(__file__).parent.parent / "samples"
DRIVER = f"{shlex.quote(sys.executable)} -m archlint snapshot show --textconv"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository that shows models as docs/snapshots.md says."""
    isolate(monkeypatch)
    monkeypatch.setenv("PYTHONPATH", str(SAMPLES.parent))
    made = Repo(tmp_path / "repository")
    made.git("config", "diff.onnx.textconv", DRIVER)
    made.write(".gitattributes", b"*.onnx diff=onnx\n")
    return made


def test_a_diff_shows_operations(repo: Repo) -> None:
    """Of the working tree against the commit, with blanks in the name and in a subfolder: the two
    reductions are gone."""
    name = "models/a b.onnx"
    repo.write(name, (SAMPLES / "inception_module.onnx").read_bytes())
    repo.commit()
    repo.write(name, (SAMPLES / "inception_module_naive.onnx").read_bytes())
    shown = repo.git("diff").splitlines()
    assert "Binary" not in "".join(shown)
    gone = [line for line in shown if line.startswith("-") and ".reduce" in line]
    assert len(gone) == 4
    assert "-# operations: 14" in shown
    assert "+# operations: 10" in shown


def test_a_log_goes_on_behind_what_is_no_model(repo: Repo) -> None:
    """A pointer is shown as one, a broken file as a line, weights that are missing as nothing."""
    repo.write("m.onnx", model_bytes(8, "w.data"))
    repo.commit()
    repo.write("m.onnx", pointer(b"object"))
    repo.commit()
    repo.write("m.onnx", b"broken")
    repo.commit()
    (repo.root / "m.onnx").unlink()
    repo.commit()
    shown = repo.git("log", "-p", "--reverse", "--format=", "--", "m.onnx").splitlines()
    assert "+-  MatMul  $0  weights 8x4  -> 1x4  32 parameters  32 MACs" in shown
    assert "+# Git LFS pointer" in shown
    broken = (
        "# no model that can be analysed: is a text file, not ONNX; give the path of a .onnx file"
    )
    assert [line[0] for line in shown if line[1:] == broken] == ["+", "-"]


def test_weights_beside_the_model_make_no_difference(repo: Repo) -> None:
    """Git shows the commit from a file of its own, and the working tree from where it is."""
    repo.write("m.onnx", model_bytes(8, "w.data"))
    repo.write("w.data", bytes(8 * 4 * 4))
    repo.commit()
    repo.write("m.onnx", model_bytes(8, "w.data", doc="made again"))
    changed = [line for line in repo.git("diff").splitlines() if line[:1] in "+-"]
    kinds = {line[1:].partition(":")[0] for line in changed[2:]}
    assert kinds == {"# digest", "# file bytes"}
