"""Blocks of known networks, near misses, and the value from which branches part."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import networkx as nx
import onnx
import pytest

from archlint.analyzer.blocks import Block, BlockKind, block_of, blocks
from archlint.analyzer.graph import Graph
from archlint.analyzer.joins import Forks
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.text import from_text
from build_all import build_sample

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# Blocks by the tables of the papers: modules of Inception, residual units of ResNet.
SAMPLES = {
    "googlenet": {"Inception": 9},  # 1409.4842, table 1
    "inception_v3": {"Inception": 3 + 1 + 4 + 1 + 2},  # torchvision's Mixed_5b to Mixed_7c
    "inception_module_naive": {"Inception": 1},
    "resnet18": {"residual": 4 * 2},  # 1512.03385, table 1
    "resnet50": {"residual": 3 + 4 + 6 + 3},
    "resnet_basic_block": {"residual": 1},
    "vgg16": {},
    "alexnet": {},
    "densenet121": {},  # concatenates each layer to its input
    "mobilenet_v1": {},
    # one addition for each block that keeps its shape
    "mobilenet_v2": {"residual": 1 + 2 + 3 + 2 + 2},  # 1801.04381, table 2
    "mobilenet_v3_large": {"residual": 1 + 1 + 2 + 3 + 1 + 2},  # 1905.02244, table 1
    "efficientnet_b0": {"residual": 1 + 1 + 2 + 2 + 3},  # 1905.11946, table 1
    "regnet_y_400mf": {"residual": 1 + 3 + 6 + 6},
    "shufflenet_v2": {},  # concatenates two branches
    "convnext_tiny": {"residual": 3 + 3 + 9 + 3},
    "vit_b_16": {"residual": 2 * 12, "attention": 12},
    "swin_t": {"residual": 2 * 12, "attention": 2 + 2 + 6 + 2},
}
LIGHT_MODELS = {
    "inception_v1": {"Inception": 9},
    "inception_v2": {"Inception": 10},  # 1502.03167, figure 5
    "resnet50": {"residual": 16},
    "shufflenet": {"residual": 3 + 7 + 3},  # 1707.01083, table 1: the units of stride 1
    "squeezenet": {},  # a Fire module has two branches
    "densenet121": {},
    "vgg19": {},
    "bvlc_alexnet": {},
    "zfnet512": {},
}


def graph_of(nodes: str) -> Graph:
    """Nodes on eight channels of a map, with weights that keep them and a constant."""
    return load(
        from_text(
            "agraph (float[1,8,6,6] x, float[1,8,6,6] m) => (y) "
            "<float[8,8,1,1] p, float[8,8,3,3] w, float[1,8,1,1] c, float[6,6] q, "
            f"float[8,24,1,1] t> {{ {nodes} }}"
        )
    )


def kinds(graph: Graph) -> dict[str, int]:
    """How many blocks of each kind a graph has."""
    return dict(Counter(str(block.kind) for block in blocks(graph)))


@pytest.mark.parametrize("name", SAMPLES)
def test_blocks_of_the_samples(name: str) -> None:
    """As many as the source of each counts."""
    assert kinds(load(Model(name, build_sample(name), 0))) == SAMPLES[name]


@pytest.mark.skipif(not LIGHT.is_dir(), reason="this onnx package ships no light models")
@pytest.mark.parametrize("name", LIGHT_MODELS)
def test_blocks_of_the_light_models(name: str) -> None:
    """Written by other tools: Sum for Add, normalisation as several nodes."""
    assert kinds(load(read(str(LIGHT / f"light_{name}.onnx")))) == LIGHT_MODELS[name]


CONV = "Conv <pads = [1,1,1,1]>"
HEAD = "s = MatMul (x, k) k = Transpose <perm = [0,1,3,2]> (j) j = MatMul (x, q)"
TAIL = "v = MatMul (x, q) o = MatMul (t, v)"
JOIN = "y = Concat <axis = 1> (f, b, e)"

GRAPHS = {
    "identity": (f"a = {CONV} (x, w) y = Add (a, x)", {"residual": 1}),
    "identity-first": (f"a = {CONV} (x, w) y = Add (x, a)", {"residual": 1}),
    "projection": (
        f"a = {CONV} (x, w) b = Relu (a) d = {CONV} (b, w) e = Conv (x, p) y = Add (d, e)",
        {"residual": 1},
    ),
    # Zagoruyko and Komodakis 2016: the shortcut leaves after the activation
    "projection-of-the-activation": (
        f"r = Relu (x) a = {CONV} (r, w) d = {CONV} (a, w) e = Conv (r, p) y = Add (d, e)",
        {"residual": 1},
    ),
    "gate-in-the-branch": (
        f"a = {CONV} (x, w) g = Sigmoid (a) b = Mul (a, g) y = Add (b, x)", {"residual": 1},
    ),
    "side-input": (f"a = {CONV} (x, w) b = Add (a, m) y = Add (b, x)", {"residual": 1}),
    # Ding et al. 2021: three branches of a sum are one block
    "three-summands": (
        f"a = {CONV} (x, w) b = Conv (x, p) d = Add (a, b) y = Add (d, x)", {"residual": 1},
    ),
    "one-behind-the-other": (
        f"a = {CONV} (x, w) b = Add (a, x) d = {CONV} (b, w) y = Add (d, b)", {"residual": 2},
    ),
    # Lin et al. 2017: a lateral sum of a pyramid goes around a residual block
    "around-a-block": (
        f"a = {CONV} (x, w) b = Add (a, x) d = {CONV} (b, w) e = Conv (x, p) y = Add (d, e)",
        {"residual": 1},
    ),
    "bias": (f"a = {CONV} (x, w) y = Add (a, c)", {}),
    "no-weights": ("a = Relu (x) b = Mul (a, c) y = Add (b, x)", {}),
    "two-like-branches": (f"a = {CONV} (x, w) b = {CONV} (x, w) y = Add (a, b)", {}),
    "two-inputs": (f"a = {CONV} (x, w) y = Add (a, m)", {}),
    "twice-itself": (f"a = {CONV} (x, w) y = Add (a, a)", {}),
    "product": (f"a = {CONV} (x, w) y = Mul (a, x)", {}),
    "inception": (
        f"a = Conv (x, p) b = {CONV} (x, w) d = Relu (x) y = Concat <axis = 1> (a, b, d)",
        {"Inception": 1},
    ),
    "two-branches": (f"a = Conv (x, p) b = {CONV} (x, w) y = Concat <axis = 1> (a, b)", {}),
    "dense": (
        f"a = {CONV} (x, w) b = {CONV} (x, w) y = Concat <axis = 1> (x, a, b)", {},
    ),
    # Wang et al. 2022 (ELAN), Jocher (C2f): each branch leads on from the one before
    "one-branch-through-another": (
        f"a = Conv (x, p) b = {CONV} (a, w) d = {CONV} (b, w) y = Concat <axis = 1> (a, b, d)", {},
    ),
    "poolings-alone": (
        "a = Relu (x) b = Neg (x) d = Conv (x, p) y = Concat <axis = 1> (a, b, d)", {},
    ),
    # Liu et al. 2016 (SSD): boxes of several maps, flattened
    "flattened-heads": (
        f"a = {CONV} (x, w) b = Flatten (a) d = Conv (x, p) e = Flatten (d) f = Flatten (x) {JOIN}",
        {},
    ),
    "attention": (
        f"{HEAD} z = Mul (s, c) t = Softmax (z) {TAIL} y = MatMul (o, q)", {"attention": 1},
    ),
    "masked-attention": (
        f"{HEAD} z = Add (s, m) t = Softmax (z) {TAIL} y = Add (o, x)",
        {"attention": 1, "residual": 1},
    ),
    "softmax-of-a-classifier": ("a = MatMul (x, q) y = Softmax (a)", {}),
    "softmax-that-weights-constants": (
        "a = MatMul (x, x) b = Softmax (a) y = MatMul (b, q)", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", GRAPHS)
def test_what_is_a_block(row: str) -> None:
    """Structure decides, not names."""
    nodes, expected = GRAPHS[row]
    assert kinds(graph_of(nodes)) == expected


def test_blocks_have_their_nodes_and_numbers() -> None:
    """The branches and the join; of nested blocks of two kinds the smaller one is named."""
    graph = graph_of(
        f"a = Conv (x, p) b = {CONV} (x, w) d = Relu (x) e = Concat <axis = 1> (a, b, d)"
        " f = Relu (e) g = Conv (f, t) h = Add (g, x) y = Relu (h)"
    )
    by_output = {node.output(0): node for node in graph.nodes}
    residual, inception = blocks(graph)
    assert {graph.nodes[n].output(0) for n in inception.nodes} == set("abde")
    assert {graph.nodes[n].output(0) for n in residual.nodes} == set("abdefgh")
    assert block_of(graph, [by_output["b"]]) == inception
    assert block_of(graph, [by_output["b"], by_output["g"]]) == residual
    assert block_of(graph, [by_output["b"], by_output["y"]]) is None
    assert block_of(graph, []) is None


def test_an_attention_block_reaches_to_its_projections() -> None:
    """And to the output's; what follows is no part of it."""
    graph = graph_of(f"{GRAPHS['attention'][0].replace('y = ', 'u = ')} y = Relu (u)")
    (block,) = blocks(graph)
    assert {graph.nodes[n].output(0) for n in block.nodes} == set("sjkztvou")


@pytest.mark.parametrize(
    ("number", "count", "text"),
    [
        (1, 1, "the residual block"),
        (1, 9, "the 1st of 9 residual blocks"),
        (2, 9, "the 2nd of 9 residual blocks"),
        (3, 9, "the 3rd of 9 residual blocks"),
        (11, 24, "the 11th of 24 residual blocks"),
        (22, 24, "the 22nd of 24 residual blocks"),
        (112, 200, "the 112th of 200 residual blocks"),
    ],
)
def test_a_block_in_words(number: int, count: int, text: str) -> None:
    """Its place, unless it is the only one."""
    assert str(Block(BlockKind.RESIDUAL, number, count, frozenset())) == text


@pytest.mark.parametrize("seed", range(10))
def test_branches_part_at_the_last_common_value(seed: int) -> None:
    """In random graphs, as networkx finds it among the ancestors; where nothing else enters the
    branches it is the immediate dominator."""
    graph = random_graph(seed)
    root = -1
    flow: nx.DiGraph[int] = nx.DiGraph(graph.network)
    flow.add_edges_from((root, node.id) for node in graph.nodes if "x" in node.inputs)
    dominators = nx.immediate_dominators(flow, root)
    alone = 0
    for node in graph.nodes:
        if node.op_type != "Add":
            continue
        found = Forks(graph).before(node.inputs)
        assert found is not None
        maker = graph.producer(found.source)
        source = root if maker is None else maker.id
        parts = [graph.producer(name) for name in node.inputs]
        ids = [root if part is None else part.id for part in parts]
        above = [{one, *nx.ancestors(flow, one)} for one in ids]
        assert source == max(set.intersection(*above))
        inner = set().union(*found.branches)
        if all(set(flow.predecessors(one)) <= {source, *inner} for one in inner):
            assert source == dominators[node.id]
            alone += 1
    assert alone > 1


def random_graph(seed: int) -> Graph:
    """Sixty nodes, each of one or two of the last values."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible graph
    lines = []
    for place in range(60):
        names = [f"v{n}" if n >= 0 else "x" for n in range(max(-1, place - 5), place)]
        parts = chance.choices(names, k=chance.choice([1, 1, 2]))
        lines.append(f"v{place} = {'Relu' if len(parts) == 1 else 'Add'} ({', '.join(parts)})")
    return load(from_text(f"g (float[4] x) => (v59) {{ {' '.join(lines)} }}"))


def test_many_long_skips_take_linear_time() -> None:
    """Ten thousand sums that reach back over ten thousand nodes: no blocks, and soon."""
    count = 10_000
    nodes = ["v0 = Relu (x)"]
    nodes += [f"v{i} = Relu (v{i - 1})" for i in range(1, count)]
    nodes += ["s0 = Add (v0, v9999)"]
    nodes += [f"s{i} = Add (v9999, s{i - 1})" for i in range(1, count)]
    graph = graph_of(" ".join([*nodes, f"y = Relu (s{count - 1})"]))
    started = time.process_time()
    assert blocks(graph) == ()
    assert time.process_time() - started < 10
