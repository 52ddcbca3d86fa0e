"""The nine classics that the onnx wheel carries: an independent count, and published figures."""

from __future__ import annotations

import functools
from math import prod
from pathlib import Path

import onnx
import pytest
from onnx import GraphProto, shape_inference

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.load import load
from archlint.analyzer.reader import read

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
NAMES = (
    "bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet",
    "squeezenet", "vgg19", "zfnet512",
)  # fmt: skip

Shapes = dict[str, tuple[int, ...]]


@functools.cache
def table_of(name: str) -> CostTable:
    """The counted graph of a light model."""
    return count(load(read(str(LIGHT / f"light_{name}.onnx"))))


@functools.cache
def inferred(name: str) -> tuple[GraphProto, Shapes]:
    """The graph as onnx loads it, and every shape that onnx's own inference gives."""
    model = onnx.load(LIGHT / f"light_{name}.onnx")
    graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    infos = (*graph.input, *graph.value_info, *graph.output)
    shapes = {i.name: tuple(d.dim_value for d in i.type.tensor_type.shape.dim) for i in infos}
    return graph, shapes


def independent_macs(graph: GraphProto, shapes: Shapes) -> int:
    """An output element of Conv costs a filter, one of Gemm (all with transB) a row of B."""
    macs = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            macs += prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    return macs


def independent_weights(graph: GraphProto, shapes: Shapes) -> tuple[int, int]:
    """Elements of parameters and of running statistics, each tensor once.

    Weights are the fills behind every input but the first; some are reshaped on the way.
    """
    renames = [node for node in graph.node if node.op_type in ("Unsqueeze", "Reshape")]
    source = {node.output[0]: node.input[0] for node in renames}
    fills = {n.output[0] for n in graph.node if n.op_type == "ConstantOfShape"}
    fills |= {tensor.name for tensor in graph.initializer if tensor.data_type == 1}
    trained: set[str] = set()
    statistics: set[str] = set()
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "Mul", "Add", "BatchNormalization"):
            weights = [source.get(name, name) for name in node.input[1:]]
            trained.update(fills.intersection(weights[:2]))
            statistics.update(fills.intersection(weights[2:]))
    return sum(prod(shapes[n]) for n in trained), sum(prod(shapes[n]) for n in statistics)


def test_all_light_models_are_here() -> None:
    """The wheel carries the nine that are tested."""
    assert {path.stem for path in LIGHT.glob("*.onnx")} == {f"light_{name}" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_known(name: str) -> None:
    """No node is uncosted and no value of unknown shape; nothing had to be assumed."""
    table = table_of(name)
    assert dict(table.uncosted) == {}
    assert [v.name for v in table.graph.values.values() if v.static_shape is None] == []
    assert table.graph.notes == ()


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_those_of_onnx(name: str) -> None:
    """Every value that a node makes has the shape that onnx infers."""
    _, shapes = inferred(name)
    values = table_of(name).graph.values
    made = {output for node in table_of(name).graph.nodes for output in node.outputs}
    assert {n: values[n].static_shape for n in made & set(shapes)} == {
        n: shapes[n] for n in made & set(shapes)
    }
    assert len(made & set(shapes)) > 0.9 * len(made)  # onnx leaves optional second outputs out


@pytest.mark.parametrize("name", NAMES)
def test_macs_are_those_of_an_independent_count(name: str) -> None:
    """Multiply-accumulates are those of a loop over onnx's inferred shapes."""
    assert table_of(name).total().macs == independent_macs(*inferred(name))


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_an_independent_count(name: str) -> None:
    """Parameters and running statistics are those of a loop over onnx's inferred shapes."""
    table = table_of(name)
    parameters, buffers = independent_weights(*inferred(name))
    assert table.parameters.count(table.graph.nodes) == parameters
    assert table.parameters.count_buffers(table.graph.nodes) == buffers


# Billions of MACs as printed, and parameters.
PUBLISHED = [
    # torchvision's model pages: GFLOPS (which are MACs) and num_params
    pytest.param("resnet50", 4.089, 25_557_032, id="resnet50-torchvision"),
    pytest.param("vgg19", 19.632, 143_667_240, id="vgg19-torchvision"),
    pytest.param("squeezenet", 0.349, 1_235_496, id="squeezenet1_1-torchvision"),
    # Caffe's layout has a second scale and offset beside each of the 121 normalisations, whose
    # 41,824 channels are 64 and, layer by layer, what the blocks of growth 32 make (1608.06993).
    pytest.param("densenet121", 2.834, 7_978_856 + 2 * 41_824, id="densenet121-torchvision"),
]


@pytest.mark.parametrize(("name", "giga_macs", "parameters"), PUBLISHED)
def test_figures_are_the_published_ones(name: str, giga_macs: float, parameters: int) -> None:
    """MACs to the printed digits, parameters to the last one."""
    table = table_of(name)
    assert round(table.total().macs / 1e9, 3) == giga_macs
    assert table.parameters.count(table.graph.nodes) == parameters


def test_running_statistics_of_resnet50() -> None:
    """53,120 is twice the channels of its 53 normalisations: the stem, four stages of He et al."""
    blocks = [(64, 3), (128, 4), (256, 6), (512, 3)]
    channels = 64 + sum(times * (w + w + 4 * w) + 4 * w for w, times in blocks)
    table = table_of("resnet50")
    assert table.parameters.count_buffers(table.graph.nodes) == 2 * channels == 53_120


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        # Szegedy et al., 1409.4842, section 1: a budget of 1.5 billion multiply-adds
        pytest.param("inception_v1", 1.4e9, 1.6e9, id="googlenet"),
        # Zhang et al., 1707.01083, table 2: ShuffleNet 1x within 140 million
        pytest.param("shufflenet", 0.12e9, 0.14e9, id="shufflenet"),
        # Krizhevsky 2014, 1404.5997, has no groups and 0.71 billion; those of 2012 cost less
        pytest.param("bvlc_alexnet", 0.6e9, 0.71e9, id="alexnet"),
    ],
)
def test_macs_are_near_the_published_order(name: str, least: float, most: float) -> None:
    """Where a paper only rounds, the count lies around its figure."""
    assert least <= table_of(name).total().macs <= most


def test_alexnet_by_hand() -> None:
    """Every layer of Krizhevsky et al. 2012 written out, two groups in conv2, conv4 and conv5."""
    table = table_of("bvlc_alexnet")
    convolutions = (
        54 * 54 * 96 * 3 * 11 * 11 + 26 * 26 * 256 * 48 * 5 * 5 + 12 * 12 * 384 * 256 * 3 * 3
        + 12 * 12 * 384 * 192 * 3 * 3 + 12 * 12 * 256 * 192 * 3 * 3
    )  # fmt: skip
    dense = 256 * 6 * 6 * 4096 + 4096 * 4096 + 4096 * 1000
    assert table.total().macs == convolutions + dense
    weights = (
        96 * 3 * 11 * 11 + 256 * 48 * 5 * 5 + 384 * 256 * 3 * 3 + 384 * 192 * 3 * 3
        + 256 * 192 * 3 * 3 + dense
    )  # fmt: skip
    biases = 96 + 256 + 384 + 384 + 256 + 4096 + 4096 + 1000
    assert table.parameters.count(table.graph.nodes) == weights + biases
