"""Tensors that lie about their data, and data outside the file that must not be opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from onnx import TensorProto

from hostile_build import (
    LEAST,
    MOST,
    Make,
    Place,
    attribute,
    chain,
    graph,
    info,
    model,
    node,
    tensor,
    untold,
)  # fmt: skip

_DTYPES: Final = (*range(27), 999)


def _weight(weight: TensorProto) -> Make:
    """A MatMul by the weight, and a Reshape to it."""
    weight.name = "w"
    nodes = [node("MatMul", ["x", "w"], ["y"]), node("Reshape", ["x", "w"], ["z"])]
    return lambda: model(graph(nodes, [info("x", [4, 8])], ["y", "z"], [weight]))


def _raw(dims: list[int], length: int, dtype: int = TensorProto.FLOAT) -> Make:
    return _weight(TensorProto(dims=dims, data_type=dtype, raw_data=bytes(length)))


def _every_dtype() -> bytes:
    """A weight of every data type, known and unknown, with data of a wrong kind."""
    weights = [untold(f"w{i}", [2, 2], dtype) for i, dtype in enumerate(_DTYPES)]
    for weight in weights:
        weight.int32_data.extend([1, 2, 3])
        weight.string_data.append(b"\xff")
    nodes = [
        one
        for i in range(len(_DTYPES))
        for one in (
            node("MatMul", ["x", f"w{i}"], [f"y{i}"]),
            node("Expand", ["x", f"w{i}"], [f"e{i}"]),
            node("Cast", [f"w{i}"], [f"c{i}"], to=7),
            node("Constant", [], [f"k{i}"], value=attribute("value", weights[i])),
            node("Reshape", ["x", f"k{i}"], [f"r{i}"]),
        )
    ]
    return model(graph(nodes, [info("x", [2, 2])], ["y0"], weights))


def external(location: str, **entries: str) -> TensorProto:
    """A weight of [8, 8] floats whose data stands in another file."""
    made = untold("w", [8, 8])
    made.data_location = TensorProto.EXTERNAL
    made.external_data.add(key="location", value=location)
    for key, value in entries.items():
        made.external_data.add(key=key, value=value)
    return made


def _refers(location: str, **entries: str) -> Make:
    return _weight(external(location, **entries))


def _write(folder: Path, location: str, **entries: str) -> None:
    (folder / "model.onnx").write_bytes(_refers(location, **entries)())


def _fifo_outside(folder: Path) -> None:
    """Whoever opens the file beside the model's folder waits for ever."""
    os.mkfifo(folder.parent / f"{folder.name}.fifo")
    _write(folder, f"../{folder.name}.fifo")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "w.bin")
    _write(folder, "w.bin")


def _symlink(folder: Path) -> None:
    os.symlink("/dev/zero", folder / "w.bin")
    _write(folder, "w.bin")


def _symlinked_folder(folder: Path) -> None:
    os.symlink("/dev", folder / "data")
    _write(folder, "data/zero")


def _hardlink(folder: Path) -> None:
    (folder / "other.bin").write_bytes(bytes(256))
    os.link(folder / "other.bin", folder / "w.bin")
    _write(folder, "w.bin")


def _folder(folder: Path) -> None:
    (folder / "w.bin").mkdir()
    _write(folder, "w.bin")


def _sparse_file(folder: Path) -> None:
    """16 bytes are meant; the file claims 6 GB."""
    with (folder / "w.bin").open("wb") as file:
        file.truncate(6 * 10**9)
    _write(folder, "w.bin", offset="0", length="16")


def _short(folder: Path) -> None:
    (folder / "w.bin").write_bytes(bytes(100))
    _write(folder, "w.bin", offset="64", length="256")


def _itself(folder: Path) -> None:
    _write(folder, "model.onnx", offset="0", length="256")


def _integers(folder: Path) -> None:
    """A shape that stands outside the file."""
    os.mkfifo(folder / "w.bin")
    shape = external("w.bin")
    shape.dims[:] = [2]
    shape.data_type = TensorProto.INT64
    (folder / "model.onnx").write_bytes(_weight(shape)())


def _in_attributes(folder: Path) -> None:
    os.mkfifo(folder / "w.bin")
    weight = attribute("value", external("w.bin"))
    nodes = [node("Constant", [], ["w"], value=weight), node("MatMul", ["x", "w"])]
    fill = node("ConstantOfShape", ["s"], ["z"], value=attribute("value", external("w.bin")))
    shape = node("Shape", ["x"], ["s"])
    (folder / "model.onnx").write_bytes(chain([*nodes, shape, fill], x=[4, 8]))


TENSORS: dict[str, Make] = {
    "payload-too-short": _raw([8, 8], 255),
    "payload-too-long": _raw([8, 8], 257),
    "payload-much-too-long": _raw([8, 8], 1 << 20),
    "payload-absent": _raw([8, 8], 0),
    "payload-of-a-scalar": _raw([], 4000),
    "payload-not-whole": _raw([1], 7, TensorProto.INT64),
    "dims-overflow": _raw([2**32, 2**32, 2**32], 4),
    "dims-most": _raw([MOST, MOST], 4),
    "dims-overflow-to-zero": _raw([2**32, 2**32], 0),
    "dims-negative": _raw([-8, -8], 256),
    "dims-least": _raw([LEAST, 1], 4),
    "dims-zero": _raw([0, 2**62], 0),
    "rank-64": _weight(untold("w", [1] * 64)),
    "rank-65": _weight(untold("w", [1] * 65)),
    "rank-100-thousand": _weight(untold("w", [2] * 100_000)),
    "dtypes-all": _every_dtype,
    "floats-and-raw-at-once": _weight(
        TensorProto(dims=[8, 8], data_type=1, raw_data=bytes(256), float_data=[1.0] * 64)
    ),
    "strings": _weight(TensorProto(dims=[2], data_type=8, string_data=[b"\xff", b"\0"])),
    "segment": _weight(
        TensorProto(dims=[8, 8], data_type=1, segment=TensorProto.Segment(begin=5, end=-5))
    ),
    "weights-nan": _weight(tensor("w", [[float("nan"), float("inf")]] * 8)),
    "external-parent": _refers("../../../../../../etc/passwd"),
    "external-absolute": _refers("/etc/passwd"),
    "external-device": _refers("/dev/zero"),
    "external-proc": _refers("/proc/self/mem", offset="4096", length="256"),
    "external-url": _refers("http://localhost:1/w.bin"),
    "external-unc": _refers("\\\\server\\share\\w.bin"),
    "external-windows-parent": _refers("..\\..\\secret.bin"),
    "external-absent": _refers("nowhere.bin"),
    "external-empty-name": _refers(""),
    "external-nul": _refers("w.bin\0.png"),
    "external-dots": _refers("."),
    "external-name-of-a-megabyte": _refers("a/" * 500_000),
    "external-name-controls": _refers("\x1b[31m\n::error::\u202e"),
    "external-without-location": _weight(
        TensorProto(dims=[8, 8], data_type=1, data_location=TensorProto.EXTERNAL)
    ),
    "external-offset-negative": _refers("w.bin", offset="-1", length="-256"),
    "external-offset-words": _refers("w.bin", offset="0x10", length="a lot"),
    "external-offset-huge": _refers("w.bin", offset="9" * 5000, length="9" * 5000),
    "external-offset-digits": _refers("w.bin", offset="٣", length="1_0"),
    "external-keys-strange": _refers("w.bin", basepath="/", location_="/etc", checksum="\n"),
}
FOLDERS: dict[str, Place] = {
    "external-fifo": _fifo,
    "external-fifo-outside": _fifo_outside,
    "external-symlink": _symlink,
    "external-symlinked-folder": _symlinked_folder,
    "external-hardlink": _hardlink,
    "external-folder": _folder,
    "external-sparse-file": _sparse_file,
    "external-past-the-end": _short,
    "external-itself": _itself,
    "external-shape": _integers,
    "external-in-attributes": _in_attributes,
    "model-is-a-folder": lambda folder: (folder / "model.onnx").mkdir(),
    "model-is-a-fifo": lambda folder: os.mkfifo(folder / "model.onnx"),
    "model-is-a-device": lambda folder: os.symlink("/dev/zero", folder / "model.onnx"),
    "model-is-memory": lambda folder: os.symlink("/proc/self/mem", folder / "model.onnx"),
    "model-is-a-dangling-link": lambda folder: os.symlink("nowhere", folder / "model.onnx"),
    "model-is-a-loop-of-links": lambda folder: os.symlink("model.onnx", folder / "model.onnx"),
}
