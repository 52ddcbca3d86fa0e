"""The elements of the constants of a graph, read or computed when they are asked for."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from archlint.analyzer.builder import IR_VERSION
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.graph import Graph, Node, per_graph
from archlint.analyzer.nodes import as_proto
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.weights import read_tensor
from archlint.analyzer.text import safe

_MOST_BYTES: Final = 1 << 31  # of one constant that is computed
_GLANCE = 1_000  # elements of a tensor that are looked at before all of them
_NAME = 80  # characters of a name that a message shows
# What onnx's reference computes here: it moves, casts or does arithmetic, and has no side effects.
_COMPUTED: Final = frozenset({
    "Add", "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape", "Div", "Expand", "Flatten",
    "Gather", "Identity", "Mul", "Neg", "Reciprocal", "Reshape", "Shape", "Slice", "Sqrt",
    "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze",
})  # fmt: skip


class Constants:
    """The elements of a constant of the graph by its name, in its dims and type, read-only.

    Stored tensors are mapped, not copied; what nodes make of them is computed, and kept by nobody.
    """

    def __init__(self, graph: Graph, model: Model) -> None:
        self._graph = graph
        self._model = model
        self._stored = {tensor.name: tensor for tensor in model.proto.graph.initializer}

    def __call__(self, name: str) -> NDArray[Any]:
        """Raises ModelReadError for what the file does not hold, or holds damaged, for what depends
        on an input, and for what operators make of it that are not computed here."""
        if (tensor := self._stored.get(name)) is not None:
            if name in self._graph.overridable:
                raise self._error(name, "is the default of an input, which may be fed")
            if not tensor.dims and not tensor.ByteSize():
                raise self._error(name, "has no data")
            return read_tensor(self._model, tensor)
        maker = self._graph.producer(name)
        if maker is None or not self._graph.is_constant(maker):
            raise self._error(name, "is not in the file")
        return self._made(name, maker)

    def _made(self, name: str, node: Node) -> NDArray[Any]:
        if node.op_type == "Constant" and isinstance(
            tensor := node.attributes.get("value"), TensorProto
        ):
            return read_tensor(self._model, tensor)
        value = self._graph.value(name)
        elements = value.elements
        if node.operator not in _COMPUTED or not isinstance(elements, int):
            raise self._error(name, f"is made by {node.operator}, which is not computed here")
        if (value.bytes_of(elements) or 0) > _MOST_BYTES:
            raise self._error(name, "is too large to be computed")
        return self._computed(name, node)

    def _computed(self, name: str, node: Node) -> NDArray[Any]:
        from onnx.reference import ReferenceEvaluator  # late: few constants are computed

        proto = as_proto(node)
        proto.input[:] = [f"i{place}" if given else "" for place, given in enumerate(node.inputs)]
        feeds = {
            f"i{place}": self._fed(node, place, given)
            for place, given in enumerate(node.inputs)
            if given
        }
        proto.output[:] = ["o" if output == name else "" for output in node.outputs]
        inputs = [
            helper.make_tensor_value_info(
                key, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for key, array in feeds.items()
        ]
        output = helper.make_tensor_value_info("o", self._graph.value(name).dtype, None)
        graph = helper.make_graph([proto], "constant", inputs, [output])
        imports = [helper.make_opsetid("", self._graph.opset)]
        model = helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)
        try:
            (made,) = ReferenceEvaluator(model).run(None, feeds)
        except Exception as error:  # whatever the file makes of onnx's reference
            why = f"cannot be computed by {node.operator}: {type(error).__name__}"
            raise self._error(name, why) from error
        array = np.asarray(made)
        if array.shape != self._graph.value(name).static_shape:
            raise self._error(name, f"is not what {node.operator} should make")
        array.flags.writeable = False
        return array

    def _fed(self, node: Node, place: int, name: str) -> NDArray[Any]:
        """An input of a node; of what CastLike takes only the type from, no elements."""
        if node.operator == "CastLike" and place == 1:
            return np.empty(0, helper.tensor_dtype_to_np_dtype(self._graph.value(name).dtype))
        return self(name)

    def _error(self, name: str, why: str) -> ModelReadError:
        return ModelReadError(self._model.path, f"constant '{safe(name, _NAME)}' {why}")


@per_graph
def constants_of(graph: Graph) -> Constants | None:
    """The constants of a graph; None for a body, which has no file of its own."""
    return None if graph.tallies is None else Constants(graph, graph.tallies.model)


def is_one_number(numbers: NDArray[Any]) -> bool:
    """Whether an array, which has some elements, holds one number over and over."""
    flat = numbers.reshape(-1)
    return flat.size > 0 and all(bool((p == flat[0]).all()) for p in (flat[:_GLANCE], flat))
