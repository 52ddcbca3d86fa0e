"""External data that are not read, and files that are not written over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from archlint.analyzer.errors import ModelError, ModelWriteError
from archlint.analyzer.reader import read
from archlint.analyzer.writer import write
from rewriting import edited, external_model, files_of, model_of

WEIGHTS = {f"w{size}": np.arange(size, dtype=np.float32) for size in (3000, 1)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A model with external data, in a folder of its own; another one is empty."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    return external_model(tmp_path / "in", WEIGHTS)


def _unrelated(source: Path, target: Path) -> None:
    shutil.copy(source.parent / "m.onnx.bin", f"{target}.data")
    target.write_bytes(model_of().SerializeToString())


def _linked(source: Path, target: Path) -> None:
    write(read(str(source)), str(target))
    os.rename(f"{target}.data", f"{target}.elsewhere")
    os.symlink(f"{target}.elsewhere", f"{target}.data")


def _alone(source: Path, target: Path) -> None:
    target.with_name("m.onnx.data").write_bytes(b"precious")


def _no_model(source: Path, target: Path) -> None:
    _alone(source, target)
    target.write_bytes(b"no model")


@pytest.mark.parametrize("prepare", [_unrelated, _linked, _alone, _no_model])
def test_other_files_are_not_written_over(
    prepare: Callable[[Path, Path], None], source: Path, tmp_path: Path
) -> None:
    """A file of that name that the model written over does not read."""
    target = tmp_path / "out" / "m.onnx"
    prepare(source, target)
    before = files_of(target.parent)
    with pytest.raises(ModelWriteError, match=r"m\.onnx\.data: is there already and holds no .*;"):
        write(read(str(source)), str(target))
    assert files_of(target.parent) == before


def test_what_the_model_reads_is_not_written_over(tmp_path: Path) -> None:
    """Neither its data by the new model, nor its data or itself by the new data."""
    source = external_model(tmp_path, WEIGHTS, "m.onnx.data")
    renamed = external_model(tmp_path, WEIGHTS, "n.onnx", "new.onnx.data")
    before = files_of(tmp_path)
    for model, path, why in (
        (source, f"{source}.bin", "keeps weights in this file"),
        (source, f"{tmp_path}/m.onnx", "is read from this file"),
        (renamed, f"{tmp_path}/new.onnx", "is read from this file"),
    ):
        with pytest.raises(ModelWriteError, match=f"the model {why}; write to another path"):
            write(read(str(model)), path)
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("target", ["new.onnx", "m.onnx"])
@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("/etc/passwd", "is an absolute path"),
        ("../secret", "is outside the model's folder"),
        ("link.bin", "is a symbolic link"),
        ("absent.bin", "the file is missing"),
        ("short.bin", "it ends at byte"),
    ],
)
def test_unsafe_and_broken_data_are_not_followed(
    location: str, why: str, target: str, source: Path
) -> None:
    """One line says which tensor it is and what to do, and nothing is written; in place, where no
    data are read, what is broken stays so."""
    (source.parent / "link.bin").symlink_to("m.onnx.bin")
    (source.parent / "short.bin").write_bytes(bytes(9))
    (source.parent.parent / "secret").write_bytes(bytes(20_000))

    def refer(proto: ModelProto) -> None:
        proto.graph.initializer[0].external_data[0].value = location

    before = files_of(source.parent)
    model = edited(source, refer)
    if why.startswith("is ") or target != source.name:
        with pytest.raises(ModelError, match=rf"tensor 'w3000': its external data '.*'.*{why}.*; "):
            write(model, str(source.parent / target))
        assert files_of(source.parent) == before
    else:
        write(model, str(source))
        assert read(str(source)).proto == model.proto


def test_a_name_that_no_model_can_tell_is_refused(source: Path, tmp_path: Path) -> None:
    """A location has `/` between folders, no drive, and is text."""
    for name in ("c:m.onnx", os.fsdecode(b"\xff.onnx")):
        with pytest.raises(ModelWriteError, match=r"its name is .*; choose another"):
            write(read(str(source)), str(tmp_path / "out" / name))
    assert not files_of(tmp_path / "out")
