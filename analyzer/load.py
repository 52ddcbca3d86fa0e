"""From a Model to a Graph: bind the dims, sort the nodes, infer the shapes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import partial

from onnx import GraphProto, ModelProto, ValueInfoProto
from onnx.defs import onnx_opset_version

from archlint.analyzer.dims import Shape
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Graph, Value
from archlint.analyzer.inputs import Bindings, bind_inputs
from archlint.analyzer.nodes import ai_onnx_is_empty, convert, in_order, read_by
from archlint.analyzer.problem import Problem, ProblemKind
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.tallies import Tallies
from archlint.analyzer.scope import initializers, model_scope
from archlint.analyzer.shapes import infer
from archlint.analyzer.text import plural

_NEWEST_WITHOUT_OPSETS = 2  # IR versions up to this one name no operator sets
_FIRST_OVERRIDABLE = 4  # IR version: before it every initializer had to be an input


def load(
    model: Model, bindings: Bindings | None = None, observed: Mapping[str, Shape] | None = None
) -> Graph:
    """The graph of a model with the shapes of its values.

    ``observed`` are shapes that occurred in a run; they are used where inference cannot tell.
    Raises ConfigError for bindings that contradict the file, InvalidGraphError for nodes that make
    no graph.
    """
    proto = model.proto.graph
    constants = initializers(proto)
    try:
        inputs, notes = bind_inputs(proto, constants, bindings or Bindings())
    except ConfigError as error:
        raise ConfigError(error.source, f"{model.path}: {error.why}") from error
    omitted = _omitted_weights(proto, {*constants, *(value.name for value in inputs)})
    if omitted:
        notes.append(f"weights declared without data, their shapes used: {len(omitted):,}")
    known = constants | omitted | {value.name: value for value in inputs}
    opsets, problems = _opsets(model.proto)
    nodes, disorder = in_order(model.path, convert(proto.node), known)
    scope = model_scope(model, opsets)
    try:
        inferred = infer(nodes, known, opsets[""], scope, observed)
    finally:
        scope.close()
    if inferred.observed:
        count = f"{len(inferred.observed):,} values have the shapes"
        notes.append(f"{count} of one run on made-up inputs; other data can give others")
    problems += [*disorder, *inferred.problems, *scope.problems]
    if contradiction := _contradiction(proto, inferred.values):
        problems.append(contradiction)
    return Graph(
        nodes=nodes,
        values=inferred.values,
        inputs=tuple(value.name for value in inputs),
        outputs=tuple(output.name for output in proto.output),
        opset=opsets[""],
        notes=tuple(notes),
        bodies=inferred.bodies,
        problems=(*model.problems, *problems),
        overridable=_overridable(model.proto, constants),
        read_weights=partial(_repeated, model),
        tallies=Tallies(model),
    )


def _repeated(model: Model) -> tuple[Problem, ...]:
    from archlint.analyzer.reader.duplicates import duplicates  # late: few runs read weights

    return duplicates(model)


def _overridable(proto: ModelProto, constants: Container[str]) -> frozenset[str]:
    """The initializers that are only the defaults of inputs."""
    if proto.ir_version < _FIRST_OVERRIDABLE:
        return frozenset()
    return frozenset(info.name for info in proto.graph.input if info.name in constants)


def _omitted_weights(proto: GraphProto, known: set[str]) -> dict[str, Value]:
    """Values that the file declares and nodes read, but that nothing makes: weights left out."""
    candidates = [
        info
        for info in proto.value_info
        if info.name not in known
        and info.type.tensor_type.HasField("shape")
        and all(dim.dim_value > 0 for dim in info.type.tensor_type.shape.dim)
    ]
    if not candidates:
        return {}
    made = {name for node in proto.node for name in node.output}
    read = {name for node in proto.node for name in read_by(node)}
    return {
        info.name: Value(
            info.name,
            info.type.tensor_type.elem_type,
            tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim),
            constant=True,
        )
        for info in candidates
        if info.name in read and info.name not in made
    }


def _opsets(proto: ModelProto) -> tuple[dict[str, int], list[Problem]]:
    """The operator set of each domain, that of ai.onnx always, and what is wrong with them."""
    newest = onnx_opset_version()
    opsets: dict[str, int] = {}
    problems = []
    for entry in proto.opset_import:
        domain = ai_onnx_is_empty(entry.domain)
        if opsets.setdefault(domain, entry.version) != entry.version:
            problems.append(f"imports two operator sets of the domain '{domain or 'ai.onnx'}'")
            opsets[domain] = max(opsets[domain], entry.version)
    if "" not in opsets and proto.ir_version > _NEWEST_WITHOUT_OPSETS:
        if any(not ai_onnx_is_empty(node.domain) for node in proto.graph.node):
            problems.append(f"imports no operator set of ai.onnx; read as operator set {newest}")
        opsets[""] = newest
    version = opsets.setdefault("", 1)
    if not 1 <= version <= newest:
        what = f"imports operator set {version} of ai.onnx, of which the installed onnx"
        problems.append(f"{what} knows 1 to {newest}; read as {min(max(version, 1), newest)}")
        opsets[""] = min(max(version, 1), newest)
    return opsets, [Problem(ProblemKind.MALFORMED, problem) for problem in problems]


def _contradiction(proto: GraphProto, values: Mapping[str, Value]) -> Problem | None:
    """The first value that the file declares otherwise than the nodes make it."""
    wrong = [
        text
        for info in (*proto.value_info, *proto.output)
        if (value := values.get(info.name)) is not None
        and (text := _declared_otherwise(info, value))
    ]
    if not wrong:
        return None
    others = f" (and {plural(len(wrong) - 1, 'more value')})" if len(wrong) > 1 else ""
    return Problem(ProblemKind.DECLARED_SHAPE, f"{wrong[0]}{others}")


def _declared_otherwise(info: ValueInfoProto, value: Value) -> str:
    """What the file declares against what the nodes make; empty where they agree."""
    tensor = info.type.tensor_type
    if value.shape is None or not tensor.HasField("shape"):
        return ""
    declared = [dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim]
    agrees = len(declared) == len(value.shape) and all(
        said is None or not isinstance(dim, int) or said == dim
        for said, dim in zip(declared, value.shape, strict=True)
    )
    if agrees:
        return ""
    said = ", ".join(d.dim_param or str(d.dim_value) for d in tensor.shape.dim)
    made = ", ".join(map(str, value.shape))
    return f"'{info.name}' is declared as [{said}], and its node makes [{made}]"
