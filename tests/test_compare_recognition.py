"""Which witness is believed, where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archlint.analyzer.compare.recognition import recognise
from archlint.analyzer.identity import Identity


@dataclass(frozen=True)
class Told:
    """A finding as it is compared."""

    code: str
    identity: Identity


def told(
    fingerprint: str,
    name: str = "",
    module: str = "",
    near: str = "",
    far: str = "",
    *,
    operator: str = "Conv",
    code: str = "ARC101",
) -> Told:
    """A finding of one rule at a convolution."""
    return Told(code, Identity(fingerprint, name, module, operator, near, far))


SAME = [told("k:0", "a", "m"), told("k:1", "b", "n")]

CASES: dict[str, tuple[Sequence[Told], Sequence[Told], list[int | None]]] = {
    "nothing before": ([], SAME, [None, None]),
    "nothing after": (SAME, [], []),
    "the same": (SAME, SAME, [0, 1]),
    "in another order": (SAME, SAME[::-1], [1, 0]),
    "another rule": (SAME[:1], [told("k:0", "a", "m", code="ARC102")], [None]),
    "all renamed": (SAME, [told("k:1", "y", "q"), told("k:0", "x", "p")], [1, 0]),
    # The ordinals moved on: the first of three twins is new. Its module says so.
    "a twin in front": (
        SAME,
        [told("k:0", "z", "l"), told("k:1", "a", "m"), told("k:2", "b", "n")],
        [None, 0, 1],
    ),
    "a twin in front, without modules and names": (
        [told("k:0"), told("k:1")],
        [told("k:0"), told("k:1"), told("k:2")],
        [0, 1, None],
    ),
    # Numbered names that a layer in front has moved on by one; what the layers are tells more.
    "names that are numbers": (
        [told("k:0", "Conv_1"), told("l:0", "Conv_2"), told("p:0", "Conv_3")],
        [told("k:0", "Conv_2"), told("l:0", "Conv_3"), told("p:0", "Conv_4")],
        [0, 1, 2],
    ),
    # blocks.1 was inserted: layers of other widths move on to modules of the next number.
    "modules that are numbers": (
        [told("k:0", "0", "b.0"), told("l:0", "1", "b.1"), told("p:0", "2", "b.2")],
        [
            told("k:0", "0", "b.0"), told("n:0", "1", "b.1"), told("l:0", "2", "b.2"),
            told("p:0", "3", "b.3"),
        ],
        [0, None, 1, 2],
    ),
    "what is around tells twins apart": (
        [told("k:0", far="f"), told("k:1", far="g")],
        [told("k:0", far="g"), told("k:1", far="f")],
        [1, 0],
    ),
    "widened": ([told("k:3", "a", "m")], [told("l:0", "a", "m")], [0]),
    "widened, several in the module": (
        [told("k:0", "m/Conv", "m"), told("l:0", "m/Conv_1", "m")],
        [told("l:0", "m/Conv_1", "m"), told("n:0", "m/Conv", "m")],
        [1, 0],
    ),
    "widened, without modules": ([told("k:3", "a")], [told("l:0", "a")], [0]),
    "widened and renamed, among others": (
        [told("k:0", "a", "m"), told("k:1", "b", "n"), told("k:2", "c", "o")],
        [told("k:0", "x", "r"), told("l:0", "y", "s"), told("k:1", "z", "t")],
        [0, 2, 1],
    ),
    "widened and renamed, its neighbours tell": (
        [told("k:0", "a", near="1"), told("l:0", "b", near="2")],
        [told("p:0", "x", near="2"), told("q:0", "y", near="1")],
        [1, 0],
    ),
    # Fixed in one module and new in another: a count would see no difference.
    "one fixed, another new": (
        [told("k:0", "a", "m"), told("l:0", "b", "n")],
        [told("k:0", "a", "m"), told("p:0", "c", "o")],
        [0, None],
    ),
    "one fixed, another operator new": (
        [told("k:0", "a")],
        [told("l:0", "b", operator="Gemm")],
        [None],
    ),
    "without nodes, by what is told": (
        [told("k:0", "w1", operator=""), told("k:0.1", "w2", operator="")],
        [told("k:0", "w2", operator="")],
        [1],
    ),
    "fingerprints of others": ([told("what"), told(":::")], [told(":::"), told("what")], [1, 0]),
    "an ordinal beyond all numbers": ([told("k:" + "9" * 5000)], [told("k:0")], [0]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_is_who(case: str) -> None:
    before, after, expected = CASES[case]
    assert recognise(before, after) == expected


WORDS = st.sampled_from(["", "a", "b", "c"])
FINDINGS = st.lists(
    st.builds(
        told,
        st.builds("{}:{}".format, st.sampled_from("kl"), st.integers(0, 3)),
        WORDS,
        WORDS,
        WORDS,
        WORDS,
        code=st.sampled_from(["ARC101", "ARC102"]),
        operator=st.sampled_from(["Conv", "Gemm"]),
    ),
    max_size=8,
)


@given(FINDINGS, FINDINGS)
def test_each_is_used_once_and_by_its_rule(before: list[Told], after: list[Told]) -> None:
    found = recognise(before, after)
    assert len(found) == len(after)
    known = [place for place in found if place is not None]
    assert len(set(known)) == len(known)
    pairs = [(before[was], now) for was, now in zip(found, after, strict=True) if was is not None]
    assert all(was.code == now.code for was, now in pairs)


@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_same_in_any_order(before: list[Told], draw: object) -> None:
    """All of the same findings are recognised, and equal ones as equal ones."""
    after = list(before)
    draw.shuffle(after)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    found = recognise(before, after)
    assert None not in found
    pairs = [(before[was], now) for was, now in zip(found, after, strict=True) if was is not None]
    assert all(was == now for was, now in pairs)
