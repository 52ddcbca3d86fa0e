"""Models in memory are written with the elements that make them whole."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader.memory import InMemory, hold
from archlint.analyzer.reader.structure import REFERENCE, TEXT_REFERENCE
from archlint.analyzer.writer import write
from rewriting import TENSORS, held, model_of

ARRAYS: dict[str, NDArray[np.generic]] = {
    "float32": np.arange(1000, dtype=np.float32),
    "bfloat16": np.arange(1000).astype(ml_dtypes.bfloat16),
    "int4": (np.arange(3001) % 16 - 8).astype(ml_dtypes.int4),
    "float8": (np.arange(2000) % 100).astype(ml_dtypes.float8_e4m3fn),
}


@pytest.mark.parametrize("kind", sorted(TENSORS.keys() - {"strings", "twice", "mismatch"}))
def test_models_in_memory_are_written(kind: str, tmp_path: Path) -> None:
    """Elements are raw data of the same numbers, wherever they are."""
    tensor = TENSORS[kind]
    whole = held("body", tensor)
    whole.MergeFrom(held("initializer", tensor))
    write(hold("memory", InMemory(whole)), str(tmp_path / "target.onnx"))
    again = onnx.load(str(tmp_path / "target.onnx"))
    both = (again.graph.initializer[0], again.graph.node[0].attribute[0].g.initializer[0])
    for found in both:
        assert (found.name, found.data_type, found.dims) == ("w", tensor.data_type, tensor.dims)
        if kind != "left-out":
            np.testing.assert_array_equal(
                numpy_helper.to_array(found), numpy_helper.to_array(tensor)
            )
    assert REFERENCE.encode() not in again.SerializeToString()


def test_elements_that_are_given_are_written(tmp_path: Path) -> None:
    """Of every type, packed where the type is."""
    full = model_of(*(numpy_helper.from_array(array, name) for name, array in ARRAYS.items()))
    bare = ModelProto()
    bare.CopyFrom(full)
    for tensor in bare.graph.initializer:
        tensor.ClearField("raw_data")
    given_ = {name: lambda array=array: array for name, array in ARRAYS.items()}
    write(hold("memory", InMemory(bare, given_)), str(tmp_path / "target.onnx"))
    assert onnx.load(str(tmp_path / "target.onnx")) == full


def test_strings_in_memory_are_written(tmp_path: Path) -> None:
    """Which no array holds; those that are no UTF-8 are refused."""
    tensor = TensorProto(name="w", data_type=TensorProto.STRING, dims=[2],
                         string_data=[b"a" * 2000, "é".encode()])  # fmt: skip
    target = tmp_path / "target.onnx"
    write(hold("memory", InMemory(model_of(tensor))), str(target))
    assert onnx.load(str(target)).graph.initializer[0] == tensor
    tensor.string_data[1] = b"\xff"
    with pytest.raises(ModelError, match="its strings are no UTF-8; write the model from its file"):
        write(hold("memory", InMemory(model_of(tensor))), str(tmp_path / "other.onnx"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["target.onnx"]


def test_what_claims_to_be_left_out_is_not_believed(tmp_path: Path) -> None:
    """Metadata of a model in memory do not say what of its file is copied."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"another file")
    model = model_of(TensorProto(name="w", data_type=TensorProto.STRING, dims=[1]))
    for key, value in ((REFERENCE, "0 1"), (TEXT_REFERENCE, "0 7"), ("k", "v")):
        model.graph.initializer[0].metadata_props.add(key=key, value=value)
    write(hold(str(path), InMemory(model)), str(tmp_path / "target.onnx"))
    (tensor,) = onnx.load(str(tmp_path / "target.onnx")).graph.initializer
    assert [entry.key for entry in tensor.metadata_props] == ["k"]
    assert not tensor.string_data


def test_elements_of_another_type_are_refused(tmp_path: Path) -> None:
    """They would be read as other numbers."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1000])
    memory = InMemory(model_of(tensor), {"w": lambda: np.zeros(1000, np.int32)})
    with pytest.raises(ModelError, match="'w': its elements are INT32 instead of FLOAT"):
        write(hold("memory", memory), str(tmp_path / "target.onnx"))
    assert not list(tmp_path.iterdir())
