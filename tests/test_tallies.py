"""Weights are read once, in little memory, and those that cannot be read are told of."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import TensorProto

from archlint.analyzer.reader.tallies import Tallies
from archlint.analyzer.reader.tally import Tally
from bit_patterns import counted, external, model_of, raw, typed


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", [raw, typed, external])
def test_memory_stays_small(make: Callable[[int, int], TensorProto]) -> None:
    """16 MB of raw bytes, or as many numbers of an integer field, in the memory of some blocks."""
    dtype = TensorProto.FLOAT16 if make is typed else TensorProto.FLOAT
    model = model_of(make(dtype, 4_000_000))
    tracemalloc.start()
    counted(model)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_each_tensor_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks again gets what was counted."""
    model = model_of(raw(TensorProto.FLOAT, 500_000))
    read_bytes = []

    def counting(descriptor: int, length: int, offset: int) -> bytes:
        read_bytes.append(length)
        return pread(descriptor, length, offset)

    pread = os.pread
    monkeypatch.setattr(os, "pread", counting)
    tallies = Tallies(model)
    first, second = (tallies.of(model.proto.graph.initializer[0], "w") for _ in range(2))
    assert first is second
    assert sum(read_bytes) == 4 * 500_000
    assert max(read_bytes) <= 1 << 20


def test_the_budget_is_told() -> None:
    """What is beyond it is not read, and the reason says so."""
    model = model_of(raw(TensorProto.FLOAT, 1000))
    assert counted(model, 4000)[1] == ""
    found, unread = counted(model, 3999)
    assert found is None
    why = "tensor 'w': archlint reads 3.999 kB of weights, and no more"
    assert unread == f"1 weight (4.000 kB) was not read and may hold anything: {why}"


def cut(path: Path) -> None:
    """The file loses its end."""
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(cut, "the file has changed since it was read", id="cut"),
        pytest.param(Path.unlink, "its file cannot be opened: No such file", id="gone"),
    ],
)
def test_a_file_that_changed_is_told(change: Callable[[Path], None], why: str) -> None:
    """In one line that names the first weight."""
    model = model_of(raw(TensorProto.FLOAT, 1000))
    change(Path(model.path))
    found, unread = counted(model)
    assert found is None
    assert f"tensor 'w': {why}" in unread
    assert "\n" not in unread


def test_a_file_that_ends_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there is not taken for the whole."""
    model = model_of(raw(TensorProto.FLOAT, 1_000_000))
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, at: pread(fd, length, at)[: 1 << 19])
    found, unread = counted(model)
    assert found is None
    assert "the file has become shorter while it was read" in unread


def test_links_are_not_followed() -> None:
    """Another file under the name of external data is not opened."""
    model = model_of(external(TensorProto.FLOAT, 1000))
    Path("w.bin").rename("other")
    Path("w.bin").symlink_to("other")
    found, unread = counted(model)
    assert found is None
    assert "is a symbolic link" in unread


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff" * 4096, id="no number ends"),
        pytest.param(b"\x01" * 1999 + b"\x81", id="the last number does not end"),
        pytest.param(b"\x81" * 11 + b"\x01" * 1989, id="a number of 12 bytes"),
        pytest.param(b"\x81\x01" * 1000, id="1000 numbers of 2000"),
    ],
)
def test_damaged_numbers_are_told(content: bytes) -> None:
    """Of an integer field whose length could be right."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT16, dims=[2000])
    tensor.int32_data.extend([1] * 2000)
    model = model_of(tensor)
    (payload,) = model.payloads
    whole = bytearray(Path("m.onnx").read_bytes())
    whole[payload.offset : payload.offset + payload.length] = content[: payload.length]
    Path("m.onnx").write_bytes(bytes(whole))
    found, unread = counted(model)
    assert found is None
    assert "its data is damaged" in unread or "no data of its dims" in unread


def test_no_elements() -> None:
    """Nothing is counted, and nothing missed."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[0, 4])
    found, unread = counted(model_of(tensor))
    assert found == Tally(0, 0, 0, 0, 0, None, only_zeros=True, repeated=False)
    assert unread == ""
