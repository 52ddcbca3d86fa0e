"""Shapes by onnx's own inference, for operators that archlint has no rule for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from google.protobuf.message import DecodeError
from onnx import (
    ModelProto,
    NodeProto,
    TensorProto,
    TypeProto,
    ValueInfoProto,
    defs,
    helper,
    numpy_helper,
)
from onnx import shape_inference as onnx_inference

from archlint.analyzer.dims import Cause, Dim, SymbolicDim
from archlint.analyzer.graph import Value
from archlint.analyzer.nodes import ai_onnx_is_empty
from archlint.analyzer.runtime.isolated import Isolated, Refusal
from archlint.analyzer.shapes.data import symbolic

_IR_VERSION = 8  # initializers need not be inputs, and every onnx that is supported knows it
_MOST_WORDS = 200  # characters of what onnx says
_MOST_VERSION = (1 << 31) - 1  # that onnx takes

Symbols = dict[str, SymbolicDim]  # by their names in the model that onnx sees


def onnx_server() -> Isolated:
    """onnx's inference of serialised models, in a process that they may crash."""
    return Isolated(_inferred)


def _inferred(model: bytes) -> bytes:
    # Without data propagation: it can take gigabytes, and a single node gains nothing by it.
    return onnx_inference.infer_shapes(model, strict_mode=True).SerializeToString()


def infer_node(
    server: Isolated,
    proto: NodeProto,
    inputs: Sequence[Value | None],
    opsets: Mapping[str, int],
    unknown: frozenset[Cause],
) -> list[Value] | str:
    """The outputs of a node as onnx infers them, absent ones left out, or why it does not.

    A symbolic dim of an input is itself in an output where onnx passes it on; what onnx leaves open
    has the causes ``unknown`` and those of the inputs. Values that subgraphs capture are not seen.
    """
    if not _is_known(proto, opsets):
        return "the installed onnx has none either"
    if any(value is not None and value.element is not None for value in inputs):
        return "onnx's inference is asked about tensors only"
    symbols: Symbols = {}
    answer = server.ask(_model(proto, inputs, opsets, symbols).SerializeToString())
    if isinstance(answer, Refusal):
        return " ".join(answer.why.split())[:_MOST_WORDS]
    causes = unknown.union(*(value.causes for value in inputs if value is not None))
    try:
        return [
            _value(info, symbols, causes) for info in ModelProto.FromString(answer).graph.output
        ]
    except (DecodeError, ValueError) as error:
        return f"its shape inference gives no shape ({error})"


def _is_known(proto: NodeProto, opsets: Mapping[str, int]) -> bool:
    """Whether onnx can infer; its table of operators, 30 ms to make, is copied with the fork."""
    domain = ai_onnx_is_empty(proto.domain)
    version = min(opsets.get(domain, 0), _MOST_VERSION)
    if version < 1 or not defs.has(proto.op_type, version, domain):
        return False
    schema = defs.get_schema(proto.op_type, version, domain)
    return schema.has_type_and_shape_inference_function or bool(schema.function_body.node)


def _model(
    proto: NodeProto, inputs: Sequence[Value | None], opsets: Mapping[str, int], symbols: Symbols
) -> ModelProto:
    """A model of the one node; the symbolic dims of its inputs are gathered by their new names."""
    model = ModelProto(ir_version=_IR_VERSION)
    for domain, version in opsets.items():
        model.opset_import.add(domain=domain, version=version)
    model.graph.name = "one node"
    model.graph.node.append(proto)
    model.graph.node[0].domain = ai_onnx_is_empty(proto.domain)
    names = {symbol: f"d{place}" for symbol, place in zip(_symbols(inputs), count(), strict=False)}
    symbols.update((name, symbol) for symbol, name in names.items())
    for name, value in dict(zip(proto.input, inputs, strict=False)).items():
        constant = None if value is None else _constant(name, value)
        if constant is not None:
            model.graph.initializer.append(constant)
        elif value is not None:
            model.graph.input.append(ValueInfoProto(name=name, type=_type(value, names)))
    model.graph.output.extend(ValueInfoProto(name=name) for name in proto.output if name)
    return model


def _symbols(inputs: Sequence[Value | None]) -> list[SymbolicDim]:
    shapes = (value.shape or () for value in inputs if value is not None)
    return list(dict.fromkeys(d for dims in shapes for d in dims if isinstance(d, SymbolicDim)))


def _type(value: Value, names: Mapping[SymbolicDim, str]) -> TypeProto:
    if not value.dtype:
        return TypeProto()
    dims = None if value.shape is None else [names[d] if isinstance(d, SymbolicDim) else d
                                             for d in value.shape]  # fmt: skip
    return helper.make_tensor_type_proto(value.dtype, dims)


def _constant(name: str, value: Value) -> TensorProto | None:
    """The known elements of a value as a tensor."""
    if value.data is None or symbolic(value.data):
        return None
    try:
        array = value.data.astype(helper.tensor_dtype_to_np_dtype(value.dtype))
    except (KeyError, ValueError, TypeError, OverflowError):  # a type that numpy does not know
        return None
    return numpy_helper.from_array(array, name)


def _value(info: ValueInfoProto, symbols: Symbols, causes: frozenset[Cause]) -> Value:
    """An output; raises ValueError for one that no tensor can be."""
    if info.type.WhichOneof("value") not in (None, "tensor_type"):
        raise ValueError(f"'{info.name}' is no tensor")
    tensor = info.type.tensor_type
    if not tensor.HasField("shape"):
        return Value(info.name, tensor.elem_type, causes=causes)
    dims: list[Dim] = []
    for axis, dim in enumerate(tensor.shape.dim):
        if dim.HasField("dim_value"):
            if dim.dim_value < 0:
                raise ValueError(f"a dim of {dim.dim_value}")
            dims.append(dim.dim_value)
        else:
            passed_on = symbols.get(dim.dim_param)
            dims.append(passed_on or SymbolicDim(f"{info.name}[{axis}]", causes))
    return Value(info.name, tensor.elem_type, tuple(dims))
