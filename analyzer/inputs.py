"""The graph inputs with the dims that the user binds."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from onnx import GraphProto, TensorShapeProto, ValueInfoProto

from archlint.analyzer.dims import Cause, Dim, SymbolicDim
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Value


@dataclass(frozen=True, slots=True)
class Bindings:
    """Numbers for named dims, and whole shapes for inputs whose dims have no name."""

    dims: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def fed_inputs(proto: GraphProto, constants: Container[str]) -> list[ValueInfoProto]:
    """The graph inputs that are no initializers."""
    return [info for info in proto.input if info.name not in constants]


def dim_names(proto: GraphProto) -> set[str]:
    """The names of symbolic dims in the graph inputs."""
    shapes = (info.type.tensor_type.shape for info in proto.input)
    return {dim.dim_param for shape in shapes for dim in shape.dim if dim.dim_param}


def bind_inputs(
    proto: GraphProto, constants: Container[str], bindings: Bindings
) -> tuple[list[Value], list[str]]:
    """The values of the fed inputs, and notes of what was assumed.

    An unbound leading dim is taken as 1, unless its name stands in another place too: then it is no
    batch. Raises ConfigError for a shape that contradicts the file.
    """
    inputs = fed_inputs(proto, constants)
    inner = {dim.dim_param for info in inputs for dim in list(info.type.tensor_type.shape.dim)[1:]}
    notes: dict[str, None] = {}
    values = []
    for info in inputs:
        tensor = info.type.tensor_type
        if info.type.WhichOneof("value") != "tensor_type":
            cause = Cause(f"input '{info.name}' is no tensor")
            values.append(Value(info.name, causes=frozenset({cause})))
        elif info.name in bindings.shapes:
            shape = bindings.shapes[info.name]
            _check_shape(info, shape)
            values.append(Value(info.name, tensor.elem_type, shape))
        elif not tensor.HasField("shape"):
            cause = Cause(
                f"input '{info.name}' declares no shape", f"--input-shape {info.name}=1,3,224,224"
            )
            values.append(Value(info.name, tensor.elem_type, causes=frozenset({cause})))
        else:
            dims = [
                _dim(info, axis, dim, bindings, inner, notes)
                for axis, dim in enumerate(tensor.shape.dim)
            ]
            values.append(Value(info.name, tensor.elem_type, tuple(dims)))
    return values, list(notes)


def _dim(
    info: ValueInfoProto,
    axis: int,
    dim: TensorShapeProto.Dimension,
    bindings: Bindings,
    inner: set[str],
    notes: dict[str, None],
) -> Dim:
    name = dim.dim_param
    if not name and dim.dim_value > 0:
        return dim.dim_value
    if name in bindings.dims:
        return bindings.dims[name]
    shape = ",".join(_example(d) for d in info.type.tensor_type.shape.dim)
    if axis == 0 and (not name or name not in inner):
        if name:
            notes[f"leading dim '{name}' taken as 1; bind it with --dim {name}=8"] = None
        else:
            remedy = f"--input-shape {info.name}={shape}"
            notes[f"leading dim of input '{info.name}' taken as 1; bind it with {remedy}"] = None
        return 1
    if name:
        # No input is named in the cause, so that equal names are equal dims.
        cause = Cause(f"dim '{name}' is unbound", f"--dim {name}=128")
        return SymbolicDim(name, frozenset({cause}))
    cause = Cause(
        f"dim {axis} of input '{info.name}' is unbound", f"--input-shape {info.name}={shape}"
    )
    return SymbolicDim(f"{info.name}[{axis}]", frozenset({cause}))


def _example(dim: TensorShapeProto.Dimension) -> str:
    return str(dim.dim_value) if dim.dim_value > 0 else "1"


def _check_shape(info: ValueInfoProto, shape: tuple[int, ...]) -> None:
    if not info.type.tensor_type.HasField("shape"):
        return
    declared = info.type.tensor_type.shape.dim
    text = ",".join(d.dim_param or (str(d.dim_value) if d.dim_value > 0 else "?") for d in declared)
    fits = len(declared) == len(shape) and all(
        d.dim_param or d.dim_value <= 0 or d.dim_value == n
        for d, n in zip(declared, shape, strict=True)
    )
    if not fits:
        given = ",".join(map(str, shape))
        raise ConfigError(
            f"--input-shape {info.name}={given}", f"the file declares the input as [{text}]"
        )
