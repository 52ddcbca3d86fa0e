"""The layered layout: what is drawn, where, and how fast."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import onnx
import pytest

from archlint.analyzer.report.html.layout import ROW_GAP, layout
from archlint.analyzer.report.html.layout_order import ordered
from archlint.analyzer.report.html.layout_positions import BOX_GAP
from geometry import overlaps, pierced

Edges = list[tuple[int, int]]

SIZE = (140.0, 40.0)
LIGHT = sorted(Path(onnx.__file__).parent.glob("backend/test/data/light/*.onnx"))
CHAIN = [(0, 1), (1, 2), (2, 3)]
DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3)]
SKIP = [(0, 1), (1, 2), (0, 2)]
# GoogLeNet's module: 1x1; 1x1, 3x3; 1x1, 5x5; pool, 1x1; Concat
INCEPTION = [
    (0, 1), (0, 2), (2, 3), (0, 4), (4, 5), (0, 6), (6, 7), (1, 8), (3, 8), (5, 8), (7, 8),
]  # fmt: skip


def middles(count: int, edges: Edges) -> list[float]:
    """The x of the middles of equal boxes."""
    return [left + SIZE[0] / 2 for left, _ in layout([SIZE] * count, edges).corners]


def tangle(count: int, seed: int) -> Edges:
    """A graph that no network is: each box reads two others, wherever they are."""
    dice = random.Random(seed)  # noqa: S311 - a reproducible graph
    return [(dice.randrange(target), target) for target in range(1, count) for _ in range(2)]


def nodes_of(path: Path) -> tuple[int, Edges]:
    """The nodes of a model that run on what it is fed, and which reads which, as the file says."""
    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    made: dict[str, int | None] = {v.name: None for v in graph.input if v.name not in weights}
    edges: Edges = []
    count = 0
    for node in graph.node:
        read = [made[name] for name in node.input if name in made]
        if read:
            edges += [(place, count) for place in dict.fromkeys(read) if place is not None]
            made.update(dict.fromkeys(node.output, count))
            count += 1
    return count, edges


def test_a_chain_is_straight_and_its_rows_are_apart() -> None:
    laid = layout([SIZE] * 4, CHAIN)
    assert laid.corners == tuple((0, place * (SIZE[1] + ROW_GAP)) for place in range(4))
    assert (laid.width, laid.height) == (SIZE[0], 4 * SIZE[1] + 3 * ROW_GAP)
    assert laid.routes[0] == ((SIZE[0] / 2, SIZE[1]), (SIZE[0] / 2, SIZE[1] + ROW_GAP))


def test_a_fork_is_symmetric() -> None:
    first, left, right, last = middles(4, DIAMOND)
    assert first == last == (left + right) / 2
    assert right - left == SIZE[0] + BOX_GAP


def test_an_inception_module_is_symmetric_and_its_branches_are_straight() -> None:
    x = middles(9, INCEPTION)
    assert x[0] == x[8] == (x[1] + x[6]) / 2
    assert (x[2], x[4], x[6]) == (x[3], x[5], x[7])
    assert [b - a for a, b in pairwise((x[1], x[2], x[4], x[6]))] == [SIZE[0] + BOX_GAP] * 3


def test_a_shortcut_makes_way_for_the_main_path() -> None:
    laid = layout([SIZE] * 3, SKIP)
    assert len({left for left, _ in laid.corners}) == 1
    (left, _), lane = laid.corners[1], {x for x, _ in laid.routes[2]}
    assert max(lane) > left + SIZE[0]


def test_what_nothing_leads_to_stands_where_it_is_read() -> None:
    chain = [*CHAIN, (4, 5), (5, 3)]
    tops = [top for _, top in layout([SIZE] * 6, chain).corners]
    assert tops[5] == tops[2]
    assert tops[4] == tops[1]


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_boxes_and_edges_of_real_networks_keep_clear_of_each_other(path: Path) -> None:
    count, edges = nodes_of(path)
    sizes = [SIZE] * count
    laid = layout(sizes, edges)
    assert overlaps(laid, sizes) == []
    assert pierced(laid, sizes, edges) == []
    assert laid.width <= 960


@pytest.mark.parametrize("seed", range(5))
def test_tangles_of_boxes_of_all_sizes_keep_clear_too(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a reproducible graph
    sizes = [(2.0 * dice.randint(10, 120), float(dice.randint(10, 90))) for _ in range(60)]
    edges = tangle(60, seed)
    laid = layout(sizes, edges)
    assert overlaps(laid, sizes) == []
    assert pierced(laid, sizes, edges) == []


@pytest.mark.parametrize("edges", [CHAIN, DIAMOND, SKIP, INCEPTION, tangle(30, 1)])
def test_the_order_of_the_edges_does_not_matter(edges: Edges) -> None:
    count = 1 + max(map(max, edges))
    backwards = layout([SIZE] * count, edges[::-1])
    assert backwards.corners == layout([SIZE] * count, edges).corners
    assert backwards.routes[::-1] == layout([SIZE] * count, edges).routes


def test_orders_cross_no_more_than_needed() -> None:
    above = [[], [], [], [2], [1], [0]]
    below = [[5], [4], [3], [], [], []]
    rows = ordered([[0, 1, 2], [3, 4, 5]], above, below)
    assert [row.index(box) for row, box in zip(rows, (0, 5), strict=True)] == [0, 0]


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_boxes_without_edges_fill_lines(count: int) -> None:
    sizes = [SIZE] * count
    laid = layout(sizes, [])
    assert overlaps(laid, sizes) == []
    assert laid.width <= 960
    assert len(laid.corners) == count


def test_parts_that_nothing_connects_stand_side_by_side() -> None:
    laid = layout([SIZE] * 8, [*CHAIN, *((a + 4, b + 4) for a, b in CHAIN)])
    assert laid.corners[0][1] == laid.corners[4][1] == 0
    assert laid.corners[4][0] > SIZE[0]


def test_parallel_edges_have_one_way() -> None:
    laid = layout([SIZE] * 2, [(0, 1), (0, 1)])
    assert laid.routes[0] == laid.routes[1]


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        layout([SIZE] * 3, [(0, 1), (1, 2), (2, 1)])


def test_thousands_of_boxes_take_no_stack_and_little_time() -> None:
    count = 7_651  # boxes of the largest graph in the comparison of layouts
    edges = [(place, place + 1) for place in range(count - 1)]
    edges += [(place, place + 5) for place in range(0, count - 5, 4)]
    start = perf_counter()
    laid = layout([SIZE] * count, edges)
    assert perf_counter() - start < 20  # takes 1 s here; a machine may be busy
    assert len(laid.routes) == len(edges)


@pytest.mark.parametrize("main", [0, 1])
def test_what_is_too_wide_to_be_seen_at_once_begins_on_the_left(main: int) -> None:
    comb: Edges = []  # a chain that leads to the left or to the right, away from leaves
    for place in range(20):
        pair = [2 * place + 1, 2 * place + 2]
        comb += [(2 * place - 1 + main if place else 0, target) for target in pair]
    laid = layout([SIZE] * 41, comb)
    assert laid.width > 960
    assert laid.corners[0][0] < laid.width / 2
