"""Texts and names as configuration files hold them."""

from __future__ import annotations

import glob
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archlint.patterns import Pattern, literal
from archlint.toml_entries import quoted, with_tables

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS)
def test_a_quoted_text_is_read_again(text: str) -> None:
    """By the parser of the standard library."""
    assert tomllib.loads(f"a = {quoted(text)}") == {"a": text}
    assert quoted(text).isprintable()


@given(TEXTS.filter(lambda name: name not in (".", "..") and not set(name) & set("/\0")))
def test_an_escaped_name_means_itself(name: str) -> None:
    """As a pattern of a path, and as one of a node."""
    escaped = glob.escape(name)
    assert literal(escaped) == name
    if name:
        assert Pattern(f"./{escaped}", "/a").matches(f"/a/{name}")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        pytest.param("a", "a", id="plain"),
        pytest.param("a[*]", "a*", id="escaped"),
        pytest.param("a*", None, id="star"),
        pytest.param("[ab]", None, id="range"),
        pytest.param("[[][?]", "[?", id="two"),
        pytest.param("[*]*", None, id="half"),
    ],
)
def test_a_pattern_of_one_name_is_known(pattern: str, name: str | None) -> None:
    """So that entries are found by it."""
    assert literal(pattern) == name


def test_a_draft_that_says_something_else_is_none() -> None:
    """The only list of the name is in a text, and headers cannot follow a table on one line."""
    text = 'a = """\nignore = []\n"""\nignore = {}\n'
    assert with_tables(text, ["ignore"], [{"rule": "ARC101"}]) is None
