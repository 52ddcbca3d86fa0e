"""From a file of weights to the models that keep them there, and from a snapshot to its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from archlint.analyzer.reader import read
from archlint.configuration import configure
from archlint.data_owners import Known, owners
from archlint.paths import find_models
from command_line import Run
from external_data import save_external

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{:064}\nsize 64\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models with external data, as the working directory."""
    monkeypatch.chdir(tmp_path)
    for sub in ("m", "m/weights"):
        Path(sub).mkdir()
    save_external("m/a.onnx", "a.onnx.data")
    save_external("m/b.onnx", "b.onnx_data")
    save_external("m/encoder.onnx", "shared.bin")
    save_external("m/decoder.onnx", "./shared.bin")
    Path("m/broken.onnx").write_bytes(b"\x08")
    Path("m/pointer.onnx").write_text(LFS.format(1))
    Path("m/pointer.onnx.data").write_text(LFS.format(2))
    Path("m/a.onnx_data_1").touch()
    Path("m/gone.onnx.data").touch()
    Path("m/other.bin").touch()
    Path("m/model.pb").write_bytes(Path("m/a.onnx").read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("data", "models"),
    [
        pytest.param("m/a.onnx.data", ["m/a.onnx"], id="torch"),
        pytest.param("m/b.onnx_data", ["m/b.onnx"], id="optimum"),
        pytest.param("m/a.onnx_data_1", ["m/a.onnx"], id="one-of-several-files"),
        pytest.param("m/a.onnx.arch", ["m/a.onnx"], id="a-snapshot"),
        pytest.param("m/shared.bin", ["m/decoder.onnx", "m/encoder.onnx"], id="of-any-name"),
        pytest.param("m/pointer.onnx.data", ["m/pointer.onnx"], id="of-a-pointer"),
        pytest.param("m/gone.onnx.data", [], id="whose-model-is-gone"),
        pytest.param("m/other.bin", [], id="that-no-model-names"),
        pytest.param("shared.bin", [], id="of-another-folder"),
    ],
)
def test_owners(data: str, models: list[str]) -> None:
    """By the name of the file, else by what the models of its folder say."""
    assert owners(data, {}) == models


def test_a_folder_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files of it are asked for."""
    count = 0

    def counted(path: str) -> object:
        nonlocal count
        count += 1
        return read(path)

    monkeypatch.setattr("archlint.analyzer.reader.read", counted)
    known: Known = {}
    for name in ("m/shared.bin", "m/other.bin", "m/gone.onnx.data"):
        owners(name, known)
    assert count == len(list(Path("m").glob("*.onnx")))


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(["m/a.onnx.data"], ["m/a.onnx"], id="weights"),
        pytest.param(["m/a.onnx", "m/a.onnx.data"], ["m/a.onnx"], id="both"),
        pytest.param(["m/shared.bin"], ["m/decoder.onnx", "m/encoder.onnx"], id="of-two"),
        pytest.param(["m/model.pb"], ["m/model.pb"], id="a-model-of-another-name"),
        pytest.param(["m/other.bin"], ["m/other.bin"], id="of-nobody"),
    ],
)
def test_a_file_of_weights_stands_for_its_models(paths: list[str], expected: list[str]) -> None:
    """What else is named stands for itself."""
    assert find_models(paths, configure()) == (expected, [])


@pytest.mark.parametrize("pattern", ["a.onnx", "*.data", "m"])
def test_what_is_excluded_by_force_is_not_reached_by_its_weights(pattern: str) -> None:
    """Neither where the model is excluded nor where its weights are."""
    configuration = configure(exclude=[pattern], force_exclude=True)
    assert find_models(["m/a.onnx.data"], configuration) == ([], [])


def test_a_named_file_of_weights_is_checked(run: Run) -> None:
    """As its model, once."""
    ran = run("m/a.onnx.data", "m/a.onnx")
    assert ran.out.count("m/a.onnx:") == 1
    assert "16 MACs" in ran.out  # 4 · 4
    assert ran.code == 0
