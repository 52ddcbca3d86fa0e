"""Two architectures against each other: what is the same, and what came, went and was changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper

from archlint.analyzer.algorithms import peak_memory
from archlint.analyzer.compare.architecture import Architecture, Operation, Totals
from archlint.analyzer.compare.building import architecture
from archlint.analyzer.compare.difference import Difference, ScopeChange, compare
from archlint.analyzer.compare.matching import match
from archlint.analyzer.compare.parts import OUTSIDE
from archlint.analyzer.cost import count
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from edits import NINE, exported_again, network, quantised, renamed, shuffled, with_casts
from googlenet import build as googlenet
from inception_module import build as reduced
from inception_module_naive import build as naive
from resnet18 import build as resnet18

A_BLOCK = 13  # operations: six layers, each with an activation, and a Concat


def built(model: ModelProto, folder: Path) -> Architecture:
    """The architecture of a model, by way of a file."""
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    graph = load(read(str(path)))
    return architecture(count(graph), peak_memory(graph), path.stat().st_size)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Architecture:
    """The nine blocks as they were."""
    return built(network(), tmp_path_factory.mktemp("base"))


def bare(whole: Architecture) -> Architecture:
    """An architecture without labels and modules."""
    operations = tuple(replace(o, label="", scope=(), block="") for o in whole.operations)
    return replace(whole, operations=operations)


def size(found: Difference) -> tuple[int, int, int]:
    """How many operations came, went and were changed."""
    return len(found.added), len(found.removed), len(found.changed)


SAME: dict[str, Callable[[], ModelProto]] = {
    "itself": network,
    "renamed": lambda: renamed(network()),
    "by the other exporter": lambda: exported_again(network()),
}


@pytest.mark.parametrize("edit", SAME)
def test_no_difference(edit: str, base: Architecture, tmp_path: Path) -> None:
    """Not even in the parts, whatever the modules are called; the size of the file is free."""
    for head in (built(SAME[edit](), tmp_path), bare(built(SAME[edit](), tmp_path))):
        found = compare(base, head)
        assert size(found) == (0, 0, 0)
        assert found.scopes == ()
        assert (found.matched, found.share, found.is_empty) == (len(base.operations), 1.0, True)


def test_the_order_of_the_file_is_no_difference(base: Architecture, tmp_path: Path) -> None:
    """Only the peak depends on the order in which a runtime finds the nodes."""
    found = compare(base, built(shuffled(network()), tmp_path))
    assert size(found) == (0, 0, 0)
    kept = replace(found.after, peak_activation_bytes=found.before.peak_activation_bytes)
    assert kept == found.before


def test_another_input_size_is_no_change_of_operations(base: Architecture, tmp_path: Path) -> None:
    """All costs grow by (32/28)², and no operation is told."""
    found = compare(base, built(network(size=32), tmp_path))
    assert size(found) == (0, 0, 0)
    assert found.share == 1.0
    assert not found.is_empty
    assert [scope.name for scope in found.scopes] == ["stem", *NINE]
    for scope in found.scopes:
        assert scope.macs_before is not None
        assert scope.macs_after == scope.macs_before * 32 * 32 // (28 * 28)
        assert scope.parameters_before == scope.parameters_after


@pytest.mark.parametrize("named", [True, False])
def test_a_widened_layer(named: bool, base: Architecture, tmp_path: Path) -> None:
    """It and the layer that reads it are changed: 192 for 160 filters of 5*5 on 28*28."""
    model = network(wide={"block4": 192})
    head = built(model if named else renamed(model), tmp_path)
    found = compare(base, head)
    assert size(found) == (0, 0, 2)
    assert [(was.weights[0], now.weights[0]) for was, now in found.changed] == [
        ("160x256x5x5", "192x256x5x5"),
        ("96x160x5x5", "96x192x5x5"),
    ]
    each = 28 * 28 * 5 * 5
    assert found.scopes == (
        ScopeChange(
            "block4.branch1.reduce", each * 160 * 256, each * 192 * 256,
            160 * (256 * 25 + 1), 192 * (256 * 25 + 1),
        ),
        ScopeChange(
            "block4.branch1.expand", each * 160 * 96, each * 192 * 96,
            96 * (160 * 25 + 1), 96 * (192 * 25 + 1),
        ),
    )  # fmt: skip


def test_blocks_stand_in_for_modules(tmp_path: Path) -> None:
    """Where neither side tells of modules: 192 for 160 filters in the fifth of nine blocks."""
    plain, wide = renamed(network()), renamed(network(wide={"block4": 192}))
    found = compare(built(plain, tmp_path), built(wide, tmp_path))
    (change,) = found.scopes
    assert change.name == "Inception block 5"
    assert (change.macs_before, change.macs_after) != (None, None)
    grown = 28 * 28 * 25 * (192 - 160) * (256 + 96)
    assert (change.macs_after or 0) - (change.macs_before or 0) == grown


def test_a_block_more(base: Architecture, tmp_path: Path) -> None:
    """Modules that keep their names tell which one; without names it is one of them."""
    model = network((*NINE[:4], "extra", *NINE[4:]))
    found = compare(base, built(model, tmp_path))
    assert size(found) == (A_BLOCK, 0, 0)
    assert {o.scope[0] for o in found.added} == {"extra"}
    assert [scope.name for scope in found.scopes] == ["extra"]
    assert found.scopes[0].macs_before is None
    assert found.scopes[0].macs_after == sum(o.macs or 0 for o in found.added)
    assert found.matched == len(base.operations)
    assert size(compare(bare(base), bare(built(renamed(model), tmp_path)))) == (A_BLOCK, 0, 0)


def test_a_block_less(base: Architecture, tmp_path: Path) -> None:
    model = network((*NINE[:4], *NINE[5:]))
    found = compare(base, built(model, tmp_path))
    assert size(found) == (0, A_BLOCK, 0)
    assert {o.scope[0] for o in found.removed} == {"block4"}
    assert [(scope.name, scope.macs_after) for scope in found.scopes] == [("block4", None)]
    assert size(compare(base, built(renamed(model), tmp_path))) == (0, A_BLOCK, 0)


@pytest.mark.parametrize(("edit", "each"), [(with_casts, 1), (quantised, 2)])
def test_what_is_transparent_is_added_and_nothing_else(
    edit: Callable[[ModelProto], ModelProto], each: int, base: Architecture, tmp_path: Path
) -> None:
    head = built(edit(network()), tmp_path)
    found = compare(base, head)
    assert found.matched == len(base.operations)
    assert size(found) == (len(head.operations) - len(base.operations), 0, 0)
    assert len(found.added) % each == 0
    back = compare(head, base)
    assert size(back) == (0, len(found.added), 0)


def test_dropping_the_reductions_of_a_module(tmp_path: Path) -> None:
    """Module 3a of GoogLeNet without its two 1x1 reductions: they go with their activations, and
    the layers behind them read 192 channels."""
    found = compare(built(reduced(), tmp_path), built(naive(), tmp_path))
    assert Counter(o.operator for o in found.removed) == {"Conv": 2, "Relu": 2}
    assert {o.weights[0] for o in found.removed if o.weights} == {"96x192x1x1", "16x192x1x1"}
    assert found.added == ()
    assert [(was.weights[0], now.weights[0]) for was, now in found.changed] == [
        ("128x96x3x3", "128x192x3x3"),
        ("32x16x5x5", "32x192x5x5"),
    ]


def test_other_attributes(tmp_path: Path) -> None:
    """A stride that moves from one layer to another changes both, and nothing else."""
    model = resnet18()
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    for node in convolutions[5:6]:
        kept = [a for a in node.attribute if a.name != "dilations"]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("dilations", [2, 2])])
    found = compare(built(resnet18(), tmp_path), built(model, tmp_path))
    assert size(found) == (0, 0, 1)
    (was, now) = found.changed[0]
    assert "dilations=2,2" in now.attributes
    assert "dilations" not in was.attributes


def test_another_connection(tmp_path: Path) -> None:
    """An addition that reads another value is changed though all of its own is the same."""
    model = resnet18()
    relus = [node for node in model.graph.node if node.op_type == "Relu"]
    additions = [node for node in model.graph.node if node.op_type == "Add"]
    assert relus[2].output[0] in additions[1].input
    place = list(additions[1].input).index(relus[2].output[0])
    additions[1].input[place] = relus[1].output[0]
    before, after = built(resnet18(), tmp_path), built(model, tmp_path)
    found = compare(before, after)
    assert size(found) == (0, 0, 1)
    (was, now) = found.changed[0]
    assert replace(was, inputs=()) == replace(now, inputs=())
    assert not found.is_empty


def operation(
    operator: str,
    *inputs: int,
    scope: Sequence[str] = (),
    weights: Sequence[str] = (),
    bodies: Sequence[str] = (),
    macs: int | None = 0,
) -> Operation:
    """An operation as a text file may have it."""
    return Operation(
        operator, "", tuple(weights), ("1x8",), inputs, 0, macs, tuple(scope), "", True,
        tuple(bodies),
    )  # fmt: skip


def whole(*operations: Operation, **bodies: Architecture) -> Architecture:
    """An architecture of these operations."""
    totals = Totals(0, 0, None, None, None, len(operations))
    return Architecture(operations, ("x float32 1x8",), ("y float32 1x8",), totals, "", bodies)


NOTHING = whole()
CHAIN = whole(operation("Relu", -1), operation("Exp", 0), operation("Neg", 1))

MATCHES = {
    "nothing": (NOTHING, NOTHING, ()),
    "nothing before": (NOTHING, CHAIN, ()),
    "a chain": (CHAIN, CHAIN, ((0, 0), (1, 1), (2, 2))),
    "one in the middle": (
        CHAIN,
        whole(
            operation("Relu", -1), operation("Exp", 0), operation("Abs", 1), operation("Neg", 2)
        ),
        ((0, 0), (1, 1), (2, 3)),
    ),
    "casts alone": (whole(operation("Cast", -1)), whole(operation("Cast", -1)), ((0, 0),)),
    "a cast between": (
        whole(operation("Relu", -1), operation("Exp", 0)),
        whole(operation("Relu", -1), operation("Cast", 0), operation("Exp", 1)),
        ((0, 0), (1, 2)),
    ),
    "other operators at the same place": (
        whole(operation("Relu", -1)), whole(operation("Exp", -1)), (),
    ),
    "twins, their modules swapped": (
        whole(*(operation("Relu", -1, scope=[name]) for name in "ab")),
        whole(*(operation("Relu", -1, scope=[name]) for name in "ba")),
        ((0, 1), (1, 0)),
    ),
    "the same operator in the same module": (
        whole(operation("Relu", -1), operation("Gemm", 0, scope="m", weights=["2x3"])),
        whole(operation("Exp", -1), operation("Gemm", 0, scope="m", weights=["4x5"])),
        ((1, 1),),
    ),
    "inputs that do not exist": (
        whole(operation("Relu", 7)), whole(operation("Relu", 0)), ((0, 0),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MATCHES)
def test_matches(case: str) -> None:
    before, after, expected = MATCHES[case]
    assert match(before, after) == expected


def test_bodies_are_compared_by_what_they_do() -> None:
    """Their names are those of no file."""
    run = operation("Loop", -1, bodies=["Loop.body"])
    other = operation("Loop", -1, bodies=["Loop.body~1"])
    before = whole(run, **{"Loop.body": CHAIN})
    assert compare(before, whole(other, **{"Loop.body~1": CHAIN})).is_empty
    found = compare(before, whole(other, **{"Loop.body~1": whole(operation("Relu", -1))}))
    assert size(found) == (0, 0, 1)


def test_another_width_of_every_layer(tmp_path: Path) -> None:
    """No two layers are the same, and all of them are recognised without their names."""
    half = bare(built(resnet18(), tmp_path))
    halved = [
        replace(o, weights=tuple("x".join(map(_half, w.split("x"))) for w in o.weights))
        for o in half.operations
    ]
    found = compare(half, replace(half, operations=tuple(halved)))
    assert found.share == 1.0
    assert size(found) == (0, 0, sum(bool(o.weights) for o in halved))


def _half(dim: str) -> str:
    return str(int(dim) // 2) if int(dim) >= 64 else dim


def test_a_body_that_runs_itself() -> None:
    """No model has one, but a file of text may."""
    run = operation("Loop", -1, bodies=["b"])
    endless = whole(run, b=whole(run))
    assert compare(endless, endless).is_empty


@pytest.mark.parametrize("share", [(NOTHING, NOTHING, 1.0), (CHAIN, NOTHING, 0.0)])
def test_the_matched_share(share: tuple[Architecture, Architecture, float]) -> None:
    before, after, expected = share
    assert compare(before, after).share == expected


def test_parts_of_unknown_cost() -> None:
    """One unknown makes the sum of its part unknown, not that of others."""
    known, unknown = operation("Relu", -1, scope="a", macs=5), operation("Exp", 0, macs=None)
    more = replace(known, macs=6)
    found = compare(whole(known, unknown), whole(more, unknown))
    assert found.scopes == (ScopeChange("a", 5, 6, 0, 0),)
    found = compare(whole(known, replace(unknown, macs=1)), whole(known, unknown))
    assert found.scopes == (ScopeChange(OUTSIDE, 1, None, 0, 0),)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["Conv", "Relu", "Add", "Cast"]),
        st.lists(st.integers(-2, 11), max_size=3),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from([(), ("4x4",), ("8x4",)]),
    ),
    max_size=12,
)


def drawn(rows: Sequence[tuple[str, list[int], str, tuple[str, ...]]]) -> Architecture:
    """An architecture in which all read what stands before them."""
    return whole(
        *[
            operation(name, *[i for i in inputs if i < place], scope=scope, weights=weights)
            for place, (name, inputs, scope, weights) in enumerate(rows)
        ]
    )


@settings(max_examples=50)
@given(OPERATIONS)
def test_every_architecture_is_itself(
    rows: list[tuple[str, list[int], str, tuple[str, ...]]],
) -> None:
    """Whatever its operations are; twins may change places."""
    found = drawn(rows)
    difference = compare(found, found)
    assert difference.matched == len(rows)
    assert size(difference) == (0, 0, 0)
    assert difference.scopes == ()


@settings(max_examples=50)
@given(OPERATIONS, OPERATIONS)
def test_pairs_are_one_to_one(
    rows: list[tuple[str, list[int], str, tuple[str, ...]]],
    others: list[tuple[str, list[int], str, tuple[str, ...]]],
) -> None:
    """Each place is in one pair at most, with its own operator; nothing is counted twice."""
    before, after = drawn(rows), drawn(others)
    pairs = match(before, after)
    for side in (0, 1):
        assert len({pair[side] for pair in pairs}) == len(pairs)
    assert all(
        before.operations[place].operator == after.operations[other].operator
        for place, other in pairs
    )
    found = compare(before, after)
    assert found.matched + len(found.removed) == len(rows)
    assert found.matched + len(found.added) == len(others)
    assert (found.before, found.after) == (before.totals, after.totals)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_chain_with_one_operation_less(data: st.DataObject) -> None:
    """All others are recognised, however alike they are."""
    kinds = data.draw(st.lists(st.sampled_from(["Relu", "Exp", "Neg"]), min_size=2, max_size=30))
    place = data.draw(st.integers(0, len(kinds) - 1))
    left = kinds[:place] + kinds[place + 1 :]
    before, after = (
        whole(*[operation(kind, at - 1) for at, kind in enumerate(row)]) for row in (kinds, left)
    )
    found = compare(before, after)
    assert (found.matched, size(found)) == (len(left), (0, 1, 0))


def tower(blocks: int, changed: int = 0) -> Architecture:
    """Residual blocks; every ``changed``-th is wider and has one operation more."""
    operations = [operation("Conv", -1, weights=["64x3x3x3"])]
    for block in range(blocks):
        start = len(operations) - 1
        other = changed and block % changed == changed // 2
        width = 96 if other else 64
        operations.append(operation("Conv", start, weights=[f"{width}x64x3x3"]))
        operations.append(operation("Relu", start + 1))
        operations.append(operation("Conv", start + 2, weights=[f"64x{width}x3x3"]))
        if other:
            operations.append(operation("Sigmoid", start + 3))
        operations.append(operation("Add", len(operations) - 1, start))
    return whole(*operations)


def test_large_architectures_take_linear_time() -> None:
    """Four times the operations take four times as long; three for the noise of a busy machine."""
    times = []
    for blocks in (450, 1800):
        before, after = tower(blocks), tower(blocks, 50)
        start = time.process_time()
        found = compare(before, after)
        times.append(time.process_time() - start)
        odd = blocks // 50
        assert size(found) == (odd, 0, 2 * odd)
        assert found.matched == len(before.operations)
    assert times[1] < 3 * 4 * times[0]


def test_auxiliary_heads_of_googlenet(tmp_path: Path) -> None:
    """Two more outputs, of eight operations each, and all else is the same."""
    found = compare(built(googlenet(), tmp_path), built(googlenet(auxiliary=True), tmp_path))
    assert size(found) == (len(found.added), 0, 0)
    assert {o.scope[0] for o in found.added} == {"aux1", "aux2"}
    assert [scope.name for scope in found.scopes] == ["aux1", "aux2"]
    # 4,169,728 and 4,202,496 MACs, says samples/googlenet.py.
    assert [scope.macs_after for scope in found.scopes] == [4_169_728, 4_202_496]
