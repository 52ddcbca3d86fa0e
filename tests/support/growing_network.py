"""A network that grows node by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import (
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
    shape_inference,
)

FED = 2  # samples


@dataclass(frozen=True, slots=True)
class Manner:
    """How a network is written down."""

    axes: int = 2  # of its maps; none: vectors
    half: bool = False
    symbolic: str = ""  # "N" or "NHW"
    weights: str = "stored"  # or "constant" nodes, "listed" among the inputs, "derived" from others
    ir_version: int = 8
    opset: int = 17
    names: bool = True
    declared: bool = False


@dataclass
class Network:
    """A network while it grows: its nodes, weights, and the values that a step may read."""

    manner: Manner
    nodes: list[NodeProto] = field(default_factory=list)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)  # without the batch
    asks: bool = False  # a condition as a second input

    def node(self, op_type: str, *inputs: str, like: str = "", **attributes: Any) -> str:
        """The value that a new node makes, of the shape of another value."""
        made = f"v{len(self.nodes)}"
        name = f"n{len(self.nodes)}" if self.manner.names else ""
        self.nodes.append(helper.make_node(op_type, inputs, [made], name, **attributes))
        self.shapes[made] = self.shapes[like or inputs[0]]
        return made

    def weight(self, numbers: NDArray[Any]) -> str:
        """The name of a constant."""
        if numbers.dtype == np.float64:
            numbers = numbers.astype(np.float16 if self.manner.half else np.float32)
        if self.manner.weights == "constant":
            made = self.node("Constant", like="x", value=numpy_helper.from_array(numbers))
            del self.shapes[made]
            return made
        derived = self.manner.weights == "derived" and numbers.ndim > 1
        name = f"w{len(self.weights)}"
        self.weights[name] = np.ascontiguousarray(numbers.T) if derived else numbers
        if derived:
            name = self.node("Transpose", self.node("Identity", name, like="x"))
            del self.shapes[name], self.shapes[self.nodes[-1].input[0]]
        return name

    def normal(self, random: Random, *shape: int) -> str:
        """A weight of normal numbers: now and then one that there is already, or a copy of it."""
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 4
        floats = {n: old for n, old in self.weights.items() if old.dtype != np.int64}
        equal = [n for n, old in floats.items() if old.shape == shape]
        if equal and (choice := random.random()) < 0.3:
            return equal[0] if choice < 0.2 else self.weight(self.weights[equal[0]])
        numbers = np.random.default_rng(random.randrange(1 << 30)).standard_normal(shape)
        return self.weight(numbers * fan**-0.5)

    def vectors(self, random: Random, channels: int) -> list[str]:
        """What a BatchNormalization reads of its channels."""
        spread = np.random.default_rng(random.randrange(99)).uniform(0.3, 2, channels)
        return [*(self.normal(random, channels) for _ in range(3)), self.weight(spread)]

    def model(self, random: Random, current: str) -> ModelProto:
        """The model, with outputs at its end and now and then in its middle."""
        manner = self.manner
        dtype = TensorProto.FLOAT16 if manner.half else TensorProto.FLOAT
        outputs = [current, *random.sample(sorted(self.shapes), random.choice([0, 0, 1, 2]))]
        outputs = [name for name in dict.fromkeys(outputs) if name != "x"]
        batch = "N" if manner.symbolic else FED

        def declared(name: str) -> ValueInfoProto:
            dims: list[int | str | None] = [batch, *self.shapes[name]]
            if manner.symbolic == "NHW" and len(dims) > 2:
                dims[2:] = ["H", "W"][: len(dims) - 2] if name == "x" else [None] * (len(dims) - 2)
            return helper.make_tensor_value_info(name, dtype, dims)

        inputs = [declared("x")]
        if self.asks:
            inputs.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
        tensors = [numpy_helper.from_array(numbers, name) for name, numbers in self.weights.items()]
        if manner.weights == "listed" or manner.ir_version < 4:
            inputs += [
                helper.make_tensor_value_info(one.name, one.data_type, one.dims) for one in tensors
            ]
        graph = helper.make_graph(self.nodes, "g", inputs, list(map(declared, outputs)), tensors)
        imports = [helper.make_opsetid("", manner.opset)]
        model = helper.make_model(graph, opset_imports=imports, ir_version=manner.ir_version)
        model.producer_name, model.doc_string = "somebody", "what it is for"
        helper.set_model_props(model, {"stride": "32"})
        return shape_inference.infer_shapes(model) if manner.declared else model
