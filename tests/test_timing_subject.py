"""What is timed: parts of models and whole ones, with weights that nobody reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, numpy_helper

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.errors import TimingError
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.timing.harness import Setup, fed, made_up, made_up_values, open_session
from archlint.analyzer.timing.part import part
from archlint.analyzer.timing.subject import Subject, whole
from denormals import keep_denormals


def outputs_of(subject: Subject, tmp_path: Path) -> list[Any]:
    """What a run of a subject gives."""
    (tmp_path / "subject.onnx").write_bytes(subject.model)
    arguments = subject.as_json(str(tmp_path / "subject.onnx"))
    keep_denormals()
    session = open_session(arguments, Setup(), made_up_values(arguments))
    return outputs_from(session, fed(arguments))


def outputs_from(session: Any, inputs: dict[str, Any]) -> list[Any]:
    """What a run gives; onnxruntime's types tell of sparse tensors and sequences too."""
    return list(session.run(None, inputs))


def part_of(model: Model, names: Sequence[str]) -> Subject:
    """Nodes of a model as a subject, from its first input to the output of the last."""
    graph = load(model)
    nodes = [node for node in graph.nodes if node.name in names]
    return part("m.onnx", graph, nodes, [nodes[0].input(0)], [nodes[-1].output(0)])


def text(body: str, inputs: str = "float[1,8,6,6] x", weights: str = "") -> Model:
    return from_text(
        f'<ir_version: 8, opset_import: ["": 17]> g ({inputs}) => (y) {weights} {body}'
    )


CONV = text("{ [a] h = Relu(x) [conv] z = Conv<pads=[1,1,1,1]>(h, w) [r] y = Relu(z) }",
            weights="<float[4,8,3,3] w>")  # fmt: skip


def test_a_part_runs_alone(tmp_path: Path) -> None:
    subject = part_of(CONV, ["conv", "r"])
    (result,) = outputs_of(subject, tmp_path)
    assert result.shape == (1, 4, 6, 6)
    assert result.min() == 0 < result.max()  # made-up weights are not all alike, and Relu is there


def test_a_part_has_no_name_of_the_model() -> None:
    proto = ModelProto.FromString(part_of(CONV, ["conv", "r"]).model)
    names = {n.name for n in proto.graph.node} | {v for n in proto.graph.node for v in n.input}
    assert names == {"n0", "n1", "v0", "v1", "v2"}


def test_equal_parts_are_equal_whatever_their_names() -> None:
    renamed = text("{ [b] q = Relu(x) [k] p = Conv<pads=[1,1,1,1]>(q, kernel) [s] y = Relu(p) }",
                   weights="<float[4,8,3,3] kernel>")  # fmt: skip
    wider = text("{ [b] q = Relu(x) [k] p = Conv<pads=[1,1,1,1]>(q, w) [s] y = Relu(p) }",
                 weights="<float[5,8,3,3] w>")  # fmt: skip
    first = part_of(CONV, ["conv", "r"])
    assert part_of(renamed, ["k", "s"]) == first
    assert part_of(wider, ["k", "s"]) != first


def test_small_constants_keep_their_numbers(tmp_path: Path) -> None:
    model = text(
        "{ [c] y = Clip(x, low, high) }", weights="<float low = {0.25}, float high = {0.26}>"
    )
    (result,) = outputs_of(part_of(model, ["c"]), tmp_path)
    assert (result.min(), result.max()) == (np.float32(0.25), np.float32(0.26))


def test_variances_stay_positive(tmp_path: Path) -> None:
    vectors = "<float[64] s, float[64] b, float[64] m, float[64] v>"
    model = text("{ [n] y = BatchNormalization(x, s, b, m, v) }", "float[1,64,5,5] x", vectors)
    (result,) = outputs_of(part_of(model, ["n"]), tmp_path)
    assert np.isfinite(result).all()


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (text("{ [c] y = Conv(x, w) }", "float[1,8,N,N] x", "<float[4,8,3,3] w>"), "of 'x' is unk"),
        (
            text("{ [c] y = Conv(x, w) }", "float[1,8,6,6] x, float[4,8,3,3] w"),
            "'w' is read beside",
        ),
    ],
)
def test_what_cannot_be_a_part(model: Model, why: str) -> None:
    with pytest.raises(TimingError, match=why):
        part_of(model, ["c"])


def test_indices_are_made_up_as_indices(tmp_path: Path) -> None:
    model = text("{ [c] y = Gather(x, i) }", "float[8,6] x", "<int32[9999] i>")
    (result,) = outputs_of(part_of(model, ["c"]), tmp_path)
    assert result.shape == (9999, 6)


def built(weights: str) -> tuple[Model, Graph]:
    builder = GraphBuilder("net", weights=weights)  # type: ignore[arg-type]  # one of two words
    x = builder.input("x", (1, 16, 12, 12))
    one = builder.relu(builder.conv(x, 24, 3))
    two = builder.relu(builder.conv(x, 24, 3))
    builder.output(builder.concat([one, two]))
    model = Model("net.onnx", builder.model(), 0)
    return model, load(model)


def test_fills_become_weights_that_differ(tmp_path: Path) -> None:
    model, graph = built("structure")
    subject = whole(model, graph)
    (result,) = outputs_of(subject, tmp_path)
    assert not np.allclose(result[:, :24], result[:, 24:])  # equal branches would be merged
    proto = ModelProto.FromString(subject.model)
    assert [node.op_type for node in proto.graph.node] == ["Conv", "Relu", "Conv", "Relu", "Concat"]
    assert len(subject.made_up) == len(proto.graph.initializer) == 4


def test_fills_of_zeros_stay() -> None:
    model = text("{ s = Constant<value_ints=[2,64]>() h = ConstantOfShape(s) y = Add(x, h) }",
                 "float[2,64] x")  # fmt: skip
    assert whole(model, load(model)).made_up == ()


def test_a_whole_model_keeps_its_weights(tmp_path: Path) -> None:
    built_model, _ = built("random")
    path = tmp_path / "net.onnx"
    onnx.save(built_model.proto, path)
    model = read(str(path))
    subject = whole(model, load(model))
    assert subject.made_up == ()
    given = fed(subject.as_json("any"))
    (expected,) = outputs_from(onnxruntime.InferenceSession(path), given)
    (result,) = outputs_of(subject, tmp_path)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_weights_without_data_are_made_up(tmp_path: Path) -> None:
    model = text("{ y = MatMul(x, w) }", "float[2,32] x", "<float[32,8] w>")
    subject = whole(model, load(model))
    assert [(weight.name, weight.shape) for weight in subject.made_up] == [("w", (32, 8))]
    assert outputs_of(subject, tmp_path)[0].std() > 0


def test_what_nothing_reads_is_left_out() -> None:
    proto = built("random")[0].proto
    proto.graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "unread"))
    model = Model("net.onnx", proto, 0)
    kept = ModelProto.FromString(whole(model, load(model)).model).graph.initializer
    assert "unread" not in {tensor.name for tensor in kept}


def test_bound_dims_are_declared_as_they_are_fed() -> None:
    model = text("{ y = Relu(x) }", "float[1,8,N,6] x")
    graph = load(model, Bindings({"N": 5}, {}))
    proto = ModelProto.FromString(whole(model, graph).model)
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == [1, 8, "N", 6]


@pytest.mark.parametrize(
    ("weight", "low", "high", "deviation"),
    [
        ({"scale": 0.5, "low": 0.0, "high": 1.0}, -3.5, 3.5, 0.5),
        ({"scale": None, "low": 0.5, "high": 1.5}, 0.5, 1.5, 1 / np.sqrt(12)),  # of an even one
    ],
)
def test_made_up_numbers(weight: dict[str, Any], low: float, high: float, deviation: float) -> None:
    numbers = made_up({"name": "w", "dtype": "float32", "shape": [300, 70], **weight})
    assert (numbers.shape, numbers.dtype) == ((300, 70), np.float32)
    assert low <= numbers.min() < numbers.max() <= high
    assert numbers.std() == pytest.approx(deviation, rel=0.05)
    again = made_up({"name": "w", "dtype": "float32", "shape": [300, 70], **weight})
    np.testing.assert_array_equal(numbers, again)
