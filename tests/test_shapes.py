"""Shapes: equal to those of onnx's own inference, of a real run, and of its backend's test data."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper, shape_inference
from onnx.backend.test.loader import load_model_tests

import shape_rows
from archlint.analyzer.cost import count
from archlint.analyzer.graph import Graph, Value
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.shapes.context import SHAPE_RULES

MAP = "float[2,8,15,11] x"
ATTENTION = "float[2,8,6,16] x, float[2,2,5,16] k, float[2,2,5,12] v"
RNN = "float[9,2,5] x, float[2,12,5] w, float[2,12,3] r"

# Inputs, constants, nodes; every value is compared.
INFERRED: dict[str, tuple[str, str, str]] = {
    "conv": (f"{MAP}, float[6,4,3,2] w", "",
             "y = Conv<group=2, strides=[2,1], dilations=[2,3], pads=[1,0,2,1]>(x, w)"),
    "conv-same": (f"{MAP}, float[6,8,3,2] w", "",
                  'y = Conv<auto_pad="SAME_LOWER", strides=[2,3]>(x, w)'),
    "conv-valid": (f"{MAP}, float[6,8,4,2] w", "", 'y = Conv<auto_pad="VALID">(x, w)'),
    "conv-transpose": (f"{MAP}, float[8,5,3,3] w", "",
                       "y = ConvTranspose<group=2, strides=[2,3], output_padding=[1,2]>(x, w)"),
    "conv-transpose-shape": (f"{MAP}, float[8,5,3,3] w", "",
                             "y = ConvTranspose<strides=[2,2], output_shape=[31,23]>(x, w)"),
    "conv-transpose-dilated": (f"{MAP}, float[8,5,3,3] w", "",
                               "y = ConvTranspose<dilations=[2,3], pads=[1,2,0,1]>(x, w)"),
    "pool": (MAP, "", "y, i = MaxPool<kernel_shape=[3,2], strides=[2,3], dilations=[2,1]>(x)"),
    "pool-ceil": (MAP, "", "y = AveragePool<kernel_shape=[2,4], strides=[2,3], ceil_mode=1>(x)"),
    "pool-global": (MAP, "", "y = GlobalMaxPool(x)"),
    "gemm": ("float[5,7] x, float[4,5] w", "", "y = Gemm<transA=1, transB=1>(x, w)"),
    "matmul": ("float[3,1,7,5] x, float[2,5,4] w", "", "y = MatMul(x, w)"),
    "matmul-vectors": ("float[5] x, float[2,5,4] w", "", "y = MatMul(x, w) z = MatMul(x, x)"),
    "einsum": ("float[2,4,6,8] x, float[8,3] w", "",
               'y = Einsum<equation="...i,io->...o">(x, w) z = Einsum<equation="ij->ji">(w)'),
    "attention": (ATTENTION, "", "y, , , s = Attention(x, k, v)"),
    "attention-past": (f"{ATTENTION}, float[2,2,9,16] a, float[2,2,9,12] b", "",
                       "y, pk, pv = Attention(x, k, v, , a, b)"),
    "lstm": (RNN, "", 'y, h, c = LSTM<hidden_size=3, direction="bidirectional">(x, w, r)'),
    "lstm-last": (RNN, "", (', h = LSTM<hidden_size=3, direction="bidirectional">(x, w, r)'
                           " y = Relu(h)")),
    "broadcast": ("float[2,1,5] x, float[3,1] v", "", "a = Add(x, v) b = Less(a, v) y = Not(b)"),
    "where": ("bool[3,1] c, float[2,1,5] x", "", "y = Where(c, x, x)"),
    "casts": ("int32[3] x", "float s = {0.1}, uint8 z = {1}",
              ("a = Cast<to=1>(x) b = CastLike(x, a) c = QuantizeLinear(a, s, z)"
              " y = DequantizeLinear(c, s, z)")),
    "layer-norm": ("float[2,3,5] x, float[5] w", "", "y, m, d = LayerNormalization(x, w)"),
    "dropout": (MAP, "", "y, m = Dropout(x)"),
    "reduce": (MAP, "int64[2] a = {1,-1}",
               ("b = ReduceMean<keepdims=0>(x, a) c = ReduceMax(x, a) d = ReduceSum(x)"
               " y = ReduceSum<noop_with_empty_axes=1>(x)")),
    "arg-max": (MAP, "", "a = ArgMax<axis=-2>(x) y = ArgMin<axis=1, keepdims=0>(x)"),
    "top-k": (MAP, "int64[1] k = {3}", "y, i = TopK<axis=1>(x, k)"),
    "flatten": (MAP, "", "a = Flatten<axis=2>(x) b = Flatten<axis=0>(x) y = Flatten<axis=-1>(x)"),
    "transpose": (MAP, "", "a = Transpose(x) y = Transpose<perm=[0,2,3,1]>(x)"),
    "squeeze": ("float[1,3,1,5] x", "int64[1] a = {-2}",
                "b = Squeeze(x) c = Squeeze(x, a) y = Unsqueeze(c, a)"),
    "concat": (MAP, "", "y = Concat<axis=-1>(x, x, x)"),
    "split": (MAP, "int64[2] s = {3,5}", ("a, b = Split<axis=1>(x, s)"
              " c, y, z = Split<axis=3, num_outputs=3>(x)")),
    "slice": (MAP, ("int64[2] a = {2,-3}, int64[2] b = {1,-1}, int64[2] s = {-2,1},"
              " int64[2] e = {-9223372036854775807,9223372036854775807}"),
              "c = Slice(x, a, b, b, s) y = Slice(x, a, e, b, s)"),
    "gather": ("float[5,6,7] x, int64[2,3] i", "", "a = Gather<axis=1>(x, i) y = Gather(x, i)"),
    "gather-nd": ("float[5,6,7] x, int64[5,2,1] i", "", "y = GatherND<batch_dims=1>(x, i)"),
    "expand": ("float[3,1] x", "int64[3] n = {2,1,6}", "y = Expand(x, n) z = Tile(y, n)"),
    "reshape": (MAP, "int64[3] n = {0,-1,5}, int64[2] m = {-1,8}",
                "a = Reshape(x, n) y = Reshape(x, m)"),
    "resize": (MAP, "float[4] r = {1,1,1.5,0.4}, int64[4] n = {2,8,7,5}",
               "a = Resize(x, , r) y = Resize(x, , , n)"),
    "pad": (MAP, "int64[4] n = {1,-2,3,4}, int64[2] a = {2,-1}", "y = Pad(x, n, , a)"),
    "blocks": ("float[2,8,4,6] x", "", ("a = DepthToSpace<blocksize=2>(x)"
               " y = SpaceToDepth<blocksize=2>(x)")),
    "grid-sample": ("float[2,8,4,6] x, float[2,3,5,2] g", "", "y = GridSample(x, g)"),
    "one-hot": ("int64[2,3] x", "int64 d = {10}, float[2] f = {0,1}",
                "y = OneHot<axis=1>(x, d, f)"),
    "constants": ("float[1] x", "int64[2] n = {6,7}, int64 a = {3}, int64 b = {20}, int64 c = {4}",
                  "d = ConstantOfShape(n) y = Range(a, b, c) z = EyeLike<dtype=7>(d)"),
    # The arithmetic that exporters write for x.view(x.size(0), -1, 4) and for flattening pairs.
    "from-shape": (MAP, "int64 z = {0}, int64[1] m = {-1}, int64[1] f = {4}, int64[1] u = {0}",
                   ("s = Shape(x) g = Gather(s, z) n = Unsqueeze(g, u) t = Concat<axis=0>(n, m, f)"
                   " y = Reshape(x, t)")),
    "from-product": (MAP, "int64 h = {2}, int64 w = {3}, int64[1] m = {-1}, int64[1] u = {0}",
                     ("s = Shape(x) a = Gather(s, h) b = Gather(s, w) p = Mul(a, b)"
                     " q = Unsqueeze(p, u) t = Concat<axis=0>(m, q) y = Reshape(x, t)")),
}  # fmt: skip


def elem_and_dims(info: onnx.ValueInfoProto) -> tuple[int, tuple[int, ...]] | None:
    """Data type and dims that onnx inferred, if it knows every dim."""
    tensor = info.type.tensor_type
    if not tensor.HasField("shape") or not all(d.HasField("dim_value") for d in tensor.shape.dim):
        return None
    return tensor.elem_type, tuple(dim.dim_value for dim in tensor.shape.dim)


def versioned(opset: int, ml: int = 5) -> str:
    """The header of a model of this operator set."""
    return (
        f'<ir_version: 10, opset_import: ["" : {opset}, "ai.onnx.ml" : {ml},'
        ' "ai.onnx.preview" : 1, "ai.onnx.preview.training" : 1]>'
    )


@pytest.mark.parametrize("row", [*INFERRED, *shape_rows.INFERRED, *shape_rows.OLD])
def test_shapes_are_those_of_onnx(row: str) -> None:
    """Every value that onnx's inference knows has the same shape and data type here."""
    newest = INFERRED | shape_rows.INFERRED
    opset, inputs, constants, nodes = (28, *newest[row]) if row in newest else shape_rows.OLD[row]
    model = from_text(f"{versioned(opset)} g ({inputs}) => (y) <{constants}> {{ {nodes} }}")
    strict = row in newest
    inferred = shape_inference.infer_shapes(model.proto, strict_mode=strict, data_prop=True).graph
    expected = {info.name: elem_and_dims(info) for info in (*inferred.value_info, *inferred.output)}
    values = load(model).values
    made = {name for node in model.proto.graph.node for name in node.output if name}
    assert {name for name, shape in expected.items() if shape} == made
    assert {name: (values[name].dtype, values[name].static_shape) for name in made} == expected


@pytest.mark.parametrize("row", shape_rows.DEFINED)
def test_shapes_are_those_of_the_definition(row: str) -> None:
    """Where onnx infers nothing the operator's text in the standard says it."""
    opset, inputs, constants, nodes, expected = shape_rows.DEFINED[row]
    model = from_text(f"{versioned(opset)} g ({inputs}) => (y) <{constants}> {{ {nodes} }}")
    value = load(model).value("y")
    assert (value.dtype, value.static_shape) == expected


@pytest.mark.parametrize("row", shape_rows.LEARNED)
def test_shapes_of_learned_models_are_those_of_a_run(row: str) -> None:
    """Operators of ai.onnx.ml give what onnxruntime computes."""
    text = f"g (float[4,3] x, float[3] v, int64[2] i) => (y) {{ {shape_rows.LEARNED[row]} }}"
    model = from_text(f"{versioned(17, ml=2 if 'label' in row else 1)} {text}")
    session = onnxruntime.InferenceSession(model.proto.SerializeToString())
    feeds = {"x": np.ones((4, 3), np.float32), "v": np.ones(3, np.float32), "i": np.array([0, 1])}
    (result,) = session.run(["y"], feeds)
    value = load(model).value("y")
    assert isinstance(result, np.ndarray)
    assert value.static_shape == result.shape
    assert value.dtype == helper.np_dtype_to_tensor_dtype(result.dtype)


# What onnx's inference leaves open, compared with what onnxruntime computes.
RUN: dict[str, tuple[str, str, str]] = {
    "conv-transpose-same": ("float[1,3,5,6] x, float[3,4,3,3] w", "",
                            'y = ConvTranspose<auto_pad="SAME_UPPER", strides=[2,2]>(x, w)'),
    # a third window would start in the padding behind the map
    "pool-ceil-padded": ("float[1,1,5,7] x", "",
                         ("y = MaxPool<kernel_shape=[2,2], strides=[3,3], pads=[0,0,1,1],"
                         " ceil_mode=1>(x)")),
    "pool-same": ("float[1,1,7,8] x", "", ("y = MaxPool<kernel_shape=[3,3], strides=[2,2],"
                  ' auto_pad="SAME_UPPER">(x)')),
    "einsum-implicit": ("float[2,3] x, float[3,4] w", "", 'y = Einsum<equation="ij,jk">(x, w)'),
    "einsum-outer": ("float[2,3] x, float[4] w", "", 'y = Einsum<equation="ab,c->cab">(x, w)'),
    "from-float-scale": ("float[1,3,5,7] x", ("float[2] f = {1.6, 2.3}, int64[1] a = {2},"
                         " int64[1] b = {4}, int64[2] c = {1,3}"),
                         ("s = Shape(x) h = Slice(s, a, b) g = Cast<to=1>(h) m = Mul(g, f)"
                         " r = Floor(m) t = Cast<to=7>(r) n = Concat<axis=0>(c, t)"
                         " y = Resize(x, , , n)")),
    "non-zero-of-constant": ("float[3] x", "int64[1] n = {5}",
                             ("c = ConstantOfShape<value=int64[1] {1}>(n) i = NonZero(c)"
                             " y = Transpose(i)")),
    "divide-to-zero": ("float[1,7,2] x", "int64[1] m = {-2}, int64[1] o = {7}, int64[1] e = {-1}",
                       ("d = Div(o, m) s = Add(d, o) t = Concat<axis=0>(s, e)"
                       " p = Concat<axis=1>(x, x, x, x) y = Reshape(p, t)")),
    "keep-aspect": ("float[1,1,4,8] x", "int64[2] n = {6,6}",
                     'y = Resize<axes=[2,3], keep_aspect_ratio_policy="not_larger">(x, , , n)'),
    "range-of-floats": ("float[1] x", "float a = {0.0}, float b = {1.0}, float c = {0.3}",
                        "r = Range(a, b, c) y = Add(r, x)"),
}  # fmt: skip


@pytest.mark.parametrize("row", RUN)
def test_shapes_are_those_of_a_run(row: str) -> None:
    """The inferred shape of the output is that of the array that onnxruntime returns."""
    inputs, constants, nodes = RUN[row]
    model = from_text(f"g ({inputs}) => (float y) <{constants}> {{ {nodes} }}", opset=19)
    model.proto.graph.output[0].type.tensor_type.ClearField("shape")
    if "NonZero" in nodes:
        model.proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    session = onnxruntime.InferenceSession(model.proto.SerializeToString())
    graph = load(model)
    feeds = {name: np.zeros(graph.value(name).static_shape or (), np.float32)
             for name in graph.inputs}  # fmt: skip
    (result,) = session.run(["y"], feeds)
    assert isinstance(result, np.ndarray)
    assert graph.value("y").static_shape == result.shape


@functools.cache
def node_tests() -> list[Any]:
    """onnx's backend tests of single operators, with their input and output arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(load_model_tests(kind="node"))


def as_constants(model: ModelProto, arrays: list[Any]) -> ModelProto:
    """The model with its tensor inputs as initializers."""
    copy = ModelProto()
    copy.CopyFrom(model)
    for info, array in zip(model.graph.input, arrays, strict=False):
        if isinstance(array, TensorProto):
            copy.graph.initializer.add().CopyFrom(array)
            copy.graph.initializer[-1].name = info.name
        elif isinstance(array, (np.ndarray, np.generic)):
            plain = np.asarray(array, object if array.dtype.kind == "U" else array.dtype)
            copy.graph.initializer.append(numpy_helper.from_array(plain, info.name))
    return copy


def arrays_of(graph: Graph, outputs: list[Any]) -> Iterator[tuple[Value, NDArray[Any]]]:
    """The values of the outputs that are tensors, with the arrays expected of them."""
    for name, array in zip(graph.outputs, outputs, strict=True):
        if isinstance(array, TensorProto):
            yield graph.value(name), numpy_helper.to_array(array)
        elif isinstance(array, (np.ndarray, np.generic)):
            yield graph.value(name), np.asarray(array)


def complaint(value: Value, array: NDArray[Any], dtype: int) -> str:
    """What is wrong with an inferred value, nothing if it is right or unknown."""
    if value.shape is not None:
        pairs = zip_longest(value.shape, array.shape)
        if any(dim != have for dim, have in pairs if have is None or isinstance(dim, int | None)):
            return f"shape {value.shape} for {array.shape}"
    if value.dtype not in (0, dtype):
        return f"type {value.dtype} for {dtype}"
    if value.data is not None:
        data = value.data.astype(np.float64)
        if not np.allclose(data, array.astype(np.float64), rtol=1e-3, equal_nan=True):
            return f"elements {data} for {array}"
    return ""


def has_zero_dim(model: ModelProto) -> bool:
    """Whether an input declares a dim of 0, which exporters write for an unknown one."""
    shapes = [info.type.tensor_type.shape.dim for info in model.graph.input]
    return any(dim.HasField("dim_value") and not dim.dim_value for dims in shapes for dim in dims)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("constant", "share", "share_with_rules"),
    [pytest.param(False, 0.85, 0.85, id="fed"), pytest.param(True, 0.98, 0.98, id="constant")],
)
def test_no_shape_of_the_backend_tests_is_wrong(
    constant: bool, share: float, share_with_rules: float
) -> None:
    """Inferred shapes, types and elements are those of the expected arrays, or unknown.

    The shares of outputs whose shape is known are floors: of all, and of operators with a rule.
    """
    wrong: list[str] = []
    known: list[bool] = []
    known_with_rules: list[bool] = []
    for case in node_tests():
        if has_zero_dim(case.model) and not constant:
            continue
        for inputs, outputs in case.data_sets or []:
            model = as_constants(case.model, inputs) if constant else case.model
            graph = load(Model(case.name, model, 0))
            count(graph)
            has_rules = {node.operator for node in graph.nodes} <= {"Constant", *SHAPE_RULES}
            types = {info.name: info.type.tensor_type.elem_type for info in model.graph.output}
            for value, array in arrays_of(graph, outputs):
                known.append(value.static_shape is not None)
                known_with_rules += known[-1:] if has_rules else []
                if why := complaint(value, array, types[value.name]):
                    wrong.append(f"{case.name}: {why}")
    assert wrong == []
    assert sum(known) / len(known) >= share
    assert sum(known_with_rules) / len(known_with_rules) >= share_with_rules
