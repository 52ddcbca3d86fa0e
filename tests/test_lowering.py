"""What runs in which layout: archlint's account against the models that onnxruntime optimises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.timing.harness import Setup
from archlint.analyzer.timing.prediction import calibration
from archlint.analyzer.timing.prediction.grid import block_probe
from archlint.analyzer.timing.prediction.lowering import lower
from archlint.analyzer.timing.subject import whole

# What onnxruntime calls a kernel, by the node of which archlint says that it is.
SAME = {"FusedConv": "Conv", "Gemm": "MatMul", "FusedGemm": "MatMul", "FusedMatMul": "MatMul",
        "QuickGelu": "Sigmoid", "Gelu": "Erf"}  # fmt: skip
Build = Callable[[GraphBuilder, str], str]


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Channels of a block on this processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("block"))
        model = Model("probe", block_probe(), 0)
        subject = whole(model, load(model))
        Path("probe.onnx").write_bytes(subject.model)
        return calibration._block(subject.as_json("probe.onnx"), Setup())


def optimised(proto: onnx.ModelProto, folder: Path) -> Counter[str]:
    """The kernels of a model as onnxruntime saves it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    saved = onnx.load(folder / "optimised.onnx")
    return Counter(SAME.get(node.op_type, node.op_type) for node in saved.graph.node)


def conv(out: int, kernel: int = 3, groups: int = 1) -> Build:
    """A convolution that keeps the map."""
    return lambda b, x: b.conv(x, out, kernel, groups=groups)


def op(name: str, **attributes: int | list[int]) -> Build:
    """An operator of one input."""
    return lambda b, x: b.node(name, x, **attributes)  # type: ignore[arg-type]  # all are attributes


def clip(b: GraphBuilder, x: str) -> str:
    """Clip between 0 and 6."""
    return b.node("Clip", x, b.constant("low", 0.0), b.constant("high", 6.0))


def with_vector(name: str) -> Build:
    """An operator with a number a channel."""
    return lambda b, x: b.node(name, x, b.weight("vector", (b.channels(x), 1, 1)))


def with_number(name: str) -> Build:
    """An operator with one number."""
    return lambda b, x: b.node(name, x, b.constant("number", 2.0))


def norm(b: GraphBuilder, x: str) -> str:
    """A normalisation in inference mode."""
    return b.batch_norm(x)


def residual(*inside: Build, join: str = "Add") -> Build:
    """A branch that is joined with what it begins with."""

    def build(b: GraphBuilder, x: str) -> str:
        value = x
        for layer in inside:
            value = layer(b, value)
        return b.node(join, value, x)

    return build


def concat(*branches: Build) -> Build:
    """Branches behind each other along the channels."""
    return lambda b, x: b.concat([branch(b, x) for branch in branches])


def gelu(b: GraphBuilder, x: str) -> str:
    """x·(1 + erf(x/√2))/2, as it is exported."""
    inner = b.node("Erf", b.node("Div", x, b.constant("root", 1.4142135)))
    product = b.node("Mul", x, b.node("Add", inner, b.constant("one", 1.0)))
    return b.node("Mul", product, b.constant("half", 0.5))


def padded(b: GraphBuilder, x: str) -> str:
    """A padding of zeros of its own."""
    return b.node("Pad", x, b.constant("pads", [0, 0, 1, 1, 0, 0, 1, 1]))


MAPS = {
    "on the grid": (32, [conv(32)]),
    "by fours": (20, [conv(20)]),
    "off the grid": (30, [conv(30)]),
    "few channels": (3, [conv(32)]),
    "filters off the grid": (32, [conv(30)]),
    "depthwise": (64, [conv(64, groups=64)]),
    "depthwise by fours": (60, [conv(60, groups=60)]),
    "depthwise off the grid": (62, [conv(62, groups=62)]),
    "groups on the grid": (64, [conv(64, groups=2)]),
    "groups off it": (48, [conv(48, groups=8)]),
    "in a row": (32, [conv(32), conv(16, 1), conv(32)]),
    "relu": (32, [conv(32), op("Relu"), conv(32)]),
    "sigmoid": (32, [conv(32), op("Sigmoid"), conv(32)]),
    "leaky": (32, [conv(32), op("LeakyRelu"), conv(32)]),
    "clip": (32, [conv(32), clip, conv(32)]),
    "hard swish": (32, [conv(32), op("HardSwish"), conv(32)]),
    "elu": (32, [conv(32), op("Elu"), conv(32)]),
    "normalised": (32, [conv(32), norm, op("Relu"), conv(32)]),
    "normalised after": (32, [conv(32), op("Relu"), norm, op("Relu"), conv(32)]),
    "normalised and scaled after": (32, [conv(32), op("Relu"), norm, with_vector("Mul"),
                                         with_vector("Add"), op("Relu"), conv(32)]),
    "normalised and added": (32, [conv(32), op("Relu"), residual(norm), op("Relu"), conv(32)]),
    "normalised before": (32, [norm, op("Relu"), conv(32)]),
    "scaled": (32, [conv(32), with_vector("Mul"), with_vector("Add"), op("Relu")]),
    "shifted by one number": (32, [conv(32), with_number("Mul"), with_number("Add")]),
    "subtracted": (32, [conv(32), with_vector("Sub")]),
    "scaled in the layout": (32, [conv(32), op("MaxPool", kernel_shape=[2, 2]),
                                  with_vector("Mul"), conv(32)]),
    "added in the layout": (32, [conv(32), op("MaxPool", kernel_shape=[2, 2]),
                                 with_vector("Add"), conv(32)]),
    "residual": (32, [conv(32, 1), residual(conv(32)), op("Relu"), conv(32)]),
    "residual from outside": (32, [residual(conv(32)), op("Relu"), conv(32)]),
    "residual after relu": (32, [conv(32, 1), op("Relu"), residual(conv(32), op("Relu")),
                                 conv(32)]),
    "residual off the grid": (30, [conv(30, 1), residual(conv(30)), op("Relu"), conv(30)]),
    "product of branches": (32, [conv(32), op("Relu"), residual(conv(32), op("Relu"), join="Mul"),
                                 conv(32)]),
    "difference of branches": (32, [conv(32), op("Relu"),
                                    residual(conv(32), op("Relu"), join="Sub"), conv(32)]),
    "silu": (32, [conv(32), residual(op("Sigmoid"), join="Mul"), conv(32)]),
    "joined": (32, [conv(32), op("Relu"), concat(conv(32, 1), conv(16)), conv(32)]),
    "joined off the grid": (20, [conv(20), op("Relu"), concat(conv(20, 1), conv(20)), conv(32)]),
    "pooled": (32, [op("MaxPool", kernel_shape=[2, 2])]),
    "pooled off the grid": (20, [conv(20), op("MaxPool", kernel_shape=[2, 2])]),
    "pooled globally": (32, [conv(32), op("GlobalAveragePool")]),
    "pooled globally at once": (32, [op("GlobalAveragePool")]),
    "pooled globally later": (32, [op("Abs"), op("GlobalAveragePool")]),
    "kept": (32, [conv(32), op("MaxPool", kernel_shape=[2, 2]), op("Relu"), conv(32)]),
    "not kept": (32, [conv(32), op("MaxPool", kernel_shape=[2, 2]), op("LeakyRelu"), conv(32)]),
    "flattened": (32, [conv(32), op("Flatten")]),
    "nothing left": (32, [conv(32), op("Dropout"), op("Identity"), conv(32)]),
    "padded": (32, [padded, conv(32), op("Relu")]),
    "reduced": (32, [conv(32), op("ReduceMean", axes=[2, 3])]),
}  # fmt: skip


def matmul(outputs: int) -> Build:
    """A product by a weight, without a bias."""
    return lambda b, x: b.node("MatMul", x, b.weight("w", (32, outputs)))


def plus(count: int) -> Build:
    """A bias."""
    return lambda b, x: b.node("Add", x, b.weight("bias", (count,)))


def dense(b: GraphBuilder, x: str) -> str:
    """A fully connected layer."""
    return b.linear(x, 32, 32)


VECTORS = {
    "bias and relu": [matmul(32), plus(32), op("Relu")],
    "gemm and tanh": [dense, op("Tanh")],
    "scaled product": [matmul(32), with_number("Mul")],
    "gelu": [dense, gelu, matmul(32)],
    "on its own": [op("Sigmoid"), op("Neg")],
}


def check(shape: tuple[int, ...], layers: list[Build], block: int, folder: Path) -> None:
    """Both say that the same kernels run, and the same ways lead into the layout and out of it."""
    builder = GraphBuilder("model", weights="random")
    value = builder.input("x", shape)
    for layer in layers:
        value = layer(builder, value)
    builder.output(value)
    proto = builder.model()
    graph = load(Model("model", proto, 0))
    lowered = lower(graph, block)
    kernels: Counter[str] = Counter()
    for node in graph.operators():
        if node.id not in lowered.within:
            depthwise = node.op_type in ("BatchNormalization", "Mul") and node.id in lowered.blocked
            is_scaled = depthwise and any(graph.value(name).constant for name in node.inputs)
            kernels["Conv" if is_scaled else SAME.get(node.op_type, node.op_type)] += 1
        kernels["ReorderInput"] += len(lowered.enters.get(node.id, ()))
        kernels["ReorderOutput"] += len(lowered.leaves.get(node.id, ()))
    assert +kernels == optimised(proto, folder)


@pytest.mark.parametrize("name", MAPS)
def test_maps(name: str, block: int, tmp_path: Path) -> None:
    """Networks of convolutions."""
    channels, layers = MAPS[name]
    check((1, channels, 14, 14), layers, block, tmp_path)


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str, block: int, tmp_path: Path) -> None:
    """Networks of matrix products."""
    check((4, 32), VECTORS[name], block, tmp_path)
