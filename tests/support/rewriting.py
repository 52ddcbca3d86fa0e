"""Models that are written to files, read, and written again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
)

from archlint.analyzer.reader import Model, read
from archlint.analyzer.writer import Written, write

PLACES = (
    "initializer", "attribute", "attributes", "body", "bodies", "sparse", "sparse-initializer",
    "function", "function-default", "training",
)  # fmt: skip


def numbers(name: str, count: int = 1000, seed: int = 0) -> TensorProto:
    """An initializer of so many floats, none of which is like the next."""
    values = np.random.default_rng(seed).standard_normal(count, dtype=np.float32)
    return numpy_helper.from_array(values, name)


def typed(data_type: int, field: str, count: int, **dims: list[int]) -> TensorProto:
    """A tensor whose elements stand in a field of entries of their own."""
    tensor = TensorProto(name="w", data_type=data_type, dims=dims.get("dims", [count]))
    getattr(tensor, field).extend(place * 7 % 251 for place in range(count))
    return tensor


TENSORS = {
    "raw": numbers("w"),
    "float": typed(TensorProto.FLOAT, "float_data", 500),
    "double": typed(TensorProto.DOUBLE, "double_data", 500),
    "complex": typed(TensorProto.COMPLEX64, "float_data", 800, dims=[400]),
    "half-floats": typed(TensorProto.FLOAT16, "int32_data", 2000),
    "int64": typed(TensorProto.INT64, "int64_data", 70_000),
    "uint64": typed(TensorProto.UINT64, "uint64_data", 70_000),
    "int4": typed(TensorProto.INT4, "int32_data", 2000, dims=[4000]),
    "int4-raw": TensorProto(name="w", data_type=TensorProto.INT4, dims=[3001],
                            raw_data=bytes(range(250)) * 6 + b"\1"),
    "bfloat16": TensorProto(name="w", data_type=TensorProto.BFLOAT16, dims=[2000],
                            raw_data=bytes(range(250)) * 16),
    "strings": TensorProto(name="w", data_type=TensorProto.STRING, dims=[3],
                           string_data=[b"a" * 800, b"", b"\xff" * 900]),
    "named": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[500], raw_data=bytes(2000),
                         doc_string="said", metadata_props=[{"key": "k", "value": "v"}]),
    "mismatch": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], raw_data=bytes(2000)),
    "twice": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[400], float_data=[1] * 400,
                         raw_data=bytes(1600), string_data=[b"x" * 2000]),
    "left-out": TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[400]),
}  # fmt: skip


def model_of(*tensors: TensorProto, nodes: tuple[NodeProto, ...] = ()) -> ModelProto:
    """A model with these initializers and nodes."""
    graph = helper.make_graph(nodes, "g", [], [], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def held(place: str, tensor: TensorProto) -> ModelProto:
    """A model that holds a tensor in this place."""
    if place == "initializer":
        return model_of(tensor)
    model = model_of()
    if place == "sparse-initializer":
        model.graph.sparse_initializer.add(values=tensor, dims=[9000])
    elif place == "training":
        model.training_info.add().algorithm.initializer.add().CopyFrom(tensor)
    elif place == "function-default":
        default = AttributeProto(name="value", type=AttributeProto.TENSOR, t=tensor)
        model.functions.add(name="f", attribute_proto=[default])
    else:
        attribute = _attribute(place, tensor)
        node = NodeProto(op_type="Op", output=["y"], attribute=[attribute])
        if place == "function":
            model.functions.add(name="f", node=[node])
        else:
            model.graph.node.append(node)
    return model


def _attribute(place: str, tensor: TensorProto) -> AttributeProto:
    attribute = AttributeProto(name="value", type=_TYPES.get(place, AttributeProto.TENSOR))
    inner = GraphProto(name="body", initializer=[tensor])
    if place == "body":
        attribute.g.CopyFrom(inner)
    elif place == "bodies":
        attribute.graphs.extend([inner, inner])
    elif place == "attributes":
        attribute.tensors.extend([tensor, tensor])
    elif place == "sparse":
        attribute.sparse_tensor.values.CopyFrom(tensor)
    else:
        attribute.t.CopyFrom(tensor)
    return attribute


_TYPES = {
    "attributes": AttributeProto.TENSORS, "body": AttributeProto.GRAPH,
    "bodies": AttributeProto.GRAPHS, "sparse": AttributeProto.SPARSE_TENSOR,
}  # fmt: skip


def rewritten(content: bytes, folder: Path) -> bytes:
    """What is written of a model that is read from a file of these bytes."""
    source, target = folder / "source.onnx", folder / "target.onnx"
    source.write_bytes(content)
    written = write(read(str(source)), str(target))
    assert written == Written(str(target), os.path.getsize(target), None, 0)
    return target.read_bytes()


def external_model(
    folder: Path, weights: dict[str, NDArray[np.float32]], name: str = "m.onnx", data: str = ""
) -> Path:
    """A file of a model that adds its weights to an input, all from one file of external data."""
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, [None]) for end in "xy"]
    values = ["x", *(f"v{place}" for place in range(len(weights) - 1)), "y"]
    nodes = [
        helper.make_node("Add", [values[place], weight], [values[place + 1]])
        for place, weight in enumerate(weights)
    ]
    tensors = [numpy_helper.from_array(array, weight) for weight, array in weights.items()]
    model = model_of(*tensors, nodes=tuple(nodes))
    model.graph.input.append(ends[0])
    model.graph.output.append(ends[1])
    path = str(folder / name)
    location = data or f"{name}.bin"
    onnx.save(model, path, save_as_external_data=True, location=location, size_threshold=0)
    return folder / name


def edited(path: Path, edit: Callable[[ModelProto], None]) -> Model:
    """A model that is read and then edited."""
    model = read(str(path))
    edit(model.proto)
    return model


def add(*tensors: TensorProto) -> Callable[[ModelProto], None]:
    """An edit that adds initializers."""
    return lambda proto: proto.graph.initializer.extend(tensors)


def files_of(folder: Path) -> dict[str, bytes]:
    """All files of a folder and what is in them."""
    return {entry.name: entry.read_bytes() for entry in sorted(folder.iterdir())}
