"""Layers: the nodes of a model as a page draws them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from onnx import TensorProto, helper, save

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile, Tiles
from archlint.analyzer.timing.providers import Provider
from archlint.pipeline import Stopwatch
from archlint.work import Answer, Prepared, Request, Task, answer

NAIVE = Path(__file__).parents[1] / "samples" / "inception_module_naive.onnx"
CPU = Provider("cpu", "CPUExecutionProvider", host=True)


def answered(
    path: Path, profile: MachineProfile | None = None, watch: Stopwatch | None = None
) -> Answer:
    request = replace(Request.of({"isolated": True}, layers=True), architectures=True)
    return answer(request, Task(str(path)), Prepared(request.configuration(), profile, watch))


def drawn(
    path: Path, profile: MachineProfile | None = None, watch: Stopwatch | None = None
) -> ModelReport:
    found = answered(path, profile, watch)
    assert not found.failures
    assert found.report is not None
    return found.report


def test_they_stand_where_the_operations_do() -> None:
    """A layer has the place, the inputs and the MACs of its operation, and all parameters are
    there once."""
    found = answered(NAIVE)
    assert found.report is not None
    assert found.architecture is not None
    layers, operations = found.report.layers, found.architecture.operations
    assert [one.label for one in layers] == [one.label for one in operations]
    for layer, operation in zip(layers, operations, strict=True):
        assert layer.cost is not None
        assert layer.cost.macs == operation.macs
        assert list(layer.inputs) == [place for place in operation.inputs if place >= 0]
        assert list(layer.reads) == [0 for place in operation.inputs if place < 0]
    assert [layer.gives for layer in layers] == [()] * (len(layers) - 1) + [(0,)]
    assert sum(one.parameters for one in layers) == found.report.parameters
    flagged = [node for one in found.report.findings for node in one.nodes]
    assert flagged
    assert all(layers[node.place or 0].label == node.label for node in flagged)


def test_a_kernel_does_the_work_of_activations() -> None:
    """onnxruntime fuses Relu into the convolution before it; nothing else is fused here."""
    layers = drawn(NAIVE).layers
    for layer in layers:
        whose = None if layer.within is None else layers[layer.within]
        assert (whose is not None) == (layer.operator == "Relu")
        if whose is not None:
            assert whose.operator == "Conv"
            assert layer.inputs == (layer.within,)


def test_nothing_is_timed_or_predicted_unless_asked() -> None:
    """No machine is known and no stopwatch runs."""
    report = drawn(NAIVE)
    assert report.kernels is None
    assert {(one.predicted, one.measured, one.kernel) for one in report.layers} == {
        (None, None, ())
    }


def test_the_times_of_kernels_are_those_of_layers() -> None:
    """Each layer is in one kernel, and what they take with what belongs to none is the total."""
    watch = Stopwatch((CPU,), Effort(budget=0.1))
    report = drawn(NAIVE, watch=watch)
    kernels = report.kernels
    assert kernels is not None
    timed = [one for one in report.layers if one.measured is not None]
    assert math.fsum(one.measured or 0 for one in timed) + kernels.apart == pytest.approx(
        kernels.total
    )
    held = [place for one in timed for place in one.kernel]
    assert sorted(held) == list(range(len(report.layers)))
    assert all(report.layers.index(one) in one.kernel for one in timed)
    (latency,) = report.latencies
    assert latency.label == kernels.label == "cpu, 1 thread"


def test_predictions_of_layers_add_up() -> None:
    """To that of the model, with what a run takes beside its nodes."""
    curve = Curve(((1.0, 0.1), (1e6, 0.2)))
    tiles = Tiles(16, 0.4, 1.0, 1.0, 1.0, 10.0, 10.0, 1.5, curve, curve)
    profile = MachineProfile(
        "cpu", "CPUExecutionProvider", 1, "CPU time", "1.31", 1000.0, 500.0, 500.0, 0.03, 0.02, 1.0,
        curve, 1.5, curve, tiles,
    )  # fmt: skip
    report = drawn(NAIVE, profile)
    assert report.predicted is not None
    times = [one.predicted for one in report.layers if one.predicted is not None]
    assert len(times) == len(report.layers)
    assert math.fsum(times) + profile.run == pytest.approx(report.predicted.ns)
    assert report.predicted.mac_ns == 0.4 / 16  # a step multiplies a block of 16
    assert report.predicted.byte_ns == 0.2  # of most bytes at a time


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """A model with one input of unknown rank, by its nodes."""

    def make(*nodes: tuple[str, list[str], list[str]]) -> Path:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
        last = nodes[-1][2][0]
        y = helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
        graph = helper.make_graph(
            [helper.make_node(kind, before, after) for kind, before, after in nodes], "g", [x], [y]
        )
        path = tmp_path / "m.onnx"
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
        return path

    return make


def test_what_is_unknown_is_not_nothing(made: Callable[..., Path]) -> None:
    """A cost that depends on a rank that nobody knows is None, with the reason."""
    layers = drawn(made(("MatMul", ["x", "x"], ["y"]), ("Identity", ["y"], ["z"]))).layers
    product, same = layers
    assert product.cost is None
    assert product.why
    assert product.output == "?"
    assert same.inputs == (0,)


def test_an_input_that_is_read_twice_is_one_edge(made: Callable[..., Path]) -> None:
    """x·x reads one layer."""
    (_, product) = drawn(made(("Relu", ["x"], ["y"]), ("Mul", ["y", "y"], ["z"]))).layers
    assert product.inputs == (0,)


def test_a_proposal_tells_how_its_steps_follow_each_other() -> None:
    """The bottleneck is a chain from the one input of the proposal: 28·28·192·16 and 28·28·16·25·32
    MACs, with the shapes that lie between."""
    (finding,) = (one for one in drawn(NAIVE).findings if "5×5" in one.message)
    assert finding.proposal is not None
    reduce, relu, conv = finding.proposal.steps
    assert [one.inputs for one in (reduce, relu, conv)] == [(-1,), (0,), (1,)]
    assert [one.shape for one in (reduce, conv)] == ["1x16x28x28", "1x32x28x28"]
    assert (reduce.macs, conv.macs) == (28 * 28 * 192 * 16, 28 * 28 * 16 * 25 * 32)


def test_layers_are_kept_with_an_answer() -> None:
    """As all that a report has: what is read again is equal."""
    from msgspec import json

    layers = drawn(NAIVE).layers
    assert json.decode(json.encode(layers), type=tuple[LayerReport, ...]) == layers
