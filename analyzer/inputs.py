"""The graph inputs with the dims that the user binds."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import GraphProto, TensorShapeProto, ValueInfoProto

from archlint.analyzer.dims import Cause, Dim, SymbolicDim
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Value

_BATCH_NAMES = frozenset({"batch", "batch_size", "batchsize", "n", "b", "bs"})


@dataclass(frozen=True, slots=True)
class Bindings:
    """Numbers for named dims, and whole shapes for inputs whose dims have no name.

    ``places`` are where shapes stand that are no option of the command line, as errors name them.
    """

    dims: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Where the shape of an input stands."""
        return self.places.get(name, f"--input-shape {name}={_listed(self.shapes[name])}")


def fed_inputs(proto: GraphProto, constants: Container[str]) -> list[ValueInfoProto]:
    """The graph inputs that are no initializers."""
    return [info for info in proto.input if info.name not in constants]


def dim_names(proto: GraphProto) -> set[str]:
    """The names of symbolic dims in the graph inputs."""
    shapes = (info.type.tensor_type.shape for info in proto.input)
    return {_name(dim) for shape in shapes for dim in shape.dim if _name(dim)}


def dim_labels(info: ValueInfoProto) -> tuple[str, ...]:
    """What the dims of an input are called: their names, ``x[2]`` without one, "" for numbers."""
    return tuple(
        _name(dim) or ("" if dim.dim_value > 0 else f"{info.name}[{axis}]")
        for axis, dim in enumerate(info.type.tensor_type.shape.dim)
    )


def bind_inputs(
    proto: GraphProto, constants: Container[str], bindings: Bindings
) -> tuple[list[Value], list[str]]:
    """The values of the fed inputs, and notes of what was assumed.

    An unbound leading dim is taken as 1, unless its name stands in an inner place too and is none
    that a batch bears. Raises ConfigError for a shape that contradicts the file or another binding.
    """
    inputs = fed_inputs(proto, constants)
    binder = _Binder(bindings, _named_sizes(inputs, bindings))
    binder.assume_batches(inputs)
    values = [binder.value(info) for info in inputs]
    return values, list(binder.notes)


def _named_sizes(inputs: Iterable[ValueInfoProto], bindings: Bindings) -> dict[str, int]:
    """Sizes by the names of dims: those given by name, and those that given shapes fix."""
    sizes = dict(bindings.dims)
    for info in inputs:
        shape = bindings.shapes.get(info.name)
        if shape is None:
            continue
        _check_shape(info, shape, bindings.place(info.name))
        for dim, size in zip(info.type.tensor_type.shape.dim, shape, strict=False):
            if _name(dim) and sizes.setdefault(_name(dim), size) != size:
                why = f"dim '{_name(dim)}' would be {size} here and {sizes[_name(dim)]} elsewhere"
                raise ConfigError(bindings.place(info.name), why)
    return sizes


@dataclass(slots=True)
class _Binder:
    """Turns inputs into values and collects the notes on the way."""

    bindings: Bindings
    sizes: dict[str, int]
    notes: dict[str, None] = field(default_factory=dict)

    def assume_batches(self, inputs: Sequence[ValueInfoProto]) -> None:
        """Take the names of leading dims as 1 wherever they stand."""
        shapes = [list(info.type.tensor_type.shape.dim) for info in inputs]
        inner = {_name(dim) for shape in shapes for dim in shape[1:]}
        for info, shape in zip(inputs, shapes, strict=True):
            name = _name(shape[0]) if shape else ""
            alone = name not in inner or name.lower() in _BATCH_NAMES
            if name and name not in self.sizes and alone:
                self._assume(f"leading dim '{name}'", info, name)
                self.sizes[name] = 1

    def _assume(self, what: str, info: ValueInfoProto, name: str) -> None:
        self.notes[f"{what} taken as 1; bind it with {_remedy(info, name, 8)}"] = None

    def value(self, info: ValueInfoProto) -> Value:
        tensor = info.type.tensor_type
        if info.type.WhichOneof("value") != "tensor_type":
            cause = Cause(f"input '{info.name}' is no tensor")
            return Value(info.name, causes=frozenset({cause}))
        if info.name in self.bindings.shapes:
            return Value(info.name, tensor.elem_type, self.bindings.shapes[info.name])
        if not tensor.HasField("shape"):
            remedy = f"--input-shape {shlex.quote(f'{info.name}=1,3,224,224')}"
            cause = Cause(f"input '{info.name}' declares no shape", remedy)
            return Value(info.name, tensor.elem_type, causes=frozenset({cause}))
        dims = (self.dim(info, axis, dim) for axis, dim in enumerate(tensor.shape.dim))
        return Value(info.name, tensor.elem_type, tuple(dims))

    def dim(self, info: ValueInfoProto, axis: int, dim: TensorShapeProto.Dimension) -> Dim:
        name = _name(dim)
        if not name and dim.dim_value > 0:
            return dim.dim_value
        if name in self.sizes:
            return self.sizes[name]
        if axis == 0 and not name:
            self._assume(f"leading dim of input '{info.name}'", info, name)
            return 1
        # No input is named where the dim has a name, so that equal names are equal dims.
        what = f"dim '{name}'" if name else f"dim {axis} of input '{info.name}'"
        cause = Cause(f"{what} is unbound", _remedy(info, name, 128))
        return SymbolicDim(dim_labels(info)[axis], frozenset({cause}))


def _name(dim: TensorShapeProto.Dimension) -> str:
    """The name of a dim; some exporters write a question mark where there is none."""
    return "" if dim.dim_param == "?" else dim.dim_param


def _remedy(info: ValueInfoProto, name: str, size: int) -> str:
    """The option that binds a dim, as a shell takes it."""
    if name:
        return f"--dim {shlex.quote(f'{name}={size}')}"
    dims = info.type.tensor_type.shape.dim
    usual = (1, 3, 224, 224) if len(dims) == 4 else (1, *[128] * len(dims))
    shape = [d.dim_value if d.dim_value > 0 else n for d, n in zip(dims, usual, strict=False)]
    return f"--input-shape {shlex.quote(f'{info.name}={_listed(shape)}')}"


def _check_shape(info: ValueInfoProto, shape: Sequence[int], place: str) -> None:
    tensor = info.type.tensor_type
    if not tensor.HasField("shape"):
        return
    declared = [_name(d) or (d.dim_value if d.dim_value > 0 else "?") for d in tensor.shape.dim]
    if len(declared) != len(shape) or any(
        isinstance(dim, int) and dim != size for dim, size in zip(declared, shape, strict=False)
    ):
        why = f"input '{info.name}' is declared as [{_listed(declared)}]"
        raise ConfigError(place, f"{why}, not [{_listed(shape)}]")


def _listed(items: Iterable[object]) -> str:
    return ",".join(map(str, items))
