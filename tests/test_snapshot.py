"""The text of an architecture: it holds all of it, and a change of a layer changes few lines."""

from __future__ import annotations

import difflib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archlint.analyzer.compare.architecture import Architecture, Operation, Totals
from archlint.analyzer.compare.snapshot import parse, write
from archlint.analyzer.errors import ConfigError

ODD = st.text('ab.-#\\ ,()/:?^$\u202e\u200b\u0301\u00a0\n\r\t\x1b"é界', max_size=6)
WORDS = st.one_of(ODD, st.text(max_size=8), st.sampled_from(["(not float)", "-", "\\-", "::x"]))
NUMBERS = st.integers(min_value=0, max_value=10**30)
MAYBE = st.one_of(st.none(), NUMBERS)
LISTS = st.lists(WORDS, max_size=3).map(tuple)
TOTALS = st.builds(Totals, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, operations=NUMBERS, unknown=NUMBERS)
LINE = "stem.conv  Conv(pads=1,1,1,1)  weights 8x8x3x3  -> 1x8x4x4  576 parameters  9,216 MACs"
DIGEST = "0123456789abcdef" * 4


@st.composite
def architectures(draw: st.DrawFn, depth: int = 2) -> Architecture:
    """Any architecture: operations that read what is before them or the inputs, with bodies."""
    inputs = draw(LISTS)
    made = []
    for place in range(draw(st.integers(0, 5))):
        known = st.integers(-len(inputs) - 2, place - 1)  # a body reads more than its inputs
        operation = st.builds(
            Operation,
            operator=WORDS,
            attributes=WORDS,
            weights=LISTS,
            shapes=LISTS,
            inputs=st.lists(known, max_size=3).map(tuple),
            parameters=NUMBERS,
            macs=MAYBE,
            scope=LISTS,
            floats=st.booleans(),
            bodies=LISTS,
        )
        made.append(draw(operation))
    bodies = draw(st.dictionaries(WORDS, architectures(depth - 1), max_size=2)) if depth else {}
    digest = draw(st.sampled_from(["", DIGEST]))
    return Architecture(tuple(made), inputs, draw(LISTS), draw(TOTALS), digest, bodies)


@settings(max_examples=60, deadline=None)
@given(architectures())
def test_all_is_read_back(architecture: Architecture) -> None:
    """Whatever the words of a model are; and nothing in the text is hidden or ends a line."""
    text = write(architecture)
    again = parse(text, "m.arch").architecture
    assert again == architecture
    assert write(again) == text
    assert text.endswith("\n")
    assert all(line.isprintable() for line in text[:-1].split("\n"))


def layer(place: int, width: int = 8, *, reads: tuple[int, ...] = (), **other: str) -> Operation:
    """A 3×3 convolution of ``width`` channels at 4×4 positions: 9·width² weights, as many MACs a
    position."""
    return Operation(
        operator="Conv",
        attributes="pads=1,1,1,1",
        weights=(f"{width}x{width}x3x3",),
        shapes=(f"1x{width}x4x4",),
        inputs=reads or (place - 1,),
        parameters=9 * width**2,
        macs=16 * 9 * width**2,
        scope=("stem", other.get("name", "conv")),
    )


def add(*reads: int) -> Operation:
    """A join of branches."""
    return Operation("Add", "", (), ("1x8x4x4",), reads, 0, 0)


def of(*operations: Operation) -> Architecture:
    """The architecture of these operations, without sums."""
    totals = Totals(None, None, None, None, None, len(operations))
    return Architecture(operations, ("x float32 1x8x4x4",), ("y float32 1x8x4x4",), totals, DIGEST)


def changes(before: Architecture, after: Architecture) -> list[str]:
    """The lines of operations that a review shows as removed or added."""
    lines = difflib.ndiff(write(before).splitlines(), write(after).splitlines())
    return [line for line in lines if line[0] in "+-" and line[2] != "#"]


def test_the_text_of_a_small_model() -> None:
    """As it is documented: 9·8² = 576 weights, 16·576 = 9,216 MACs."""
    body = Architecture(
        (Operation("Relu", "", (), ("2x?",), (-1,), 0, None, floats=True),),
        ("x float32 2x?",),
        (),
        Totals(None, 0, None, None, None, 1, 1),
    )
    whole = Architecture(
        (
            layer(0),
            Operation("Shape", "", (), ("4",), (0,), 0, 0, floats=False),
            Operation("If", "", (), ("2x?",), (1, 0, -1), 0, None, bodies=("If.then", "a b")),
            Operation("RandomNormal", "shape=1,2", (), ("1x2",), (), 0, 0),
        ),
        ("x float32 1x8x4x4",),
        ("y float32 2x?", "z float32 1x2"),
        Totals(9_216, 576, 4_000, None, 2_304, 4, 1),
        DIGEST,
        {"If.then": body, "a b": body},
    )
    section = """\
# input: x float32 2x?
# operations: 1
# operations of unknown cost: 1
# MACs: ?
# parameters: 0
-  Relu  $0  -> 2x?  ? MACs
"""
    text = f"""\
# archlint snapshot 1
# digest: sha256:{DIGEST}
# input: x float32 1x8x4x4
# output: y float32 2x?
# output: z float32 1x2
# operations: 4
# operations of unknown cost: 1
# MACs: 9,216
# parameters: 576
# file bytes: 4,000
# weight bytes: 2,304
# peak activation bytes: ?

{LINE.replace("  weights", "  $0  weights")}  # wide enough
-  Shape  -> 4 (not float)
-  If  ^1,^2,$0  runs If.then, a\\x20b  -> 2x?  ? MACs
-  RandomNormal(shape=1,2)  no inputs  -> 1x2

# body: If.then
{section}
# body: a\\x20b
{section}
# gone: a  Conv  # archlint: ignore[ARC101]
"""
    assert write(whole, {0: "wide enough"}, ("a  Conv  # archlint: ignore[ARC101]",)) == text


def test_comments_are_read_by_the_lines_that_they_stand_behind() -> None:
    """However many blanks a person has left before them, and with the line ends of Windows."""
    text = write(of(layer(0), layer(1), layer(2)), {0: "one", 2: "archlint: ignore[ARC101] # two"})
    text = text.replace("  # one", "# one ").replace("\n", "\r\n")
    snapshot = parse(text, "m.arch")
    assert snapshot.comments == {0: "one", 2: "archlint: ignore[ARC101] # two"}
    assert snapshot.lines == (13, 14, 15)
    assert text.split("\n")[12].startswith("stem.conv")
    assert snapshot.digest == DIGEST


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        pytest.param(
            of(layer(0), layer(1), layer(2)), of(layer(0), layer(1), layer(2, 9)), 2, id="changed"
        ),
        pytest.param(
            of(layer(0), layer(1), layer(2)),
            of(layer(0), layer(1, name="new"), layer(2), layer(3)),
            1,
            id="inserted-in-a-chain",
        ),
        pytest.param(
            of(layer(0), layer(1), layer(2), add(2, 0), layer(4), layer(5), add(5, 3)),
            of(
                layer(0), layer(1), layer(2, name="new"), layer(3), add(3, 0), layer(5), layer(6),
                add(6, 4),
            ),
            3,
            id="inserted-in-a-residual-block",
        ),
    ],
)  # fmt: skip
def test_a_change_changes_few_lines(before: Architecture, after: Architecture, lines: int) -> None:
    """A new layer is a new line, and the join that it lies before says so; blocks behind stay."""
    assert len(changes(before, after)) == lines


def test_bodies_do_not_move_where_one_gets_another_name() -> None:
    """They stand in the order in which they are run."""

    def conditional(*names: str) -> Architecture:
        choice = Operation("If", "", (), ("1",), (-1,), 0, 0, bodies=names)
        bodies = {name: of(layer(0, name=f"c{at}")) for at, name in enumerate(names)}
        return replace(of(choice), bodies=dict(sorted(bodies.items())))

    before, after = conditional("a1", "b1"), conditional("z2", "b1")
    lines = difflib.ndiff(write(before).splitlines(), write(after).splitlines())
    changed = [line for line in lines if line[0] in "+-"]
    assert [line.split()[1] for line in changed] == ["-", "-", "#", "#"]
    assert parse(write(after), "m").architecture == after


GOOD = write(of(layer(0), layer(1)))


@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        pytest.param("snapshot 1", "snapshot 2", ":1", "another format", id="newer"),
        pytest.param("# archlint snapshot 1\n", "", ":1", "begins no snapshot", id="no-title"),
        pytest.param(f"sha256:{DIGEST}", "sha256:12", ":2", "64 hexadecimal", id="digest"),
        pytest.param("# MACs: ?\n", "", ":7", "should begin with '# MACs:'", id="no-total"),
        pytest.param("# MACs: ?", "# MACs: 1234", ":7", "'1234' is no number", id="number"),
        pytest.param("# MACs: ?", "# MACs: many", ":7", "'many' is no number", id="word"),
        pytest.param("# operations: 2", "# operations: ?", ":11", "always known", id="unknown"),
        pytest.param(LINE, "stem.conv Conv", ":14", "two blanks", id="one-blank"),
        pytest.param(LINE, "stem.conv  Conv  ^2", ":14", "there is no '^2'", id="before-all"),
        pytest.param(LINE, "stem.conv  Conv  ^0", ":14", "there is no '^0'", id="itself"),
        pytest.param(LINE, "stem.conv  Conv  ^1,x", ":14", "'x' is no input", id="no-input"),
        pytest.param(LINE, "stem..conv  Conv", ":14", "a word is missing", id="scope"),
        pytest.param(LINE, "a  Conv  -> 1,2", ":14", "'1,2' is no single word", id="comma"),
        pytest.param(LINE, "a  Conv  -> 1  weights 2", ":14", "no meaning there", id="order"),
        pytest.param(LINE, "a  Conv  -> 1  -> 2", ":14", "no meaning there", id="twice"),
        pytest.param(LINE, "a  Conv  -> 1  depth 3", ":14", "no meaning there", id="other"),
        pytest.param(LINE, r"a\q  Conv", ":14", "backslash", id="backslash"),
        pytest.param(LINE, r"a\U00110000  Conv", ":14", "no character", id="no-character"),
        pytest.param(LINE, f"a  Conv  {'1' * 2000} MACs", ":14", "is no number", id="digits"),
        pytest.param(LINE, f"a  Conv({'a' * 10**6})", ":14", "is longer than", id="long"),
        pytest.param(LINE, "<<<<<<< HEAD", ":14", "two blanks", id="conflict"),
        pytest.param(LINE, "# free", ":14", "is no line of a snapshot", id="comment-alone"),
        pytest.param(LINE, "# body: a/b", ":14", "within one that was not there", id="body"),
        pytest.param(LINE, "# body: -", ":14", "too deep", id="body-without-name"),
    ],
)
def test_what_could_not_have_been_written_is_refused(
    old: str, new: str, where: str, why: str
) -> None:
    """In one line that names the file and the line, why, and what to do."""
    assert GOOD.endswith(f"{LINE}\n")
    head, _, tail = GOOD.rpartition(old)
    text = f"{head}{new}{tail}"
    with pytest.raises(ConfigError) as told:
        parse(text, "m.arch")
    message = str(told.value)
    assert message.startswith(f"m.arch{where}: ")
    assert why in message
    assert message.endswith("; write it anew: archlint snapshot write")
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("sign", "times", "why"),
    [
        pytest.param("#", 64_000_001, "characters", id="characters"),
        pytest.param("\n", 1_000_001, "lines", id="lines"),
    ],
)
def test_a_file_without_end_is_refused(sign: str, times: int, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"m: .* {why}; write it anew"):
        parse(sign * times, "m")


def test_many_bodies_take_no_long() -> None:
    """10,000 of them, and 40 within each other, are read and written in the order of their count:
    a square of it would take minutes."""
    names = tuple(f"b{place}" for place in range(10_000))
    choice = Operation("If", "", (), ("1",), (-1,), 0, 0, bodies=names)
    deep = of(layer(0))
    for _ in range(40):
        deep = replace(of(layer(0)), bodies={"inner": deep})
    whole = replace(of(choice), bodies={**dict.fromkeys(names, of(layer(0))), "deep": deep})
    assert parse(write(whole), "m").architecture == whole
