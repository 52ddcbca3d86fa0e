"""The small models that are timed to calibrate a machine: a generic grid of shapes.

None is taken from a network. Each kind of work that a formula of analyzer/timing/estimates.py knows
is there at sizes that tell its constants apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto, TensorProto, helper

from archlint.analyzer.builder import IR_VERSION, OPSET, GraphBuilder

LINEAR, ACTIVATED = "linear", "activated"
RUN, NODES, PRODUCT, INTEGER_PRODUCT = "run", "nodes", "product", "integer product"
NODES_MORE = 16  # that NODES has beside those of RUN
READS = (256, 512, 1024, 2048, 4096)  # rows and columns of the matrices that are read
MAPS = (1, 64, 40, 40)  # what operators work on
_FEW_MAPS = (1, 16, 40, 40)  # for operators that take long
_ROWS = (1, 256, 400)
BLOCK_PROBE = (8, 16)  # channels of a convolution whose layout tells the size of a block
MATRIX = (128, 256, 256)  # rows, columns that are added up, columns of the product
ACTIVATED_MAPS = (1, 64, 50, 50)
_TINY = (1, 16)
_CONVOLUTION = "convolution"

# Channels in and out, kernel, map, groups, stride, how many in a row, whether all are outputs.
Shape = tuple[int, int, int, int, int, int, int, bool]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A model to time; ``operator`` is the one that it measures beside moving bytes, if any."""

    name: str
    model: ModelProto
    operator: str = ""


def _conv(
    channels: int, out: int, kernel: int, size: int, groups: int = 1, stride: int = 1,
    count: int = 1, exposed: bool = False,
) -> Shape:  # fmt: skip
    return (channels, out, kernel, size, groups, stride, count, exposed)


_CONVOLUTIONS: tuple[Shape, ...] = (
    # On the grid of blocks: filters of one block and of four, wide maps and narrow ones.
    *(_conv(16, 16, 1, 26, count=n) for n in (1, 3)),
    *(_conv(16, 16, 3, 26, count=n) for n in (1, 3)),
    *(_conv(64, 64, 3, 26, count=n) for n in (1, 3)),
    *(_conv(64, 64, 3, 6, count=n) for n in (1, 3)),
    *(_conv(96, 96, 1, 13, count=n) for n in (1, 3)),
    _conv(128, 128, 3, 6), _conv(32, 32, 3, 13, count=3), _conv(48, 32, 3, 50),
    _conv(96, 32, 5, 13), _conv(64, 64, 3, 26, stride=2), _conv(40, 40, 3, 13),
    _conv(16, 16, 1, 1), _conv(16, 16, 1, 1, count=9),
    # Few channels, which are read as they are.
    _conv(3, 32, 3, 100, stride=2), _conv(8, 16, 3, 26),
    # Depthwise.
    *(_conv(64, 64, 3, 26, 64, count=n) for n in (1, 3)),
    *(_conv(128, 128, 3, 10, 128, count=n) for n in (1, 3)), _conv(32, 32, 5, 50, 32),
    # Ways into the layout and out of it.
    *(_conv(64, 16, 1, size) for size in (13, 39, 78)),
    *(_conv(16, 64, 1, size) for size in (13, 39, 78)),
    _conv(64, 64, 1, 26, count=3, exposed=True),
    # Beside the layout.
    _conv(30, 30, 3, 13), _conv(62, 62, 3, 26), _conv(50, 50, 1, 26), _conv(62, 62, 3, 26, 1, 2),
    _conv(64, 64, 3, 26, 8), _conv(64, 64, 3, 13, 16), _conv(128, 128, 3, 6, 16),
    _conv(32, 32, 3, 58, 4),
)  # fmt: skip

# What tells the speed of a kind of work: a label, and two kernels of which the longer has more of
# it, or one that has little beside it.
PEAKS = (
    ("3×3, 64 channels", _conv(64, 64, 3, 26), _conv(64, 64, 3, 26, count=3)),
    ("3×3, 64 channels, on 6×6", _conv(64, 64, 3, 6), _conv(64, 64, 3, 6, count=3)),
    ("3×3, 16 channels", _conv(16, 16, 3, 26), _conv(16, 16, 3, 26, count=3)),
    ("1×1, 96 channels", _conv(96, 96, 1, 13), _conv(96, 96, 1, 13, count=3)),
    ("3×3 depthwise", _conv(64, 64, 3, 26, 64), _conv(64, 64, 3, 26, 64, count=3)),
    ("3×3, 62 channels (off the grid)", None, _conv(62, 62, 3, 26)),
    ("3×3, groups of 8 channels", None, _conv(64, 64, 3, 26, 8)),
    ("matrix product", None, PRODUCT),
    ("matrix product of 8-bit integers", None, INTEGER_PRODUCT),
)


def kernels() -> Iterator[Kernel]:
    """All models of the grid."""
    yield Kernel(RUN, _chain(1))
    yield Kernel(NODES, _chain(1 + NODES_MORE))
    for side in READS:
        yield Kernel(read_name(side), _matrix(1, side, side))
    yield Kernel(PRODUCT, _matrix(*MATRIX))
    yield Kernel(INTEGER_PRODUCT, _integer_matrix(*MATRIX))
    yield Kernel(LINEAR, _activated(()))
    yield Kernel(ACTIVATED, _activated((0.0, 6.0)))
    for shape in _CONVOLUTIONS:
        yield Kernel(conv_name(shape), _convolutions(*shape))
    for operator, model in _operators():
        yield Kernel(operator, model, operator)


def conv_name(shape: Shape) -> str:
    """The kernel of a shape."""
    return f"{_CONVOLUTION} {shape}"


def is_convolution(name: str) -> bool:
    """Whether a kernel is one of convolutions."""
    return name.startswith(_CONVOLUTION)


def read_name(side: int) -> str:
    """The kernel that reads a square matrix of this many rows."""
    return f"read {side}"


def block_probe() -> ModelProto:
    """A convolution that enters the blocked layout where the blocks are of 8 channels, and works
    in it without entering where they are of 16."""
    return _convolutions(*_conv(*BLOCK_PROBE, kernel=3, size=8))


def _chain(count: int) -> ModelProto:
    builder = GraphBuilder("chain")
    value = builder.input("x", _TINY)
    for _ in range(count):
        value = builder.node("Neg", value)
    builder.output(value)
    return builder.model()


def _matrix(rows: int, inner: int, columns: int) -> ModelProto:
    builder = GraphBuilder("matrix")
    value = builder.linear(builder.input("x", (rows, inner)), inner, columns, bias=False)
    builder.output(value)
    return builder.model()


def _activated(bounds: Sequence[float]) -> ModelProto:
    """A convolution, and a Clip that it takes in if there are bounds."""
    builder = GraphBuilder("activated")
    _, channels, *size = ACTIVATED_MAPS
    value = builder.conv(builder.input("x", (1, 16, *size)), channels, 1)
    if bounds:
        value = builder.node("Clip", value, *(builder.constant("bound", b) for b in bounds))
    builder.output(value)
    return builder.model()


def _integer_matrix(rows: int, inner: int, columns: int) -> ModelProto:
    left = helper.make_tensor_value_info("x", TensorProto.UINT8, (rows, inner))
    zeros = bytes(inner * columns)
    right = helper.make_tensor("w", TensorProto.INT8, (inner, columns), zeros, raw=True)
    made = helper.make_tensor_value_info("y", TensorProto.INT32, (rows, columns))
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "integers", [left], [made], [right])
    imports = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def _convolutions(
    channels: int, out: int, kernel: int, size: int, groups: int, stride: int, count: int,
    exposed: bool,
) -> ModelProto:  # fmt: skip
    builder = GraphBuilder("convolutions")
    value = builder.input("x", (1, channels, size, size))
    for place in range(count):
        value = builder.conv(value, out, kernel, stride=stride, groups=groups)
        if exposed or place == count - 1:
            builder.output(value)
    return builder.model()


def _operators() -> Iterator[tuple[str, ModelProto]]:
    """One model an operator, of those that formulas look up."""
    for operator in ("Relu", "Sigmoid", "Tanh", "Erf", "Exp", "HardSwish"):
        yield operator, _over_maps(operator, [])
    for operator in ("Log", "Sin", "Elu", "Softplus"):
        yield operator, _over_maps(operator, [], shape=_FEW_MAPS)
    channels, side = MAPS[1:3]
    yield "Add", _over_maps("Add", [MAPS])
    yield "Pow", _over_maps("Pow", [()])
    yield "BatchNormalization", _over_maps("BatchNormalization", [(channels,)] * 4)
    yield "InstanceNormalization", _over_maps("InstanceNormalization", [(channels,)] * 2)
    yield "LayerNormalization", _over_maps("LayerNormalization", [_ROWS[-1:]] * 2, shape=_ROWS)
    yield "Softmax", _over_maps("Softmax", [], axis=-1, shape=_ROWS)
    yield "LRN", _over_maps("LRN", [], size=5, shape=_FEW_MAPS)
    yield "ReduceMean", _over_maps("ReduceMean", [], axes=[2, 3])
    yield "Transpose", _over_maps("Transpose", [], perm=[0, 2, 1, 3])
    yield "Concat", _over_maps("Concat", [MAPS], axis=1)
    off_grid = (1, channels - 2, side, side)
    yield "GlobalAveragePool", _over_maps("GlobalAveragePool", [], shape=off_grid)
    for operator in ("MaxPool", "AveragePool"):
        sizes = {"kernel_shape": [3, 3], "strides": [2, 2]}
        yield operator, _over_maps(operator, [], shape=off_grid, **sizes)
    yield "Resize", _resize()


def _over_maps(
    operator: str,
    weights: Sequence[Sequence[int]],
    shape: Sequence[int] = MAPS,
    **attributes: Any,
) -> ModelProto:
    """An operator over maps and weights of these shapes."""
    builder = GraphBuilder("operator")
    value = builder.input("x", shape)
    names = [builder.weight("w", each) if each else builder.constant("w", 2.0) for each in weights]
    builder.output(builder.node(operator, value, *names, **attributes))
    return builder.model()


def _resize() -> ModelProto:
    builder = GraphBuilder("operator")
    value = builder.input("x", _FEW_MAPS)
    scales = builder.constant("scales", [1.0, 1.0, 2.0, 2.0])
    builder.output(builder.node("Resize", value, "", scales, mode="linear"))
    return builder.model()
