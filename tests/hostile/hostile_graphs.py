"""Graphs that are none: cycles, values made twice, strange types, operator sets and versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    SparseTensorProto,
    TensorAnnotation,
    TensorProto,
    TrainingInfoProto,
    TypeProto,
    ValueInfoProto,
    helper,
)  # fmt: skip

from hostile_build import (
    LEAST,
    MOST,
    OPSET,
    Make,
    chain,
    graph,
    info,
    model,
    node,
    one,
    tensor,
)  # fmt: skip

_WIDE: Final = [1, 3, 8, 8]


def _typed(kind: TypeProto) -> Make:
    """An input of this type feeds operators of every sort."""

    def make() -> bytes:
        nodes = [
            node("Identity", ["x"], ["a"]),
            node("Conv", ["x", "x"], ["b"]),
            node("SequenceAt", ["x", "a"], ["c"]),
            node("OptionalGetElement", ["x"], ["d"]),
            node("ZipMap", ["x"], ["e"], "ai.onnx.ml", classlabels_int64s=[1, 2]),
            node("Shape", ["x"], ["s"]),
            node("Reshape", ["d", "s"], ["y"]),
        ]
        return model(graph(nodes, [ValueInfoProto(name="x", type=kind)]))

    return make


def _relus(*pairs: tuple[str, str]) -> Make:
    """Relu nodes between the named values."""
    return lambda: chain([node("Relu", [a], [b]) for a, b in pairs])


def _versions(opsets: Iterable[tuple[str, int]], ir_version: int | None = 10) -> Make:
    nodes = [node("Relu", ["x"], ["a"]), node("Softmax", ["a"], ["b"]), node("Dropout", ["b"])]
    return lambda: model(graph(nodes, [info("x", _WIDE)]), opsets=opsets, ir_version=ir_version)


def _sparse(indices: list[int], dims: list[int], index_dims: list[int] | None = None) -> Make:
    """A sparse initializer as the weight of a MatMul."""

    def make() -> bytes:
        sparse = SparseTensorProto(values=tensor("w", [1.0] * len(indices)), dims=dims)
        sparse.indices.CopyFrom(tensor("", indices))
        if index_dims is not None:
            sparse.indices.dims[:] = index_dims
        whole = graph([node("MatMul", ["x", "w"])], [info("x", [4, 8])])
        whole.sparse_initializer.append(sparse)
        return model(whole)

    return make


def _quantized() -> bytes:
    whole = graph([node("Relu")], [info("x", _WIDE)])
    notes = TensorAnnotation(tensor_name="nowhere")
    for key in ("SCALE_TENSOR", "SCALE_TENSOR", "\n"):
        entry = notes.quant_parameter_tensor_names.add()
        entry.key, entry.value = key, "missing"
    whole.quantization_annotation.extend([notes] * 3)
    return model(whole)


def _training() -> bytes:
    whole = ModelProto.FromString(chain([node("Relu")]))
    step = TrainingInfoProto(algorithm=GraphProto(name="a", node=[node("Adam", ["x"], ["x"])]))
    step.update_binding.add(key="x", value="nowhere")
    whole.training_info.extend([step] * 3)
    return whole.SerializeToString()


def _dense() -> bytes:
    """Two inputs of one name, an output that is an input, an initializer that is both."""
    nodes = [node("MatMul", ["x", "w"], ["y"])]
    inputs = [info("x", [4, 8]), info("x", [5, 9]), info("w", [8, 2]), info("w", [7, 3])]
    return model(graph(nodes, inputs, ["y", "x", "w"], [tensor("w", [[1.0] * 2] * 8)]))


def _shadowed() -> bytes:
    made: list[NodeProto] = [node("MatMul", ["x", "w"], ["w"]), node("Relu", ["w"], ["y"])]
    return model(graph(made, [info("x", [8, 8])], initializers=[tensor("w", [[1.0] * 8] * 8)]))


def _of(kind: str) -> TypeProto:
    floats = helper.make_tensor_type_proto(TensorProto.FLOAT, [2, 3])
    if kind == "map":
        return helper.make_map_type_proto(TensorProto.INT64, floats)
    if kind == "sequence":
        return helper.make_sequence_type_proto(helper.make_sequence_type_proto(floats))
    if kind == "optional":
        return helper.make_optional_type_proto(floats)
    if kind == "sparse":
        return helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [2, 3])
    return TypeProto(denotation="none")


GRAPHS: dict[str, Make] = {
    "graph-without-nodes": lambda: model(graph([], [info("x", _WIDE)], ["x"])),
    "graph-without-outputs": lambda: chain([node("Relu")], outputs=[]),
    "graph-without-inputs": lambda: model(graph([node("Relu", [""], ["y"])])),
    "cycle": _relus(("x", "a"), ("c", "b"), ("b", "c"), ("c", "y")),
    "cycle-of-3000": _relus(*((f"a{i}", f"a{(i + 1) % 3000}") for i in range(3000)), ("a0", "y")),
    "self-loop": _relus(("a", "a"), ("a", "y")),
    "reversed": _relus(*((f"a{i}", f"a{i + 1}") for i in reversed(range(3000))), ("a3000", "y")),
    "dangling-inputs": _relus(("nowhere", "a"), ("a", "y")),
    "dangling-outputs": lambda: chain([node("Relu")], outputs=["y", "nowhere", "", "x"]),
    "duplicate-values": _relus(("x", "y"), ("x", "y"), ("y", "z")),
    "duplicate-values-in-a-node": lambda: chain([node("Split", ["x"], ["y", "y", "y"])]),
    "constant-without-outputs": lambda: chain(
        [node("Constant", [], [], value_int=1), node("Relu")]
    ),
    "convolution-without-outputs": lambda: chain(
        [node("Conv", ["x", "w"], []), node("Relu")], initializers=[tensor("w", [[[[1.0]]] * 3])]
    ),
    "duplicate-graph-outputs": lambda: chain([node("Relu")], outputs=["y", "y", "y"]),
    "duplicate-node-names": lambda: chain(
        [NodeProto(op_type="Relu", name="n", input=["x"], output=[o]) for o in "yabc"]
    ),
    "duplicate-inputs-and-initializers": _dense,
    "initializer-is-made-again": _shadowed,
    "input-is-made-again": _relus(("x", "x"), ("x", "y")),
    "empty-names-everywhere": lambda: model(
        graph([node("Add", ["", ""], ["", ""])] * 5, [info("", [2])], [""], [tensor("", [1.0])])
    ),
    **{
        f"type-{kind}": _typed(_of(kind))
        for kind in ("map", "sequence", "optional", "sparse", "none")
    },
    "type-undefined": lambda: model(graph([node("Relu")], [info("x", _WIDE, 0)])),
    "type-999": lambda: model(graph([node("Relu")], [info("x", _WIDE, 999)])),
    "type-string": lambda: model(graph([node("Conv", ["x", "x"])], [info("x", _WIDE, 8)])),
    "type-complex": lambda: model(graph([node("MatMul", ["x", "x"])], [info("x", [4, 4], 15)])),
    "opset-absent": _versions([]),
    "opset-zero": _versions([("", 0)]),
    "opset-negative": _versions([("", -1)]),
    "opset-least": _versions([("", LEAST)]),
    "opset-2-62": _versions([("", 2**62)]),
    "opset-most": _versions([("", MOST)]),
    "opset-one": _versions([("", 1)]),
    "opset-duplicate": _versions([("", 9), ("ai.onnx", 21), ("", 0), ("", 13)]),
    "opsets-many": _versions([(f"domain{i}", i) for i in range(20_000)]),
    "ir-version-zero": _versions([("", OPSET)], 0),
    "ir-version-absent": _versions([("", OPSET)], None),
    "ir-version-negative": _versions([("", OPSET)], -1),
    "ir-version-2-40": _versions([("", OPSET)], 2**40),
    "domain-unknown": one("Relu", _WIDE, domain="com.example.nobody"),
    "operator-unknown": one("NoSuchOperator", _WIDE, outputs=9),
    "operator-of-wrong-case": one("relu", _WIDE),
    "operator-in-wrong-domain": one("Conv", _WIDE, [4, 3, 3, 3], domain="ai.onnx.ml"),
    "operator-nameless": one("", _WIDE),
    "sparse-weights": _sparse([0, 3], [8, 8]),
    "sparse-index-past-the-end": _sparse([0, 10**12], [8, 8]),
    "sparse-index-negative": _sparse([-5, LEAST], [8, 8]),
    "sparse-dims-negative": _sparse([0], [-8, 8]),
    "sparse-dims-huge": _sparse([0], [2**62, 2**62]),
    "sparse-index-dims-wrong": _sparse([0, 1, 2], [8, 8], [7, 9]),
    "sparse-without-anything": _sparse([], []),
    "quantization-annotations": _quantized,
    "training-info": _training,
}
