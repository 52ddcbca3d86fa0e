"""Elements read from where they are equal those that onnx decodes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.elements import bits_of
from archlint.analyzer.reader.structure import Payload
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.reader.weights import read_tensor
from archlint.analyzer.reader.wire import encode

TYPES = sorted(
    value for name, value in TensorProto.DataType.items() if bits_of(value) and name != "STRING"
)
NAMES = {value: name for name, value in TensorProto.DataType.items()}
SHAPES = ((3, 5), (), (0, 4), (1,), (37, 71))


def content(dtype: int, elements: int) -> bytes:
    """Bytes that are elements of a type: no two neighbours alike, truth values 0 and 1."""
    size = (elements * bits_of(dtype) + 7) // 8
    numbers = np.arange(size) * 37 % (2 if dtype == TensorProto.BOOL else 120)
    return numbers.astype(np.uint8).tobytes()


def raw(dtype: int, dims: tuple[int, ...]) -> TensorProto:
    """A tensor of raw bytes."""
    data = content(dtype, math.prod(dims))
    return TensorProto(name="w", data_type=dtype, dims=dims, raw_data=data)


def typed(dtype: int, dims: tuple[int, ...]) -> TensorProto:
    """Such a tensor in the field of its type."""
    tensor = raw(dtype, dims)
    if bits_of(dtype) == 6:  # one an entry, though raw data packs them
        numbers = [place * 37 % 64 for place in range(math.prod(dims))]
        return TensorProto(name="w", data_type=dtype, dims=dims, int32_data=numbers)
    field = helper.tensor_dtype_to_field(dtype)
    width = {"float_data": "<f4", "double_data": "<f8", "int64_data": "<i8"}.get(field)
    if width is None:
        bits = max(bits_of(dtype), 8)  # packed elements share an entry
        sign = "i" if dtype in (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32) else "u"
        width = f"<{sign}{bits // 8}"
    entries = np.frombuffer(tensor.raw_data, width)
    tensor.ClearField("raw_data")
    getattr(tensor, field).extend(entries.tolist())
    return tensor


def model_of(tmp_path: Path, tensor: TensorProto) -> tuple[Model, TensorProto]:
    """A model that is read, and its one initializer."""
    path = tmp_path / "m.onnx"
    proto = helper.make_model(helper.make_graph([], "g", [], [], [tensor]), producer_name="odd")
    path.write_bytes(proto.SerializeToString())
    model = read(str(path))
    assert model.problems == ()
    return model, model.proto.graph.initializer[0]


def check(model: Model, tensor: TensorProto, whole: TensorProto) -> None:
    """The elements are those that onnx decodes, and nobody can change them."""
    expected = numpy_helper.to_array(whole)
    found = read_tensor(model, tensor)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()
    assert not found.flags.writeable


@pytest.mark.parametrize("make", [raw, typed])
@pytest.mark.parametrize("dtype", TYPES, ids=NAMES.get)
def test_embedded_elements_are_those_of_onnx(
    make: Callable[[int, tuple[int, ...]], TensorProto], dtype: int, tmp_path: Path
) -> None:
    """Small ones that were read with the structure, and large ones that were left in the file."""
    for dims in SHAPES:
        whole = make(dtype, dims)
        model, tensor = model_of(tmp_path, whole)
        check(model, tensor, whole)


@pytest.mark.parametrize("dtype", TYPES, ids=NAMES.get)
def test_external_elements_are_those_of_onnx(dtype: int, tmp_path: Path) -> None:
    """At any offset of another file."""
    for dims in SHAPES:
        whole = raw(dtype, dims)
        (tmp_path / "w.bin").write_bytes(bytes(5) + whole.raw_data + bytes(3))
        elsewhere = TensorProto()
        elsewhere.CopyFrom(whole)
        elsewhere.ClearField("raw_data")
        elsewhere.data_location = TensorProto.EXTERNAL
        elsewhere.external_data.add(key="location", value="w.bin")
        elsewhere.external_data.add(key="offset", value="5")
        check(*model_of(tmp_path, elsewhere), whole)


def test_large_elements_are_mapped_not_copied(tmp_path: Path) -> None:
    """The array is a view of the file's pages."""
    model, tensor = model_of(tmp_path, raw(TensorProto.FLOAT, (100, 100)))
    array = read_tensor(model, tensor)
    while isinstance(array.base, np.ndarray):
        array = array.base
    assert type(array.base).__name__ in ("mmap", "memoryview")
    assert not array.flags.owndata


def test_pieces_of_a_field_are_joined(tmp_path: Path) -> None:
    """A serialiser may write packed numbers in several pieces."""
    whole = typed(TensorProto.FLOAT, (40, 50))
    halves = [TensorProto(float_data=part) for part in np.split(np.array(whole.float_data), 2)]
    bare = TensorProto(name="w", data_type=whole.data_type, dims=whole.dims)
    pieces = b"".join(part.SerializeToString() for part in (bare, *halves))
    graph = b"\x2a" + encode(len(pieces)) + pieces  # the initializer
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x09\x3a" + encode(len(graph)) + graph)
    read_model = read(str(path))
    assert len(read_model.payloads) == 2
    check(read_model, read_model.proto.graph.initializer[0], whole)


def test_elements_of_a_model_that_is_no_file() -> None:
    """What is inline needs none."""
    model = from_text("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }")
    array = read_tensor(model, model.proto.graph.initializer[0])
    np.testing.assert_array_equal(array, np.array([1, 2], np.float32))


def shorter(path: Path) -> None:
    """The file loses its end."""
    os.truncate(path, path.stat().st_size - 1)


def fifo(path: Path) -> None:
    """The file is replaced by a FIFO."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(shorter, "the file has changed since it was read", id="shorter"),
        pytest.param(Path.unlink, "its file cannot be opened: No such file", id="gone"),
        pytest.param(fifo, "its file is no regular file any more", id="fifo"),
    ],
)
def test_a_file_that_has_changed_is_refused(
    change: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    """It does not hold what was read."""
    model, tensor = model_of(tmp_path, raw(TensorProto.FLOAT, (100, 100)))
    change(Path(model.path))
    with pytest.raises(ModelReadError, match=f"^{model.path}: tensor 'w': {why}"):
        read_tensor(model, tensor)


def linked(path: Path) -> None:
    """The external file is replaced by a symbolic link."""
    path.rename(path.with_name("other"))
    path.symlink_to("other")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(linked, "is a symbolic link", id="link"),
        pytest.param(fifo, "is no regular file", id="fifo"),
        pytest.param(Path.unlink, "the file is missing", id="gone"),
        pytest.param(shorter, "ends at byte 16 of a file of 15 bytes", id="shorter"),
    ],
)
def test_external_data_is_looked_at_anew(
    change: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    """What was safe when the model was read may not be any more."""
    (tmp_path / "w.bin").write_bytes(bytes(16))
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.bin")
    model, tensor = model_of(tmp_path, tensor)
    change(tmp_path / "w.bin")
    with pytest.raises(ModelReadError, match=why):
        read_tensor(model, tensor)


UNREADABLE = {
    "left-out": (TensorProto(name="w", data_type=1, dims=[4]), "no data of its dims"),
    "text": (TensorProto(name="w", data_type=8, dims=[1], string_data=[b"a"]), "no numbers"),
    "no-type": (TensorProto(name="w", dims=[1], raw_data=b"a"), "no numbers of a known type"),
    "too-short": (TensorProto(name="w", data_type=1, dims=[4], raw_data=bytes(8)), "take 16"),
    # 9000 numbers of 10 bytes could be those of 9001 elements, which only decoding tells.
    "too-few": (
        TensorProto(name="w", data_type=7, dims=[9001], int64_data=[-1] * 9000), "no data of its",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_has_no_elements_is_refused(case: str, tmp_path: Path) -> None:
    """With the reason."""
    tensor, why = UNREADABLE[case]
    path = tmp_path / "m.onnx"
    model = helper.make_model(helper.make_graph([], "g", [], [], [tensor]))
    path.write_bytes(model.SerializeToString())
    read_model = read(str(path))
    with pytest.raises(ModelReadError, match=f"tensor 'w': .*{why}"):
        read_tensor(read_model, read_model.proto.graph.initializer[0])


def test_standard_input_is_not_read_twice() -> None:
    """It is gone when the weights are asked for."""
    model = from_text("g () => () <float[2] w = {1, 2}> {}")
    tensor = TensorProto(name="w", data_type=1, dims=[600])
    tensor.metadata_props.add(key="archlint.payload", value="0 1")
    piped = Model("-", model.proto, 9999, payloads=(Payload(9, 2400, "raw_data"),))
    with pytest.raises(ModelReadError, match="standard input cannot be read again"):
        read_tensor(piped, tensor)
