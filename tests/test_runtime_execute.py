"""A model that is run once: what is told of it, and what it is fed with."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from archlint.analyzer.errors import ModelError
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime import restored
from archlint.analyzer.runtime.execute import execute
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.limits import Limits
from kernels import executed

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the limits of a POSIX system")

Shapes = dict[str, tuple[int, ...]]
FUNCTION = '<domain: "local", opset_import: ["": 23]> '


def written(text: str, rest: str = "") -> Model:
    """A model of the newest operator set that onnxruntime has, with local functions."""
    return from_text(f'<ir_version: 10, opset_import: ["": 23, "local": 1]> {text} {rest}')


# A model, and shapes of values that occur when it runs on the inputs that it is given.
OBSERVED: dict[str, tuple[Model, Shapes]] = {
    "computed from data": (
        written("g (bool[4,5] x) => (y) { i = NonZero(x) y = Transpose(i) }"),
        {"x": (4, 5), "i": (2, 20), "y": (20, 2)},  # all inputs are true
    ),
    "an absent output": (
        written("g (float[9,2,5] x, float[1,12,5] w, float[1,12,3] r) => (y)"
                " { , h, c = LSTM<hidden_size=3>(x, w, r) y = Add(h, c) }"),
        {"h": (1, 2, 3), "c": (1, 2, 3), "y": (1, 2, 3)},
    ),
    "between functions": (
        written("g (float[4,5] x) => (y) { a = local.f(x) b = local.f(a) y = Neg(b) }",
                FUNCTION + "f (x) => (y) { y = Transpose(x) }"),
        {"a": (5, 4), "b": (4, 5), "y": (4, 5)},
    ),
    "between functions of the standard": (
        written("g (float[2,4,3,5] x, float[4] s) => (y) {"
                " a = GroupNormalization<num_groups=2>(x, s, s)"
                " b = GroupNormalization<num_groups=2>(a, s, s) y = Neg(b) }"),
        {"a": (2, 4, 3, 5), "b": (2, 4, 3, 5)},
    ),
    "a function that gives a sequence": (
        written("g (float[4,5] x) => (y) { s = local.f(x) y = SequenceAt(s, n) }".replace(
            "{", "<int64 n = {1}> {", 1),
                FUNCTION + "f (x) => (y) { y = SequenceConstruct(x, x) }"),
        {"y": (4, 5)},
    ),
    "an unsorted file with equal names": (
        written("g (float[4,5] x) => (y) { [n] y = Transpose(a) [n] a = Concat<axis=0>(x, x) }"),
        {"a": (8, 5), "y": (5, 8)},
    ),
    "weights without data": (
        written("g (float[1,3,8,8] x) => (y) <float[6,3,3,3] w> { y = Conv(x, w) }"),
        {"w": (6, 3, 3, 3), "y": (1, 6, 6, 6)},
    ),
    "a scalar that is compared": (
        written("g (int64 rate, float[4,5] x) => (y) <int64[1] r = {16000}> {"
                " c = Cast<to=7>(rate) e = Equal(c, r) y = If (e) <"
                "then_branch = t () => (float[M,N] o) { o = Transpose(x) },"
                "else_branch = f () => (float[P,Q] u) { u = Concat<axis=0>(x, x) }> }"),
        {"e": (1,), "y": (5, 4)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OBSERVED)
def test_observed_shapes(name: str) -> None:
    """The shapes of values are those that the run gave them."""
    model, expected = OBSERVED[name]
    _, execution = executed(model)
    assert {value: execution.shapes.get(value) for value in expected} == expected


def test_places() -> None:
    """Kernels are known by the places of their nodes, and one in a loop by each of its runs."""
    _, execution = executed(written(
        "g (float[1,5] x) => (y) <int64 n = {3}, bool m = {1}> { z = Neg(x)"
        " y = Loop (n, m, z) <body = b (int64 i, bool k, float[r,5] s) => (bool l, float[q,5] o)"
        " { l = Identity(k) a = local.f(s) o = Concat<axis=0>(a, z) }> }",
        FUNCTION + "f (x) => (y) { a = Relu(x) y = Neg(a) }",
    ))  # fmt: skip
    runs = execution.runs()
    assert set(runs) == {
        (0,), (1,), (1, "body", 0), (1, "body", 2), ("local.f", 0), ("local.f", 1)
    }  # fmt: skip
    joined = runs[1, "body", 2]
    assert [kernel.op_type for kernel in joined] == ["Concat"] * 3
    assert [kernel.inputs for kernel in joined] == [((n, 5), (1, 5)) for n in (1, 2, 3)]
    assert [kernel.outputs for kernel in joined] == [((n, 5),) for n in (2, 3, 4)]
    assert [node.op_type for kernel in runs["local.f", 1] if (node := kernel.node)] == ["Neg"] * 3


def test_observed_shapes_serve_a_second_look() -> None:
    """Shapes that inference cannot tell are known once they were observed."""
    model, _ = OBSERVED["computed from data"]
    graph, execution = executed(model)
    assert graph.value("y").static_shape is None
    assert load(model, observed=execution.shapes).value("y").static_shape == (20, 2)


def convolution(path: Path, **options: Any) -> tuple[Model, Graph]:
    """A model in a file: two weights that are no shapes, one of them in an attribute."""
    random = np.random.default_rng(0)
    kernel, scale = random.normal(size=(16, 3, 3, 3)), random.normal(size=(16, 20, 20))
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Constant", [], ["s"],
                         value=numpy_helper.from_array(scale.astype(np.float16))),
        helper.make_node("Cast", ["s"], ["t"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["c", "t"], ["y"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 20, 20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel.astype(np.float32), "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    if options.pop("typed", False):
        del model.graph.initializer[:], model.graph.node[1].attribute[:]
        model.graph.initializer.append(helper.make_tensor("w", 1, kernel.shape, kernel.flatten()))
        typed = helper.make_tensor("", 10, scale.shape, scale.flatten().astype(np.float16))
        model.graph.node[1].attribute.append(helper.make_attribute("value", typed))
    onnx.save(model, path, **options)
    read_model = read(str(path))
    return read_model, load(read_model)


LAYOUTS: dict[str, dict[str, Any]] = {
    "raw": {}, "typed": {"typed": True},
    "external": {"save_as_external_data": True, "location": "weights.bin"},
    "external, with attributes": {
        "save_as_external_data": True, "location": "weights.bin", "convert_attribute": True,
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_reach_the_runtime(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Weights are found wherever the file has them; nothing is printed, nothing left behind."""
    model, graph = convolution(tmp_path / "m.onnx", **LAYOUTS[layout])
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    execution = execute(model, graph)
    assert execution.shapes["y"] == (1, 16, 20, 20)
    assert execution.runs()[0,][0].inputs == ((1, 3, 20, 20), (16, 3, 3, 3))
    assert list(empty.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_link_to_a_model(tmp_path: Path) -> None:
    """A symbolic link to the model leads to its weights, as in caches of downloads."""
    convolution(tmp_path / "blob")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "m.onnx").symlink_to(tmp_path / "blob")
    model = read(str(tmp_path / "cache" / "m.onnx"))
    assert execute(model, load(model)).shapes["y"] == (1, 16, 20, 20)


def test_a_file_that_changed(tmp_path: Path) -> None:
    """Where the file is not what was read, its offsets mean nothing."""
    model, graph = convolution(tmp_path / "m.onnx", typed=True)
    with (tmp_path / "m.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ExecutionError, match="the file has changed"):
        execute(model, graph)


def test_standard_input(tmp_path: Path) -> None:
    """What came through a pipe is gone."""
    model, graph = convolution(tmp_path / "m.onnx")
    with pytest.raises(ExecutionError, match="standard input cannot be read again"):
        execute(replace(model, path="-"), graph)


def test_more_than_protobuf_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that can stay in the file do not count; those that cannot are too many at a point."""
    monkeypatch.setattr(restored, "MOST_BYTES", 14_000)
    model, graph = convolution(tmp_path / "m.onnx")  # 1,728 bytes stay, 12,800 are copied
    assert execute(model, graph).shapes["y"] == (1, 16, 20, 20)
    monkeypatch.setattr(restored, "MOST_BYTES", 12_000)
    with pytest.raises(ExecutionError, match="save it with external data"):
        execute(model, graph)


def test_unsafe_external_data(tmp_path: Path) -> None:
    """A file outside the model's folder is never handed to a runtime."""
    folder = tmp_path / "model"
    folder.mkdir()
    _, _ = convolution(folder / "m.onnx", save_as_external_data=True, location="w.bin")
    (folder / "w.bin").rename(tmp_path / "w.bin")
    (folder / "w.bin").symlink_to(tmp_path / "w.bin")
    model = read(str(folder / "m.onnx"))
    with pytest.raises(ModelError, match="symbolic link"):
        execute(model, load(model))


SHORT = Limits(cpu_seconds=20, wall_seconds=20, memory_bytes=1 << 30)
ENDLESS = """g (float[4] x) => (y) <int64 n = {4611686018427387904}, bool m = {1}> {
y = Loop (n, m, x) <body = b (int64 i, bool k, float[4] s) => (bool l, float[4] o)
{ l = Identity(k) o = Neg(s) }> }"""
HUGE = """g (float[4] x) => (y) <int64[1] n = {1000000000000}> {
z = ConstantOfShape(n) s = ReduceSum<keepdims=0>(z) y = Add(x, s) }"""
FAILURES: dict[str, tuple[Model, Limits, str]] = {
    "endless": (written(ENDLESS), replace(SHORT, wall_seconds=2), "took longer than 2 s"),
    "endless, by CPU": (
        written(ENDLESS), replace(SHORT, cpu_seconds=2), "took more than 2 s of CPU time",
    ),
    "huge": (written(HUGE), SHORT, "needs more than 1.0 GiB of memory"),
    "unknown": (written("g (float[4] x) => (y) { y = local.nothing(x) }"), SHORT, "local:nothing"),
    "contradictory": (
        written("g (float[4] x) => (y) <int64[1] n = {3}> { [block_view] y = Reshape(x, n) }"),
        SHORT, "block_view",
    ),
}  # fmt: skip


@posix
@pytest.mark.parametrize("name", FAILURES)
def test_failures(name: str) -> None:
    """What a run may do to its process is one line, and how it ended."""
    model, limits, why = FAILURES[name]
    with pytest.raises(ExecutionError) as caught:
        execute(model, load(model), limits)
    assert str(caught.value).startswith("text: its run failed: ")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
