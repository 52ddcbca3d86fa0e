"""From nodes in topological order to the shape, type and small data of every value."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from archlint.analyzer.dims import MAX_RANK, Cause, Dim, Shape, SymbolicDim, causes_of, volume
from archlint.analyzer.graph import Body, Data, Node, Value
from archlint.analyzer.likeness import signature
from archlint.analyzer.problem import Problem, ProblemKind
from archlint.analyzer.shapes import arithmetic as _arithmetic  # noqa: F401 - registers its foldings
from archlint.analyzer.shapes import attention as _attention  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib as _contrib  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib_attention as _contrib_attention  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib_maps as _contrib_maps  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib_products as _contrib_products  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib_quantized as _contrib_quantized  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib_recurrent as _contrib_recurrent  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import contrib_unknown as _contrib_unknown  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import control as _control  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import elementwise as _elementwise  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import folding as _folding  # noqa: F401 - registers its foldings
from archlint.analyzer.shapes import generators as _generators  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import indexing as _indexing  # noqa: F401 - registers its foldings
from archlint.analyzer.shapes import layout as _layout  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import learning as _learning  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import picking as _picking  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import products as _products  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import reductions as _reductions  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import resizing as _resizing  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import sequences as _sequences  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import signals as _signals  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import strings as _strings  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import training as _training  # noqa: F401 - registers its rules
from archlint.analyzer.shapes import windows as _windows  # noqa: F401 - registers its rules
from archlint.analyzer.shapes.constants import of_constant_node
from archlint.analyzer.shapes.context import (
    CONTRADICTIONS,
    CONTROL_RULES,
    FOLDINGS,
    SHAPE_RULES,
    Context,
    Scope,
    ShapeRule,
    Unresolved,
    foldable_elements,
)  # fmt: skip

_INT64 = 1 << 63
# A new number at each run: no constant, whatever its inputs.
_RANDOM = frozenset({
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli",
    "Multinomial",
})  # fmt: skip
_NO_CAUSES: frozenset[Cause] = frozenset()
_SHAPE_READERS = frozenset({"Shape", "Size"})  # of a static shape: no input decides the result
_TYPE_READERS = frozenset({"CastLike"})  # their second input has no say but by its type


@dataclass(frozen=True, slots=True)
class Inferred:
    """What inference tells of a graph: its values, the graphs that its nodes run, and problems.

    ``observed`` are the values whose shapes only a run has told.
    """

    values: dict[str, Value]
    bodies: dict[int, tuple[Body, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)


def infer(
    nodes: Iterable[Node],
    known: Mapping[str, Value],
    opset: int,
    scope: Scope,
    observed: Mapping[str, Shape] | None = None,
) -> Inferred:
    """The known values (inputs and initializers) and those that the nodes make.

    A value whose shape cannot be told has causes instead, unless it was ``observed`` in a run;
    nothing is taken from what the file declares. Contradictory shapes become unknown, never a
    number.
    """
    inferred = Inferred({name: _plausible(value) for name, value in known.items()})
    values = inferred.values
    scope = scope.over(values)
    alike: dict[Hashable, Sequence[Value]] = {}
    for node in nodes:
        outputs = _outputs(node, inferred, opset, scope, alike)
        for name, value in zip(node.outputs, outputs, strict=False):
            if name:
                values[name] = value
                if observed and value.static_shape is None and name in observed:
                    values[name] = replace(value, shape=observed[name], causes=frozenset())
                    inferred.observed.append(name)
    return inferred


def _outputs(
    node: Node,
    inferred: Inferred,
    opset: int,
    scope: Scope,
    alike: dict[Hashable, Sequence[Value]],
) -> Sequence[Value]:
    """The values of a node's outputs, those without a name included.

    ``alike`` are those of nodes that were inferred before, by what decides them."""
    if node.op_type == "Constant" and not node.domain:
        return [of_constant_node(node)]
    values = inferred.values
    inputs = tuple([(values.get(n) or Value(n)) if n else None for n in node.inputs])
    key = None if node.captured else signature(node, inputs)
    if key is not None and key in alike:
        return [
            Value(name, known.dtype, known.shape, known.constant, known.data)
            for name, known in zip(node.outputs, alike[key], strict=False)
        ]
    outputs = _inferred(Context(node, inputs, opset, scope), inferred)
    # A symbolic dim may be of this node alone, as the causes of what is unknown are.
    told = key is not None and node.id not in inferred.bodies
    if told and all(value.static_shape is not None and not value.causes for value in outputs):
        alike[key] = outputs
    return outputs


def _inferred(context: Context, inferred: Inferred) -> Sequence[Value]:
    node, inputs = context.node, context.inputs
    decisive = inputs[:1] if node.operator in _TYPE_READERS else inputs
    constant = node.op_type not in _RANDOM and all(v is None or v.constant for v in decisive)
    if node.captured:
        known = inferred.values
        constant = constant and all(n in known and known[n].constant for n in node.captured)
    try:
        return _ruled(context, inferred, constant)
    except Unresolved as unresolved:
        return _unknown(node, constant, unresolved.causes)
    except CONTRADICTIONS as error:
        why = f"contradictory shapes ({error})"
        if all(value is None or value.dtype for value in inputs):
            problem = f"{node.operator} node '{node.label}': {error}"
            inferred.problems.append(Problem(ProblemKind.IMPOSSIBLE_SHAPE, problem, node.id))
        return _unknown(node, constant, context.because(why))


def _ruled(context: Context, inferred: Inferred, constant: bool) -> Sequence[Value]:
    """What the rule of the operator says, the function that it is, or onnx's own inference."""
    node, operator = context.node, context.node.operator
    local = operator in context.scope.local
    control = None if local else CONTROL_RULES.get(operator)
    if control is not None:
        outputs, bodies = control(context)
        inferred.bodies[node.id] = tuple(bodies)
        return _named(node, outputs, constant)
    rule = None if local else SHAPE_RULES.get(operator)
    if rule is not None:
        return _by_rule(context, rule, constant)
    body = context.scope.function(node, context.inputs)
    if body is None:
        return _named(node, context.scope.foreign(node, context.inputs), constant)
    inferred.bodies[node.id] = (body,)
    return _named(node, [body.graph.value(name) for name in body.graph.outputs], constant)


def _named(node: Node, outputs: Iterable[Value], constant: bool) -> list[Value]:
    return [
        replace(value, name=name, constant=constant)
        for name, value in zip(node.outputs, outputs, strict=False)
    ]


def _by_rule(context: Context, rule: ShapeRule, constant: bool) -> Sequence[Value]:
    node = context.node
    outputs: list[Value] = []
    data: Sequence[Data | None] | None = None
    for place, (name, output) in enumerate(zip(node.outputs, rule(context), strict=False)):
        if isinstance(output, Value):
            outputs.append(replace(output, name=name, constant=constant))
            continue
        shape, dtype = _checked(output[0]), output[1]
        if data is None:
            data = _folded(context, shape, dtype)
        known = _fitted(data[place], shape) if place < len(data) else None
        if node.op_type in _SHAPE_READERS and known is not None:
            constant = all(isinstance(dim, int) for dim in known.reshape(-1))
        causes = _why_not_folded(context) if known is None else _NO_CAUSES
        outputs.append(Value(name, dtype, shape, constant, known, causes))
    return outputs


def _why_not_folded(context: Context) -> frozenset[Cause]:
    """What keeps the elements of a foldable operator from being known: unbound dims among them."""
    if context.node.operator not in FOLDINGS:
        return _NO_CAUSES
    found = [value.causes for value in context.inputs if value is not None and value.causes]
    known = [v.data for v in context.inputs if v is not None and v.data is not None]
    found += [causes_of(data.reshape(-1)) for data in known]
    return _NO_CAUSES.union(*found)


def _unknown(node: Node, constant: bool, causes: frozenset[Cause]) -> list[Value]:
    return [Value(name, 0, None, constant, causes=causes) for name in node.outputs]


def _checked(shape: Iterable[Any]) -> Shape:
    """A shape of plain integers and symbolic dims; raises ValueError for anything else."""
    dims = tuple([_dim(dim) for dim in shape])
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
    if type(dim) is int and 0 <= dim < _INT64:  # the usual one first
        return dim
    if isinstance(dim, SymbolicDim):
        return dim
    if dim is None or dim != int(dim) or not 0 <= dim < _INT64:
        raise ValueError(f"a dim of {dim}")
    return int(dim)


def _overflows(element: Any) -> bool:
    """Whether an integer is none of int64: a runtime's would wrap, and ours could grow for ever."""
    return isinstance(element, int) and not -_INT64 <= element < _INT64


def _folded(context: Context, shape: Shape, dtype: int) -> Sequence[Data | None]:
    """The elements of the outputs where they follow from known ones and are few."""
    folding = FOLDINGS.get(context.node.operator)
    if folding is None:
        return ()
    size = volume(shape)
    if not isinstance(size, int) or size > foldable_elements(dtype):
        return ()
    try:
        data = folding(context)
    except (*CONTRADICTIONS, Unresolved):
        return ()
    return (data,) if data is None or isinstance(data, np.ndarray) else data


def _fitted(data: Data | None, shape: Shape) -> Data | None:
    """Known elements in the shape of their output; None where they do not fit."""
    if data is None or data.size != volume(shape) or any(map(_overflows, data.reshape(-1))):
        return None
    return data.reshape([dim for dim in shape if isinstance(dim, int)])
