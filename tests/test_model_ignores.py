"""Findings that a model accepts of itself, in the metadata of its nodes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import onnx
import pytest
from jsonschema import Draft202012Validator
from onnx import NodeProto, TensorProto, helper

from archlint.analyzer.cost import count
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.report.as_json import schema
from archlint.config import Chosen
from archlint.ignoring import accept
from archlint.remarks import MalformedIgnore
from archlint.rules import all_rules
from build_all import build_sample
from command_line import Run

KEY = "archlint.ignore"
NODE = "conv5x5"  # of the sample: ARC101, and nothing else


def write(folder: Path, *values: str, node: str = NODE, key: str = KEY) -> Path:
    """The sample with these values in the metadata of a node."""
    model = build_sample("inception_5x5")
    (proto,) = (one for one in model.graph.node if one.name == node)
    for value in values:
        proto.metadata_props.add(key=key, value=value)
    path = folder / "m.onnx"
    onnx.save(model, path)
    return path


def told(run: Run, path: Path, *arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The findings and those that are ignored, by code."""
    report = run(path, "--output-format", "json", "--select", "ARC101", *arguments).document
    Draft202012Validator(json.loads(schema())).validate(report)
    (model,) = report["models"]
    return (
        {finding["code"]: finding for finding in model["findings"]},
        {finding["code"]: finding for finding in model["ignored"]},
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param("ARC101", None, id="code"),
        pytest.param("arc101", None, id="small-letters"),
        pytest.param("wide-convolution", None, id="name"),
        pytest.param("ARC1", None, id="prefix"),
        pytest.param("ALL", None, id="all"),
        pytest.param("ARC101: the stem needs it", "the stem needs it", id="reason"),
        pytest.param("ARC101: 4:3, see: x", "4:3, see: x", id="colons-and-commas-in-a-reason"),
        pytest.param("ARC101:", None, id="empty-reason"),
        pytest.param(" ARC101 ,, : why ;", "why", id="loosely"),
        pytest.param("ARC201: large; ARC101: wide", "wide", id="second-entry"),
    ],
)
def test_an_entry_hides_findings_at_its_node(
    value: str, reason: str | None, tmp_path: Path, run: Run
) -> None:
    """Those of the rules that it means; who reads the report is told of each."""
    found, ignored = told(run, write(tmp_path, value))
    assert "ARC101" not in found
    assert ignored["ARC101"]["reason"] == reason
    assert ignored["ARC101"]["by"] == f"archlint.ignore of node '{NODE}'"
    assert ignored["ARC101"]["in_model"]
    assert [node["name"] for node in ignored["ARC101"]["nodes"]] == [NODE]


@pytest.mark.parametrize(
    ("values", "node", "key"),
    [
        pytest.param(["ARC201"], NODE, KEY, id="another-rule"),
        pytest.param(["ARC101"], "relu", KEY, id="another-node"),
        pytest.param(["ARC101"], NODE, "archlint.ignores", id="another-key"),
        pytest.param(["A"], NODE, KEY, id="part-of-letters"),
        pytest.param([], NODE, KEY, id="none"),
    ],
)
def test_other_entries_hide_nothing(
    values: list[str], node: str, key: str, tmp_path: Path, run: Run
) -> None:
    """By rule, node and key."""
    model = build_sample("inception_5x5")
    names = [one.name for one in model.graph.node]
    path = write(tmp_path, *values, node=node if node in names else names[-1], key=key)
    found, ignored = told(run, path)
    assert "ARC101" in found
    assert not ignored


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        pytest.param(
            "ARC1O1",
            "ARC904",
            "archlint.ignore names the rule 'ARC1O1', which there is not; did you mean 'ARC101'?",
            id="unknown",
        ),
        pytest.param("", "ARC904", "archlint.ignore is empty; write which", id="empty"),
        pytest.param(" ; ;", "ARC904", "archlint.ignore is empty; write which", id="blank"),
        pytest.param(": why", "ARC904", "names no rule before the colon", id="reason-alone"),
        pytest.param("ARC101" + " " * 995, "ARC904", "longer than 1,000 characters", id="long"),
        pytest.param("ARC901", "ARC904", "the rule 'ARC901', which there is not", id="remark"),
        pytest.param("x; y; z", "ARC904", "(and 2 more such entries)", id="several"),
        pytest.param("\x1b[31m\u202e", "ARC904", "\x1b[31m\u202e", id="escape"),
        pytest.param("x" * 900, "ARC904", f"'{'x' * 60}'", id="long-selector"),
    ],
)
def test_what_cannot_be_followed_is_one_finding(
    value: str, code: str, message: str, tmp_path: Path, run: Run
) -> None:
    """That names the node; nothing of the model reaches a terminal as it is."""
    path = write(tmp_path, value)
    found, ignored = told(run, path)
    assert message in found[code]["message"]
    assert [node["name"] for node in found[code]["nodes"]] == [NODE]
    assert ("ARC101" in found, not ignored) == (True, True)
    text = run(path, "--select", "ARC101").out
    assert NODE in text
    assert all(line.isprintable() for line in text.splitlines())


def test_what_can_be_followed_of_a_value_is(tmp_path: Path, run: Run) -> None:
    """An unknown rule beside a known one."""
    found, ignored = told(run, write(tmp_path, "ARC101, ARC1O1: both"))
    assert set(found) == {"ARC904"}
    assert set(ignored) == {"ARC101"}


@pytest.mark.parametrize(
    ("value", "arguments", "codes"),
    [
        pytest.param("ARC101", (), set(), id="used"),
        pytest.param("ARC201", (), {"ARC101"}, id="rule-did-not-run"),
        pytest.param("ARC201", ("--extend-select", "ARC201"), {"ARC101", "ARC901"}, id="unused"),
        pytest.param("ARC101, ARC1", (), set(), id="both-used"),
        pytest.param(
            "ARC201", ("--extend-select", "ARC201", "--ignore", "ARC901"), {"ARC101"}, id="silent"
        ),
        pytest.param("ARC101", ("--config", "require-reason=true"), {"ARC903"}, id="no-reason"),
        pytest.param("ARC101: y", ("--config", "require-reason=true"), set(), id="reason"),
        pytest.param("ARC1O1", ("--config", "model-ignores=false"), {"ARC101"}, id="not-respected"),
        pytest.param(
            "ARC101", ("--config", "model-ignores=false"), {"ARC101"}, id="not-respected-either"
        ),
    ],
)
def test_an_entry_that_serves_no_more_is_told(
    value: str, arguments: tuple[str, ...], codes: set[str], tmp_path: Path, run: Run
) -> None:
    """As one of a configuration is, at its node."""
    found, _ = told(run, write(tmp_path, value), *arguments)
    assert set(found) == codes
    for code in codes - {"ARC101"}:
        assert [node["name"] for node in found[code]["nodes"]] == [NODE]


def test_the_last_line_counts_what_is_ignored(tmp_path: Path, run: Run) -> None:
    """In every text, and how much of it the models ignore themselves."""
    path = write(tmp_path, "ARC101")
    for output_format in ("full", "concise"):
        ran = run(path, "--select", "ARC101", "--output-format", output_format)
        last = "No findings in 1 model, 1 ignored (1 by entries in the models)."
        assert ran.out.splitlines()[-1] == last
        assert ran.code == 0


def in_body(value: str) -> Model:
    """An entry at a node of a branch of an If, and one in a function."""

    def branch(name: str) -> onnx.GraphProto:
        node = helper.make_node("Relu", ["x"], [f"{name}_y"])
        node.metadata_props.add(key=KEY, value=value)
        output = helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, [1])
        return helper.make_graph([node], name, [], [output])

    inner = helper.make_node("Relu", ["a"], ["b"])
    inner.metadata_props.add(key=KEY, value=value)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    function = helper.make_function("own", "F", ["a"], ["b"], [inner], opsets)
    nodes = [
        helper.make_node(
            "If", ["c"], ["z"], "choice", then_branch=branch("yes"), else_branch=branch("no")
        ),
        helper.make_node("F", ["z"], ["y"], domain="own"),
    ]
    inputs = [
        helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    return Model("m", helper.make_model(graph, opset_imports=opsets, functions=[function]), 0)


def test_an_entry_in_a_body_is_told_at_the_node_that_runs_it() -> None:
    """Two branches and a function are three places; findings are told at nodes of the graph."""
    model = in_body("ARC101")
    chosen = Chosen(model_ignores=True, known=all_rules())
    (finding,), ignored = accept([], chosen, model, count(load(model)))
    assert (finding.code, ignored) == (MalformedIgnore.code, ())
    assert finding.message.startswith("archlint.ignore stands in a body")
    assert finding.message.endswith("(and 2 more such entries)")
    assert [node.name for node in finding.nodes] == ["choice"]


def test_a_model_without_entries_is_not_searched(tmp_path: Path) -> None:
    """Whether the key stands anywhere in the file tells that."""
    assert not read(str(write(tmp_path))).may_ignore
    assert not read(str(write(tmp_path, "ARC101", key="other"))).may_ignore
    assert read(str(write(tmp_path, "ARC101"))).may_ignore


def test_many_entries_take_no_long() -> None:
    """Of 20,000 nodes each names ten rules that there are not: one finding, in a second or two."""
    nodes: list[NodeProto] = []
    for place in range(20_000):
        node = helper.make_node("Relu", [f"v{place}"], [f"v{place + 1}"])
        node.metadata_props.add(key=KEY, value=",".join(f"no-{place}-{n}" for n in range(10)))
        nodes.append(node)
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("v0", TensorProto.FLOAT, [1])], []
    )
    model = Model("m", helper.make_model(graph), 0)
    costs = count(load(model))
    start = time.process_time()
    (finding,), _ = accept([], Chosen(model_ignores=True, known=all_rules()), model, costs)
    assert time.process_time() - start < 10
    assert finding.message.endswith("(and 199,999 more such entries)")
