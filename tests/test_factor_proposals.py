"""Factorised layers in place: onnxruntime computes what it did, and their MACs are as promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from archlint.analyzer.constants import constants_of
from archlint.analyzer.cost import count
from archlint.analyzer.factor.forms import Form, full_ranks
from archlint.analyzer.factor.layers import layer_of
from archlint.analyzer.factor.proposals import factorised
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.load import load
from archlint.analyzer.proposal import check_fit, price
from archlint.analyzer.reader import Model, read
from archlint.analyzer.realised import realise
from archlint.analyzer.splicing import splice

Array = NDArray[Any]


def layer(
    folder: Path,
    op_type: str,
    x: tuple[int | str, ...],
    *weights: tuple[int, ...],
    dtype: type = np.float32,
    **attributes: Any,
) -> Model:
    """A layer with random weights, in a file, followed by Relu."""
    random = np.random.default_rng(sum(map(sum, weights)))
    tensors = [
        numpy_helper.from_array(random.standard_normal(shape).astype(dtype), f"w{place}")
        for place, shape in enumerate(weights)
    ]
    nodes = [
        helper.make_node(
            op_type, ["x", *(t.name for t in tensors)], ["a"], name="layer", **attributes
        ),
        helper.make_node("Relu", ["a"], ["y"]),
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("x", kind, x)],
        [helper.make_tensor_value_info("a", kind, None),
         helper.make_tensor_value_info("y", kind, None)],
        tensors,
    )  # fmt: skip
    imports = [helper.make_opsetid("", 17)]
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)
    return read(str(path))


def the_layer(graph: Graph) -> Node:
    return next(node for node in graph.nodes if node.name == "layer")


def in_place(model: Model, form: Form, ranks: tuple[int, ...], **moments: Array) -> Model:
    graph = load(model)
    constants = constants_of(graph)
    proposal = factorised(graph, the_layer(graph), form, ranks, **moments)
    assert proposal is not None
    assert constants is not None
    check_fit(proposal, graph)
    return splice(model, [realise(proposal, constants)])


def run(model: Model, x: Array) -> Array:
    """What a layer makes of x; a spliced model is whole but for what was left in the file."""
    proto = onnx.load(model.path)
    own = {tensor.name for tensor in proto.graph.initializer}
    made = [tensor for tensor in model.proto.graph.initializer if tensor.name not in own]
    del proto.graph.node[:]
    proto.graph.node.extend(model.proto.graph.node)
    proto.graph.initializer.extend(made)
    options_of_session = onnxruntime.SessionOptions()
    options_of_session.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options_of_session.log_severity_level = 3  # of initializers that nothing reads any more
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options_of_session)
    return np.asarray(session.run(["a"], {"x": x})[0])


CONVS: dict[str, tuple[Any, ...]] = {
    "plain": ((1, 6, 9, 9), (8, 6, 3, 3), {"pads": [1, 1, 1, 1]}, True),
    "stride-and-uneven-pads": (
        (2, 6, 11, 10), (8, 6, 3, 5), {"strides": [2, 3], "pads": [2, 0, 1, 3]}, True
    ),
    "dilation-without-bias": (
        (1, 6, 12, 12), (8, 6, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}, False
    ),
    "same-upper": (
        (1, 6, 9, 12), (8, 6, 3, 2), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, True
    ),
    "same-lower": ((1, 6, 10, 10), (8, 6, 2, 4), {"auto_pad": "SAME_LOWER"}, True),
    "valid": ((1, 6, 10, 10), (8, 6, 3, 3), {"auto_pad": "VALID"}, True),
    "1-D": ((1, 6, 20), (8, 6, 5), {"strides": [2], "pads": [3, 1], "dilations": [2]}, True),
    "3-D": ((1, 4, 5, 6, 7), (6, 4, 2, 3, 3), {"strides": [1, 2, 1]}, True),
    "1×1-with-stride-and-pads": (
        (1, 6, 9, 9), (8, 6, 1, 1), {"strides": [2, 2], "pads": [1, 0, 1, 0]}, True
    ),
    "row": ((1, 6, 9, 9), (8, 6, 1, 3), {"pads": [0, 1, 0, 1]}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", CONVS)
def test_a_convolution_at_full_rank(case: str, tmp_path: Path) -> None:
    """Every form that fits computes the same, and it has the MACs that options go by."""
    x, kernel, attributes, bias = CONVS[case]
    shift = [kernel[:1]] if bias else []
    model = layer(tmp_path, "Conv", x, kernel, *shift, **attributes)
    data = np.random.default_rng(1).standard_normal(x).astype(np.float32)
    before, graph = run(model, data), load(model)
    for form in Form:
        if (full := full_ranks(kernel, form)) is None:
            continue
        after = run(in_place(model, form, full), data)
        assert np.linalg.norm(after - before) <= 1e-5 * np.linalg.norm(before)
        proposal = factorised(graph, the_layer(graph), form, full)
        known = layer_of(graph, the_layer(graph))
        assert proposal is not None
        assert known is not None
        priced = price(proposal, count(graph))
        assert priced.after.macs == x[0] * known.macs(form, full)
        assert priced.before.macs == x[0] * known.whole_macs


PRODUCTS: dict[str, tuple[Any, ...]] = {
    "gemm": ("Gemm", (5, 12), [(12, 8), (8,)], {}),
    "gemm-scaled": (
        "Gemm", (5, 12), [(8, 12), (1, 8)], {"alpha": 0.5, "beta": -2.0, "transB": 1}
    ),
    "gemm-without-bias": ("Gemm", (5, 8), [(8, 12)], {"alpha": 3.0}),
    "gemm-one-number": ("Gemm", (5, 8), [(8, 12), ()], {"beta": 0.25}),
    "matmul": ("MatMul", (5, 12), [(12, 8)], {}),
    "matmul-of-a-batch": ("MatMul", (2, 3, 5, 8), [(8, 12)], {}),
}  # fmt: skip


@pytest.mark.parametrize("case", PRODUCTS)
def test_a_product_at_full_rank(case: str, tmp_path: Path) -> None:
    """Gemm and MatMul with all that they have."""
    op_type, x, weights, attributes = PRODUCTS[case]
    model = layer(tmp_path, op_type, x, *weights, **attributes)
    data = np.random.default_rng(1).standard_normal(x).astype(np.float32)
    before, after = run(model, data), run(in_place(model, Form.MATRIX, (8,)), data)
    assert np.linalg.norm(after - before) <= 1e-5 * np.linalg.norm(before)


def test_moments_of_the_data(tmp_path: Path) -> None:
    """Known moments make the error of the responses smaller, for each kind of layer."""
    random = np.random.default_rng(4)
    mixing = random.standard_normal((12, 12)) * np.logspace(0, -2, 12)
    rows = (random.standard_normal((400, 12)) @ mixing.T + 1).astype(np.float32)
    inputs = rows.T.astype(np.float64) @ rows / len(rows)
    for op_type, weights, form in (
        ("MatMul", [(12, 16)], Form.MATRIX),
        ("Gemm", [(12, 16), (16,)], Form.MATRIX),
        ("Conv", [(16, 12, 1), (16,)], Form.OUTPUT),
        ("Conv", [(16, 12, 1)], Form.INPUT),
    ):
        conv = op_type == "Conv"
        data = rows.T[None] if conv else rows
        model = layer(tmp_path, op_type, data.shape, *weights)
        before = run(model, data)
        made = (before[0].T if conv else before).astype(np.float64)
        mean = made.mean(0)
        outputs = (made - mean).T @ (made - mean) / len(made)
        known = [{}, {"inputs": inputs}, {"outputs": outputs, "mean": mean}]
        errors = [
            float(np.linalg.norm(run(in_place(model, form, (3,), **one), data) - before))
            for one in known
        ]
        assert errors[1] < errors[0]
        if form is not Form.INPUT:
            assert errors[2] < errors[1]


def test_half_precision_and_symbolic_rows(tmp_path: Path) -> None:
    """The factors have the type of the layer; a batch that is not known is no hindrance."""
    model = layer(tmp_path, "MatMul", ("batch", 7, 12), (12, 8), dtype=np.float16)
    changed = in_place(model, Form.MATRIX, (8,))
    made = [tensor for tensor in changed.proto.graph.initializer if "factor" in tensor.name]
    assert [tensor.data_type for tensor in made] == [TensorProto.FLOAT16] * 2
    data = np.random.default_rng(1).standard_normal((3, 7, 12)).astype(np.float16)
    before, after = (run(one, data).astype(np.float32) for one in (model, changed))
    assert np.linalg.norm(after - before) <= 5e-3 * np.linalg.norm(before)
