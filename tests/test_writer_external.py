"""External data stay external: beside a new file all in one, in a model's own place as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto

from archlint.analyzer.reader import read
from archlint.analyzer.writer import Written, external, write
from rewriting import PLACES, add, edited, external_model, files_of, held, numbers

RANDOM = np.random.default_rng(7)
WEIGHTS = {f"w{i}": RANDOM.standard_normal(n, np.float32) for i, n in enumerate((3000, 1, 3000))}
PAGE = 4096


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A model with external data, in a folder of its own; another one is empty."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    return external_model(tmp_path / "in", WEIGHTS)


def entries(tensor: TensorProto) -> dict[str, str]:
    """Where a tensor's external data are."""
    return {entry.key: entry.value for entry in tensor.external_data}


def stored(path: Path) -> list[TensorProto]:
    """The initializers as they are in the file."""
    return list(onnx.load(str(path), load_external_data=False).graph.initializer)


def weights(path: Path) -> dict[str, NDArray[Any]]:
    """The initializers as onnx reads them."""
    model = onnx.load(str(path))
    return {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}


def answer(path: Path) -> NDArray[Any]:
    """What onnxruntime makes of the model."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": np.ones(1, np.float32)})[0])


def test_elsewhere_all_is_in_one_file(source: Path, tmp_path: Path) -> None:
    """In order, each from the beginning of a page, as onnx and onnxruntime read it."""
    model = read(str(source))
    model.proto.graph.initializer[0].external_data.add(key="checksum", value="0" * 40)
    target, before = tmp_path / "out" / "m2.onnx", files_of(source.parent)
    data = f"{target}.data"
    written = write(model, str(target))
    # Pages: 12,000 bytes are begun in the third, 4 bytes in the next, 12,000 again.
    assert written == Written(str(target), target.stat().st_size, data, 4 * PAGE + 12_000)
    assert [entries(tensor) for tensor in stored(target)] == [
        {"location": "m2.onnx.data", "offset": f"{PAGE * page}", "length": f"{size}"}
        for page, size in ((0, 12_000), (3, 4), (4, 12_000))
    ]
    assert os.path.getsize(data) == written.data_bytes
    np.testing.assert_equal(weights(target), WEIGHTS)
    np.testing.assert_array_equal(answer(target), answer(source))
    assert files_of(source.parent) == before
    assert sorted(files_of(target.parent)) == ["m2.onnx", "m2.onnx.data"]


def test_tensors_of_one_place_stay_of_one_place(source: Path, tmp_path: Path) -> None:
    """What two tensors share is copied once; nothing at all is where the file ends."""

    def share(proto: ModelProto) -> None:
        shared = proto.graph.initializer.add()
        shared.CopyFrom(proto.graph.initializer[0])
        shared.name = "shared"
        empty = proto.graph.initializer.add(name="none", data_type=TensorProto.FLOAT, dims=[0])
        empty.data_location = TensorProto.EXTERNAL
        empty.external_data.add(key="location", value="m.onnx.bin")

    target = tmp_path / "out" / "m.onnx"
    assert write(edited(source, share), str(target)).data_bytes == 4 * PAGE + 12_000
    found = {tensor.name: entries(tensor) for tensor in stored(target)}
    assert found["shared"] == found["w0"]
    assert found["none"]["offset"] == str(4 * PAGE + 12_000)
    np.testing.assert_array_equal(weights(target)["shared"], WEIGHTS["w0"])
    assert weights(target)["none"].shape == (0,)


@pytest.mark.parametrize("place", PLACES)
def test_external_data_are_found_wherever_a_tensor_is(place: str, tmp_path: Path) -> None:
    """And stay beside what is in the file."""
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[5000])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="sub/w.bin")
    tensor.external_data.add(key="offset", value="10")
    tensor.external_data.add(key="length", value="5000")
    model = held(place, tensor)
    model.graph.initializer.append(numbers("inline"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(bytes(10) + b"\7" * 5000)
    onnx.save(model, str(tmp_path / "m.onnx"))
    write(read(str(tmp_path / "m.onnx")), str(tmp_path / "new.onnx"))
    again = onnx.load(str(tmp_path / "new.onnx"), load_external_data=False)
    assert again.graph.initializer[-1] == model.graph.initializer[-1]
    assert (tmp_path / "new.onnx.data").read_bytes() == b"\7" * 5000
    assert b"sub/w.bin" not in again.SerializeToString()


def test_new_weights_go_beside_the_others(source: Path, tmp_path: Path) -> None:
    """But for small ones and for the integers that shapes are computed from."""
    shape = onnx.numpy_helper.from_array(np.arange(500), "shape")
    new = add(numbers("large", 257), numbers("small", 256), shape)
    target = tmp_path / "out" / "m.onnx"
    write(edited(source, new), str(target))
    found = {tensor.name: entries(tensor) for tensor in stored(target)}
    assert {name for name, where in found.items() if where} == {*WEIGHTS, "large"}
    assert found["large"]["offset"] == str(7 * PAGE)
    large = onnx.numpy_helper.to_array(numbers("large", 257))
    np.testing.assert_array_equal(weights(target)["large"], large)


def test_in_place_the_data_are_not_touched(source: Path) -> None:
    """What the model refers to stays, and a little that is new is in the model itself."""
    before = files_of(source.parent)
    written = write(edited(source, add(numbers("new"))), str(source))
    assert written == Written(str(source), source.stat().st_size, None, 0)
    after = files_of(source.parent)
    assert sorted(after) == sorted(before)
    assert after["m.onnx.bin"] == before["m.onnx.bin"]
    found = weights(source)
    np.testing.assert_array_equal(found.pop("new"), onnx.numpy_helper.to_array(numbers("new")))
    np.testing.assert_equal(found, WEIGHTS)


@pytest.mark.parametrize("by_link", [False, True])
def test_much_that_is_new_gets_a_file_of_its_own(source: Path, by_link: bool) -> None:
    """More than 1 MiB, in a file whose name nothing has: beside the path that the model has."""
    path = source
    if by_link:
        path = source.parent / "link.onnx"
        path.symlink_to("m.onnx")
    data = path.with_name(f"{path.name}.archlint.2.data")
    path.with_name(f"{path.name}.archlint.data").write_bytes(b"another's")
    before = files_of(source.parent)
    new = numbers("new", (1 << 18) + 1)
    written = write(edited(path, add(new)), str(path))
    assert (written.data_path, written.data_bytes) == (str(data), (1 << 20) + 4)
    after = files_of(source.parent)
    assert after.pop(data.name) == new.raw_data
    changed = {name for name in before if after[name] != before[name]}
    assert changed == ({"m.onnx", "link.onnx"} if by_link else {"m.onnx"})
    assert path.is_symlink() == by_link
    assert sorted(after) == sorted(before)
    np.testing.assert_array_equal(weights(path)["new"], onnx.numpy_helper.to_array(new))
    np.testing.assert_array_equal(answer(path), sum(WEIGHTS.values(), np.ones(1, np.float32)))


def test_a_full_message_gives_its_new_weights_away(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few they are."""
    monkeypatch.setattr(external, "MOST_BYTES", 4000)
    written = write(edited(source, add(numbers("new"))), str(source))
    assert written.data_path == f"{source}.archlint.data"
    assert written.data_bytes == 4000
    assert written.bytes < 4000


def test_data_of_what_is_written_over_are_written_over(source: Path, tmp_path: Path) -> None:
    """A second run takes the place of the first; its permissions stay."""
    target, data = tmp_path / "out" / "m.onnx", tmp_path / "out" / "m.onnx.data"
    write(read(str(source)), str(target))
    data.chmod(0o600)
    first = files_of(target.parent)
    write(edited(source, add(numbers("new"))), str(target))
    assert sorted(files_of(target.parent)) == sorted(first)
    assert data.stat().st_size > len(first["m.onnx.data"])
    assert data.stat().st_mode & 0o777 == 0o600
