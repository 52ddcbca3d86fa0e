"""From nodes in topological order to the shape, type and small data of every value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archlint.analyzer.dims import Cause, Dim, Shape, SymbolicDim, volume
from archlint.analyzer.graph import Data, Node, Value
from archlint.analyzer.shapes import arithmetic as _arithmetic  # noqa: F401 - registers its foldings
from archlint.analyzer.shapes import elementwise as _elementwise  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import folding as _folding  # noqa: F401 - registers its foldings
from archlint.analyzer.shapes import generators as _generators  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import layout as _layout  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import products as _products  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import reductions as _reductions  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import windows as _windows  # noqa: F401 - registers its rules
from archlint.analyzer.shapes.constants import of_constant_node
from archlint.analyzer.shapes.context import (
    FOLDINGS,
    SHAPE_RULES,
    Context,
    Unresolved,
    foldable_elements,
)  # fmt: skip

_INT64 = 1 << 63
MAX_RANK = 64  # no runtime knows tensors of more axes; numbers of elements stay printable
# A new number at each run: no constant, whatever its inputs.
_RANDOM = frozenset({
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli",
    "Multinomial",
})  # fmt: skip
_SHAPE_READERS = frozenset({"Shape", "Size"})  # of a static shape: no input decides the result
_CONTRADICTIONS = (ValueError, TypeError, IndexError, KeyError, ArithmeticError, AttributeError)


def infer(nodes: Iterable[Node], known: Mapping[str, Value], opset: int) -> dict[str, Value]:
    """The known values (inputs and initializers) and those that the nodes make.

    A value whose shape cannot be told has causes instead; nothing is taken from what the file
    declares. Contradictory shapes become unknown, never a number.
    """
    values = {name: _plausible(value) for name, value in known.items()}
    for node in nodes:
        for value in _outputs(node, values, opset):
            values[value.name] = value
    return values


def _outputs(node: Node, values: Mapping[str, Value], opset: int) -> Iterable[Value]:
    if node.op_type == "Constant" and not node.domain:
        return [of_constant_node(node)]
    inputs = tuple(values.get(name, Value(name)) if name else None for name in node.inputs)
    captured = (values.get(name, Value(name)) for name in node.captured)
    constant = node.op_type not in _RANDOM and all(
        value.constant for value in (*inputs, *captured) if value is not None
    )
    context = Context(node, inputs, opset)
    rule = SHAPE_RULES.get(node.operator)
    if rule is None:
        return _unknown(node, constant, context.because("archlint has no shape rule for it"))
    try:
        inferred = [(_checked(shape), dtype) for shape, dtype in rule(context)]
    except Unresolved as unresolved:
        return _unknown(node, constant, unresolved.causes)
    except _CONTRADICTIONS as error:
        return _unknown(node, constant, context.because(f"contradictory shapes ({error})"))
    data = _folded(context, *inferred[0]) if inferred else None
    if node.op_type in _SHAPE_READERS and data is not None:
        constant = all(isinstance(dim, int) for dim in data.reshape(-1))
    return [
        Value(name, dtype, shape, constant, data if place == 0 else None)
        for place, (name, (shape, dtype)) in enumerate(zip(node.outputs, inferred, strict=False))
        if name
    ]


def _unknown(node: Node, constant: bool, causes: frozenset[Cause]) -> list[Value]:
    return [Value(name, 0, None, constant, causes=causes) for name in node.outputs if name]


def _checked(shape: Iterable[Any]) -> Shape:
    """A shape of plain integers and symbolic dims; raises ValueError for anything else."""
    dims = tuple(_dim(dim) for dim in shape)
    if len(dims) > MAX_RANK:
        raise ValueError(f"a rank of {len(dims)}")
    return dims


def _plausible(value: Value) -> Value:
    """An input or initializer, its shape unknown if no tensor can have it."""
    if value.shape is None or len(value.shape) <= MAX_RANK:
        return value
    cause = Cause(f"'{value.name}' has a rank of {len(value.shape)}")
    return Value(value.name, value.dtype, None, value.constant, causes=frozenset({cause}))


def _dim(dim: Any) -> Dim:
    if isinstance(dim, SymbolicDim):
        return dim
    if dim is None or dim != int(dim) or not 0 <= dim < _INT64:
        raise ValueError(f"a dim of {dim}")
    return int(dim)


def _overflows(element: Any) -> bool:
    """Whether an integer is none of int64: a runtime's would wrap, and ours could grow for ever."""
    return isinstance(element, int) and not -_INT64 <= element < _INT64


def _folded(context: Context, shape: Shape, dtype: int) -> Data | None:
    """The elements of the output where they follow from known ones and are few."""
    folding = FOLDINGS.get(context.node.operator)
    size = volume(shape)
    if folding is None or not isinstance(size, int) or size > foldable_elements(dtype):
        return None
    try:
        data = folding(context)
        if data is None or any(_overflows(element) for element in data.reshape(-1)):
            return None
        return data.reshape([dim for dim in shape if isinstance(dim, int)])
    except (*_CONTRADICTIONS, Unresolved):
        return None
