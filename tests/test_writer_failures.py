"""A file is written whole or not at all, whatever happens, and nothing is left behind."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from archlint.analyzer.errors import ModelError, ModelWriteError
from archlint.analyzer.reader import read
from archlint.analyzer.writer import message, write
from rewriting import add, edited, external_model, files_of, model_of, numbers

WEIGHTS = {"w": np.arange(3000, dtype=np.float32)}
Call = Callable[..., Any]


def failing(call: Call, number: int, error: BaseException) -> Call:
    """A function that fails when it is called for the ``number``-th time, and only then."""
    calls = iter(range(1, 1 << 30))

    def stand_in(*args: Any, **named: Any) -> Any:
        if next(calls) == number:
            raise error
        return call(*args, **named)

    return stand_in


@pytest.fixture(autouse=True, scope="module")
def _in_haste() -> Iterator[None]:
    """The files of these tests need not be there after a power cut."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a model, an earlier one, and the two with their data."""
    external_model(tmp_path, WEIGHTS, "external.onnx")
    write(read(str(tmp_path / "external.onnx")), str(tmp_path / "earlier-external.onnx"))
    for name, count in (("source.onnx", 2000), ("earlier.onnx", 1000)):
        (tmp_path / name).write_bytes(model_of(numbers("w", count)).SerializeToString())
    return tmp_path


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
DENIED = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
WAYS = {
    "new": ("source.onnx", "target.onnx"),
    "over": ("source.onnx", "earlier.onnx"),
    "in-place": ("source.onnx", "source.onnx"),
    "external": ("external.onnx", "target.onnx"),
    "external-over": ("external.onnx", "earlier-external.onnx"),
    "external-in-place": ("external.onnx", "external.onnx"),
}


# What a way does not call at all.
UNCALLED = {
    "fchmod": {"new", "external"},  # there are no permissions to keep
    "pread": {"external-in-place"},  # there is nothing to copy
}


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["full", "interrupt"])
@pytest.mark.parametrize("name", ["open", "write", "fsync", "replace", "pread", "fchmod"])
@pytest.mark.parametrize("way", WAYS)
def test_a_failure_changes_nothing(
    way: str, name: str, error: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever call it is that fails: once every one has had its turn, the model is written."""
    source, target = (str(folder / part) for part in WAYS[way])
    model = edited(Path(source), add(numbers("new", (1 << 18) + 1)))
    before, failures = files_of(folder), 0
    expected = ModelError if isinstance(error, OSError) else KeyboardInterrupt
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(os, name, failing(getattr(os, name), failures + 1, error))
            try:
                write(model, target)
                break
            except expected:
                failures += 1
        assert files_of(folder) == before
    assert failures or way in UNCALLED[name]
    assert files_of(folder) != before


@pytest.mark.parametrize("way", WAYS)
def test_a_check_sees_the_whole_file_and_may_refuse_it(way: str, folder: Path) -> None:
    """With its external data, before it takes its place."""
    source, target = (str(folder / part) for part in WAYS[way])
    before, seen = files_of(folder), []

    def check(draft: str) -> None:
        seen.append(onnx.load(draft))
        raise ModelWriteError(target, "refused")

    with pytest.raises(ModelWriteError, match="refused"):
        write(read(source), target, check)
    assert files_of(folder) == before
    whole = [numpy_helper.to_array(m.graph.initializer[0]) for m in (onnx.load(source), *seen)]
    np.testing.assert_array_equal(whole[0], whole[1])


def test_a_file_that_cannot_be_closed_is_not_put(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems tell only then that a disk is full."""
    original, before = os.close, files_of(folder)

    def close(file: int) -> None:
        is_written = fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
        original(file)
        if is_written:
            raise FULL

    monkeypatch.setattr(os, "close", close)
    with pytest.raises(ModelWriteError, match="No space left on device"):
        write(read(str(folder / "source.onnx")), str(folder / "target.onnx"))
    monkeypatch.undo()
    assert files_of(folder) == before


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (FULL, "No space left on device; make room there, or write to another disk"),
        (DENIED, "Permission denied; look at its permissions, or write to another path"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system; write to another"),
    ],
)
def test_one_line_says_why(
    error: OSError, why: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which file it is, the reason, and what to do."""
    path = str(folder / "target.onnx")
    monkeypatch.setattr(os, "write", failing(os.write, 1, error))
    with pytest.raises(ModelWriteError) as raised:
        write(read(str(folder / "source.onnx")), path)
    assert str(raised.value).startswith(f"{path}: cannot be written: {why}")


def test_what_is_written_in_part_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may write less than it was given."""
    original = os.write
    monkeypatch.setattr(os, "write", lambda file, content: original(file, content[:999]))
    write(read(str(folder / "source.onnx")), str(folder / "target.onnx"))
    files = files_of(folder)
    assert files["target.onnx"] == files["source.onnx"]


def test_more_than_protobuf_holds_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written, external data too."""
    monkeypatch.setattr(message, "MOST_BYTES", 100)
    before = files_of(folder)
    for name in ("source.onnx", "external.onnx"):
        with pytest.raises(ModelWriteError, match=r"bytes without external data .*; export it"):
            write(read(str(folder / name)), str(folder / "target.onnx"))
    assert files_of(folder) == before


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [_grow, _remove])
def test_a_source_that_has_changed_is_refused(change: Callable[[Path], None], folder: Path) -> None:
    """Its payloads may be elsewhere by now."""
    source = folder / "source.onnx"
    model = read(str(source))
    change(source)
    before = files_of(folder)
    with pytest.raises(ModelWriteError, match=r"source\.onnx: (has changed|cannot be read again)"):
        write(model, str(folder / "target.onnx"))
    assert files_of(folder) == before


@pytest.mark.parametrize(
    ("name", "changed"),
    [("source.onnx", "source.onnx"), ("external.onnx", "external.onnx.bin")],
)
@pytest.mark.parametrize("cut", [False, True])
def test_a_source_that_changes_meanwhile_is_refused(
    name: str, changed: str, cut: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its halves would not belong together."""
    model, original = read(str(folder / name)), os.pread

    def pread(file: int, length: int, offset: int) -> bytes:
        if cut:
            os.truncate(folder / changed, offset)
        else:
            os.utime(folder / changed, ns=(0, 0))
        return original(file, length, offset)

    monkeypatch.setattr(os, "pread", pread)
    listed = sorted(os.listdir(folder))
    with pytest.raises(ModelWriteError, match="changed while it was copied; start again"):
        write(model, str(folder / "target.onnx"))
    assert sorted(os.listdir(folder)) == listed


def test_standard_input_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was left in it is gone; a model of which nothing was left is there."""
    for name, is_small in (("source.onnx", False), ("small.onnx", True)):
        (folder / "small.onnx").write_bytes(model_of(numbers("w", 9)).SerializeToString())
        with (folder / name).open() as stream:
            monkeypatch.setattr("sys.stdin", stream)
            model = read("-")
        if is_small:
            write(model, str(folder / "target.onnx"))
            assert files_of(folder)["target.onnx"] == files_of(folder)["small.onnx"]
        else:
            with pytest.raises(ModelWriteError, match="cannot be read again; give a path"):
                write(model, str(folder / "target.onnx"))
