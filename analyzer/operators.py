"""Which operators there are, and what archlint knows of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from onnx import defs

from archlint.analyzer import cost as _cost  # noqa: F401 - registers the formulas
from archlint.analyzer import shapes as _shapes  # noqa: F401 - registers the rules
from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.graph import operator_name
from archlint.analyzer.nodes import ai_onnx_is_empty
from archlint.analyzer.shapes.context import CONTROL_RULES, SHAPE_RULES

_READ_AS_DATA = frozenset({"Constant"})  # its shape is that of the tensor which it holds
_FREE = "Free: "  # what the docstring of a formula without work begins with
_UNKNOWN = "Unknown: "  # and that of one that only says why there is none


class Status(StrEnum):
    """How the cost of an operator is known."""

    COUNTED = "counted"
    FREE = "free"
    BODY = "body"  # by the operators that it is made of, or by the graphs that it runs
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Operator:
    """An operator: ``since`` is the version of its domain that brought it in this form, if known.

    ``shapes`` says whether archlint has a rule for the shapes of its outputs; ``formula`` is its
    cost in words, or why that is unknown.
    """

    domain: str
    name: str
    since: int | None
    shapes: bool
    status: Status
    formula: str


def all_operators() -> list[Operator]:
    """The operators that the installed onnx defines or archlint knows of, by domain and name.

    Deprecated ones only if archlint knows them.
    """
    schemas = {_key(schema): schema for schema in defs.get_all_schemas()}
    known = {*HANDLERS, *SHAPE_RULES, *CONTROL_RULES}
    wanted = known | {key for key, schema in schemas.items() if not schema.deprecated}
    return sorted(_operator(key, schemas) for key in wanted)


def has_shape_rule(key: str) -> bool:
    """Whether archlint itself tells the shapes of an operator, written ``Op`` or ``domain.Op``."""
    return any(key in registry for registry in (SHAPE_RULES, CONTROL_RULES, _READ_AS_DATA))


def _key(schema: defs.OpSchema) -> str:
    return operator_name(ai_onnx_is_empty(schema.domain), schema.name)


def _operator(key: str, schemas: Mapping[str, defs.OpSchema]) -> Operator:
    domain, _, name = key.rpartition(".")
    schema = schemas.get(key)
    status, formula = _status(key, schemas)
    return Operator(
        domain or "ai.onnx",
        name,
        schema.since_version if schema else None,
        shapes=has_shape_rule(key) or bool(_body(key, schemas)),
        status=status,
        formula=formula,
    )


def _status(key: str, schemas: Mapping[str, defs.OpSchema]) -> tuple[Status, str]:
    handler = HANDLERS.get(key)
    if handler is not None:
        formula = _first_sentence(handler.formula.__doc__ or "")
        if formula.startswith(_FREE):
            return Status.FREE, formula.removeprefix(_FREE)
        if formula.startswith(_UNKNOWN):
            return Status.UNKNOWN, formula.removeprefix(_UNKNOWN)
        return Status.COUNTED, formula
    if key in CONTROL_RULES:
        return Status.BODY, "what the graphs cost that it runs"
    body = _body(key, schemas)
    unknown = sorted(inner for inner in body if _status(inner, schemas)[0] is Status.UNKNOWN)
    if unknown:
        return Status.UNKNOWN, f"its body has {', '.join(unknown)}, of unknown cost"
    if body:
        return Status.BODY, f"what it is made of: {', '.join(sorted(body))}"
    return Status.UNKNOWN, "archlint has no formula for it"


def _body(key: str, schemas: Mapping[str, defs.OpSchema]) -> set[str]:
    """The operators that an operator is a function of, where it is opened to be counted."""
    if key in SHAPE_RULES or key not in schemas:
        return set()
    body = schemas[key].function_body
    return {
        f"{ai_onnx_is_empty(n.domain)}.{n.op_type}" if ai_onnx_is_empty(n.domain) else n.op_type
        for n in body.node
    }


def _first_sentence(text: str) -> str:
    return re.split(r"\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0]
