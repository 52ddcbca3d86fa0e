"""The list of operators says of each what the registries hold."""

from __future__ import annotations

import inspect
import json

import onnx.defs
import pytest

from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.operators import Operator, Status, all_operators
from archlint.analyzer.report.ops import render
from archlint.analyzer.shapes.context import CONTROL_RULES, SHAPE_RULES
from archlint.analyzer.text import Paint, columns
from command_line import Run

OPERATORS = {
    o.name if o.domain == "ai.onnx" else f"{o.domain}.{o.name}": o for o in all_operators()
}


def test_every_operator_is_listed() -> None:
    """Those that archlint knows, and those of the installed onnx that are not deprecated."""
    live = {
        f"{schema.domain}.{schema.name}" if schema.domain else schema.name
        for schema in onnx.defs.get_all_schemas()
        if not schema.deprecated
    }
    assert set(OPERATORS) == live | set(HANDLERS) | set(SHAPE_RULES) | set(CONTROL_RULES)


@pytest.mark.parametrize(
    ("name", "status", "formula"),
    [
        pytest.param("MatMul", Status.COUNTED, "Π(out) · K MACs, K the inner dim", id="counted"),
        pytest.param("Reshape", Status.FREE, "the same elements under another shape", id="free"),
        pytest.param("If", Status.BODY, "what the graphs cost that it runs", id="graphs"),
    ],
)
def test_its_cost_is_told(name: str, status: Status, formula: str) -> None:
    """By the first sentence of its formula."""
    operator = OPERATORS[name]
    assert (operator.status, operator.formula, operator.shapes) == (status, formula, True)
    assert operator.since == onnx.defs.get_schema(name).since_version


def test_a_function_is_counted_by_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless archlint has a shape rule and therefore does not open it, or cannot count a part."""
    schema = onnx.defs.get_schema("MeanVarianceNormalization")
    inner = {node.op_type for node in schema.function_body.node}
    monkeypatch.delitem(HANDLERS, schema.name)
    monkeypatch.delitem(SHAPE_RULES, schema.name)

    def now() -> Operator:
        return next(o for o in all_operators() if o.name == schema.name)

    assert (now().status, now().shapes) == (Status.BODY, True)
    assert now().formula == f"what it is made of: {', '.join(sorted(inner))}"
    monkeypatch.delitem(HANDLERS, "ReduceMean")
    assert now().status is Status.UNKNOWN
    assert "ReduceMean" in now().formula


def test_without_a_formula_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never free."""
    monkeypatch.delitem(HANDLERS, "MatMul")
    unknown = next(o for o in all_operators() if o.name == "MatMul")
    assert (unknown.status, unknown.formula) == (Status.UNKNOWN, "archlint has no formula for it")


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_a_formula_says_whether_it_is_free(name: str) -> None:
    """Its docstring begins with 'Free: ' if it only renames a buffer, and only then."""
    formula = HANDLERS[name].formula
    renames = "return Work(moves=False)" in inspect.getsource(formula)
    assert OPERATORS[name].formula
    assert (OPERATORS[name].status is Status.FREE) == renames


def test_the_command_lists_and_counts(run: Run) -> None:
    """All by default, a domain, or parts of names in any case."""
    everything = run("ops")
    assert (everything.code, everything.err) == (0, "")
    summary = everything.out.splitlines()[-1]
    assert summary.startswith(f"{len(OPERATORS)} operators: ")
    free = sum(operator.status is Status.FREE for operator in OPERATORS.values())
    assert f" {free} free on purpose" in summary
    lines = run("ops", "--domain", "ai.onnx.ml").out.splitlines()[1:-2]
    assert len(lines) == sum(name.startswith("ai.onnx.ml.") for name in OPERATORS)
    lines = run("ops", "lstm", "gru", "--domain", "ai.onnx").out.splitlines()[1:-2]
    assert [line.split()[0] for line in lines] == ["GRU", "LSTM"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["MatMull"], "ops MatMull: no operator has this in its name; did you mean "
                     "'MatMul'?", id="name"),
        pytest.param(["--domain", "ai.onnx.mll"], "--domain ai.onnx.mll: no operator is of this "
                     "domain; did you mean 'ai.onnx.ml'?", id="domain"),
        pytest.param(["TreeEnsemble", "--domain", "ai.onnx"], "no operator has this in its name",
                     id="name-of-another-domain"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_one_line(arguments: list[str], told: str, run: Run) -> None:
    """With exit code 2 and the nearest."""
    ran = run("ops", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.error


def test_json_has_the_same(run: Run) -> None:
    """One object an operator."""
    listed = json.loads(run("ops", "--output-format", "json").out)
    assert [(entry["domain"], entry["name"]) for entry in listed] == [
        (operator.domain, operator.name) for operator in OPERATORS.values()
    ]
    assert {entry["status"] for entry in listed} <= set(Status)


@pytest.mark.parametrize("width", [40, 60, 100, 160])
def test_lines_fit_the_terminal(width: int) -> None:
    """Formulas stand beside the rows where there is room, and below where there is not."""
    text = render(list(OPERATORS.values()), Paint(), width)
    assert all(columns(line) <= width for line in text.splitlines())
    for operator in OPERATORS.values():
        assert operator.formula.split()[0] in text
