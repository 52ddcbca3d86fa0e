"""Tensors of any bits in any field, in files of the working directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.elements import bits_of
from archlint.analyzer.reader.tallies import Tallies
from archlint.analyzer.reader.tally import Tally

NAMES = {value: name for name, value in TensorProto.DataType.items()}
TYPES = sorted(value for value, name in NAMES.items() if bits_of(value) and name != "STRING")
FLOAT_FIELDS = {"float_data": "<f4", "double_data": "<f8"}


def patterns(dtype: int, elements: int, seed: int = 0) -> bytes:
    """Random bits, with zeros, infinities and NaN of both signs among them."""
    random = np.random.default_rng(seed)
    content = random.integers(0, 256, (elements * bits_of(dtype) + 7) // 8, dtype=np.uint8)
    if NAMES[dtype] == "BOOL":
        return (content & 1).tobytes()
    if bits_of(dtype) % 8 == 0:
        size = bits_of(dtype) // 8
        rows = content.reshape(-1, size)
        rows[random.random(len(rows)) < 0.2, size // 2 :] = 0  # denormal, if the top is 0
        for top in (0x00, 0x80, 0x7F, 0xFF):
            rows[random.random(len(rows)) < 0.1, -1] = top
        rows[random.random(len(rows)) < 0.1] = 0
        infinite = helper.tensor_dtype_to_np_dtype(dtype)
        if infinite.kind in "fc":
            rows[random.random(len(rows)) < 0.05] = np.frombuffer(
                np.array(-np.inf, infinite).tobytes(), np.uint8
            )
    return content.tobytes()


def raw(dtype: int, elements: int) -> TensorProto:
    """A tensor of raw bytes."""
    data = patterns(dtype, elements)
    return TensorProto(name="w", data_type=dtype, dims=[elements], raw_data=data)


def typed(dtype: int, elements: int) -> TensorProto:
    """Such a tensor in the field of its type."""
    whole = raw(dtype, elements)
    field = helper.tensor_dtype_to_field(dtype)
    if bits_of(dtype) == 6:  # one an entry, though raw data packs them
        numbers = numpy_helper.to_array(whole).view(np.uint8).tolist()
        return TensorProto(name="w", data_type=dtype, dims=[elements], int32_data=numbers)
    signed = NAMES[dtype] in ("INT8", "INT16", "INT32", "INT64")
    width = f"<{'i' if signed else 'u'}{max(bits_of(dtype), 8) // 8}"
    entries = np.frombuffer(whole.raw_data, FLOAT_FIELDS.get(field, width))
    whole.ClearField("raw_data")
    getattr(whole, field).extend(entries)
    return whole


def external(dtype: int, elements: int) -> TensorProto:
    """Such a tensor whose elements are in another file, behind 5 bytes."""
    tensor = raw(dtype, elements)
    Path("w.bin").write_bytes(bytes(5) + tensor.raw_data + bytes(3))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.bin")
    tensor.external_data.add(key="offset", value="5")
    return tensor


def model_of(tensor: TensorProto) -> Model:
    """A model that is read."""
    proto = helper.make_model(helper.make_graph([], "g", [], [], [tensor]))
    Path("m.onnx").write_bytes(proto.SerializeToString())
    return read("m.onnx")


def counted(model: Model, most_bytes: int = 1 << 40) -> tuple[Tally | None, str]:
    """What is in its one initializer, and what was not read."""
    tallies = Tallies(model, most_bytes)
    return tallies.of(model.proto.graph.initializer[0], "w"), tallies.unread
