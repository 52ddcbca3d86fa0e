"""The modules that ``archlint sketch`` writes run in torch, and start as they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from archlint.analyzer.constants import constants_of
from archlint.analyzer.cost import count
from archlint.analyzer.engine import run
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Flags, Rule, RuleContext
from archlint.analyzer.targets import load_target
from archlint.analyzer.torch_module import torch_module
from archlint.configuration import configure
from archlint.rules import all_rules, cases_of
from archlint.sketching import sketched, write_sketch

torch: Any = pytest.importorskip("torch", reason="the modules are for torch")

Arrays = dict[str, NDArray[Any]]


def loaded(file: Path) -> Any:
    """The module of a Python file that archlint wrote."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled(proto: ModelProto, seed: int = 0) -> ModelProto:
    """The model with small random numbers for the weights that it declares; variances positive."""
    random = np.random.default_rng(seed)
    variances = {n.input[4] for n in proto.graph.node if n.op_type == "BatchNormalization"}
    for entry in proto.graph.value_info:
        dims = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
        numbers = random.standard_normal(dims).astype(np.float32) / 4
        numbers = np.abs(numbers) + 1 if entry.name in variances else numbers
        proto.graph.initializer.append(numpy_helper.from_array(numbers, entry.name))
    del proto.graph.value_info[:]
    return proto


def outputs_of(proto: ModelProto, feeds: Arrays) -> list[NDArray[Any]]:
    """What onnxruntime computes, without optimising."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)  # type: ignore[no-any-return]  # onnxruntime has no types


def feeds_of(proto: ModelProto) -> Arrays:
    """Seeded numbers for the inputs."""
    random = np.random.default_rng(1)
    return {
        entry.name: random.standard_normal(
            [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
        ).astype(np.float32)
        for entry in proto.graph.input
    }


def distance(ours: Any, theirs: NDArray[Any]) -> float:
    """‖a − b‖ / ‖b‖."""
    return float(np.linalg.norm(ours.detach().numpy() - theirs) / np.linalg.norm(theirs))


def first_cases() -> list[Any]:
    """The first case of each rule that proposes something to be written."""
    return [
        pytest.param(rule, next(c for c in cases_of(rule) if isinstance(c, Flags)), id=rule.code)
        for rule in all_rules()
        if any(isinstance(case, Flags) and case.macs is not None for case in cases_of(rule))
    ]


@pytest.mark.parametrize(("rule", "case"), first_cases())
def test_modules_of_all_rules_give_the_shapes(rule: type[Rule], case: Flags) -> None:
    """From the inputs of what is flagged to the shapes of its outputs."""
    costs = count(load(from_text(case.onnx_text)))
    context = RuleContext(costs.graph, costs, load_target(case.target))
    (priced, *_) = (one.priced for one in run([rule(**case.options)], context))
    assert priced is not None
    part = priced.proposal.graph
    if not part.node:  # a proposal that only removes
        return
    opset = costs.graph.opset
    model = onnx.helper.make_model(part, opset_imports=[onnx.helper.make_opsetid("", opset)])
    scope: dict[str, Any] = {}
    source = torch_module(load(Model("proposal", model, 0))).source(["Tried."], has_start=False)
    exec(source, scope)  # noqa: S102 - code that archlint wrote
    inputs = [torch.zeros(costs.graph.value(entry.name).static_shape) for entry in part.input]
    made = scope["Replacement"]()(*inputs)
    made = made if isinstance(made, tuple) else (made,)
    shapes = [costs.graph.value(entry.name).static_shape for entry in part.output]
    assert [tuple(one.shape) for one in made] == shapes


OPERATORS = [
    ("uneven-pads", "[1,4,9,9]", "Conv <pads = [0,1,2,1], strides = [2,1]> (x, w, b)",
     "float[6,4,3,2] w, float[6] b"),
    ("same-pads-of-a-signal", "[1,4,10]", 'Conv <auto_pad = "SAME_UPPER", strides = [2]> (x, w)',
     "float[6,4,3] w"),
    ("groups-and-dilations", "[1,8,9,9]", "Conv <group = 4, dilations = [2,1]> (x, w)",
     "float[8,2,3,3] w"),
    ("volume", "[1,2,5,5,5]", "Conv <pads = [1,1,1,1,1,1]> (x, w)", "float[3,2,3,3,3] w"),
    ("transposed", "[1,6,5,5]", ("ConvTranspose <strides = [2,2], pads = [1,1,1,1], "
     "output_padding = [1,1], group = 2> (x, w, b)"), "float[6,2,3,3] w, float[4] b"),
    ("gemm", "[3,8]", "Gemm <alpha = 0.5, beta = 2.0> (x, w, b)", "float[8,5] w, float[1,5] b"),
    ("gemm-turned", "[3,8]", "Gemm <transB = 1> (x, w, b)", "float[5,8] w, float[1] b"),
    ("product-with-a-matrix", "[2,3,8]", "MatMul (x, w)", "float[8,5] w"),
    ("normalisation", "[2,4,5,5]", "BatchNormalization <epsilon = 0.01> (x, s, b, m, v)",
     "float[4] s, float[4] b, float[4] m, float[4] v"),
    ("normalisation-of-features", "[2,4]", "BatchNormalization (x, s, b, m, v)",
     "float[4] s, float[4] b, float[4] m, float[4] v"),
    ("layer-normalisation", "[2,3,8]", "LayerNormalization (x, s, b)", "float[8] s, float[8] b"),
    ("layer-normalisation-without-bias", "[2,3,8]", "LayerNormalization <axis = 1> (x, s)",
     "float[3,8] s"),
    ("max-pool", "[1,2,9,9]", ("MaxPool <kernel_shape = [3,3], strides = [2,2], pads = [1,1,1,1], "
     "ceil_mode = 1> (x)"), ""),
    ("max-pool-uneven", "[1,2,9,9]",
     "MaxPool <kernel_shape = [3,3], strides = [2,2], pads = [0,0,1,1]> (x)", ""),
    ("average-pool", "[1,2,9,9]",
     "AveragePool <kernel_shape = [3,3], strides = [2,2], pads = [1,1,1,1]> (x)", ""),
    ("average-pool-of-zeros-too", "[1,2,9,9]", ("AveragePool <kernel_shape = [3,3], "
     "strides = [2,2], pads = [0,0,1,1], count_include_pad = 1> (x)"), ""),
    ("global-max", "[1,2,5,5]", "GlobalMaxPool (x)", ""),
    ("global-average", "[1,2,5]", "GlobalAveragePool (x)", ""),
    ("clip", "[2,3]", "Clip (x, , high)", "float high = {0.25}"),
    ("elu", "[2,3]", "Elu <alpha = 0.5> (x)", ""),
    ("celu", "[2,3]", "Celu <alpha = 2.0> (x)", ""),
    ("selu", "[2,3]", "Selu (x)", ""),
    ("threshold", "[2,3]", "ThresholdedRelu <alpha = 0.5> (x)", ""),
    ("softsign", "[2,3]", "Softsign (x)", ""),
    ("hard-swish", "[2,3]", "HardSwish (x)", ""),
    ("prelu", "[2,3,4]", "PRelu (x, a)", "float[3,1] a"),
    ("softmax", "[2,3,4]", "Softmax <axis = 1> (x)", ""),
    ("transpose", "[2,3,4]", "Transpose <perm = [0,2,1]> (x)", ""),
    ("transpose-all", "[2,3,4]", "Transpose (x)", ""),
    ("reshape", "[2,3,4]", "Reshape (x, s)", "int64[3] s = {0, 2, -1}"),
    ("flatten", "[2,3,4]", "Flatten <axis = 2> (x)", ""),
    ("flatten-all", "[2,3,4]", "Flatten <axis = 0> (x)", ""),
    ("pad", "[2,3,4]", "Pad (x, s, v)", "int64[6] s = {0, 1, 0, 0, 0, 2}, float v = {0.5}"),
    ("mean", "[2,3,4]", "ReduceMean <axes = [1], keepdims = 0> (x)", ""),
    ("larger", "[2,3]", "Max (x, a, c)", "float a = {-0.25}, float[3] c"),
    ("smaller", "[2,3]", "Min (a, x)", "float a = {0.25}"),
    ("negative-number", "[2,3]", "Sub (x, a)", "float a = {-0.25}"),
    ("difference-from-a-vector", "[2,3]", "Sub (a, x)", "float[3] a"),
    ("sum-of-three", "[2,3]", "Sum (x, a, x)", "float[3] a"),
    ("concat", "[2,3]", "Concat <axis = 1> (x, x)", ""),
    ("concat-of-one", "[2,3]", "Concat <axis = 1> (x)", ""),
    ("erf", "[2,3]", "Erf (x)", ""),
    ("negated", "[2,3]", "Neg (x)", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "operator", "weights"), [pytest.param(*one[1:], id=one[0]) for one in OPERATORS]
)
def test_operators_compute_what_onnxruntime_does(shape: str, operator: str, weights: str) -> None:
    """Each with its state, in float32."""
    model = from_text(
        f'<ir_version: 8, opset_import: ["" : 17]> agraph (float{shape} x) => (float y) '
        f"{f'<{weights}>' if weights else ''} {{ y = {operator} }}"
    )
    filled(model.proto)
    graph = load(model)
    constants = constants_of(graph)
    assert constants is not None
    written = torch_module(graph)
    scope: dict[str, Any] = {}
    exec(written.source(["Tried."], has_start=False), scope)  # noqa: S102 - code of archlint
    module = scope["Replacement"]().eval()
    state = written.state(constants)
    module.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})
    feeds = feeds_of(model.proto)
    made = model.proto.graph.output[0]
    made.CopyFrom(onnx.helper.make_empty_tensor_value_info("y"))
    made.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    (theirs,) = outputs_of(model.proto, feeds)
    ours = module(torch.from_numpy(feeds["x"]))
    assert tuple(ours.shape) == theirs.shape
    assert distance(ours, theirs) < 1e-6


FULL = [
    ("ARC101", "[1,64,9,11]", "[1,64,5,11]", "[64,64,3,3]", "pads = [1,1,1,1], strides = [2,1]",
     ["ARC101.width=20", "ARC101.min_macs=0"]),
    ("ARC102", "[1,64,6,6]", "[1,64,6,6]", "[64,64,3,3]", "pads = [2,2,2,2], dilations = [2,2]",
     ["ARC102.min_channels=64", "ARC102.reduction=0.5", "ARC102.min_macs=0"]),
    ("ARC202", "[1,32,12,13]", "[1,32,12,13]", "[32,32,5,5]", "pads = [2,2,2,2]",
     ["ARC202.min_macs=0"]),
    ("ARC204", "[1,4,16,16]", "[1,4,8,16]", "[4,1,9,11]",
     "pads = [4,5,4,5], strides = [2,1], group = 4", ["ARC204.min_macs=0"]),
]  # fmt: skip


def of_rank(shape: tuple[int, ...], code: str, random: np.random.Generator) -> NDArray[Any]:
    """A kernel that the proposal of the rule holds in full, as the product of such factors."""
    filters, channels, height, width = shape

    def some(*dims: int) -> NDArray[Any]:
        return random.standard_normal(dims)

    kernel: NDArray[Any] = some(filters, 1, height, 1) * some(filters, 1, 1, width)
    if code == "ARC101":  # 20 channels between
        kernel = np.einsum("rohw,ri->oihw", some(20, filters, 3, 3), some(20, channels)) / 100
    elif code == "ARC102":  # half the channels between on either side
        inner = np.einsum("or,rshw->oshw", some(filters, 32), some(32, 32, 3, 3))
        kernel = np.einsum("oshw,is->oihw", inner, some(channels, 32)) / 100
    elif code == "ARC202":  # as many channels between as on either side
        kernel = np.einsum("riw,roh->oihw", some(32, 32, width), some(32, 32, height)) / 100
    return kernel


@pytest.mark.parametrize(("code", "x", "y", "weight", "attributes", "options"), FULL)
def test_starts_of_full_rank_compute_what_is_replaced(
    tmp_path: Path, code: str, x: str, y: str, weight: str, attributes: str, options: list[str]
) -> None:
    """Without the activations between the layers, and with the bias; the loader reads no pickle."""
    model = from_text(
        f'<ir_version: 8, opset_import: ["" : 17]> agraph (float{x} x) => (float{y} y) '
        f"<float{weight} w, float[{weight[1:].partition(',')[0]}] b> "
        f"{{ [conv] y = Conv <{attributes}> (x, w, b) }}"
    ).proto
    filled(model)
    kernel = of_rank(tuple(model.graph.initializer[0].dims), code, np.random.default_rng(2))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(kernel.astype(np.float32), "w"))
    onnx.save(model, tmp_path / "model.onnx")
    configuration = configure(isolated=True, options=options)
    found = sketched(str(tmp_path / "model.onnx"), f"{code}:conv", configuration)
    write_sketch(found, str(tmp_path / "part.py"), force=False)
    module = loaded(tmp_path / "part.py").pretrained().eval()
    for name, layer in module.named_children():
        if isinstance(layer, torch.nn.ReLU):
            setattr(module, name, torch.nn.Identity())
    feeds = feeds_of(model)
    (theirs,) = outputs_of(model, feeds)
    assert distance(module(torch.from_numpy(feeds["x"])), theirs) < 1e-5
