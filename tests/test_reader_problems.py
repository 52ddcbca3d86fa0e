"""What is wrong with the tensors of a model is told, and does not keep it from being read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    SparseTensorProto,
    TensorProto,
    helper,
)  # fmt: skip

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.problem import Problem, ProblemKind
from archlint.analyzer.reader import read
from archlint.analyzer.reader.tensors import tensors


def read_with(tmp_path: Path, *listed: TensorProto) -> tuple[Problem, ...]:
    """The problems of a model with these initializers."""
    path = tmp_path / "m.onnx"
    path.write_bytes(
        helper.make_model(helper.make_graph([], "g", [], [], listed)).SerializeToString()
    )
    return read(str(path)).problems


def tensor(dtype: str, *dims: int, **fields: Any) -> TensorProto:
    """A tensor of this type and these dims with these fields."""
    return TensorProto(
        name="w", data_type=TensorProto.DataType.Value(dtype), dims=list(dims), **fields
    )


# Bytes of raw data: elements × bits of one, rounded up to whole bytes.
FITTING = {
    "raw": tensor("FLOAT", 2, 3, raw_data=bytes(2 * 3 * 4)),
    "raw-scalar": tensor("FLOAT", raw_data=bytes(4)),
    "raw-large": tensor("FLOAT", 40, 50, raw_data=bytes(40 * 50 * 4)),
    "raw-4-bit": tensor("UINT4", 3, raw_data=bytes(2)),
    "raw-2-bit": tensor("INT2", 5, raw_data=bytes(2)),
    "raw-complex": tensor("COMPLEX64", 2, raw_data=bytes(2 * 8)),
    "floats": tensor("FLOAT", 2, 3, float_data=[0] * 6),
    "floats-large": tensor("FLOAT", 2, 3000, float_data=[0] * 6000),
    "doubles-large": tensor("DOUBLE", 6000, double_data=[0] * 6000),
    "complex": tensor("COMPLEX64", 3, float_data=[0] * 6),
    "complex-large": tensor("COMPLEX128", 300, double_data=[0] * 600),
    "halves": tensor("FLOAT16", 3, int32_data=[0] * 3),
    "halves-large": tensor("FLOAT16", 3000, int32_data=[65000] * 3000),
    "4-bit": tensor("INT4", 5, int32_data=[0] * 3),
    "2-bit": tensor("UINT2", 5, int32_data=[0] * 2),
    "integers": tensor("INT64", 2, int64_data=[1, -1]),
    "integers-large": tensor("INT64", 9000, int64_data=[-1] * 9000),
    "unsigned": tensor("UINT32", 3, uint64_data=[0] * 3),
    "strings": tensor("STRING", 2, string_data=[b"a", b"b"]),
    "strings-large": tensor("STRING", 2, string_data=[b"a" * 999, b"b" * 999]),
    "left-out": tensor("FLOAT", 8, 4, 3, 3),
    "nothing": tensor("FLOAT", 0, 3, raw_data=b""),
    "type-of-tomorrow": TensorProto(name="w", data_type=99, dims=[3], raw_data=bytes(7)),
    "no-type": TensorProto(name="w", dims=[3], raw_data=bytes(7)),
    "negative-dim": tensor("FLOAT", -1, raw_data=bytes(7)),
}


@pytest.mark.parametrize("case", FITTING)
def test_a_payload_that_fits_is_no_problem(case: str, tmp_path: Path) -> None:
    """Neither is one that cannot be checked."""
    assert read_with(tmp_path, FITTING[case]) == ()


UNFIT = {
    "raw-short": (tensor("FLOAT", 2, 3, raw_data=bytes(23)), "23 bytes in raw_data .* take 24$"),
    "raw-long": (tensor("INT8", 2, 3, raw_data=bytes(7)), r"7 bytes .* dims \[2, 3\] of INT8 "),
    "raw-large": (tensor("FLOAT", 600, raw_data=bytes(2404)), "2,404 bytes .* take 2,400$"),
    "raw-huge-dims": (tensor("FLOAT", 2**62, 2**62, raw_data=bytes(4)), f"take {4 << 124:,}$"),
    "raw-4-bit": (tensor("UINT4", 3, raw_data=bytes(3)), "3 bytes .* take 2$"),
    "raw-of-nothing": (tensor("FLOAT", 0, raw_data=bytes(4)), "4 bytes .* take 0$"),
    "raw-strings": (tensor("STRING", 3, raw_data=b"abc"), "STRING stands in raw_data instead"),
    "floats": (tensor("FLOAT", 2, 3, float_data=[0] * 5), "5 entries in float_data .* take 6$"),
    "floats-large": (tensor("FLOAT", 600, float_data=[0] * 599), "599 entries .* take 600$"),
    "complex": (tensor("COMPLEX64", 3, float_data=[0] * 3), "3 entries .* take 6$"),
    # 9000 negative numbers are 90,000 bytes: 9,000 to 90,000 varints.
    "integers-few": (tensor("INT64", 8999, int64_data=[-1] * 9000), "9,000 to 90,000 entries"),
    "integers-many": (tensor("INT64", 90001, int64_data=[-1] * 9000), "9,000 to 90,000 entries"),
    "wrong-field": (tensor("INT64", 2, float_data=[0] * 2), "INT64 stands in float_data instead"),
    "wrong-field-large": (tensor("INT64", 600, float_data=[0] * 600), "instead of int64_data"),
    "two-fields": (tensor("FLOAT", 1, float_data=[0], raw_data=bytes(4)), "float_data and in raw"),
    "two-large": (
        tensor("FLOAT", 600, float_data=[0] * 600, raw_data=bytes(2400)), "float_data and in raw",
    ),
    "large-and-small": (
        tensor("FLOAT", 600, int64_data=[0], raw_data=bytes(2400)), "int64_data and in raw_data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_a_payload_that_does_not_fit_is_a_problem(case: str, tmp_path: Path) -> None:
    """It names the tensor, what it has and what its dims take."""
    wrong, why = UNFIT[case]
    (problem,) = read_with(tmp_path, wrong)
    assert problem.kind == ProblemKind.PAYLOAD
    assert problem.message.startswith("tensor 'w': ")
    assert re.search(why, problem.message)


HOLDERS: dict[str, Callable[[TensorProto], AttributeProto]] = {
    "attribute": lambda w: AttributeProto(type=AttributeProto.TENSOR, t=w),
    "attributes": lambda w: AttributeProto(type=AttributeProto.TENSORS, tensors=[w]),
    "body": lambda w: AttributeProto(type=AttributeProto.GRAPH, g=GraphProto(initializer=[w])),
    "bodies": lambda w: AttributeProto(
        type=AttributeProto.GRAPHS, graphs=[GraphProto(), GraphProto(initializer=[w])]
    ),
    "sparse": lambda w: AttributeProto(
        type=AttributeProto.SPARSE_TENSOR, sparse_tensor=SparseTensorProto(values=w)
    ),
    "sparses": lambda w: AttributeProto(
        type=AttributeProto.SPARSE_TENSORS, sparse_tensors=[SparseTensorProto(indices=w)]
    ),
}
PLACES = (
    *HOLDERS, "initializer", "sparse-initializer", "training", "function", "default",
)  # fmt: skip


def held_by(place: str, wrong: TensorProto) -> ModelProto:
    """A model that holds a tensor in this place."""
    model = helper.make_model(helper.make_graph([], "g", [], []))
    if place in HOLDERS:
        model.graph.node.add(op_type="Op", name="n", attribute=[HOLDERS[place](wrong)])
    elif place == "initializer":
        model.graph.initializer.append(wrong)
    elif place == "sparse-initializer":
        model.graph.sparse_initializer.add().values.CopyFrom(wrong)
    elif place == "training":
        model.training_info.add().algorithm.initializer.append(wrong)
    elif place == "function":
        model.functions.add().node.add(attribute=[HOLDERS["attribute"](wrong)])
    else:
        model.functions.add().attribute_proto.append(HOLDERS["attribute"](wrong))
    return model


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [10, 5000])
def test_a_tensor_is_found_wherever_it_is(place: str, size: int, tmp_path: Path) -> None:
    """In attributes, bodies, functions and sparse tensors as among the initializers."""
    wrong = tensor("FLOAT", size, raw_data=bytes(size))
    path = tmp_path / "m.onnx"
    path.write_bytes(held_by(place, wrong).SerializeToString())
    (problem,) = read(str(path)).problems
    assert problem.kind == ProblemKind.PAYLOAD
    assert re.search(rf"'w': {size:,} bytes in raw_data .* take {4 * size:,}", problem.message)


def test_a_mistyped_attribute_is_searched_on_request() -> None:
    """onnx opens the external data of a tensor in it, though its type says it holds none."""
    model = held_by("attribute", tensor("FLOAT", 1))
    model.graph.node[0].attribute[0].type = AttributeProto.INT
    assert list(tensors(model)) == []
    (held,) = tensors(model, mistyped=True)
    assert (held.tensor.name, held.node) == ("w", model.graph.node[0])


def test_a_nameless_tensor_is_told_by_its_node(tmp_path: Path) -> None:
    """The tensors of Constant nodes seldom have a name."""
    wrong = TensorProto(data_type=TensorProto.FLOAT, dims=[3], raw_data=bytes(4))
    path = tmp_path / "m.onnx"
    path.write_bytes(held_by("attribute", wrong).SerializeToString())
    (problem,) = read(str(path)).problems
    assert problem.message.startswith("tensor of node 'n': 4 bytes")


def test_many_tensors_make_one_problem_of_each_cause(tmp_path: Path) -> None:
    """It is told of the first of them."""
    short = [tensor("FLOAT", 2, raw_data=bytes(place)) for place in range(1, 6)]
    wrong = [tensor("INT64", 1, float_data=[0])]
    sizes, fields = read_with(tmp_path, *short, *wrong)
    assert sizes.message.startswith("5 tensors, the first 'w': 1 bytes")
    assert fields.message.startswith("tensor 'w': INT64 stands in")


def test_limits_hold_for_what_is_copied_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nodes in small bodies, and dims of small tensors."""
    path = tmp_path / "m.onnx"
    path.write_bytes(held_by("body", tensor("FLOAT", *[1] * 65)).SerializeToString())
    with pytest.raises(ModelReadError, match="holds the tensor 'w' of 65 dims; archlint reads no"):
        read(str(path))
    model = held_by("body", tensor("FLOAT", 1))
    body = model.graph.node[0].attribute[0].g
    body.node.extend([NodeProto(op_type="Relu")] * 4)
    path.write_bytes(model.SerializeToString())
    monkeypatch.setattr("archlint.analyzer.reader.tensors.MAX_NODES", 5)
    assert len(read(str(path)).proto.graph.node) == 1
    monkeypatch.setattr("archlint.analyzer.reader.tensors.MAX_NODES", 4)
    with pytest.raises(ModelReadError, match="holds more than 4 nodes; archlint reads no larger"):
        read(str(path))
