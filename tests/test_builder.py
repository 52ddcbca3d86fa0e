"""The builder: valid models that run, with the channels, names and weights that were asked for."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, numpy_helper

from archlint.analyzer.builder import IR_VERSION, OPSET, GraphBuilder, WeightKind
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model


def network(weights: WeightKind = "structure", seed: int = 0) -> ModelProto:
    """One call of every layer that the builder has."""
    b = GraphBuilder("all layers", weights=weights, seed=seed)
    x = b.input("x", ("n", 3, 16, 16))
    y = b.relu(b.batch_norm(b.conv(x, 8, 3)))
    left = b.conv(y, 4, 1, groups=4, bias=False, name="left")
    right = b.conv(y, 6, (1, 5), dilations=2, name="right")
    y = b.pool("MaxPool", b.concat([left, right]), 3, stride=2, pads=1)
    y = b.flatten(b.global_average_pool(y))
    b.output(b.linear(y, 10, 5), ("n", 5))
    return b.model()


def table_of(model: ModelProto) -> CostTable:
    """The counted graph of a built model."""
    return count(load(Model("built", model, 0)))


@pytest.mark.parametrize("weights", ["structure", "random"])
def test_built_models_are_valid_and_run(weights: WeightKind) -> None:
    """onnx's checker accepts the model, onnxruntime runs it at any batch."""
    model = network(weights)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (result,) = session.run(None, {"x": np.ones((2, 3, 16, 16), np.float32)})
    assert isinstance(result, np.ndarray)
    assert result.shape == (2, 5)
    assert np.isfinite(result).all()


@pytest.mark.parametrize("weights", ["structure", "random"])
def test_cost_of_a_built_model(weights: WeightKind) -> None:
    """Both kinds of weights give the MACs and parameters of the layers written out."""
    table = table_of(network(weights))
    macs = 16 * 16 * (8 * 3 * 3 * 3 + 4 * 2 + 6 * 8 * 5) + 10 * 5
    trained = (8 * 3 * 3 * 3 + 8) + (8 + 8) + 4 * 2 + (6 * 8 * 5 + 6) + (10 * 5 + 5)
    assert dict(table.uncosted) == {}
    assert table.total().macs == macs
    assert table.parameters.count(table.graph.nodes) == trained
    assert table.parameters.count_buffers(table.graph.nodes) == 8 + 8


def test_models_are_reproducible() -> None:
    """The same seed gives the same bytes, another one others."""
    one, same, other = (network("random", seed).SerializeToString() for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert network().SerializeToString() == network().SerializeToString()


def test_versions_are_those_declared() -> None:
    """Opset and IR version are the builder's constants."""
    model = network()
    assert (model.ir_version, model.opset_import[0].version) == (IR_VERSION, OPSET)
    assert model.producer_name == "archlint"


def test_structure_weights_take_few_bytes() -> None:
    """A fully connected layer of 100 million weights is written without them."""
    b = GraphBuilder("large")
    b.output(b.linear(b.input("x", (1, 10_000)), 10_000, 10_000))
    model = b.model()
    assert len(model.SerializeToString()) < 1000
    table = table_of(model)
    assert table.parameters.count(table.graph.nodes) == 10_000 * 10_000 + 10_000


def test_random_weights_are_scaled_by_their_fan_in() -> None:
    """Variance 2 / (channels x kernel), He et al. 2015, equation 10."""
    b = GraphBuilder("he", weights="random")
    b.output(b.conv(b.input("x", (1, 64, 8, 8)), 128, 3))
    (weight,) = (t for t in b.graph().initializer if t.name.endswith("weight"))
    variance = float(np.var(numpy_helper.to_array(weight)))
    assert variance == pytest.approx(2 / (64 * 3 * 3), rel=0.05)


def test_repeated_names_become_unique() -> None:
    """Layers of the same name are numbered, so that the model stays valid."""
    b = GraphBuilder("twice")
    y = b.input("x", (1, 4, 8, 8))
    for _ in range(3):
        y = b.relu(b.conv(y, 4, 3, name="conv"))
    b.output(y, (1, 4, 8, 8))
    model = b.model()
    onnx.checker.check_model(model)
    names = [node.name for node in model.graph.node if node.op_type in ("Conv", "Relu")]
    assert len(set(names)) == 6
    assert names[:3] == ["conv", "relu", "conv_2"]


@pytest.mark.parametrize(
    ("kernel", "pads", "stride", "dilation", "size"),
    [
        pytest.param(3, None, 1, 1, 16, id="same-by-default"),
        pytest.param(5, None, 1, 2, 16, id="same-when-dilated"),
        pytest.param(3, 0, 1, 1, 16 - 2, id="unpadded"),
        pytest.param(7, 3, 2, 1, 8, id="strided"),
        pytest.param(3, [0, 0, 1, 1], 2, 1, 8, id="padded-behind"),
    ],
)
def test_padding_of_a_convolution(
    kernel: int, pads: int | list[int] | None, stride: int, dilation: int, size: int
) -> None:
    """The map has the size that the padding says."""
    b = GraphBuilder("conv")
    x = b.input("x", (1, 3, 16, 16))
    y = b.conv(x, 7, kernel, pads=pads, stride=stride, dilations=dilation)
    b.output(y)
    graph = load(Model("conv", b.model(), 0))
    assert graph.value(y).static_shape == (1, 7, size, size)
    assert b.channels(y) == 7


def test_channels_follow_the_layers() -> None:
    """Concatenation adds channels, other operators keep those of their first input."""
    b = GraphBuilder("channels")
    x = b.input("x", (1, 3, 8, 8))
    joined = b.concat([b.conv(x, 5, 1), b.relu(x), b.batch_norm(x)])
    assert b.channels(joined) == 5 + 3 + 3
    assert b.channels(b.node("Sigmoid", joined)) == 11
    assert b.channels(b.pool("AveragePool", joined, 2, stride=2)) == 11
    assert b.channels(b.linear(b.flatten(joined), 11 * 64, 9)) == 9
    with pytest.raises(KeyError):
        b.channels("nothing")


@pytest.mark.parametrize(
    ("numbers", "dtype", "shape"),
    [
        pytest.param([1, 2], np.int64, (2,), id="integers"),
        pytest.param([1, 2.5], np.float32, (2,), id="mixed"),
        pytest.param(0.5, np.float32, (), id="scalar"),
    ],
)
def test_constants_keep_their_type(
    numbers: float | list[int] | list[float], dtype: type, shape: tuple[int, ...]
) -> None:
    """Integers are int64, anything else float32."""
    b = GraphBuilder("constant")
    name = b.constant("c", numbers)
    array = numpy_helper.to_array(b.graph().initializer[0])
    assert (name, array.dtype, array.shape) == ("c", np.dtype(dtype), shape)
    assert array.tolist() == numbers
