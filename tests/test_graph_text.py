"""The text of a graph, and the diff of two: what is shown, that it leads from one to the other, and
in which time."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from difflib import unified_diff
from random import Random
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from archlint.analyzer.graph_text import diff_text, graph_lines
from archlint.analyzer.line_diff import hunks
from archlint.analyzer.reader.text import from_text

CHAIN = """<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[n,4,8,8] x) => (float[n,4,8,8] y) <float[4] w = {1,2,3,4}, int64[1] one = {1}> {
    [a] p = Relu (x)
    [b] q = Mul (p, w)
    [c] r = Relu (q)
    [d] s = Identity (r)
    [e] t = LeakyRelu <alpha = 0.1> (s)
    [f] u = Clip (t, , w)
    [g] v = Relu (u)
    [h] y = Relu (v)
}"""


def model(text: str = CHAIN) -> ModelProto:
    """The model of ONNX text."""
    return from_text(text).proto


def test_every_part_of_a_graph_is_a_line() -> None:
    """In the file's order: inputs, initializers, nodes, outputs."""
    assert [str(line) for line in graph_lines(model().graph)] == [
        "input float32[n,4,8,8] x",
        "float32[4] w",
        "int64[1] one",
        "p = Relu(x)  # a",
        "q = Mul(p, w)  # b",
        "r = Relu(q)  # c",
        "s = Identity(r)  # d",
        "t = LeakyRelu(s) {alpha=0.1}  # e",
        "u = Clip(t, , w)  # f",
        "v = Relu(u)  # g",
        "y = Relu(v)  # h",
        "output float32[n,4,8,8] y",
    ]


TENSOR = numpy_helper.from_array(np.zeros((2, 3), np.float16))
TYPE = helper.make_tensor_type_proto(TensorProto.DOUBLE, None)


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"b": 1, "a": [2, 3]}, "{a=[2, 3], b=1}"),
        ({"a": [0.1, 1e-5, 3.0]}, "{a=[0.1, 1e-05, 3.0]}"),
        ({"a": 'two "words"\n'}, '{a="two "words"\\x0a"}'),
        ({"a": ["b", "c"]}, '{a=["b", "c"]}'),
        ({"a": TENSOR}, "{a=float16[2,3]}"),
        ({"a": [TENSOR, TENSOR]}, "{a=[float16[2,3], float16[2,3]]}"),
        ({"a": TYPE}, "{a=float64}"),
        ({"a": helper.make_sequence_type_proto(TYPE)}, "{a=sequence(float64)}"),
        ({"a": helper.make_optional_type_proto(TYPE)}, "{a=optional(float64)}"),
        ({"a": helper.make_map_type_proto(TensorProto.INT64, TYPE)}, "{a=map(int64, float64)}"),
        ({"a": helper.make_sparse_tensor_type_proto(TensorProto.INT8, [2, None])},
         "{a=sparse int8[2,?]}"),
        ({"a": list(range(1000))}, ("{a=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "
         "… 1,000 in all]}")),
    ],
)  # fmt: skip
def test_attributes_are_shown_by_name(attributes: dict[str, Any], shown: str) -> None:
    """Numbers as they were written, messages by what they are, of a long list the first ones."""
    node = helper.make_node("Do", ["x"], ["y", "z"], domain="my.own", **attributes)
    (line,) = graph_lines(helper.make_graph([node], "g", [], []))
    assert str(line) == f"y, z = my.own.Do(x) {shown}"


def test_bodies_follow_their_node() -> None:
    """Further in, with their own inputs and outputs."""
    body = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["z"])],
        "body",
        [],
        [helper.make_empty_tensor_value_info("z")],
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    assert [str(line) for line in graph_lines(helper.make_graph([node], "g", [], []))] == [
        "y = If(c) {else_branch=graph of 1 node, then_branch=graph of 1 node}",
        *["    z = Relu(x)", "    output ? z"] * 2,
    ]


def test_a_diff_is_a_unified_one() -> None:
    """Three lines around what changed; nothing where nothing did."""
    after = model(
        CHAIN.replace("[d] s = Identity (r)\n", "").replace("alpha = 0.1> (s)", "alpha = 0.1> (r)")
    )
    assert diff_text(model(), model(), "net.onnx") == ""
    assert diff_text(model(), after, "models/net.onnx").splitlines() == [
        "--- a/models/net.onnx",
        "+++ b/models/net.onnx",
        "@@ -4,8 +4,7 @@",
        " p = Relu(x)  # a",
        " q = Mul(p, w)  # b",
        " r = Relu(q)  # c",
        "-s = Identity(r)  # d",
        "-t = LeakyRelu(s) {alpha=0.1}  # e",
        "+t = LeakyRelu(r) {alpha=0.1}  # e",
        " u = Clip(t, , w)  # f",
        " v = Relu(u)  # g",
        " y = Relu(v)  # h",
    ]


def test_new_elements_are_marked() -> None:
    """Of initializers and of Constant nodes, by the names that the caller gives."""
    text = CHAIN.replace(
        "[b] q = Mul (p, w)", "k = Constant <value = float {2.0}> ()\n q = Mul (p, k)"
    )
    lines = diff_text(model(text), model(text), "a", {"w", "k", "q"}).splitlines()
    assert [line for line in lines[2:] if line[0] in "-+"] == [
        "-float32[4] w",
        "+float32[4] w (new values)",
        "-k = Constant() {value=float32[]}",
        "+k = Constant() {value=float32[]} (new values)",
    ]


def test_what_is_cut_off_still_differs() -> None:
    """The ends of names and lists that are too long to be shown."""
    graphs = [
        helper.make_model(
            helper.make_graph([helper.make_node("Do", [f"{'x' * 500}{end}"], ["y"])], "g", [], [])
        )
        for end in "ab"
    ]
    lists = [
        helper.make_model(
            helper.make_graph([helper.make_node("Do", [], ["y"], a=[*range(99), end])], "g", [], [])
        )
        for end in (1, 2)
    ]
    for one, other in (graphs, lists):
        _, _, _, removed, added = diff_text(one, other, "a").splitlines()
        assert removed[1:] == added[1:]
        assert (removed[0], added[0]) == ("-", "+")
        assert len(removed) < 200


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "\u202e", "é" * 3])
def test_names_are_made_harmless(name: str) -> None:
    """Of values, nodes, operators, domains, attributes, dims and files."""
    node = helper.make_node(name, [name], [name], name, domain=name, **{name: name})
    value = helper.make_tensor_value_info(name, TensorProto.FLOAT, [name])
    weight = numpy_helper.from_array(np.zeros(1), name)
    whole = helper.make_model(helper.make_graph([node], name, [value], [value], [weight]))
    text = diff_text(helper.make_model(helper.make_graph([], "g", [], [])), whole, name)
    assert len(text.splitlines()) == 3 + 4
    assert text.replace("\n", "").isprintable()


def applied(old: Sequence[str], diff: Sequence[str]) -> list[str]:
    """The old lines after the hunks, which must fit where their heads say."""
    made: list[str] = []
    place = 0
    for line in diff:
        if head := re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(head[1]), int(head[2] or 1)
            begin = first - 1 if count else first
            made += old[place:begin]
            place = begin
            assert len(made) == (int(head[3]) - 1 if int(head[4] or 1) else int(head[3]))
        elif line[0] == "+":
            made.append(line[1:])
        else:
            assert old[place] == line[1:]
            made += [line[1:]] if line[0] == " " else []
            place += 1
    return [*made, *old[place:]]


def edited(random: Random, lines: Sequence[str], letters: str) -> list[str]:
    """The lines with some taken out, put in and moved."""
    made = list(lines)
    for _ in range(random.randrange(6)):
        place = random.randrange(len(made) + 1)
        if made and random.random() < 0.6:
            line = made.pop(place % len(made))
            place = random.randrange(len(made) + 1)
            if random.random() < 0.5:
                continue
        else:
            line = random.choice(letters)
        made.insert(place, line)
    return made


@pytest.mark.parametrize("letters", ["ab", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"])
def test_hunks_lead_from_one_to_the_other(letters: str) -> None:
    """For many small edits of lines that are few and repeated, and of many."""
    random = Random(0)  # noqa: S311 - nothing is secret
    for _ in range(300):
        old = [random.choice(letters) for _ in range(random.randrange(40))]
        new = edited(random, old, letters)
        assert applied(old, [*hunks(old, new)]) == new


def test_hunks_are_those_of_difflib() -> None:
    """Where lines are unique and stay in order there is one answer."""
    random = Random(1)  # noqa: S311 - nothing is secret
    for _ in range(100):
        old = [f"line {n}" for n in range(60)]
        new = [line for line in old if random.random() > 0.1]
        for _ in range(3):
            new.insert(random.randrange(len(new)), f"new {random.random()}")
        theirs = [line.rstrip("\n") for line in unified_diff(old, new, lineterm="")][2:]
        assert [*hunks(old, new)] == theirs


def long_chain(count: int, gone: set[int]) -> ModelProto:
    """A chain of Relu and Add without some of its nodes, as rewrites leave them out."""
    nodes, last = [], "x"
    for place in range(count):
        if place not in gone:
            op_type, others = ("Add", [last, f"w{place % 50}"]) if place % 2 else ("Relu", [last])
            nodes.append(helper.make_node(op_type, others, [f"v{place}"], f"node{place}"))
            last = f"v{place}"
    return helper.make_model(helper.make_graph(nodes, "g", [], []))


def test_large_graphs_take_seconds() -> None:
    """20,000 nodes, 500 of them taken out and their readers rewired: some 1,500 lines."""
    gone = set(Random(2).sample(range(1, 20_000), 500))  # noqa: S311 - nothing is secret
    before, after = long_chain(20_000, set()), long_chain(20_000, gone)
    begin = time.process_time()
    text = diff_text(before, after, "net.onnx")
    assert time.process_time() - begin < 5
    removed = sum(line.startswith("-") for line in text.splitlines()[2:])
    # What reads a node that goes is written anew: the first one behind it that stays.
    rewired = {next(n for n in range(one, 20_001) if n not in gone) for one in gone} - {20_000}
    assert removed == len(gone) + len(rewired)
