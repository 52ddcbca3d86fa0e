"""ONNX text and Markdown that archlint writes are read back as what was meant."""

from __future__ import annotations

import re

import pytest
from onnx import ModelProto, TensorProto, helper, parser

from archlint.analyzer.engine import accepted
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Flags, Rule
from archlint.explain import markup
from archlint.explain.example import example_of
from archlint.explain.onnx_text import tidied, to_text
from archlint.explain.spliced import readable
from archlint.rules import all_rules, cases_of

RULES = [pytest.param(rule, id=rule.code) for rule in all_rules()]
HEAD = '<ir_version: 8, opset_import: ["" : 17, "acme" : 1]>\n'
FORMS = {
    "names": 'g (float[1] "x/1") => (float[1] "y.0") { "y.0" = Relu ("x/1") }',
    "quotes": 'g (float[1] "a\\"b") => (y) { ["n\\\\"] y = Relu ("a\\"b") }',
    "dims": "g (float[N,?,3] x, float[] r, int64 s) => (y) { y = Relu (x) }",
    "absent inputs": "g (float[4] x) => (y) <float c = {6}> { y = Clip (x, , c) }",
    "several outputs": "g (float[4] x) => (y) { y, m = Dropout (x) }",
    "numbers": "g (float[4] x) => (y) { y = Op <a = 1, b = 0.1, c = 1e-10, d = 3.0, e = -2> (x) }",
    "lists": 'g (float[4] x) => (y) { y = Op <a = [1,-2], b = [0.5,2.0], c = ["p","q r"]> (x) }',
    "strings": 'g (float[4] x) => (y) { y = Op <mode = "a, \\"b\\""> (x) }',
    "other domains": "g (float[4] x) => (y) { y = acme.Op <k = 2> (x) }",
    "tensors": "g () => (y) { y = Constant <value = float[2] {1.5, 2}> () }",
    "weights": "g (float[2] x) => (y) <int64[2] p = {3, -4}, float[2,2] w> { y = Op (x, p, w) }",
    "bodies": """g (bool c, float[4] x) => (y) {
        y = If (c) <
            then_branch = t () => (float[4] a) { a = Relu (x) },
            else_branch = e () => (float[4] b) { b = Neg (x) }>
    }""",
}


def same(one: ModelProto, other: ModelProto) -> bool:
    return one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in FORMS.items()])
def test_what_is_written_is_read_back(text: str) -> None:
    """By onnx's own parser, to the same message."""
    model = parser.parse_model(HEAD + text)
    assert same(parser.parse_model(to_text(model)), model)


@pytest.mark.parametrize("rule", RULES)
def test_cases_are_read_back(rule: type[Rule]) -> None:
    """However they are written: tidied, and as the message is printed."""
    for case in cases_of(rule):
        model = from_text(case.onnx_text).proto
        assert same(parser.parse_model(tidied(case.onnx_text)), model), case.title
        again = parser.parse_model(to_text(model))
        assert [*again.graph.node] == [*model.graph.node], case.title
        assert [*again.graph.input] == [*model.graph.input], case.title


def test_long_lines_are_broken_between_entries() -> None:
    """And not within strings."""
    weights = ", ".join(f"float[64,64,3,3] weight{n}" for n in range(9))
    text = f'agraph (float[1] x) => (y) <{weights}> {{ y = Op <s = "{"a," * 60}"> (x) }}'
    lines = tidied(text).splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert all(line.count("[") == line.count("]") for line in lines[1:])
    assert "a," * 60 in lines[-1]


@pytest.mark.parametrize("rule", RULES)
def test_proposals_are_made_fit_to_read(rule: type[Rule]) -> None:
    """In order, without the prefix of what is spliced in, and without the numbers of weights but
    those that the case gives."""
    example = example_of(rule)
    assert example is not None
    if example.report_after is None:
        return
    assert "archlint" not in example.after
    graph = parser.parse_model(example.after).graph
    given = {v.name for v in (*graph.input, *graph.value_info)} | {
        t.name for t in graph.initializer
    }
    for node in graph.node:
        assert given.issuperset(filter(None, node.input))
        given.update(node.output)
    assert all(
        tensor.data_type == TensorProto.INT64 or f" {tensor.name} = " in example.before
        for tensor in graph.initializer
        if tensor.dims
    )
    assert max(map(len, example.after.splitlines())) <= 80


def test_short_names_are_free() -> None:
    """What is spliced in takes no name that the model has."""
    (rule,) = (rule for rule in all_rules() if rule.code == "ARC101")
    (case, *_) = (case for case in cases_of(rule) if isinstance(case, Flags))
    text = case.onnx_text.replace("w>", "reduce_weight>").replace(", w)", ", reduce_weight)")
    example = example_of(rule)
    assert example is not None
    model = from_text(text.replace("(x,", "(reduce_out,").replace(" x)", " reduce_out)"))
    proto = readable(model, accepted(example.report.findings))
    names = [v.name for v in (*proto.graph.input, *proto.graph.value_info)]
    names += [name for node in proto.graph.node for name in node.output]
    assert len(names) == len(set(names))


SIGNS = (
    "a*b*c", "r* = k", "a_b_c", "[x](y)", "<b>", "`", "\\*", "a & b", "1. one", "12) twelve",
    "- a", "+ a", "# a", "plain",
)  # fmt: skip


@pytest.mark.parametrize("text", SIGNS)
def test_prose_means_its_signs(text: str) -> None:
    """Every sign that Markdown would take for itself stands behind a backslash."""
    written = markup.prose(text)
    assert re.sub(r"\\([\\*_\[\]<>`&.)+#-])", r"\1", written) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_\[\]<>`&]", written)
    assert not re.match(r"\d+[.)] |[-+#] ", written)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("set ``min_share`` and *more*", "set `min_share` and \\*more\\*"),
        ("`a_b` _", "`a_b` \\_"),
        ("``a`` and ``b``", "`a` and `b`"),
    ],
)
def test_prose_keeps_code(text: str, written: str) -> None:
    assert markup.prose(text) == written


def test_titles_and_cells_and_fences() -> None:
    """HTML is text, a cell stays one cell, a fence is longer than what it holds."""
    assert markup.title("a <b> & `c`") == "a &lt;b&gt; &amp; <code>c</code>"
    assert markup.cell("a|b") == "a\\|b"
    assert markup.fenced("```\n", "text").startswith("````text\n```\n")
    assert (
        markup.table(["a", "b"], [["1", ""]], numbers=(0,)) == "| a | b |\n| --: | --- |\n| 1 | |"
    )


def test_numbers_of_weights_are_left_out() -> None:
    """Shapes and bounds keep theirs."""
    tensors = [
        helper.make_tensor("w", TensorProto.FLOAT, [3, 9], [0.5] * 27),
        helper.make_tensor("dims", TensorProto.INT64, [2], [3, 9]),
    ]
    nodes = [helper.make_node("Op", ["w", "dims"], ["y"])]
    model = from_text("g (float[1] x) => (y) { y = Relu (x) }")
    del model.proto.graph.node[:]
    model.proto.graph.node.extend(nodes)
    model.proto.graph.initializer.extend(tensors)
    text = to_text(readable(model, []))
    assert "float[3,9] w, int64[2] dims = {3,9}" in text
