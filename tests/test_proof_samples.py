"""Samples of files: how arrays are taken apart, and one line for each that does not fit."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.proof import samples as subject
from archlint.analyzer.proof.samples import made_up_samples, read_samples
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime.inputs import ExecutionError

MAP = "float[batch,2,4] x"


def graph_of(inputs: str, bindings: Bindings | None = None) -> Graph:
    """A graph of these inputs."""
    return load(from_text(f"g ({inputs}) => (y) {{ y = Identity(x) }}"), bindings or Bindings())


def saved(folder: Path, **arrays: Any) -> str:
    """A file of these arrays."""
    path = folder / "s.npz"
    np.savez(path, **arrays)
    return str(path)


def ones(*shape: int, dtype: Any = np.float32) -> Any:
    return np.ones(shape, dtype)


@dataclass(frozen=True)
class Fits:
    """Inputs, arrays, and the samples with their shapes."""

    inputs: str
    arrays: dict[str, Any]
    count: int
    shapes: dict[str, tuple[int, ...]]
    bindings: Bindings = field(default_factory=Bindings)


FITS = {
    "one": Fits(MAP, {"x": ones(1, 2, 4)}, 1, {"x": (1, 2, 4)}),
    "along-the-batch": Fits(MAP, {"x": ones(5, 2, 4)}, 5, {"x": (1, 2, 4)}),
    "stack": Fits(MAP, {"x": ones(5, 1, 2, 4)}, 5, {"x": (1, 2, 4)}),
    "bound-batch": Fits(MAP, {"x": ones(3, 2, 4)}, 1, {"x": (3, 2, 4)}, Bindings({"batch": 3})),
    "batch-of-one-in-the-file": Fits("float[1,4] x", {"x": ones(3, 4)}, 3, {"x": (1, 4)}),
    "fixed-dim-before": Fits("float[2,4] x", {"x": ones(3, 2, 4)}, 3, {"x": (2, 4)}),
    "free-dim": Fits("float[1,seq] x", {"x": ones(3, 7)}, 3, {"x": (1, 7)}),
    "free-leading-dim": Fits("float[seq,4] x, float[1,seq] z", {"x": ones(7, 4), "z": ones(1, 7)},
                             1, {"x": (7, 4), "z": (1, 7)}),
    "scalars": Fits("float x", {"x": ones(6)}, 6, {"x": ()}),
    "one-for-all": Fits(f"{MAP}, float[3] z", {"x": ones(5, 2, 4), "z": ones(3)}, 5,
                        {"x": (1, 2, 4), "z": (3,)}),
    "text": Fits("string[2] x", {"x": np.array(["a", "long"])}, 1, {"x": (2,)}),
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_arrays_are_samples(name: str, tmp_path: Path) -> None:
    row = FITS[name]
    samples = read_samples(saved(tmp_path, **row.arrays), graph_of(row.inputs, row.bindings))
    assert samples.count == row.count
    assert {key: array.shape[1:] for key, array in samples.arrays.items()} == row.shapes
    assert {array.shape[0] for array in samples.arrays.values()} <= {1, row.count}


def test_samples_keep_their_order(tmp_path: Path) -> None:
    stack = np.arange(24, dtype=np.float32).reshape(3, 2, 4)
    (array,) = read_samples(saved(tmp_path, x=stack), graph_of(MAP)).arrays.values()
    assert (array[1] == stack[1:2]).all()


@pytest.mark.parametrize(
    ("declared", "given", "kept"),
    [("float", np.float64, np.float32), ("float16", np.float32, np.float16),
     ("double", np.float16, np.float64), ("int32", np.int64, np.int32),
     ("uint8", np.int64, np.uint8), ("bool", np.bool_, np.bool_)],
)  # fmt: skip
def test_numbers_of_another_width_are_cast(
    declared: str, given: Any, kept: Any, tmp_path: Path
) -> None:
    path = saved(tmp_path, x=ones(3, dtype=given))
    (array,) = read_samples(path, graph_of(f"{declared}[3] x")).arrays.values()
    assert array.dtype == kept
    assert array.all()


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "missing": (f"{MAP}, float[3] mask", {"x": ones(1, 2, 4)}, "no array for input 'mask'"),
    "misspelt": ("float[3] image", {"imagee": ones(3)},
                 "the model has no input 'imagee'; did you mean 'image'?"),
    "unknown": ("float[3] x", {"labels": ones(3)},
                "the model has no input 'labels'; its inputs are 'x'"),
    "dim": (MAP, {"x": ones(1, 3, 4)},
            "input 'x' takes [1, 2, 4], or a stack of them, not [1, 3, 4]"),
    "rank": (MAP, {"x": ones(4)}, "takes [1, 2, 4], or a stack of them, not [4]"),
    "deep": (MAP, {"x": ones(1, 1, 1, 2, 4)}, "not [1, 1, 1, 2, 4]"),
    "free-dims-differ": ("float[1,seq] x, float[1,seq] z", {"x": ones(1, 7), "z": ones(1, 6)},
                         "input 'z' takes [1, seq]"),
    "empty": ("float[3] x", {"x": ones(0, 3)}, "the array of input 'x' has no sample"),
    "counts": ("float[3] x, float[3] z", {"x": ones(4, 3), "z": ones(5, 3)},
               "holds 4 samples of input 'x' and 5 of 'z'; save as many of each"),
    "pixels": ("float[3] x", {"x": ones(3, dtype=np.uint8)},
               "input 'x' takes float32, not uint8; convert the array"),
    "fractions": ("int64[3] x", {"x": ones(3)}, "takes int64, not float32"),
    "negative": ("uint8[3] x", {"x": -ones(3, dtype=np.int64)}, "numbers that uint8 cannot"),
    "overflow": ("float16[3] x", {"x": 1e6 * ones(3)}, "numbers that float16 cannot"),
    "objects": ("string[2] x", {"x": np.array(["a", None], dtype=object)},
                "array 'x' cannot be read: it holds Python objects"),
    "bytes": ("string[2] x", {"x": np.array([b"a", b"b"])}, "takes strings, not |S1"),
    "bfloat16": ("bfloat16[3] x", {"x": ones(3)}, "is bfloat16, which no array of numpy"),
    "sequence": ("seq(float[3]) x", {"x": ones(3)}, "is no tensor"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_one_line(name: str, tmp_path: Path) -> None:
    inputs, arrays, why = WRONG[name]
    path = saved(tmp_path, **arrays)
    with pytest.raises(ConfigError) as caught:
        read_samples(path, graph_of(inputs))
    assert str(caught.value).startswith(f"{path}: ")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def no_zip(path: Path) -> None:
    path.write_text("text", encoding="utf-8")


def single(path: Path) -> None:
    with open(path, "wb") as stream:
        np.save(stream, ones(3))


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "text")


def cut(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00")


def boastful(path: Path) -> None:
    """A header that tells of far more than is there."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,)}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "x.npy", b"\x93NUMPY\x01\x00" + bytes([127, 0]) + header.ljust(126) + b"\n"
        )


def absent(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("write", "why"),
    [(no_zip, "is no .npz file; write it with numpy.savez"), (single, "is no .npz file"),
     (other_zip, "'x' is no array"), (cut, "array 'x' cannot be read"),
     (boastful, "array 'x' cannot be read"), (absent, "No such file")],
)  # fmt: skip
def test_other_files(write: Any, why: str, tmp_path: Path) -> None:
    write(tmp_path / "s.npz")
    with pytest.raises(ConfigError, match=why):
        read_samples(str(tmp_path / "s.npz"), graph_of("float[3] x"))


def test_large_files_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is what the arrays take in memory."""
    path = str(tmp_path / "s.npz")
    np.savez_compressed(path, x=np.zeros((1000, 3), np.float32))
    monkeypatch.setattr(subject, "_MOST_BYTES", 12_000)
    with pytest.raises(ConfigError, match=r"holds 12,\d+ bytes, more than the 12,000"):
        read_samples(path, graph_of("float[3] x"))


def test_made_up_samples_need_all_dims() -> None:
    assert made_up_samples("m.onnx", graph_of(MAP), count=3).count == 3
    with pytest.raises(ExecutionError, match="dim 'seq' is unbound; bind it with --dim seq=128"):
        made_up_samples("m.onnx", graph_of("float[1,seq] x"))
