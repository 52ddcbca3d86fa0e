"""The parts of a model: modules, blocks, or runs of layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.report.html.parts import MOST, Part, is_predicted, part_sums, parts
from archlint.analyzer.report.layers import LayerReport


def layer(place: int, scope: str = "", **rest: object) -> LayerReport:
    """A layer that reads the one before it, and has 10 MACs."""
    read = (place - 1,) if place else ()
    modules = tuple(scope.split(".")) if scope else ()
    plain = LayerReport(
        f"n{place}", "Conv", "3×3 conv", "", read, scope=modules, cost=Cost(macs=10)
    )
    return replace(plain, **rest)  # type: ignore[arg-type]  # the tests name the fields


def chain(*scopes: str) -> list[LayerReport]:
    return [layer(place, scope) for place, scope in enumerate(scopes)]


def sized(*maps: int) -> list[LayerReport]:
    return [layer(place, output=f"1x8x{size}x{size}") for place, size in enumerate(maps)]


def named(found: tuple[Part, ...]) -> dict[str, tuple[int, ...]]:
    return {part.name: part.places for part in found}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (chain("a.1", "a.2", "b.1", "b.2"), {"a": (0, 1), "b": (2, 3)}),
        # What all have in common tells nothing.
        (chain("m.a", "m.a", "m.b", "m.b"), {"a": (0, 1), "b": (2, 3)}),
        (chain(*["m.0"] * 2, *["m.1"] * 2), {"m.0": (0, 1), "m.1": (2, 3)}),
        # The layers of one module have nearly all MACs: its own modules are shown.
        (
            chain("stem", *["net.0"] * 3, *["net.1"] * 3, "head"),
            {"stem": (0,), "net.0": (1, 2, 3), "net.1": (4, 5, 6), "head": (7,)},
        ),
        # A module that goes on later is one part.
        (chain("a", "b", "b", "a"), {"a": (0, 3), "b": (1, 2)}),
        (chain("a", "", "b"), {"a": (0,), "(elsewhere)": (1,), "b": (2,)}),
        # What a module does itself, beside its own modules.
        (
            chain(*["m.x.1"] * 5, "m.x", *["m.x.2"] * 5, "m.y"),
            {"x.1": (0, 1, 2, 3, 4), "x": (5,), "x.2": (6, 7, 8, 9, 10), "y": (11,)},
        ),
        (sized(56, 56, 28, 28, 28), {"n0 … n1": (0, 1), "n2 … n4": (2, 3, 4)}),
        ([layer(0)], {"n0": (0,)}),
        ([], {}),
    ],
)
def test_the_parts_of_a_model(
    layers: list[LayerReport], expected: dict[str, tuple[int, ...]]
) -> None:
    assert named(parts(layers)) == expected


def test_blocks_and_what_stands_between_them() -> None:
    blocks = ["", "block 1", "block 1", "", "block 2", "block 2", ""]
    layers = [layer(place, block=block) for place, block in enumerate(blocks)]
    assert named(parts(layers)) == {
        "stem": (0,), "block 1": (1, 2), "after block 1": (3,), "block 2": (4, 5),
        "after block 2": (6,),
    }  # fmt: skip


def test_adjacent_small_parts_are_one() -> None:
    layers = [
        replace(one, cost=Cost(macs=0)) if one.scope[0] in {"relu", "pool", "flat"} else one
        for one in chain("conv", "relu", "pool", "body", "body", "flat")
    ]
    assert named(parts(layers)) == {
        "conv": (0,), "relu … pool": (1, 2), "body": (3, 4), "flat": (5,),
    }  # fmt: skip


def test_a_flat_module_is_divided_where_its_maps_shrink() -> None:
    maps = [64] * 15 + [32] * 15
    layers = [
        layer(place, f"features.{place}", output=f"1x8x{size}x{size}")
        for place, size in enumerate(maps)
    ]
    layers += [layer(30, "head.0", inputs=(29,)), layer(31, "head.1")]
    assert named(parts(layers)) == {
        "features.0 … features.14": tuple(range(15)),
        "features.15 … features.29": tuple(range(15, 30)),
        "head": (30, 31),
    }


@pytest.mark.parametrize("count", [1, 23, 24, 25, 100, 2_000])
@pytest.mark.parametrize("scope", ["", "flat.{}", "{}.deep.er", "m.{}.x"])
def test_parts_cover_all_layers_once_and_are_not_too_many(count: int, scope: str) -> None:
    found = parts(chain(*(scope.format(place) for place in range(count))))
    assert sorted(place for part in found for place in part.places) == list(range(count))
    assert 1 <= len(found) <= MOST
    assert [part.places[0] for part in found] == sorted(part.places[0] for part in found)
    assert len({part.name for part in found}) == len(found)


def test_runs_are_cut_where_one_value_leads_on() -> None:
    # Blocks of four: a fork into two, and what joins them. No cut may lie between the two.
    layers: list[LayerReport] = []
    for start in range(0, 120, 4):
        before = (start - 1,) if start else ()
        layers += [
            layer(start, inputs=before),
            layer(start + 1, inputs=(start,)),
            layer(start + 2, inputs=(start,)),
            layer(start + 3, inputs=(start + 1, start + 2)),
        ]
    found = parts(layers)
    assert len(found) > 1
    assert {part.places[0] % 4 for part in found} <= {0, 1}


def test_sums_keep_what_is_unknown_apart() -> None:
    layers = [
        layer(0, parameters=5, predicted=2.0, measured=None),
        layer(1, cost=None, why="its shape is unknown"),
        layer(2, parameters=7, predicted=3.5, measured=4.0),
    ]
    sums = part_sums(Part("all", (0, 1, 2)), layers)
    assert (sums.macs, sums.unknown, sums.parameters) == (20, 1, 12)
    assert (sums.predicted, sums.measured) == (5.5, 4.0)
    alone = part_sums(Part("unknown", (1,)), layers)
    assert (alone.macs, alone.unknown, alone.predicted, alone.measured) == (None, 1, None, None)


@pytest.mark.parametrize(("known", "whole", "told"), [(0, 0, False), (1, 2, False), (2, 3, True)])
def test_a_sum_of_few_predictions_is_none(known: int, whole: int, told: bool) -> None:
    layers = [layer(place, predicted=1.0 if place < known else None) for place in range(whole)]
    assert is_predicted(layers) == told
