"""What a model is fed with when it is run."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime import inputs
from archlint.analyzer.runtime.arrays import arrays
from archlint.analyzer.runtime.execute import execute
from archlint.analyzer.runtime.inputs import ExecutionError, Feed, feeds
from kernels import executed

REFUSALS: dict[str, tuple[str, Bindings, str]] = {
    "a named dim": (
        "g (float[1,seq] x) => (y) { y = Neg(x) }", Bindings(),
        "text: cannot be run: dim 'seq' is unbound; bind it with --dim seq=128",
    ),
    "no rank": (
        "g (float x) => (y) { y = Neg(x) }", Bindings(),
        ("text: cannot be run: input 'x' declares no shape; bind it with"
         " --input-shape x=1,3,224,224"),
    ),
    "a sequence": (
        "g (seq(float[4]) x) => (y) { y = SequenceLength(x) }", Bindings(),
        "text: cannot be run: input 'x' is no tensor",
    ),
    "too large": (
        "g (float[1,seq] x) => (y) { y = Neg(x) }", Bindings({"seq": 10**12}),
        ("text: its inputs take 4,000,000,000,000 bytes, more than the 2,147,483,648 that a run is"
         " given; bind smaller dims"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    """What cannot be fed is refused before anything runs, with the option that helps."""
    text, bindings, message = REFUSALS[name]
    model = from_text(text)
    if name == "no rank":
        model.proto.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ExecutionError) as caught:
        execute(model, load(model, bindings))
    assert str(caught.value) == message


def test_feeds() -> None:
    """Masks are ones, scalars choose, and all else is left to the generator."""
    model = from_text(
        "g (int64[1,7] ids, int64[1,7] attention_mask, float[3] mask, int32 k, int64[1] rate)"
        " => (y) <int64 r = {8000}> { e = Equal(rate, r) y = Neg(mask) }"
    )
    assert feeds("text", load(model)) == [
        Feed("ids", TensorProto.INT64, (1, 7)),
        Feed("attention_mask", TensorProto.INT64, (1, 7), 1),
        Feed("mask", TensorProto.FLOAT, (3,)),
        Feed("k", TensorProto.INT32, (), 1),
        Feed("rate", TensorProto.INT64, (1,), 8000),
    ]


FED = sorted(
    getattr(TensorProto, name)
    for name in (
        "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16",
        "DOUBLE", "UINT32", "UINT64", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E5M2",
    )
)  # fmt: skip


@pytest.mark.parametrize("dtype", FED)
@pytest.mark.parametrize("shape", [(), (3, 4)])
def test_every_type_can_be_fed(dtype: int, shape: tuple[int, ...]) -> None:
    """onnxruntime takes the arrays of every type that its kernels know."""
    info = [helper.make_tensor_value_info(name, dtype, shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    _, execution = executed(Model("text", model, 0))
    assert execution.shapes["y"] == shape


def test_arrays_are_seeded() -> None:
    """Two runs are fed alike; integers are 0 and 1, floats small and of either sign."""
    specs = [
        feed.as_json()
        for feed in (Feed("i", 7, (50,)), Feed("f", 1, (500,)), Feed("m", 6, (5,), 3))
    ]
    first, second = arrays(specs), arrays(specs)
    assert all(np.array_equal(first[name], second[name]) for name in "ifm")
    assert set(first["i"].tolist()) == {0, 1}
    assert first["m"].tolist() == [3] * 5
    assert 0.09 < first["f"].std() < 0.11
    assert abs(first["f"].mean()) < 0.02


def test_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """All inputs count together."""
    model = from_text("g (float[4] x, int8[9] i, string[2] s) => (y) { y = Neg(x) }")
    monkeypatch.setattr(inputs, "BUDGET", 4 * 4 + 9 + 2 * 64)
    assert len(feeds("text", load(model))) == 3
    monkeypatch.setattr(inputs, "BUDGET", 4 * 4 + 9 + 2 * 64 - 1)
    with pytest.raises(ExecutionError, match="take 153 bytes"):
        feeds("text", load(model))
