"""Where a model may be written, and what the file is like then."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from archlint.analyzer.errors import ModelWriteError
from archlint.analyzer.reader import read
from archlint.analyzer.writer import write
from rewriting import external_model, model_of, numbers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a model, an earlier one, and one that has external data."""
    external_model(tmp_path, {"w": np.arange(3000, dtype=np.float32)}, "external.onnx")
    for name, count in (("source.onnx", 2000), ("earlier.onnx", 1000)):
        (tmp_path / name).write_bytes(model_of(numbers("w", count)).SerializeToString())
    return tmp_path


TARGETS = {
    "no-folder": ("absent/m.onnx", "its folder is missing; make it first"),
    "folder": ("sub", "it is no regular file; write to another path"),
    "pipe": ("pipe", "it is no regular file; write to another path"),
    "file-as-folder": ("source.onnx/m.onnx", "its folder is missing; make it first"),
    "read-only": ("read-only.onnx", "it is read-only; change its permissions, or write elsewhere"),
    "long-name": ("m" * 300, "File name too long; give it a shorter name"),
    "no-path": ("a\0b", "embedded null byte; give another path"),
    "loop": ("loop", "Too many levels of symbolic links; write to another path"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TARGETS)
def test_no_model_can_be_written_there(kind: str, folder: Path) -> None:
    """Known before anything is written."""
    name, why = TARGETS[kind]
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "read-only.onnx").touch(mode=0o444)
    listed = sorted(os.listdir(folder))
    path = os.path.join(folder, name)
    with pytest.raises(ModelWriteError) as raised:
        write(read(str(folder / "source.onnx")), path)
    assert str(raised.value) == f"{path}: cannot be written: {why}"
    assert sorted(os.listdir(folder)) == listed


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_permissions_stay(mode: int, folder: Path) -> None:
    """Those of what is written over; external data beside it have the same."""
    for source, target in (("source.onnx", "earlier.onnx"), ("external.onnx", "private.onnx")):
        (folder / target).touch()
        (folder / target).chmod(mode)
        write(read(str(folder / source)), str(folder / target))
        assert (folder / target).stat().st_mode & 0o7777 == mode
    assert (folder / "private.onnx.data").stat().st_mode & 0o7777 == mode


def test_new_files_obey_the_umask(folder: Path) -> None:
    """As all new files do."""
    umask = os.umask(0o027)
    try:
        write(read(str(folder / "external.onnx")), str(folder / "target.onnx"))
    finally:
        os.umask(umask)
    for name in ("target.onnx", "target.onnx.data"):
        assert (folder / name).stat().st_mode & 0o7777 == 0o640


@pytest.mark.parametrize("target", ["earlier.onnx", "source.onnx", "new.onnx"])
def test_a_link_stays_a_link(target: str, folder: Path) -> None:
    """The file that it leads to is written, there or not yet."""
    (folder / "sub").mkdir()
    link = folder / "sub" / "link.onnx"
    link.symlink_to(f"../{target}")
    write(read(str(folder / "source.onnx")), str(link))
    assert os.readlink(link) == f"../{target}"
    assert (folder / target).read_bytes() == (folder / "source.onnx").read_bytes()
    assert os.listdir(link.parent) == ["link.onnx"]
