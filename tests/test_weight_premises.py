"""What onnxruntime makes of weights that are NaN or denormal: the premises of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from onnx.helper import make_node, make_tensor_value_info

Array = NDArray[np.float32]
RANDOM = np.random.default_rng(0)
FLOAT = 1


def output(nodes: list[NodeProto], fed: Array, weights: Mapping[str, Array]) -> Array:
    """What onnxruntime computes from x to the last node's output."""
    last = nodes[-1].output[0]
    graph = helper.make_graph(
        nodes,
        "g",
        [make_tensor_value_info("x", FLOAT, fed.shape)],
        [make_tensor_value_info(last, FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": fed})[0])


@pytest.mark.parametrize(("layers", "share"), [(1, 1 / 4), (2, 1)])
def test_one_nan_makes_everything_nan(layers: int, share: float) -> None:
    """Of a convolution with 4 filters the map of one, behind the next convolution all of it."""
    kernels = RANDOM.standard_normal((2, 4, 4, 3, 3)).astype(np.float32)
    kernels[0, 2, 1, 0, 0] = np.nan
    nodes = [make_node("Conv", ["x", "v"], ["t"]), make_node("Conv", ["t", "w"], ["y"])]
    fed = RANDOM.standard_normal((1, 4, 8, 8)).astype(np.float32)
    weights: dict[str, Any] = {"v": kernels[0], "w": kernels[1]}
    assert np.isnan(output(nodes[:layers], fed, weights)).mean() == share


def test_an_infinite_weight_makes_nan_of_a_zero() -> None:
    """As a Relu gives."""
    weights = {"w": np.array([[np.inf, 1], [1, 1]], np.float32)}
    made = output([make_node("MatMul", ["x", "w"], ["y"])], np.zeros((1, 2), np.float32), weights)
    assert np.isnan(made).tolist() == [[True, False]]


def test_zeros_instead_of_denormal_weights_compute_the_same() -> None:
    """To the last bit, where other weights are added up: the advice of denormal-weights."""
    array = RANDOM.standard_normal((64, 64)).astype(np.float32)
    array[::7] *= np.float32(1e-39)
    flushed = array.copy()
    flushed[np.abs(flushed) < np.finfo(flushed.dtype).tiny] = 0
    assert (array != flushed).any()
    node = make_node("MatMul", ["x", "w"], ["y"])
    fed = RANDOM.standard_normal((8, 64)).astype(np.float32)
    before, after = (output([node], fed, {"w": held}) for held in (array, flushed))
    np.testing.assert_array_equal(before, after)
