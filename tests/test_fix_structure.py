"""Fixes that take out what no output needs: onnxruntime computes the same bits after."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import SparseTensorProto, numpy_helper

from archlint.analyzer.reader.text import from_text
from archlint.rules.dead_node import DeadNode
from archlint.rules.leftover_no_op import LeftoverNoOp
from archlint.rules.unused_initializer import UnusedInitializer
from structural_fixes import check_same, fixed, operators, outputs, proposals_of

BRANCHES = """y = If (c) <
    then_branch = yes () => (float[1,4] p) { p = Add (b, b) },
    else_branch = no () => (float[1,4] q) { q = Neg (b) }
>"""
"""What reads ``b`` of the graph around it."""
X = "agraph (float[1,4] x) => (float[1,4] y)"
# What is in the graph and what stays of it.
IDLE: dict[str, tuple[str, list[str]]] = {
    "in-the-middle": (f"{X} {{ a = Relu (x) b = Identity (a) y = Neg (b) }}", ["Relu", "Neg"]),
    "behind-an-input": (f"{X} {{ b = Dropout (x) y = Neg (b) }}", ["Neg"]),
    "output": (f"{X} {{ a = Relu (x) y = Dropout (a) }}", ["Relu"]),
    "output-read-elsewhere": (
        ("agraph (float[1,4] x) => (float[1,4] y, float[1,4] z) "
        "{ a = Relu (x) y = Identity (a) z = Neg (a) }"), ["Relu", "Neg"]),
    "chain-to-an-output": (
        f"{X} {{ a = Relu (x) b = Identity (a) c = Cast <to = 1> (b) y = Concat <axis = 1> (c) }}",
        ["Relu"]),
    "chain-over-an-output": (
        ("agraph (float[1,4] x) => (float[1,4] y, float[1,4] z) "
        "{ a = Relu (x) y = Identity (a) b = Identity (y) z = Neg (b) }"), ["Relu", "Neg"]),
    "two-outputs-of-one-value": (
        ("agraph (float[1,4] x) => (float[1,4] y, float[1,4] z) "
        "{ a = Relu (x) y = Identity (a) z = Identity (a) }"), ["Relu", "Identity"]),
    "output-of-an-output": (
        "agraph (float[1,4] x) => (float[1,4] y, float[1,4] z) { y = Relu (x) z = Identity (y) }",
        ["Relu", "Identity"]),
    "output-of-an-input": (f"{X} {{ y = Dropout (x) }}", ["Dropout"]),
    "chain-from-an-input-to-an-output": (
        f"{X} {{ a = Dropout (x) b = Identity (a) y = Identity (b) }}", ["Identity"]),
    "output-of-an-initializer": (
        ("agraph (float[1,4] x) => (float[1,4] y, float[2] z) <float[2] w = {1, 2}> "
        "{ y = Relu (x) z = Identity (w) }"), ["Relu", "Identity"]),
    "of-an-initializer": (
        f"{X} <float[4] w = {{1, 2, 3, 4}}> {{ v = Identity (w) y = Mul (x, v) }}", ["Mul"]),
    "of-a-constant": (
        (f"{X} {{ w = Constant <value = float[4] {{1, 2, 3, 4}}> () v = Identity (w) "
        "y = Mul (x, v) }"), ["Constant", "Mul"]),
    "mask": (
        ("agraph (float[1,4] x) => (float[1,4] y, bool[1,4] m) "
        "{ a, m = Dropout (x) y = Neg (a) }"), ["Dropout", "Neg"]),
    "mask-that-nothing-reads": (f"{X} {{ a, m = Dropout (x) y = Neg (a) }}", ["Neg"]),
    "read-by-branches": (
        (f"agraph (bool c, float[1,4] x) => (float[1,4] y) "
        f"{{ a = Relu (x) b = Identity (a) {BRANCHES} }}"), ["Relu", "If"]),
    "output-that-branches-read": (
        ("agraph (bool c, float[1,4] x) => (float[1,4] y, float[1,4] z) "
        f"{{ b = Relu (x) z = Identity (b) {BRANCHES} }}"), ["Relu", "If"]),
    "pair-of-transposes": (
        ("agraph (float[1,2,3,4] x) => (float[1,2,3,4] y) { a = Transpose <perm = [0,2,3,1]> (x) "
        "b = Transpose <perm = [0,3,1,2]> (a) y = Neg (b) }"), ["Neg"]),
    "three-transposes": (
        ("agraph (float[2,3] x) => (float[3,2] y) { a = Transpose (x) b = Transpose (a) "
        "c = Transpose (b) y = Neg (c) }"), ["Transpose", "Neg"]),
    "pair-around-an-identity": (
        ("agraph (float[2,3] x) => (float[2,3] y) { a = Transpose (x) b = Identity (a) "
        "c = Transpose (b) y = Neg (c) }"), ["Neg"]),
    "pair-to-an-output": (
        ("agraph (float[2,3] x) => (float[2,3] y) { r = Relu (x) a = Transpose (r) "
        "y = Transpose (a) }"), ["Relu"]),
    "pair-from-an-input-to-an-output": (
        "agraph (float[2,3] x) => (float[2,3] y) { a = Transpose (x) y = Transpose (a) }",
        ["Transpose", "Transpose"]),
    "pad-slice-and-concat": (
        ("agraph (float[1,n] x) => (float[1,n] y) <int64[4] p = {0,0,0,0}, int64[1] s = {0}, "
        "int64[1] e = {9223372036854775807}, int64[1] i = {1}> { a = Pad (x, p) "
        "b = Slice (a, s, e, i) c = Concat <axis = 0> (b) y = Neg (c) }"), ["Neg"]),
    "slice-to-an-end-that-some-axis-could-have": (
        ("agraph (float[1,n] x) => (float[1,n] y) <int64[1] s = {0}, int64[1] e = {1000000000}, "
        "int64[1] i = {1}> { b = Slice (x, s, e, i) y = Neg (b) }"), ["Slice", "Neg"]),
    "slice-of-a-symbolic-axis": (
        ("agraph (float[n,4] x) => (float[m,4] y) <int64[1] s = {0}, int64[1] e = {3}, "
        "int64[1] i = {0}> { b = Slice (x, s, e, i) y = Neg (b) }"), ["Slice", "Neg"]),
    "expand-and-reshape-of-symbolic-axes": (
        ("agraph (float[n,4] x) => (float[n,4] y) <int64[2] d = {1, 4}> "
        "{ s = Shape (x) a = Reshape (x, s) b = Expand (a, d) y = Neg (b) }"),
        ["Shape", "Reshape", "Expand", "Neg"]),
    "cast-to-another-type": (
        "agraph (float[1,4] x) => (double[1,4] y) { a = Cast <to = 11> (x) y = Neg (a) }",
        ["Cast", "Neg"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "left"), IDLE.values(), ids=IDLE)
def test_nodes_that_do_nothing(text: str, left: list[str]) -> None:
    """They go, and the values of inputs and outputs keep their names."""
    model = from_text(text)
    after = fixed(model, LeftoverNoOp())
    assert operators(after.proto) == left
    check_same(model.proto, after.proto)


@pytest.mark.parametrize(
    ("given", "left"),
    [("", ["Neg"]), (", int64[4] p", ["Pad", "Neg"])],
    ids=["constant", "may-be-fed"],
)
def test_a_default_of_an_input_proves_nothing(given: str, left: list[str]) -> None:
    """A Pad whose zeros are an input's default may be fed others."""
    model = from_text(
        f"""agraph (float[1,4] x{given}) => (float[1,n] y) <int64[4] p = {{0, 0, 0, 0}}> {{
            a = Pad (x, p)
            y = Neg (a)
        }}"""
    )
    assert operators(fixed(model, LeftoverNoOp()).proto) == left


def test_what_a_body_calls_so_itself_stays() -> None:
    """Bodies read outer values by their names: one that has such a value of its own would take
    that."""
    model = from_text(
        """agraph (bool c, float[1,4] x) => (float[1,4] y) {
            a = Relu (x)
            b = Identity (a)
            y = If (c) <
                then_branch = yes () => (float[1,4] p) { a = Neg (b) p = Add (a, b) },
                else_branch = no () => (float[1,4] q) { q = Neg (b) }
            >
        }"""
    )
    assert operators(fixed(model, LeftoverNoOp()).proto) == ["Relu", "Identity", "If"]


def test_declarations_go_with_their_values() -> None:
    """No value is declared that there is not."""
    model = from_text(
        """agraph (float[1,4] x) => (float[1,4] y)
        <float[1,4] a, float[1,4] b, bool[1,4] m, float[1,4] d, float[4] w = {1, 2, 3, 4}> {
            a = Relu (x)
            b, m = Dropout (a)
            d = Neg (b)
            y = Abs (b)
        }"""
    )
    model.proto.graph.value_info.add(name="w")
    after = fixed(model, LeftoverNoOp(), DeadNode(), UnusedInitializer())
    assert operators(after.proto) == ["Relu", "Abs"]
    assert [info.name for info in after.proto.graph.value_info] == ["a"]
    assert not after.proto.graph.initializer


def test_annotated_values_stay() -> None:
    """An annotation of quantisation names a value and its scale."""
    model = from_text(
        """agraph (float[1,4] x) => (float[1,4] y) <float s = {0.5}> {
            a = Relu (x)
            b = Identity (a)
            y = Neg (b)
        }"""
    )
    annotation = model.proto.graph.quantization_annotation.add(tensor_name="b")
    annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="s")
    assert fixed(model, LeftoverNoOp(), UnusedInitializer()).proto == model.proto


def test_what_training_reads_stays() -> None:
    """The algorithm of training computes with values of the graph."""
    model = from_text(f"{X} <float[4] w = {{1, 2, 3, 4}}> {{ d = Neg (x) y = Relu (x) }}")
    training = model.proto.training_info.add()
    training.algorithm.node.add(op_type="Sub", input=["w", "d"], output=["n"])
    training.update_binding.add(key="w", value="n")
    assert fixed(model, DeadNode(), UnusedInitializer()).proto == model.proto


def test_dead_nodes() -> None:
    """Whatever no output needs goes, random numbers and operators of other domains too."""
    model = from_text(
        """<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
        agraph (bool c, float[1,4] x) => (float[1,4] y) {
            b = Relu (x)
            r = RandomNormal <shape = [1,4]> ()
            d = Mul (b, r)
            e = local.Log (d)
            s = Identity (x)
            y = If (c) <
                then_branch = yes () => (float[1,4] p) { p = Add (b, b) },
                else_branch = no () => (float[1,4] q) { q = Neg (s) }
            >
        }"""
    )
    (proposal,) = proposals_of(model, DeadNode())
    assert [node.op_type for node in proposal.replaces] == ["RandomNormal", "Mul", "Log"]
    after = fixed(model, DeadNode())
    assert operators(after.proto) == ["Relu", "Identity", "If"]
    assert len(outputs(after.proto)) == 1


def test_initializers_that_nothing_reads() -> None:
    """Dense and sparse ones of any size go; what branches read and what outputs are stays."""
    model = from_text(
        """agraph (bool c, float[1,4] x) => (float[1,4] y, float[2] o)
        <float[1,4] b = {1, 2, 3, 4}, float u = {1}, float[2] o = {1, 2}> {
            y = If (c) <
                then_branch = yes () => (float[1,4] p) { p = Add (b, x) },
                else_branch = no () => (float[1,4] q) { q = Neg (x) }
            >
        }"""
    )
    sparse = SparseTensorProto(
        values=numpy_helper.from_array(np.ones(1, np.float32), "sparse"),
        indices=numpy_helper.from_array(np.zeros(1, np.int64), "places"),
        dims=[8],
    )
    model.proto.graph.sparse_initializer.append(sparse)
    after = fixed(model, UnusedInitializer())
    assert [tensor.name for tensor in after.proto.graph.initializer] == ["b", "o"]
    assert not after.proto.graph.sparse_initializer
    check_same(model.proto, after.proto)


@pytest.mark.parametrize(("version", "left"), [(3, ["x"]), (4, ["x", "u"])])
def test_an_unread_default_is_an_input(version: int, left: list[str]) -> None:
    """A caller may feed it since IR version 4; before, it had to be listed."""
    model = from_text(
        f"""<ir_version: {version}, opset_import: ["" : 8]>
        agraph (float[1,4] x, float u) => (float[1,4] y) <float u = {{1}}> {{ y = Relu (x) }}"""
    )
    after = fixed(model, UnusedInitializer())
    assert [entry.name for entry in after.proto.graph.input] == left
    check_same(model.proto, after.proto)
