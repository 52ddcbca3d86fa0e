"""Write hostile models: protobuf objects where they can be, the wire format where they cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

Make = Callable[[], bytes]  # a model
Place = Callable[[Path], None]  # writes model.onnx, and what it refers to, into an empty folder
Shape = Sequence[int | str | None] | None

OPSET = 21
MOST = 2**63 - 1
LEAST = -(2**63)


def varint(number: int) -> bytes:
    """A base-128 number; a negative one in 10 bytes, as protobuf writes it."""
    number %= 1 << 64
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def field(number: int, content: int | bytes | str) -> bytes:
    """A field of a message: a varint, or length-delimited."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    payload = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def wire_model(graph: bytes, *, opset: int = OPSET) -> bytes:
    """A ModelProto around a serialised graph."""
    return field(1, 8) + field(7, graph) + field(8, field(2, opset))


def info(name: str, shape: Shape, dtype: int = TensorProto.FLOAT) -> ValueInfoProto:
    """A declared tensor; None is an unknown rank."""
    return helper.make_tensor_value_info(name, dtype, shape)


def tensor(name: str, numbers: Any) -> TensorProto:
    """An initializer: int64, or float where a number is one."""
    array: NDArray[Any] = np.array(numbers)
    return numpy_helper.from_array(array.astype("f4" if array.dtype.kind == "f" else "i8"), name)


def untold(name: str, dims: Iterable[int], dtype: int = TensorProto.FLOAT) -> TensorProto:
    """An initializer of any dims that holds no data."""
    return TensorProto(name=name, dims=dims, data_type=dtype)


def node(
    op_type: str,
    inputs: Iterable[str] = ("x",),
    outputs: Iterable[str] = ("y",),
    domain: str = "",
    **attributes: Any,
) -> NodeProto:
    """A node named as its first output."""
    outputs = list(outputs)
    made = NodeProto(
        op_type=op_type,
        domain=domain,
        name=outputs[0] if outputs else op_type,
        input=list(inputs),
        output=outputs,
    )
    made.attribute.extend(attribute(name, value) for name, value in attributes.items())
    return made


def attribute(name: str, value: Any) -> AttributeProto:
    """An attribute; an empty list holds integers."""
    if isinstance(value, AttributeProto):
        value.name = name
        return value
    if isinstance(value, (list, tuple)) and not value:
        return AttributeProto(name=name, type=AttributeProto.INTS)
    return helper.make_attribute(name, value)


def graph(
    nodes: Iterable[NodeProto],
    inputs: Iterable[ValueInfoProto] = (),
    outputs: Iterable[ValueInfoProto | str] = ("y",),
    initializers: Iterable[TensorProto] = (),
) -> GraphProto:
    """A graph; outputs given by name declare no type."""
    declared = [ValueInfoProto(name=o) if isinstance(o, str) else o for o in outputs]
    made = GraphProto(name="hostile", input=inputs, output=declared)
    made.node.extend(nodes)
    made.initializer.extend(initializers)
    return made


def model(
    made: GraphProto,
    *,
    opsets: Iterable[tuple[str, int]] = (("", OPSET),),
    functions: Iterable[FunctionProto] = (),
    ir_version: int | None = 10,
) -> bytes:
    """A serialised model."""
    whole = ModelProto(ir_version=ir_version, graph=made, functions=functions)
    whole.opset_import.extend(helper.make_operatorsetid(*pair) for pair in opsets)
    return whole.SerializeToString(deterministic=True)


def chain(nodes: Iterable[NodeProto], x: Shape = (1, 3, 8, 8), **extra: Any) -> bytes:
    """A model of nodes between an input x and an output y."""
    return model(graph(nodes, [info("x", x)], **extra))


def one(
    op_type: str,
    *shapes: Shape,
    constants: Iterable[Any] = (),
    outputs: int = 1,
    domain: str = "",
    **attributes: Any,
) -> Make:
    """A model of one node: inputs of these shapes, then constants of these numbers."""

    def make() -> bytes:
        given = [info(f"x{place}", shape) for place, shape in enumerate(shapes)]
        known = [tensor(f"c{place}", numbers) for place, numbers in enumerate(constants)]
        names = [*(x.name for x in given), *(c.name for c in known)]
        made = ["y", *(f"y{place}" for place in range(1, outputs))]
        lone = node(op_type, names, made, domain, **attributes)
        return model(graph([lone], given, made, known), opsets={"": OPSET, domain: OPSET}.items())

    return make
