"""Paragraphs and tables: they count the columns of a terminal, not characters."""

from __future__ import annotations

import random
from textwrap import wrap

import pytest

from archlint.analyzer.text import beginning, columns, pad, paragraph, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("/block/conv1/Conv", 17, id="ascii"),
        pytest.param("é×→…", 4, id="narrow"),
        pytest.param("模型", 2 * 2, id="wide"),
        pytest.param("Ａ", 2, id="full-width"),
        pytest.param("ｱ", 1, id="half-width"),
        pytest.param("e\u0301\u0489", 1, id="marks"),
    ],
)
def test_columns_are_those_of_a_terminal(text: str, expected: int) -> None:
    """The table of East Asian widths of the Unicode Standard (Annex 11); marks take none."""
    assert columns(text) == expected
    assert columns(pad(text, 20)) == columns(pad(text, 20, right=True)) == 20
    assert pad(text, 20).strip() == pad(text, 20, right=True).strip() == text


def test_a_wide_character_is_not_cut() -> None:
    """What does not fit wholly is left out; marks stay with their letter."""
    assert beginning("模型层", 5) == "模型"
    assert beginning("ae\u0301x", 2) == "ae\u0301"


def test_a_paragraph_fits_its_columns() -> None:
    """Words are kept whole where they fit, and cut where they do not; None wraps nothing."""
    text = "a 1×1 bottle-neck of sixteen channels " + "n" * 50
    assert paragraph(text, None) == [text]
    lines = paragraph(text, 20, "  ")
    assert max(map(len, lines)) <= 20
    assert lines[0] == "a 1×1 bottle-neck of"
    assert lines[1].startswith("  sixteen channels ")
    assert all(line.startswith("  ") for line in lines[1:])
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert paragraph("", 20) == [""]


HEAD = ("node", "operator", "MACs", "bytes")
CELLS = [("short", "Conv", "1", "22"), ("/a/long/path/to/a/node", "Relu", "333", "4")]


def test_a_table_is_as_wide_as_its_cells() -> None:
    """Names to the left, numbers to the right, two spaces between."""
    assert table(HEAD, CELLS, left=2, width=None) == [
        "node                    operator  MACs  bytes",
        "short                   Conv         1     22",
        "/a/long/path/to/a/node  Relu       333      4",
    ]


@pytest.mark.parametrize(
    ("width", "columns", "last_name"),
    [
        pytest.param(60, 4, "/a/long/path/to/a/node", id="wide-enough"),
        pytest.param(44, 3, "/a/long/path/to/a/node", id="a-column-less"),
        pytest.param(30, 2, "/a/long/path/to/a/node", id="two-columns-less"),
        pytest.param(24, 2, "…ng/path/to/a/node", id="a-name-without-its-beginning"),
    ],
)
def test_a_narrow_table_gives_up_columns(width: int, columns: int, last_name: str) -> None:
    """First the expendable columns in their order, then the beginning of long names."""
    lines = table(HEAD, CELLS, left=2, width=width, expendable=(3, 1))
    kept = [HEAD, ("node", "operator", "MACs"), ("node", "MACs")][4 - columns]
    assert lines[0].split() == list(kept)
    assert lines[-1].startswith(f"{last_name}  ")
    assert max(map(len, lines)) <= width


def test_words_are_wrapped_as_textwrap_does() -> None:
    """The standard library counts characters, which is the same for ASCII."""
    random_ = random.Random(7)  # noqa: S311 - no secret
    for _ in range(300):
        words = ["x" * random_.choice([1, 2, 5, 9, 30]) for _ in range(random_.randrange(1, 12))]
        # Here a word that fits the first line alone begins on it; there it goes to the next.
        text, width = " ".join(words), random_.choice([8, 13, 20, 29, 32, 40])
        expected = [line.rstrip() for line in wrap(text, width, subsequent_indent="  ")]
        assert paragraph(text, width, "  ") == expected


@pytest.mark.parametrize("width", [4, 5, 8, 9, 20])
def test_a_paragraph_of_wide_words_fits_its_columns(width: int) -> None:
    """No line is wider, and no character is lost."""
    text = "模型 卷积层名称很长 a 层b" * 3
    lines = paragraph(text, width, "  ")
    assert max(map(columns, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_table_of_wide_names_is_aligned() -> None:
    """Every row ends in the same column, and a cut name keeps its end."""
    cells = [("模型/卷积/卷积/卷积", "卷积", "1", "22"), ("e\u0301", "Relu", "333", "4")]
    for width, expected in ((None, 19 + 23), (36, 36)):
        lines = table(HEAD, cells, left=2, width=width)
        assert {columns(line) for line in lines} == {expected}
    assert lines[1].split()[0] == "…积/卷积/卷积"
