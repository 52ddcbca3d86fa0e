"""Every operator of the standard has a shape rule and a formula, and none of them can crash."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import onnx
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper
from onnx.defs import OpSchema

from archlint.analyzer.cost import count
from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.dims import SymbolicDim
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.shapes.context import FOLDINGS, SHAPE_RULES

DOMAINS = ("", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training")

# Counted through their bodies.
CONTROL_FLOW = frozenset({"If", "Loop", "Scan", "SequenceMap"})
# What holds tensors, and is none.
SEQUENCES = frozenset({
    "ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement", "SequenceAt",
    "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength",
    "SplitToSequence",
})  # fmt: skip
# Its shape is that of its attribute.
CONSTANTS = frozenset({"Constant"})
# Not in the standard, or not any more, and found in files all the same.
UNDEFINED = frozenset({"ImageScaler", "ParametricSoftplus", "SimplifiedLayerNormalization"})


def named(schema: OpSchema) -> str:
    """The operator with its domain, unless that is ai.onnx."""
    return f"{schema.domain}.{schema.name}" if schema.domain else schema.name


def newest() -> dict[str, OpSchema]:
    """The newest version of every operator, deprecated ones included."""
    schemas: dict[str, OpSchema] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain in DOMAINS:
            known = schemas.get(named(schema))
            if known is None or schema.since_version > known.since_version:
                schemas[named(schema)] = schema
    return schemas


SCHEMAS = newest()
LIVE = sorted(name for name, schema in SCHEMAS.items() if not schema.deprecated)


@pytest.mark.parametrize("name", LIVE)
def test_a_live_operator_has_a_shape_rule_and_a_formula(name: str) -> None:
    """What the standard defines can be analysed, or the reason why not is named above."""
    if name not in CONTROL_FLOW | SEQUENCES:
        assert name in SHAPE_RULES or name in CONSTANTS
        assert name in HANDLERS


def test_operators_that_files_still_hold_are_kept() -> None:
    """Deprecated operators are in files that were written before."""
    deprecated = set(SCHEMAS) - set(LIVE)
    assert {"Upsample", "Scatter", f"{DOMAINS[1]}.TreeEnsembleRegressor"} <= deprecated
    assert deprecated <= set(SHAPE_RULES) & set(HANDLERS)


def test_every_entry_names_an_operator() -> None:
    """A rule, a formula or a folding under a misspelt name would never be asked."""
    known = {*SCHEMAS, *UNDEFINED}
    entries = {*SHAPE_RULES, *HANDLERS, *FOLDINGS, *CONTROL_FLOW, *SEQUENCES, *CONSTANTS}
    assert {name for name in entries if not name.startswith("com.")} - known == set()


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_a_formula_says_what_it_counts(name: str) -> None:
    """The docstring of a formula is what users read of it: a few lines that end in a full stop."""
    text = HANDLERS[name].formula.__doc__ or ""
    assert text.strip().endswith(".")
    assert len(text.splitlines()) <= 5


NUMBERS = (-(2**63), -(2**31), -7, -2, -1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 64, 2**31, 2**63 - 1)
WORDS = ("", "NOTSET", "SAME_UPPER", "linear", "none", "mean", "bidirectional", "ij,jk->ik", "...")
DIMS = (0, 1, 1, 2, 3, 4, 8)
MADE_OF = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING)


def any_attribute(draw: random.Random, kind: OpSchema.AttrType) -> Any:
    """A value of this kind, sound or absurd."""
    several = range(draw.randint(1, 5))
    match kind:
        case OpSchema.AttrType.INT:
            return draw.choice(NUMBERS)
        case OpSchema.AttrType.INTS:
            return [draw.choice(NUMBERS) for _ in several]
        case OpSchema.AttrType.FLOAT:
            return draw.choice((0.0, 1.5, -1.0, float("inf"), float("nan")))
        case OpSchema.AttrType.FLOATS:
            return [draw.choice((0.0, 1.5, -1.0, 1e30)) for _ in several]
        case OpSchema.AttrType.STRING:
            return draw.choice(WORDS)
        case OpSchema.AttrType.STRINGS:
            return [draw.choice(WORDS) for _ in several]
        case OpSchema.AttrType.TENSOR:
            return helper.make_tensor("t", TensorProto.INT64, [2], [1, draw.choice((0, 9))])
        case OpSchema.AttrType.GRAPH:
            return helper.make_graph([], "body", [], [])
        case _:
            return None


def any_value(draw: random.Random, name: str) -> onnx.ValueInfoProto | TensorProto:
    """An input of some shape, or a constant of some integers or floats."""
    rank = draw.choice((0, 1, 1, 2, 3, 4, 5))
    dims = [draw.choice(DIMS) for _ in range(rank)]
    kind = draw.choice(MADE_OF)
    if draw.random() < 0.4 and rank < 3:
        size = [1, *dims][-1] if rank < 2 else dims[0] * dims[1]
        if draw.random() < 0.3:
            floats = [draw.choice((0.0, 0.5, -2.0, 1e30, float("nan"))) for _ in range(size)]
            return helper.make_tensor(name, TensorProto.FLOAT, dims, floats)
        integers = [draw.choice(NUMBERS) for _ in range(size)]
        return helper.make_tensor(name, TensorProto.INT64, dims, integers)
    shape = [draw.choice((dim, dim, "n", None)) for dim in dims]
    return helper.make_tensor_value_info(name, kind, shape if draw.random() < 0.95 else None)


def any_node(draw: random.Random, schema: OpSchema, inputs: list[str]) -> NodeProto:
    """A node of the operator with some of the inputs and attributes that it takes."""
    most = min(schema.max_input, schema.min_input + 4)
    outputs = [f"y{place}" for place in range(min(max(schema.max_output, 1), 3))]
    node = helper.make_node(
        schema.name,
        [draw.choice([*inputs, *inputs, ""]) for _ in range(draw.randint(schema.min_input, most))],
        outputs,
        domain=schema.domain,
    )
    for name, attribute in schema.attributes.items():
        if draw.random() < 0.6:
            value = any_attribute(draw, attribute.type)
            if value is not None:
                node.attribute.append(helper.make_attribute(name, value))
    return node


def any_model(draw: random.Random, schema: OpSchema) -> Model:
    """A model of one node."""
    values = [any_value(draw, f"x{place}") for place in range(5)]
    graph = GraphProto(name="g", node=[any_node(draw, schema, [v.name for v in values])])
    for value in values:
        kind = graph.initializer if isinstance(value, TensorProto) else graph.input
        kind.append(value)  # type: ignore[arg-type]  # the list is that of the value's type
    version = draw.choice((1, 6, 9, 10, 11, 13, 18, 28))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    return Model("any", proto, 0)


def numbers_of(model: Model) -> Iterator[int]:
    """Every dim and every cost that is known of a model."""
    graph = load(model)
    for value in graph.values.values():
        yield from (dim for dim in value.shape or () if not isinstance(dim, SymbolicDim))
    for cost in count(graph).costs.values():
        yield from (cost.macs, cost.ops, cost.bytes)


@pytest.mark.parametrize("name", LIVE)
def test_no_node_crashes_a_rule(name: str) -> None:
    """Whatever its inputs and attributes, a node has plausible shapes and costs or unknown ones."""
    draw = random.Random(name)  # noqa: S311 - the same nodes at every run, no secrets
    for _ in range(40):
        model = any_model(draw, SCHEMAS[name])
        assert all(isinstance(number, int) and number >= 0 for number in numbers_of(model))


def test_attributes_are_of_every_kind() -> None:
    """The nodes above meet each kind of attribute that an operator of the standard has."""
    kinds = {a.type for schema in SCHEMAS.values() for a in schema.attributes.values()}
    drawn = {kind for kind in kinds if any_attribute(random.Random(0), kind) is not None}  # noqa: S311 - as above
    assert OpSchema.AttrType.GRAPH in drawn
    assert drawn >= kinds - {OpSchema.AttrType.TYPE_PROTO, OpSchema.AttrType.SPARSE_TENSOR}
