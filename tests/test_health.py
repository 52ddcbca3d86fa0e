"""What the cases of the rules on the health of a graph cannot say: files, runtimes, their cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from archlint.analyzer.cost import count
from archlint.analyzer.engine import accepted
from archlint.analyzer.engine import run as run_rules
from archlint.analyzer.finding import Finding
from archlint.analyzer.load import load
from archlint.analyzer.problem import Problem
from archlint.analyzer.reader import read
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.splicing import splice
from archlint.analyzer.text import size
from archlint.rules import all_rules
from archlint.rules.dead_node import DeadNode
from archlint.rules.duplicate_initializer import DuplicateInitializer
from archlint.rules.initializer_as_input import InitializerAsInput
from archlint.rules.unknown_cost import UnknownCost
from archlint.rules.unused_initializer import UnusedInitializer
from archlint.selection import is_default

Floats = NDArray[np.float32]
_BIG = 1 << 19  # elements: 2 MiB, of which 64 parts of 16 KiB are compared


def _tensor(name: str, *dims: int, seed: int = 0) -> TensorProto:
    numbers = np.random.default_rng(seed).standard_normal(dims).astype(np.float32)
    return numpy_helper.from_array(numbers, name)


def _model(
    nodes: list[NodeProto], shape: list[int | str], *tensors: TensorProto, overridable: bool = False
) -> ModelProto:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if overridable:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(tensors))
    imports = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, ir_version=8, opset_imports=imports)


def _added(numbers: Floats, others: Floats) -> ModelProto:
    """x + a + b."""
    tensors = numpy_helper.from_array(numbers, "a"), numpy_helper.from_array(others, "b")
    nodes = [helper.make_node("Add", ["x", "a"], ["t"]), helper.make_node("Add", ["t", "b"], ["y"])]
    return _model(nodes, [1], *tensors)


def _convolved(*, overridable: bool) -> ModelProto:
    """A convolution with its BatchNormalization."""
    norm = [_tensor(name, 8) for name in ("scale", "shift", "mean")]
    variance = numpy_helper.from_array(np.ones(8, np.float32), "variance")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["t"]),
        helper.make_node("BatchNormalization", ["t", "scale", "shift", "mean", "variance"], ["y"]),
    ]
    kernel = _tensor("w", 8, 3, 1, 1)
    return _model(nodes, [1, 3, 4, 4], kernel, *norm, variance, overridable=overridable)


def _with_dead_branch() -> ModelProto:
    """y = relu(x·a); the product with b leads nowhere."""
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["t"]),
        helper.make_node("MatMul", ["t", "b"], ["u"]),
        helper.make_node("Relu", ["t"], ["y"]),
        helper.make_node("Sigmoid", ["u"], ["v"]),
    ]
    return _model(nodes, [1, 64], _tensor("a", 64, 64), _tensor("b", 64, 64, seed=1))


def _found(rule: Rule, path: Path | str) -> list[Finding]:
    costs = count(load(read(str(path))))
    return run_rules([rule], RuleContext(costs.graph, costs))


def _optimised(model: ModelProto, path: Path) -> ModelProto:
    """The model after all of onnxruntime's optimisations."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(path)


def _saved(model: ModelProto, folder: Path) -> Path:
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


@pytest.mark.parametrize("elements", [300, 1 << 15, _BIG])
def test_twins_are_found_in_files(elements: int, tmp_path: Path) -> None:
    """Equal tensors of any size are told with their bytes."""
    numbers = np.arange(elements, dtype=np.float32)
    (found,) = _found(DuplicateInitializer(min_bytes=0), _saved(_added(numbers, numbers), tmp_path))
    wasted = size(4 * elements)
    assert found.message == f"1 tensor ({wasted}) repeats another: 'b' holds the numbers of 'a'"


@pytest.mark.parametrize("place", [0, 200, 1 << 14, (1 << 15) - 1])
def test_one_other_number_anywhere_makes_no_twin(place: int, tmp_path: Path) -> None:
    """Up to 1 MiB every byte counts."""
    numbers = np.arange(1 << 15, dtype=np.float32)
    others = numbers.copy()
    others[place] = -1
    assert not _found(DuplicateInitializer(min_bytes=0), _saved(_added(numbers, others), tmp_path))


@pytest.mark.parametrize("begin", [0, _BIG // 2, _BIG - 8192])
def test_32_kib_of_other_numbers_anywhere_make_no_twin(begin: int, tmp_path: Path) -> None:
    """Of 2 MiB every second block of 16 KiB is compared."""
    numbers = np.arange(_BIG, dtype=np.float32)
    others = numbers.copy()
    others[begin : begin + 8192] = -1
    assert not _found(DuplicateInitializer(min_bytes=0), _saved(_added(numbers, others), tmp_path))


def test_other_files_are_not_opened(tmp_path: Path) -> None:
    """Equal tensors in a file beside the model are not read."""
    numbers = np.arange(300, dtype=np.float32)
    path = tmp_path / "model.onnx"
    model = _added(numbers, numbers)
    onnx.save(model, path, save_as_external_data=True, location="weights", size_threshold=0)
    assert not _found(DuplicateInitializer(min_bytes=0), path)


def test_the_rules_that_are_on_by_default_read_no_weights(tmp_path: Path) -> None:
    """Only a rule on request pays for reading them."""

    def refuse() -> tuple[Problem, ...]:
        raise AssertionError

    numbers = np.arange(300, dtype=np.float32)
    costs = count(load(read(str(_saved(_added(numbers, numbers), tmp_path)))))
    graph = replace(costs.graph, read_weights=refuse)
    rules = [rule() for rule in all_rules() if is_default(rule)]
    assert run_rules(rules, RuleContext(graph, costs)) == []
    with pytest.raises(AssertionError):
        _ = graph.weight_problems


def test_onnxruntime_keeps_twins(tmp_path: Path) -> None:
    """The premise of duplicate-initializer: no optimisation merges equal weights."""
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["t"]),
        helper.make_node("Relu", ["t"], ["s"]),
        helper.make_node("MatMul", ["s", "b"], ["y"]),
    ]
    model = _model(nodes, [1, 64], _tensor("a", 64, 64), _tensor("b", 64, 64))
    optimised = _optimised(model, tmp_path / "optimised.onnx")
    assert [tensor.name for tensor in optimised.graph.initializer] == ["a", "b"]


@pytest.mark.parametrize("overridable", [False, True])
def test_weights_that_are_inputs_are_not_folded(overridable: bool, tmp_path: Path) -> None:
    """The rule speaks where onnxruntime cannot merge the normalisation, and only there."""
    model = _convolved(overridable=overridable)
    optimised = _optimised(model, tmp_path / "optimised.onnx")
    kept = any(node.op_type == "BatchNormalization" for node in optimised.graph.node)
    found = _found(InitializerAsInput(), _saved(model, tmp_path))
    assert kept == bool(found) == overridable


def test_every_weight_and_running_statistic_counts(tmp_path: Path) -> None:
    """The kernel and the four vectors of the normalisation."""
    (found,) = _found(InitializerAsInput(), _saved(_convolved(overridable=True), tmp_path))
    assert found.message.startswith("5 of 5 weights are inputs of the graph too")


def test_onnxruntime_runs_dead_nodes(tmp_path: Path) -> None:
    """The premise of dead-node: what nothing reads is still there after all optimisations."""
    optimised = _optimised(_with_dead_branch(), tmp_path / "optimised.onnx")
    assert "Sigmoid" in {node.op_type for node in optimised.graph.node}


def test_without_its_dead_nodes_a_model_computes_the_same(tmp_path: Path) -> None:
    """onnx's own evaluator says so; 64·64 MACs are saved."""
    path = _saved(_with_dead_branch(), tmp_path)
    model = read(str(path))
    found = _found(DeadNode(), path)
    assert [f.priced and f.priced.saved_macs for f in found] == [64 * 64]
    cut = splice(model, accepted(found)).proto
    assert [node.op_type for node in cut.graph.node] == ["MatMul", "Relu"]
    whole = onnx.load(path)
    del whole.graph.node[:]
    whole.graph.node.extend(cut.graph.node)
    fed = {"x": np.linspace(-0.01, 0.01, 64, dtype=np.float32)[None]}
    before, after = (ReferenceEvaluator(p).run(None, fed) for p in (_with_dead_branch(), whole))
    np.testing.assert_array_equal(before, after)


def test_the_file_shrinks_by_the_bytes_of_unused_initializers(tmp_path: Path) -> None:
    """Their payload is what the finding says; the rest is names and dims, far below 1 kB."""
    model = _with_dead_branch()
    path = _saved(model, tmp_path)
    used = path.stat().st_size
    model.graph.initializer.append(_tensor("left", 128, 256))
    (found,) = _found(UnusedInitializer(), _saved(model, tmp_path))
    assert found.evidence["bytes"] == 128 * 256 * 4
    assert 0 < path.stat().st_size - used - 128 * 256 * 4 < 1000


def test_nodes_of_unknown_cost_come_with_a_remedy(tmp_path: Path) -> None:
    """The option that binds the dim stands in the message."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    model = _model(nodes, ["batch", "length", 64], _tensor("w", 64, 64))
    (found,) = _found(UnknownCost(), _saved(model, tmp_path))
    assert found.message.startswith("the cost of 1 of 1 node is unknown: 1 node: dim 'length'")
    assert "--dim length=" in found.message
