"""The cost table: its rows, their order, and what it says of unknown costs."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report.cost_table import render, rows
from archlint.analyzer.text import Paint
from archlint.cli import main
from archlint.config import Chosen
from archlint.pipeline import lint_model

# Weights are float32: 4 bytes each. pad keeps the 8x8 map.
MODEL = """agraph (float[1,4,8,8] x) => (float[1,10] y)
<float[6,4,3,3] v, float[6] b, float[2,6,1,1] w, float[10,128] f, float[10] g> {
    [stem_conv_Conv] c = Conv <pads = [1,1,1,1]> (x, v, b)
    [stem_act_Relu] r = Relu (c)
    [body_conv_Conv] d = Conv (r, w)
    [body_flat_Flatten] e = Flatten (d)
    [head_fc_Gemm] y = Gemm <transB = 1> (e, f, g)
}"""
STEM, RELU, BODY, FLAT, HEAD = (
    "/stem/conv/Conv", "/stem/act/Relu", "/body/conv/Conv", "/body/flat/Flatten", "/head/fc/Gemm",
)  # fmt: skip
MACS = {STEM: 64 * 6 * 4 * 9, BODY: 64 * 2 * 6, HEAD: 10 * 128}
PARAMETERS = {STEM: 6 * 4 * 9 + 6, BODY: 12, HEAD: 1280 + 10}
OPS = {STEM: 64 * 6, RELU: 64 * 6, HEAD: 10}
MOVED = {
    STEM: 4 * 64 * (4 + 6),
    RELU: 4 * 64 * (6 + 6),
    BODY: 4 * 64 * (6 + 2),
    HEAD: 4 * (128 + 10),
}

SYMBOLIC = """agraph (float[1,seq,64] x, float[4,4] z) => (y, float[4,4] t) <float[64,32] w> {
    [dense] a = MatMul (x, w)
    [act] y = Relu (a)
    [known] t = Relu (z)
}"""


def model_of(text: str) -> Model:
    """The model of a text, whose syntax takes no slash: ``a_b`` is the name /a/b."""
    model = from_text(text)
    for node in model.proto.graph.node:
        if "_" in node.name:
            node.name = f"/{node.name.replace('_', '/')}"
    return model


def report(text: str = MODEL) -> Analysis:
    """A model, counted; no rule runs."""
    return lint_model(model_of(text), Chosen())


def test_a_node_is_a_row() -> None:
    """In topological order, each with its own numbers."""
    groups = rows(report(), By.NODE, SortKey.GRAPH)
    assert [group.name for group in groups] == [STEM, RELU, BODY, FLAT, HEAD]
    for group in groups:
        assert group.cost.macs == MACS.get(group.name, 0)
        assert group.cost.ops == OPS.get(group.name, 0)
        assert group.parameters == PARAMETERS.get(group.name, 0)
        assert group.cost.weight_bytes == 4 * PARAMETERS.get(group.name, 0)
        assert group.cost.bytes_read + group.cost.bytes_written == MOVED.get(group.name, 0)
        assert len(group.rows) == 1


@pytest.mark.parametrize(
    ("by", "depth", "expected"),
    [
        pytest.param(
            By.OP, None,
            {"Conv": [STEM, BODY], "Relu": [RELU], "Flatten": [FLAT], "Gemm": [HEAD]}, id="op",
        ),
        pytest.param(
            By.SCOPE, None,
            {"stem.conv": [STEM], "stem.act": [RELU], "body.conv": [BODY], "body.flat": [FLAT],
             "head.fc": [HEAD]}, id="scope",
        ),
        pytest.param(
            By.SCOPE, 1, {"stem": [STEM, RELU], "body": [BODY, FLAT], "head": [HEAD]},
            id="scope-of-depth-1",
        ),
    ],
)  # fmt: skip
def test_rows_are_summed(by: By, depth: int | None, expected: dict[str, list[str]]) -> None:
    """Every node stands in one row, in order of appearance."""
    groups = rows(report(), by, SortKey.GRAPH, depth=depth)
    found = {group.name: [row.label for row in group.rows] for group in groups}
    assert list(found.items()) == list(expected.items())
    for group in groups:
        nodes = expected[group.name]
        assert group.cost.macs == sum(MACS.get(node, 0) for node in nodes)
        assert group.parameters == sum(PARAMETERS.get(node, 0) for node in nodes)


def test_a_shared_weight_counts_once_in_a_sum() -> None:
    """In the row of each node, and once in the row of both."""
    shared = report("""agraph (float[1,8] x) => (float[1,8] y) <float[8,8] w> {
        [one] a = MatMul (x, w)
        [two] y = MatMul (a, w)
    }""")
    assert [group.parameters for group in rows(shared, By.NODE, SortKey.GRAPH)] == [64, 64]
    assert [group.parameters for group in rows(shared, By.OP, SortKey.GRAPH)] == [64]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(SortKey.GRAPH, [STEM, RELU, BODY, FLAT, HEAD], id="graph"),
        pytest.param(SortKey.MACS, [STEM, HEAD, BODY, RELU, FLAT], id="macs"),
        pytest.param(SortKey.OPS, [STEM, RELU, HEAD, BODY, FLAT], id="ops"),
        pytest.param(SortKey.PARAMS, [HEAD, STEM, BODY, RELU, FLAT], id="params"),
        pytest.param(SortKey.WEIGHTS, [HEAD, STEM, BODY, RELU, FLAT], id="weights"),
        pytest.param(SortKey.ACTIVATIONS, [RELU, STEM, BODY, HEAD, FLAT], id="activations"),
        pytest.param(SortKey.INTENSITY, [STEM, BODY, HEAD, RELU, FLAT], id="intensity"),
    ],
)
def test_the_largest_come_first(key: SortKey, expected: list[str]) -> None:
    """By any column; equal rows stay in the order of the graph, and top cuts after sorting."""
    model = report()
    assert [group.name for group in rows(model, By.NODE, key)] == expected
    assert [group.name for group in rows(model, By.NODE, key, top=2)] == expected[:2]


def test_the_table_has_a_row_each_and_the_totals() -> None:
    """Cells come from the group, the totals below are those of the whole model."""
    model = report()
    groups = rows(model, By.NODE, SortKey.MACS, top=1)
    head, row, empty, totals, *_ = render(model, groups, By.NODE, Paint(), None).splitlines()
    whole = sum(MACS.values())
    assert head.split() == [
        "node", "operator", "MACs", "%", "other", "ops", "params", "weights", "activ.", "FLOP/B",
    ]  # fmt: skip
    flops, moved = 2 * MACS[STEM] + OPS[STEM], MOVED[STEM] + 4 * PARAMETERS[STEM]
    assert row.split() == [
        STEM, "Conv", "13.82", "k", f"{100 * MACS[STEM] / whole:.1f}", "%", "384", "222",
        "888", "B", "2.560", "kB", f"{flops / moved:.1f}",
    ]  # fmt: skip
    assert MACS[STEM] == 13_824
    assert (empty, totals) == ("", f"text: {whole:,} MACs, {sum(PARAMETERS.values()):,} parameters")


def test_unknown_is_a_word_and_no_number() -> None:
    """A row of which nothing is known says so, a sum of which a part is unknown says that."""
    model = report(SYMBOLIC)
    lines = render(model, rows(model, By.NODE, SortKey.GRAPH), By.NODE, Paint(), None).splitlines()
    assert 64 * 32 == 2_048
    cells = {line.split()[0]: line.split()[1:] for line in lines[1:4]}
    assert cells["dense"] == ["MatMul", "unknown", "unknown", "2.048", "k"]
    assert cells["act"] == ["Relu", "unknown", "unknown", "0"]
    assert cells["known"][:2] == ["Relu", "0"]
    lines = render(model, rows(model, By.OP, SortKey.GRAPH), By.OP, Paint(), None).splitlines()
    assert [line.split()[2] for line in lines[1:3]] == ["unknown", "0+?"]


@pytest.mark.parametrize("by", list(By))
def test_a_bound_dim_makes_it_known(
    by: By, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table prints the option that binds the dim, and with it nothing is unknown."""
    path = tmp_path / "model.onnx"
    onnx.save(from_text(SYMBOLIC).proto, path)
    printed = []
    for options in ([], ["--dim", "seq=128"], ["--input-shape", "x=1,128,64"]):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
            patch.setattr(sys, "argv", ["archlint", "cost", "--by", by, *options, str(path)])
            main()
        assert left.value.code == 0
        printed.append(capsys.readouterr().out)
    unbound, bound, shaped = printed
    assert "2 nodes: dim 'seq' is unbound; bind it with --dim seq=128\n" in unbound
    assert "unknown" in unbound
    assert "unknown" not in bound
    assert f"{128 * 64 * 32:,} MACs, {64 * 32:,} parameters\n" in bound
    assert shaped == bound


def test_options_of_the_command_reach_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several models give several tables, each with its totals."""
    paths = [tmp_path / "one.onnx", tmp_path / "two.onnx"]
    for path in paths:
        onnx.save(model_of(MODEL).proto, path)
    options = ["--by=scope", "--depth=1", "--sort=params", "--top=2"]
    monkeypatch.setattr(sys, "argv", ["archlint", "cost", *options, *map(str, paths)])
    with pytest.raises(SystemExit) as left:
        main()
    lines = capsys.readouterr().out.splitlines()
    assert left.value.code == 0
    assert [line.split()[0] for line in lines if line.startswith(("head", "stem", "body"))] == [
        "head", "stem", "head", "stem",
    ]  # fmt: skip
    assert [line.split(": ")[0] for line in lines if " parameters" in line] == [*map(str, paths)]
