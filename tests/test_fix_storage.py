"""Fixes of how weights are stored: duplicates, weights among the inputs, channels of zeros."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.text import from_text
from archlint.rules.duplicate_initializer import DuplicateInitializer
from archlint.rules.initializer_as_input import InitializerAsInput
from archlint.rules.misaligned_channels import MisalignedChannels
from structural_fixes import (
    applied,
    check_same,
    context_of,
    fixed,
    operators,
    outputs,
    proposals_of,
)

Numbers = NDArray[Any]
COUNT = 257  # floats: above 1 kB
FIRST = np.arange(COUNT, dtype=np.float32)
LAST = np.where(FIRST == COUNT - 1, np.float32(7), FIRST)
NEGATIVE = np.where(FIRST == 0, np.float32(-0.0), FIRST)


def typed(name: str, numbers: Numbers) -> TensorProto:
    """A tensor with its numbers in the field of their type, not as bytes."""
    dtype = helper.np_dtype_to_tensor_dtype(numbers.dtype)
    return helper.make_tensor(name, dtype, numbers.shape, numbers.reshape(-1).tolist())


def sum_of(
    stored: Mapping[str, Numbers | TensorProto],
    *,
    constants: Mapping[str, Numbers] = {},
    count: int = COUNT,
    inputs: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
) -> ModelProto:
    """The sum of the input x, initializers and Constant nodes, of so many numbers each.

    ``inputs`` are initializers that are inputs as well, ``more`` further outputs.
    """
    tensors = [
        one if isinstance(one, TensorProto) else numpy_helper.from_array(one, name)
        for name, one in stored.items()
    ]
    nodes: list[NodeProto] = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(numbers))
        for name, numbers in constants.items()
    ]
    nodes.append(helper.make_node("Sum", ["x", *stored, *constants], ["y"]))
    dims = {name: [count] for name in (*inputs, *more)} | {"x": [1, count], "y": [1, count]}
    ends = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d in dims.items()}
    graph = helper.make_graph(
        nodes, "g", [ends[n] for n in ("x", *inputs)], [ends[n] for n in ("y", *more)], tensors
    )
    imports = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


# What is stored, and which stands in the stead of which.
DUPLICATES: dict[str, tuple[ModelProto, dict[str, str]]] = {
    "however-they-are-stored": (
        sum_of({"a": FIRST, "b": LAST, "c": typed("c", FIRST), "d": FIRST[None], "e": FIRST,
                "f": LAST, "g": NEGATIVE}),
        {"c": "a", "e": "a", "f": "b"}),
    "constants": (
        sum_of({"a": FIRST}, constants={"b": LAST, "c": FIRST, "d": LAST}),
        {"c": "a", "d": "b"}),
    "small": (sum_of({"a": FIRST[:256], "b": FIRST[:256]}, count=256), {}),
    "default-of-an-input": (sum_of({"a": FIRST, "b": FIRST}, inputs=("a",)), {}),
    "output": (sum_of({"a": FIRST, "b": FIRST, "c": FIRST}, more=("a",)), {"c": "b"}),
}  # fmt: skip


@pytest.mark.parametrize(("proto", "renames"), DUPLICATES.values(), ids=DUPLICATES)
def test_duplicates(proto: ModelProto, renames: dict[str, str]) -> None:
    """One of several equal tensors stays: the same type, dims and bits, also of a -0."""
    model = Model("sum", proto, 0)
    proposals = proposals_of(model, DuplicateInitializer())
    assert {old: new for one in proposals for old, new in one.renames.items()} == renames
    after = fixed(model, DuplicateInitializer()).proto
    left = [tensor.name for tensor in after.graph.initializer]
    assert left == [t.name for t in proto.graph.initializer if t.name not in renames]
    made = [node.output[0] for node in after.graph.node]
    assert made == [n.output[0] for n in proto.graph.node if n.output[0] not in renames]
    check_same(proto, after)


def test_duplicates_that_branches_read() -> None:
    """A body reads the one that stays, or keeps it from going where it calls a value so."""
    numbers = ", ".join(map(str, range(COUNT)))

    def model(own: str) -> Model:
        return from_text(
            f"""agraph (bool c, float[257] x) => (float[257] y)
            <float[257] a = {{{numbers}}}, float[257] b = {{{numbers}}}> {{
                s = Add (x, a)
                y = If (c) <
                    then_branch = yes () => (float[257] p) {{ {own} = Neg (b) p = Abs ({own}) }},
                    else_branch = no () => (float[257] q) {{ q = Add (s, b) }}
                >
            }}"""
        )

    after = fixed(model("m"), DuplicateInitializer()).proto
    assert [tensor.name for tensor in after.graph.initializer] == ["a"]
    check_same(model("m").proto, after)
    assert not proposals_of(model("a"), DuplicateInitializer())


def test_large_tensors_are_compared_whole() -> None:
    """The report looks at 64 parts of such a tensor: a bit between them makes another one."""
    numbers = np.zeros(1 << 20, np.float32)
    other = numbers.copy()
    other[12_345] = 1
    model = Model("large", sum_of({"a": numbers, "b": other, "c": numbers}, count=1 << 20), 0)
    (problem,) = load(model).weight_problems
    assert problem.message.startswith("2 tensors")
    (proposal,) = proposals_of(model, DuplicateInitializer())
    assert proposal.renames == {"c": "a"}


@pytest.mark.parametrize("location", [None, "weights"], ids=["inside", "beside"])
def test_duplicates_in_files(tmp_path: Path, location: str | None) -> None:
    """The numbers are read where they are, in the model's file or in another one."""
    numbers = np.arange(4096, dtype=np.float32)
    proto = sum_of({"a": numbers, "b": numbers, "c": numbers + 1, "d": numbers}, count=4096)
    path = str(tmp_path / "model.onnx")
    onnx.save(proto, path, save_as_external_data=location is not None, location=location)
    model = read(path)
    assert not any(tensor.raw_data for tensor in model.proto.graph.initializer)
    (proposal,) = proposals_of(model, DuplicateInitializer())
    assert proposal.renames == {"b": "a", "d": "a"}


def test_what_cannot_be_read_is_no_duplicate() -> None:
    """Weights without data could be anything."""
    model = from_text(
        """agraph (float[512] x) => (float[512] y) <float[512] a, float[512] b> {
            t = Add (x, a)
            y = Mul (t, b)
        }"""
    )
    assert not proposals_of(model, DuplicateInitializer())


def listed(version: int, inputs: str) -> Model:
    """A product with weights, its result clipped, with these among the inputs."""
    return from_text(
        f"""<ir_version: {version}, opset_import: ["" : 13]>
        agraph (float[1,2] x{inputs}) => (float[1,2] y)
        <float[2,2] w = {{1, 2, 3, 4}}, float[2] b = {{1, 1}}, float most = {{2}}> {{
            a = Gemm (x, w, b)
            y = Clip (a, , most)
        }}"""
    )


WEIGHTS, MOST = ", float[2,2] w, float[2] b", ", float most"


@pytest.mark.parametrize(
    ("version", "inputs", "left"),
    [
        pytest.param(8, WEIGHTS, ["x"], id="weights"),
        pytest.param(8, WEIGHTS + MOST, ["x"], id="all"),
        pytest.param(8, ", float[2] b" + MOST, ["x", "most"], id="some"),
        pytest.param(8, MOST, ["x", "most"], id="a-default"),
        pytest.param(3, WEIGHTS + MOST, ["x", "w", "b", "most"], id="old"),
    ],
)
def test_weights_among_the_inputs(version: int, inputs: str, left: list[str]) -> None:
    """They are constants then; a threshold stays an input's default unless all are listed."""
    model = listed(version, inputs)
    after = fixed(model, InitializerAsInput()).proto
    assert [entry.name for entry in after.graph.input] == left
    check_same(model.proto, after)


@pytest.mark.parametrize("opset", [9, 17])
@pytest.mark.parametrize("bias", [", b", ""], ids=["bias", "no-bias"])
def test_channels_of_zeros(opset: int, bias: str) -> None:
    """When asked for: 61 channels become 64, the result is that of before but for rounding."""
    model = from_text(
        f"""<ir_version: 8, opset_import: ["" : {opset}]>
        agraph (float[1,61,28,28] x) => (float[1,64,14,14] y)
        <float[64,61,3,3] w, float[64] b> {{
            y = Conv <pads = [1,1,0,0], strides = [2,2]> (x, w{bias})
        }}"""
    )
    random = np.random.default_rng(1)
    for name, dims in (("w", (64, 61, 3, 3)), ("b", (64,)))[: 2 if bias else 1]:
        numbers = random.standard_normal(dims).astype(np.float32)
        model.proto.graph.initializer.append(numpy_helper.from_array(numbers, name))
    rule = MisalignedChannels()
    assert not proposals_of(model, rule)
    (proposal,) = rule.padded(context_of(model))
    after = applied(model, [proposal])
    assert operators(after.proto) == ["Pad", "Conv"]
    onnx.checker.check_model(after.proto, full_check=True)
    (old,), (new,) = outputs(model.proto), outputs(after.proto)
    assert np.linalg.norm(old - new) <= 1e-6 * np.linalg.norm(old)
    assert not list(rule.padded(context_of(after)))
