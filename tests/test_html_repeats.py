"""Equal blocks in a row: one is drawn, one box stands for the others, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.report import NodeReport
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layout import layout
from archlint.analyzer.report.html.network import draw
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.network_graph import boxes
from archlint.analyzer.report.html.network_stretches import Stretch, stretches
from archlint.analyzer.report.layers import LayerReport
from geometry import overlaps, pierced
from reports import finding, model

BLOCKS = 12
BLOCK = 4  # layers
SIZE = (140.0, 40.0)


def layer(kind: int, *inputs: int, **rest: object) -> LayerReport:
    """A layer of 10 MACs."""
    plain = LayerReport(f"n{kind}", "Conv", f"{kind}×{kind} conv", "1x8x4x4", inputs, kind=kind)
    return replace(plain, cost=Cost(macs=10), **rest)  # type: ignore[arg-type]  # the tests name the fields


def block(start: int, *modules: str, kind: int = 1) -> list[LayerReport]:
    """Three layers in a row, and one that adds what the block reads."""
    return [
        layer(kind, start - 1, scope=(*modules, "a")),
        layer(kind + 1, start, scope=(*modules, "b")),
        layer(kind + 2, start + 1, scope=(*modules, "c")),
        layer(kind + 3, start - 1, start + 2, operator="Add", scope=modules),
    ]


def residual() -> list[LayerReport]:
    """A stem, twelve equal blocks, a head."""
    found = [layer(0, scope=("stem",))]
    for number in range(BLOCKS):
        found += block(len(found), "net", f"block{number}")
    return [*found, layer(9, len(found) - 1, scope=("head",))]


def stacks(found: Sequence[Box]) -> list[tuple[int, int]]:
    """The first and the last of the twelve blocks in each box that stands for several."""
    return [
        ((box.places[0] - 1) // BLOCK, (box.places[-1] - 1) // BLOCK)
        for box in found
        if box.repeats
    ]


def test_the_first_block_is_drawn_and_one_box_stands_for_the_others() -> None:
    stem, a, b, c, add, others, head = boxes(residual())
    assert [stem.inputs, a.inputs, b.inputs, c.inputs] == [(), (0,), (1,), (2,)]
    assert add.inputs == (0, 3)
    assert others == Box(
        tuple(range(1 + BLOCK, 1 + BLOCK * BLOCKS)),
        (4,),
        "net.block1 … block11",
        BLOCK * (BLOCKS - 1),
        repeats=BLOCKS - 1,
    )
    assert head == Box((1 + BLOCK * BLOCKS,), (5,))


def test_the_box_says_what_it_repeats_and_what_that_costs() -> None:
    """44 of 50 layers of 10 MACs: 88 %; they lead to the row of the first of them."""
    figure = draw(replace(model(), layers=tuple(residual())), Ids())
    assert figure is not None
    for text in ("the 4 layers above 11 more times", "88.0 % of the MACs", 'href="#node-5"'):
        assert text in figure.svg
    assert "50 layers; of equal blocks in a row the first is drawn" in figure.caption


def special(layers: list[LayerReport], what: str) -> Mapping[int, str]:
    """The sixth block is not quite as the others; what is said of its layers beside."""
    at = 1 + 5 * BLOCK
    if what == "finding":
        return {at + 1: "warning ARC101"}
    if what == "slow":
        layers[:] = [replace(one, measured=100.0) for one in layers]
        layers[at] = replace(layers[at], measured=500.0)
    elif what == "wider":
        layers[at] = replace(layers[at], kind=77)
    elif what == "unknown":
        layers[at] = replace(layers[at], cost=None, why="its shape is unknown")
    elif what == "output":
        layers[at] = replace(layers[at], gives=(0,))
    elif what == "tap":
        layers[-1] = replace(layers[-1], inputs=(at + BLOCK - 1, *layers[-1].inputs))
    else:
        layers[at + BLOCK - 1] = replace(layers[at + BLOCK - 1], inputs=(at - 1, at + 1))
    return {}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("finding", [(1, 4), (7, 11)]),
        ("slow", [(1, 4), (7, 11)]),
        ("wider", [(1, 4), (7, 11)]),
        ("unknown", [(1, 4), (7, 11)]),
        ("output", [(1, 4), (7, 11)]),
        ("wiring", [(1, 4), (7, 11)]),
        # What is read elsewhere is the last of its row; then twice six blocks are equal.
        ("tap", [(1, 5), (6, 11)]),
    ],
)
def test_a_block_that_is_not_quite_as_the_others_is_not_hidden_among_them(
    what: str, expected: list[tuple[int, int]]
) -> None:
    layers = residual()
    found = boxes(layers, special(layers, what))
    assert stacks(found) == expected
    assert sorted(place for box in found for place in box.places) == list(range(len(layers)))
    if what == "tap":
        assert [one for one in found[-1].inputs if found[one].repeats] == list(found[-1].inputs)


def test_a_finding_that_all_blocks_have_is_counted_on_their_box() -> None:
    places = range(2, 2 + BLOCK * BLOCKS, BLOCK)
    told = [replace(finding(), nodes=(NodeReport("n", "Conv", place=at),)) for at in places]
    figure = draw(replace(model(), layers=tuple(residual()), findings=tuple(told)), Ids())
    assert figure is not None
    assert ">11 warnings<" in figure.svg
    assert ">warning<" in figure.svg


def test_blocks_of_blocks_are_folded_too() -> None:
    """Five stages of one block and six equal ones: the first stage and four more."""
    layers = [layer(0, scope=("stem",))]
    for stage in range(5):
        for number in range(7):
            kind = 1 if number else 11
            layers += block(len(layers), f"stage{stage}", str(number), kind=kind)
    found = boxes(layers)
    assert [(box.repeats, box.shown, box.name) for box in found if box.repeats] == [
        (5, 5 * BLOCK, "stage0.2 … 6"),
        (4, 4 * 7 * BLOCK, "stage1 … stage4"),
    ]
    assert sorted(place for box in found for place in box.places) == list(range(len(layers)))


def test_what_passes_by_folded_blocks_still_does() -> None:
    """A mask that all blocks read, and a layer that reads the stem behind them."""
    layers = residual()
    layers.insert(1, layer(50))
    for place, one in enumerate(layers):
        if place > 1:
            inputs = tuple(at + 1 if at else 0 for at in one.inputs)
            masked = (1, *inputs) if one.kind == 2 else inputs
            layers[place] = replace(one, inputs=masked)
    layers[-1] = replace(layers[-1], inputs=(0, *layers[-1].inputs))
    found = boxes(layers)
    (stack,) = [at for at, box in enumerate(found) if box.repeats]
    assert found[stack].inputs == (5, 1)
    assert found[-1].inputs == (0, stack)
    edges = [(source, at) for at, box in enumerate(found) for source in box.inputs]
    laid = layout([SIZE] * len(found), edges)
    assert overlaps(laid, [SIZE] * len(found)) == []
    assert pierced(laid, [SIZE] * len(found), edges) == []


def test_branches_side_by_side_are_all_drawn() -> None:
    """Six equal branches of a layer, as the paths of ResNeXt, repeat nothing."""
    branches = [
        layer(1 + step, 0 if step == 0 else 3 * n + step, scope=())
        for n in range(6)
        for step in range(3)
    ]
    join = layer(9, *range(3, 19, 3), operator="Concat")
    assert not any(box.repeats for box in boxes([layer(0), *branches, join]))


@pytest.mark.parametrize(("count", "folds"), [(4, False), (5, True)])
def test_a_few_equal_layers_are_all_drawn(count: int, *, folds: bool) -> None:
    chain = [layer(0), *(layer(1, place) for place in range(count))]
    assert any(box.repeats for box in boxes(chain)) == folds


def test_a_stretch_is_as_long_as_what_is_alike() -> None:
    looks = [9, 1, 2, 1, 2, 1, 2, 8]
    chain = [(place - 1,) if place else () for place in range(len(looks))]
    assert list(stretches(chain, looks)) == [Stretch(1, 7, 2)]
    apart = [*chain[:4], (0,), *chain[5:]]  # one reads the first box, and not the one before it
    assert list(stretches(apart, looks)) == []
