"""The graph and its algorithms: order, edges, peak memory and the critical path, by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence

import networkx as nx
import pytest

from archlint.analyzer.algorithms import critical_path, peak_memory
from archlint.analyzer.cost import count
from archlint.analyzer.errors import InvalidGraphError
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.reader.text import from_text


def graph_of(inputs: str, nodes: str, constants: str = "", outputs: str = "y") -> Graph:
    """The graph of a few nodes; weights are declared and left out."""
    return load(from_text(f"g ({inputs}) => ({outputs}) <{constants}> {{ {nodes} }}"))


# A value has 100 floats, 400 bytes, unless shown: inputs, nodes, constants, bytes, at which node.
PEAKS: dict[str, tuple[str, str, str, int, str | None]] = {
    "nothing-runs": ("float[100] y", "", "", 400, None),
    # a node's input and output, and never more
    "chain": ("float[100] x", "a = Relu(x) b = Relu(a) y = Relu(b)", "", 2 * 400, "a"),
    # a waits for the sum while b and c are made
    "residual": ("float[100] x", "a = Relu(x) b = Relu(a) c = Relu(b) y = Add(a, c)", "",
                 3 * 400, "c"),
    "input-read-late": ("float[100] x", "a = Relu(x) b = Relu(a) y = Add(b, x)", "", 3 * 400, "b"),
    "input-never-read": ("float[100] x, float[100] z", "y = Relu(x)", "", 3 * 400, "y"),
    "widest-in-the-middle": ("float[100] x", ("a = Concat<axis=0>(x, x) b = Concat<axis=0>(a, a)"
                             " y = ReduceSum(b)"), "", (200 + 400) * 4, "b"),
    "renamed-not-copied": ("float[100] x", "a = Relu(x) b = Flatten<axis=0>(a) y = Relu(b)", "",
                           2 * 400, "a"),
    "renamed-input": ("float[100] x", "a = Identity(x) y = Relu(a)", "", 2 * 400, "y"),
    "renamed-output": ("float[100] x", "a = Relu(x) y = Identity(a)", "", 2 * 400, "a"),
    "old-name-still-read": ("float[100] x", ("a = Relu(x) b = Flatten<axis=0>(a) c = Relu(b)"
                            " d = Relu(c) y = Add(a, d)"), "", 3 * 400, "d"),
    "constants-take-no-part": ("float[100] x", "v = Identity(w) y = Add(x, v)", "float[100] w",
                               2 * 400, "y"),
    "half-precision": ("float16[100] x", "y = Relu(x)", "", 2 * 200, "y"),
    "unread-value-dies-at-once": ("float[100] x", "a = Relu(x) b = Relu(x) y = Relu(b)", "",
                                  2 * 400, "a"),
}  # fmt: skip


@pytest.mark.parametrize("row", PEAKS)
def test_peak_memory_is_that_counted_by_hand(row: str) -> None:
    """A value lives from its maker to its last reader, and renaming takes nothing."""
    inputs, nodes, constants, expected, where = PEAKS[row]
    peak = peak_memory(graph_of(inputs, nodes, constants))
    assert peak.bytes == expected
    assert (peak.node.label if peak.node else None) == where
    assert peak.unknown == 0


def test_peak_memory_says_what_it_left_out() -> None:
    """Values of unknown size are counted as unknown, the others still add up."""
    peak = peak_memory(graph_of("float[100] x", "a = Relu(x) y = my.domain.Op(a)"))
    assert (peak.bytes, peak.unknown) == (2 * 400, 1)


WEIGHTS = "float[10,10] w, float[10,20] u, float[20,10] v"
PATHS: dict[str, tuple[str, int, list[str]]] = {
    "chain": ("a = MatMul(x, w) b = Relu(a) y = MatMul(b, w)", 2 * 10**3, ["a", "b", "y"]),
    "heavier-branch": (("a = MatMul(x, w) b = MatMul(x, u) c = MatMul(b, v) d = Add(a, c)"
                       " y = MatMul(d, w)"), 2 * 10 * 10 * 20 + 10**3, ["b", "c", "d", "y"]),
    "first-of-equals": ("a = MatMul(x, w) b = MatMul(x, w) y = Add(a, b)", 10**3, ["a"]),
    "first-of-equals-inside": ("a = MatMul(x, w) b = MatMul(x, w) c = Add(a, b) y = MatMul(c, w)",
                               2 * 10**3, ["a", "c", "y"]),
    "unknown-counts-nothing": ("a = MatMul(x, w) b = my.domain.Op(a) y = MatMul(x, u)",
                               10 * 10 * 20, ["y"]),
    "dead-end": ("a = MatMul(x, u) b = MatMul(a, v) y = MatMul(x, w)",
                 2 * 10 * 10 * 20, ["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize("row", PATHS)
def test_critical_path_is_the_heaviest_chain(row: str) -> None:
    """MACs along the path are those of its matrix products, x being [10, 10]."""
    nodes, macs, labels = PATHS[row]
    path = critical_path(count(graph_of("float[10,10] x", nodes, WEIGHTS)))
    assert path.macs == macs
    assert [node.label for node in path.nodes] == labels


def test_critical_path_of_nothing() -> None:
    """A graph without nodes has an empty path."""
    path = critical_path(count(graph_of("float[10] y", "")))
    assert (path.macs, path.nodes) == (0, ())


@pytest.mark.parametrize("seed", range(5))
def test_critical_path_agrees_with_networkx(seed: int) -> None:
    """On a random graph it is the longest path of networkx, an edge weighing as its head."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible graph
    made = ["x"]
    for place in range(20):
        operator = chance.choice(["MatMul", "MatMul", "Add", "Sub"])
        made.append(f"v{place} = {operator}({pick(chance, made)}, {pick(chance, made)})")
    graph = graph_of("float[10,10] x", " ".join(made[1:]), outputs="v19")
    weighted: nx.DiGraph[int] = nx.DiGraph()
    for node in graph.nodes:
        macs = 10**3 if node.op_type == "MatMul" else 0
        for before in [-1, *graph.network.predecessors(node.id)]:
            weighted.add_edge(before, node.id, weight=macs)
    assert critical_path(count(graph)).macs == nx.dag_longest_path_length(weighted)


def pick(chance: random.Random, made: Sequence[str]) -> str:
    """One of the last values made."""
    return chance.choice(made[-5:]).split()[0]


def test_unsorted_nodes_are_sorted() -> None:
    """A reader of a later node's value moves behind it, and keeps its place in the file."""
    graph = graph_of("float[4] x", "y = Relu(b) b = Neg(a) a = Abs(x)")
    assert [node.op_type for node in graph.nodes] == ["Abs", "Neg", "Relu"]
    assert [node.id for node in graph.nodes] == [0, 1, 2]
    assert [node.position for node in graph.nodes] == [2, 1, 0]
    assert graph.value("y").static_shape == (4,)


def test_sorted_nodes_keep_the_order_of_the_file() -> None:
    """A file in topological order is left as it is, whatever order would do too."""
    graph = graph_of("float[4] x", "a = Abs(x) b = Neg(x) c = Relu(a) y = Add(c, b)")
    assert [node.position for node in graph.nodes] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("nodes", "named"),
    [
        pytest.param("a = Add(x, b) b = Neg(a) y = Relu(b)", ["cycle", "'a'", "'b'"], id="cycle"),
        pytest.param("y = Add(x, y)", ["cycle", "'y'"], id="reads-itself"),
    ],
)
def test_what_is_no_graph_is_an_error(nodes: str, named: list[str]) -> None:
    """The error names the nodes to look at."""
    with pytest.raises(InvalidGraphError) as raised:
        graph_of("float[4] x", nodes)
    assert all(part in str(raised.value) for part in named)


@pytest.mark.parametrize(
    ("nodes", "named"),
    [
        pytest.param("a = Neg(x) a = Abs(x) y = Relu(a)", "'a'", id="made-twice"),
        pytest.param("a, a = Split(x) y = Relu(a)", "'a'", id="twice-by-one-node"),
        pytest.param("x = Neg(x) y = Relu(x)", "an input", id="shadows-an-input"),
    ],
)
def test_the_first_maker_of_a_value_is_taken(nodes: str, named: str) -> None:
    """A value that is made twice is a problem of the graph, whose readers read the first one."""
    graph = graph_of("float[4] x", nodes)
    (problem,) = graph.problems
    assert problem.kind is ProblemKind.MALFORMED
    assert problem.message.endswith("archlint takes the first")
    assert named in problem.message
    assert len({name for node in graph.nodes for name in node.outputs} - {"x"}) == len(
        [name for node in graph.nodes for name in node.outputs]
    )


def test_network_edges_carry_values() -> None:
    """An edge for each value that passes, also two between the same nodes; none for inputs."""
    graph = graph_of("float[4] x, float[4] w", "a, m = Dropout(x) b = Add(a, a) y = Where(m, a, b)")
    edges = sorted(
        (before, behind, data["value"].name)
        for before, behind, data in graph.network.edges(data=True)
    )
    assert isinstance(graph.network, nx.MultiDiGraph)
    assert edges == [(0, 1, "a"), (0, 1, "a"), (0, 2, "a"), (0, 2, "m"), (1, 2, "b")]
    assert graph.network.edges[0, 1, 0]["value"] is graph.value("a")
    assert nx.is_directed_acyclic_graph(graph.network)


def test_producer_and_consumers() -> None:
    """Each value knows its maker, and its readers once each, in order."""
    graph = graph_of("float[4] x", "a = Abs(x) b = Add(a, a) y = Sub(b, a)")
    assert graph.producer("x") is None
    assert graph.producer("a") is graph.nodes[0]
    assert [node.label for node in graph.consumers("a")] == ["b", "y"]
    assert graph.consumers("y") == ()


def test_captured_values_of_bodies_are_edges() -> None:
    """What the branches of an If read from outside is captured, also from nested branches."""
    inner = "then_branch = t () => (float[4] p) { p = Neg(b) }, else_branch = e () => (float[4] q)"
    inner += " { q = Identity(b) }"
    nodes = (
        "a = Abs(x) b = Neg(x) y = If(c) <then_branch = g1 () => (float[4] t) { u = Relu(a)"
        f" t = Add(u, u) }}, else_branch = g2 () => (float[4] e) {{ e = If(c) <{inner}> }}>"
    )
    graph = graph_of("float[4] x, bool c", nodes)
    last = graph.nodes[-1]
    assert set(last.captured) == {"a", "b", "c"}
    assert {(e[0], e[2]["value"].name) for e in graph.network.in_edges(last.id, data=True)} == {
        (0, "a"), (1, "b"),
    }  # fmt: skip
    assert graph.consumers("a") == (last,)


def test_unsorted_captures_are_sorted() -> None:
    """A node whose body reads a value waits for it."""
    nodes = (
        "y = If(c) <then_branch = t () => (float[4] p) { p = Neg(a) },"
        " else_branch = e () => (float[4] q) { q = Abs(a) }> a = Relu(x)"
    )
    graph = graph_of("float[4] x, bool c", nodes)
    assert [node.op_type for node in graph.nodes] == ["Relu", "If"]
