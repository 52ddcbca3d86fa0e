"""What findings are recognised by survives what does not change a network.

The expected numbers are those of ten edits of nine equal blocks with 54 findings: a fingerprint of
rule, local structure and ordinal loses none by other names, another order, another input size, or
inserted casts and quantisation, two by a widened layer (its own and that of its reader), and the
six of a block that comes or goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto, helper, parser

from archlint.analyzer.compare.identities import identities
from archlint.analyzer.compare.recognition import recognise
from archlint.analyzer.cost import count
from archlint.analyzer.engine import run
from archlint.analyzer.finding import Finding, Severity
from archlint.analyzer.graph import Graph
from archlint.analyzer.identity import Identity
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.rule import RuleContext
from archlint.rules.full_convolution import FullConvolution
from archlint.rules.wide_convolution import WideConvolution
from edits import NINE, exported_again, network, quantised, renamed, shuffled, unnamed, with_casts

WIDER = network(wide={"block4": 192})
MORE = network((*NINE[:4], "extra", *NINE[4:]))
LESS = network((*NINE[:4], *NINE[5:]))


@dataclass(frozen=True)
class Told:
    """A finding as it is compared."""

    code: str
    identity: Identity


def graph_of(model: ModelProto, folder: Path) -> Graph:
    """The graph of a model, by way of a file."""
    path = folder / "model.onnx"
    onnx.save(model, path)
    return load(read(str(path)))


def findings_of(model: ModelProto, folder: Path) -> list[Told]:
    """What the rules find in a model; a fault pays there however small it is."""
    graph = graph_of(model, folder)
    rules = (WideConvolution(min_share=0.0), FullConvolution(min_share=0.0))
    found = run(rules, RuleContext(graph, count(graph)))
    told = zip(found, identities(graph, found), strict=True)
    return [Told(finding.code, identity) for finding, identity in told]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """The findings of the network as it was."""
    return findings_of(network(), tmp_path_factory.mktemp("base"))


# New and gone: by the fingerprint alone, then by all witnesses.
EDITS: dict[str, tuple[ModelProto, tuple[int, int], tuple[int, int]]] = {
    "exported again by the same exporter": (network(), (0, 0), (0, 0)),
    "all nodes and values renamed": (renamed(network()), (0, 0), (0, 0)),
    "nodes without names": (unnamed(network()), (0, 0), (0, 0)),
    "the order of the file shuffled": (shuffled(network()), (0, 0), (0, 0)),
    "shuffled and renamed": (renamed(shuffled(network(), 1)), (0, 0), (0, 0)),
    "by the other exporter": (exported_again(network()), (0, 0), (0, 0)),
    "the input 28 to 32": (network(size=32), (0, 0), (0, 0)),
    "a Cast before every third layer": (with_casts(network()), (0, 0), (0, 0)),
    "Q/DQ before every layer": (quantised(network()), (0, 0), (0, 0)),
    "one layer widened": (WIDER, (2, 2), (0, 0)),
    "one layer widened, all renamed": (renamed(WIDER), (2, 2), (0, 0)),
    "one layer widened, the other exporter": (exported_again(WIDER), (2, 2), (0, 0)),
    "a block inserted": (MORE, (6, 0), (6, 0)),
    "a block inserted, all renamed": (renamed(MORE), (6, 0), (6, 0)),
    "a block inserted, the others numbered on": (network((*NINE, "block9")), (6, 0), (6, 0)),
    "a block removed": (LESS, (0, 6), (0, 6)),
    "a block removed, all renamed": (renamed(LESS), (0, 6), (0, 6)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_an_edit_loses(edit: str, base: list[Told], tmp_path: Path) -> None:
    model, by_fingerprint, by_all = EDITS[edit]
    head = findings_of(model, tmp_path)
    assert len(base) == 6 * len(NINE)
    before, after = ({told.identity.fingerprint for told in side} for side in (base, head))
    assert (len(before), len(after)) == (len(base), len(head))  # no two are equal
    assert (len(after - before), len(before - after)) == by_fingerprint
    found = recognise(base, head)
    known = [place for place in found if place is not None]
    assert len(set(known)) == len(known)
    assert (found.count(None), len(base) - len(known)) == by_all
    assert all(
        base[was].code == now.code for was, now in zip(found, head, strict=True) if was is not None
    )


@pytest.mark.parametrize("model", [MORE, LESS], ids=["inserted", "removed"])
def test_names_tell_which_block_came_or_went(
    model: ModelProto, base: list[Told], tmp_path: Path
) -> None:
    """The fingerprint blames the last twin; where modules keep their names they are believed."""
    head = findings_of(model, tmp_path)
    found = recognise(base, head)
    pairs = [(base[was], now) for was, now in zip(found, head, strict=True) if was is not None]
    assert all(was.identity.name == now.identity.name for was, now in pairs)
    odd = [
        now.identity.module.split(".")[0]
        for was, now in zip(found, head, strict=True)
        if was is None
    ]
    odd += [base[place].identity.module.split(".")[0] for place in {*range(len(base))} - {*found}]
    assert odd in (["extra"] * 6, ["block4"] * 6)


def test_a_fixed_finding_renumbers_none(base: list[Told], tmp_path: Path) -> None:
    """The ordinal counts the nodes, flagged or not."""
    graph = graph_of(network(), tmp_path)
    found = run((WideConvolution(min_share=0.0),), RuleContext(graph, count(graph)))
    every = identities(graph, found)
    for place in (0, 7, len(found) - 1):
        left = [*found[:place], *found[place + 1 :]]
        assert identities(graph, left) == [*every[:place], *every[place + 1 :]]


def test_what_the_witnesses_say(base: list[Told]) -> None:
    told = next(t for t in base if t.identity.name == "/block4/block4.branch1/reduce/conv/Conv")
    assert told.identity.module == "block4.branch1.reduce.conv"
    assert told.identity.operator == "Conv"
    assert told.identity.fingerprint.endswith(":4")  # the fifth of nine
    assert len(told.identity.fingerprint) == 16 + len(":4")
    assert {len(told.identity.near), len(told.identity.far)} == {16}


HEAD = '<ir_version: 8, opset_import: ["": 17]>'


def text_graph(text: str, folder: Path) -> Graph:
    """The graph of a model that is written as text."""
    return graph_of(parser.parse_model(HEAD + text), folder)


def fingerprint(text: str, folder: Path, code: str = "ARC101") -> str:
    """The fingerprint of a finding at the last node."""
    graph = text_graph(text, folder)
    return identities(graph, [finding(graph, code, len(graph.nodes) - 1)])[0].fingerprint


def finding(graph: Graph, code: str, *nodes: int) -> Finding:
    """A finding at some nodes."""
    at = tuple(graph.nodes[node] for node in nodes)
    return Finding(code, "rule", Severity.WARNING, None, at, "", "message")


CONV = """g (float[1,8,{size},{size}] x) => (float[a,b,c,d] y) <float[{out},8,3,3] w> {{
    y = Conv {attributes} (x, w)
}}"""


def conv(size: int = 8, out: int = 16, attributes: str = "<pads=[1,1,1,1]>") -> str:
    """A model of one convolution."""
    return CONV.format(size=size, out=out, attributes=attributes)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (conv(size=9), True),
        (conv().replace("float[1,8,", "float[4,8,"), True),
        (conv(attributes="<pads=[1,1,1,1], kernel_shape=[3,3], group=1>"), True),
        (conv(attributes="<strides=[1,1], dilations=[1,1], pads=[1,1,1,1]>"), True),
        (conv(attributes='<pads=[1,1,1,1], auto_pad="NOTSET">'), True),
        (conv(attributes='<auto_pad="SAME_UPPER">'), True),
        (conv().replace("float", "float16"), True),
        (conv().replace(" x", " first").replace("(x", "(first").replace("w", "kernel"), True),
        (conv(out=17), False),
        (conv(attributes="<pads=[0,0,0,0]>"), False),
        (conv(attributes="<pads=[1,1,1,1], strides=[2,2]>"), False),
    ],
)
def test_what_a_fingerprint_is_made_of(text: str, same: bool, tmp_path: Path) -> None:
    """The same node at other sizes, in another type, written otherwise; or another one."""
    (tmp_path / "other").mkdir()
    assert (fingerprint(text, tmp_path / "other") == fingerprint(conv(), tmp_path)) is same


def test_it_does_not_change_from_version_to_version(tmp_path: Path) -> None:
    """Whoever keeps a fingerprint in a baseline or at a forge must find it again.

    The hash is that of the text which is written out here; another way to make it needs another
    name than archlint/v1.
    """
    key = "Conv\x1fpads=1,1,1,1\x1f\x1f16x8x3x3\x1f\x1ffloat"
    text = f"archlint/v1\0ARC101\0\0{key}"
    expected = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert fingerprint(conv(), tmp_path) == f"{expected}:0"
    assert fingerprint(conv(), tmp_path, "ARC102") != f"{expected}:0"


TWINS = """g (float[1,8,8,8] x) => (float[1,8,8,8] y) <float[8,8,3,3] w, float[8,8,3,3] v> {
    a = Conv <pads=[1,1,1,1]> (x, w)
    b = Conv <pads=[1,1,1,1]> (x, v)
    c = Conv <pads=[1,1,1,1]> (a, w)
    y = Sum (a, b, c)
}"""


def test_ordinals_of_twins(tmp_path: Path) -> None:
    """By depth, then by what is around, then by the walk from the outputs; never by the file."""
    graph = text_graph(TWINS, tmp_path)
    found = identities(graph, [finding(graph, "ARC101", node) for node in (2, 1, 0)])
    ordinals = {f.name: f.fingerprint[-1] for f in found}
    assert ordinals["c"] == "2"  # it is deeper
    other = text_graph(_swapped(TWINS), tmp_path)
    again = identities(other, [finding(other, "ARC101", node) for node in (0, 1, 2)])
    assert {f.name: f.fingerprint[-1] for f in again} == ordinals
    assert {ordinals["a"], ordinals["b"]} == {"0", "1"}


def _swapped(text: str) -> str:
    lines = text.splitlines()
    return "\n".join((lines[0], lines[2], lines[1], *lines[3:]))


def test_findings_of_several_nodes(tmp_path: Path) -> None:
    """The order of the members plays no role; other members make another finding."""
    graph = text_graph(TWINS, tmp_path)
    one, other, less = identities(
        graph,
        [finding(graph, "ARC1", 3, 0), finding(graph, "ARC2", 0, 3), finding(graph, "ARC1", 0)],
    )
    again = identities(graph, [finding(graph, "ARC1", 0, 3)])[0]
    assert one.fingerprint == again.fingerprint
    assert len({one.fingerprint, other.fingerprint, less.fingerprint}) == 3


def test_two_findings_of_a_rule_at_a_node(tmp_path: Path) -> None:
    graph = text_graph(TWINS, tmp_path)
    found = identities(graph, [finding(graph, "ARC1", 2)] * 3)
    first = found[0].fingerprint
    assert [f.fingerprint for f in found] == [first, f"{first}.1", f"{first}.2"]


def test_findings_without_nodes(tmp_path: Path) -> None:
    """By rule and ordinal; what is told is the name that tells them apart."""
    graph = text_graph(TWINS, tmp_path)
    found = identities(graph, [finding(graph, code) for code in ("ARC7", "ARC7", "ARC8")])
    assert len({f.fingerprint for f in found}) == 3
    assert found[0].fingerprint.partition(":")[0] == found[1].fingerprint.partition(":")[0]
    assert {f.name for f in found} == {"message"}


BODIES = """g (float[4] x, bool c) => (float[4] y) {
    a = Relu (x)
    y = If (c) <
        then_branch = t () => (float[4] p) { p = Relu (a) },
        else_branch = e () => (float[4] q) { q = Relu (a) }
    >
}"""


def test_the_same_node_in_several_graphs(tmp_path: Path) -> None:
    """The path of operators to a body is part of the fingerprint."""
    graph = text_graph(BODIES, tmp_path)
    nodes = [graph.nodes[0], *(body.graph.nodes[0] for body in graph.bodies[1])]
    found = identities(
        graph, [Finding("ARC1", "rule", Severity.NOTE, None, (n,), "", "") for n in nodes]
    )
    assert [f.name for f in found] == ["a", "p", "q"]
    kinds = [f.fingerprint.partition(":")[0] for f in found]
    assert all(one != other for one, other in combinations(kinds, 2))


@pytest.mark.parametrize("between", ["Cast", "Identity", "QuantizeLinear"])
def test_neighbourhoods_look_through(between: str, tmp_path: Path) -> None:
    """near and far do not change where such nodes are inserted on both sides."""
    plain, inserted = tmp_path / "plain", tmp_path / "inserted"
    plain.mkdir()
    inserted.mkdir()
    model = parser.parse_model(HEAD + TWINS)
    graph = graph_of(model, plain)
    edit: Callable[[ModelProto], ModelProto] = with_casts
    edit = quantised if between == "QuantizeLinear" else edit
    edit = _with_identities if between == "Identity" else edit
    other = graph_of(edit(model), inserted)
    names = ("a", "b", "c", "y")
    before, after = (
        identities(g, [finding(g, "ARC1", n.id) for n in g.nodes if n.label in names])
        for g in (graph, other)
    )
    assert _around(before) == _around(after)
    assert len(set(_around(before).values())) == len(names)


def _around(found: Sequence[Identity]) -> dict[str, tuple[str, str, str]]:
    return {f.name: (f.fingerprint, f.near, f.far) for f in found}


def _with_identities(model: ModelProto) -> ModelProto:
    first = helper.make_node("Identity", ["x"], ["x2"])
    for node in model.graph.node:
        node.input[0] = "x2" if node.input[0] == "x" else node.input[0]
    model.graph.node.insert(0, first)
    return model
