"""What onnx's checker says of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import ModelProto

from archlint.analyzer.proof import checked, checker
from archlint.analyzer.proof.checked import check_file
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime.limits import Limits
from external_data import save_external
from same_process import run_here


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child process."""
    monkeypatch.setattr(checked, "run_job", run_here)


def saved(folder: Path, text: str) -> str:
    """A file of a model."""
    proto: ModelProto = from_text(text).proto
    (folder / "m.onnx").write_bytes(proto.SerializeToString())
    return str(folder / "m.onnx")


CUSTOM = '<ir_version: 8, opset_import: ["": 17, "my": 1]> '
FILES: dict[str, tuple[str, str]] = {
    "valid": ("g (float[2] x) => (float[2] y) { y = Neg(x) }", ""),
    "custom": (CUSTOM + "g (float[2] x) => (float[2] y) { y = my.Own(x) }", ""),
    "unknown": ("g (float[2] x) => (float[2] y) { y = Nonsense(x) }",
                "No Op registered for Nonsense"),
    "unordered": ("g (float[2] x) => (float[2] y) { y = Neg(h) h = Neg(x) }",
                  "must be topologically sorted"),
    "shape": ("g (float[2] x) => (float[3] y) { y = Neg(x) }", "(2) vs (3)"),
    "type": ("g (float[2] x) => (int64[2] y) { y = Neg(x) }", "type"),
}  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", FILES)
def test_verdicts(name: str, tmp_path: Path) -> None:
    """Empty for what is valid; else the first line of what is wrong, which names no folder."""
    text, why = FILES[name]
    found = check_file(saved(tmp_path, text))
    assert why in found
    assert bool(found) == bool(why)
    assert "\n" not in found
    assert str(tmp_path) not in found


@pytest.mark.usefixtures("here")
def test_shapes_of_large_files_are_not_inferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, FILES["shape"][0])
    assert check_file(path)
    monkeypatch.setattr(checker, "MOST_INFERRED", 10)
    assert check_file(path, Limits()) == ""


def test_external_data_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_external("m.onnx", "w.bin")
    assert check_file("m.onnx") == ""
    Path("w.bin").unlink()
    found = check_file("m.onnx")
    assert "w.bin" in found
    assert str(tmp_path) not in found


@pytest.mark.usefixtures("here")
def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"no model")
    assert check_file(str(tmp_path / "m.onnx"))
    assert check_file(str(tmp_path / "nowhere.onnx")) == "No such file or directory"


def test_limits_are_kept(tmp_path: Path) -> None:
    path = saved(tmp_path, FILES["valid"][0])
    assert check_file(path, Limits(wall_seconds=0.01)) == "its check took longer than 0.01 s"
