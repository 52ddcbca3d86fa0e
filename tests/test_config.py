"""The settings of a run: which rules with which options, and the bound dims."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.text import nearest
from archlint.config import check_used, choose_rules, parse_bindings
from archlint.rules import all_rules
from archlint.selection import find_rule, is_default

ALL = {rule.code for rule in all_rules()}
DEFAULT = {rule.code for rule in all_rules() if is_default(rule)}
ARC1 = {code for code in ALL if code.startswith("ARC1")}
ARC10 = {code for code in ALL if code.startswith("ARC10")}


def codes(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> set[str]:
    """The codes of the rules that are chosen."""
    return {rule.code for rule in choose_rules(select, ignore)}


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        pytest.param([], [], DEFAULT, id="nothing-said"),
        pytest.param(["ALL"], [], ALL, id="all"),
        pytest.param(["all"], [], ALL, id="all-in-lower-case"),
        pytest.param(["ARC101"], [], {"ARC101"}, id="code"),
        pytest.param(["arc101"], [], {"ARC101"}, id="code-in-lower-case"),
        pytest.param(["wide-convolution"], [], {"ARC101"}, id="name"),
        pytest.param(["Wide-Convolution"], [], {"ARC101"}, id="name-in-capitals"),
        pytest.param(["ARC1"], [], ARC1, id="prefix"),
        pytest.param(["ARC101,ARC201"], [], {"ARC101", "ARC201"}, id="listed"),
        pytest.param([" ARC101 , ,ARC201,"], [], {"ARC101", "ARC201"}, id="listed-loosely"),
        pytest.param(["ARC101", "ARC201"], [], {"ARC101", "ARC201"}, id="repeated"),
        pytest.param([], ["ARC101"], DEFAULT - {"ARC101"}, id="ignored-code"),
        pytest.param([], ["wide-convolution"], DEFAULT - {"ARC101"}, id="ignored-name"),
        pytest.param([], ["ARC1"], DEFAULT - ARC1, id="ignored-prefix"),
        pytest.param([], ["ALL"], set(), id="ignored-all"),
        pytest.param(["ARC101"], ["ARC1"], {"ARC101"}, id="code-beats-prefix"),
        pytest.param(["wide-convolution"], ["ARC1"], {"ARC101"}, id="name-beats-prefix"),
        pytest.param(["ARC1"], ["ARC101"], ARC1 - {"ARC101"}, id="ignored-code-beats-prefix"),
        pytest.param(["ARC10"], ["ARC1"], ARC10, id="longer-prefix-beats-shorter"),
        pytest.param(["ARC1"], ["ARC10"], ARC1 - ARC10, id="ignored-longer-prefix"),
        pytest.param(["ARC1"], ["ALL"], ARC1, id="prefix-beats-all"),
        pytest.param(["ALL"], ["ARC1"], ALL - ARC1, id="ignored-prefix-beats-all"),
        pytest.param(["ALL", "ARC101"], ["ARC1"], ALL - ARC1 | {"ARC101"}, id="three-levels"),
        pytest.param(["ARC101"], ["ARC101"], set(), id="ignore-wins-a-tie"),
        pytest.param(["ALL"], ["ALL"], set(), id="ignore-wins-a-tie-of-all"),
    ],
)
def test_the_more_specific_selector_wins(
    select: list[str], ignore: list[str], expected: set[str]
) -> None:
    """A code or name beats a longer prefix, that a shorter one, that ALL; --ignore wins a tie."""
    assert codes(select, ignore) == expected


def test_pedantic_rules_have_to_be_selected() -> None:
    """A rule outside of the default groups runs only where a selector means it."""
    assert ALL > DEFAULT
    for rule in all_rules():
        assert (rule.code in codes()) == is_default(rule)
        assert codes([rule.code]) == {rule.code}


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize(
    ("selector", "told"),
    [
        pytest.param("wide-convolutoin", "did you mean 'wide-convolution'?", id="name"),
        pytest.param("ARC1O1", "did you mean 'ARC101'?", id="code"),
        pytest.param("xyzzy", "archlint rule --all", id="nothing-near"),
    ],
)
def test_a_selector_that_selects_nothing_is_told(option: str, selector: str, told: str) -> None:
    """The option, the selector and the nearest rule stand in the error."""
    given = {option.removeprefix("--"): [f"ARC101,{selector}"]}
    with pytest.raises(ConfigError) as error:
        choose_rules(**given)
    assert error.value.source == f"{option} {selector}"
    assert told in error.value.why


@pytest.mark.parametrize(
    ("setting", "option", "value"),
    [
        pytest.param("ARC101.width=20", "width", 20, id="code"),
        pytest.param("wide-convolution.width=20", "width", 20, id="name"),
        pytest.param(" ARC101 . width = 20 ", "width", 20, id="spaces"),
        pytest.param("ARC101.width=none", "width", None, id="none"),
        pytest.param("ARC101.min-channels=8", "min_channels", 8, id="dashes"),
        pytest.param("ARC101.reduction=0.5", "reduction", 0.5, id="share"),
        pytest.param("ARC101.reduction=1e-1", "reduction", 0.1, id="exponent"),
        pytest.param("ARC101.min_share=0", "min_share", 0.0, id="lower-bound"),
        pytest.param("ARC101.min_share=1", "min_share", 1.0, id="upper-bound"),
    ],
)
def test_an_option_is_read_by_its_type(setting: str, option: str, value: float | None) -> None:
    """The value arrives at the rule, and its other options keep their defaults."""
    (rule,) = choose_rules(["ARC101"], options=[setting])
    expected = {field.name: field.default for field in dataclasses.fields(rule)} | {option: value}
    assert dataclasses.asdict(rule) == expected
    assert type(getattr(rule, option)) is type(value)


def test_the_last_of_two_settings_counts() -> None:
    """Options of several rules, and one that is given twice."""
    settings = ["ARC101.width=20", "ARC201.min_channels=4", "ARC101.width=24", "ARC101.reduction=1"]
    wide, large = choose_rules(["ARC101", "ARC201"], options=settings)
    assert (getattr(wide, "width", 0), getattr(wide, "reduction", 0)) == (24, 1.0)
    assert getattr(large, "min_channels", 0) == 4


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        pytest.param("ARC101", "RULE.option=value", id="no-option"),
        pytest.param("ARC101.width", "RULE.option=value", id="no-value"),
        pytest.param("width=20", "RULE.option=value", id="no-rule"),
        pytest.param("ARC1O1.width=20", "did you mean 'ARC101'?", id="unknown-rule"),
        pytest.param("ARC1.width=20", "there is no rule 'ARC1'", id="prefix-is-no-rule"),
        pytest.param("ARC101.widht=20", "did you mean 'width'?", id="unknown-option"),
        pytest.param("ARC101.xyzzy=20", "it has ", id="nothing-near"),
        pytest.param("ARC101.code=X", "no option 'code'", id="metadata-is-no-option"),
        pytest.param("ARC101.width=wide", "whole number, not 'wide'", id="no-number"),
        pytest.param("ARC101.width=2.5", "whole number, not '2.5'", id="no-whole-number"),
        pytest.param("ARC101.width=", "whole number", id="empty"),
        pytest.param("ARC101.width=0", "at least 1, not 0", id="below-bound"),
        pytest.param("ARC101.reduction=x", "a number, not 'x'", id="no-share"),
        pytest.param("ARC101.reduction=1.5", "between 0.01 and 1, not 1.5", id="above-bound"),
        pytest.param("ARC101.reduction=nan", "between 0.01 and 1, not nan", id="nan"),
        pytest.param("ARC101.min_share=inf", "between 0 and 1, not inf", id="infinite"),
        pytest.param("ARC101.reduction=none", "a number, not 'none'", id="none-where-it-must-be"),
    ],
)
def test_a_wrong_setting_is_told(setting: str, told: str) -> None:
    """The setting as it was given, and what would be right."""
    with pytest.raises(ConfigError) as error:
        choose_rules(options=[setting])
    assert error.value.source == f"--set {setting}"
    assert told in error.value.why


def test_every_rule_is_found_by_code_and_name() -> None:
    """Whatever the case of the letters."""
    for rule in all_rules():
        names = {rule.code, rule.code.lower(), rule.name, rule.name.upper()}
        assert {find_rule("rule", name, all_rules()) for name in names} == {rule}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("Btach", "; did you mean 'batch'?", id="near"),
        pytest.param("height", "", id="far"),
        pytest.param("", "", id="empty"),
    ],
)
def test_the_nearest_word_is_offered(word: str, expected: str) -> None:
    """A near word, and nothing where none is near."""
    assert nearest(word, ["batch", "seq"]) == expected


@pytest.mark.parametrize(
    ("dims", "shapes", "expected"),
    [
        pytest.param([], [], Bindings(), id="none"),
        pytest.param(["batch=8", "seq=128"], [], Bindings({"batch": 8, "seq": 128}), id="dims"),
        pytest.param(["n=8", "n=9"], [], Bindings({"n": 9}), id="last-counts"),
        pytest.param([" n = 8 "], [], Bindings({"n": 8}), id="spaces"),
        pytest.param(["a=b=8"], [], Bindings({"a=b": 8}), id="equals-in-name"),
        pytest.param([f"n={2**63 - 1}"], [], Bindings({"n": 2**63 - 1}), id="largest"),
        pytest.param([], ["x=1,3,8,8"], Bindings({}, {"x": (1, 3, 8, 8)}), id="shape"),
        pytest.param([], ["x= 1, 3 "], Bindings({}, {"x": (1, 3)}), id="shape-with-spaces"),
        pytest.param([], ["x:0=7"], Bindings({}, {"x:0": (7,)}), id="shape-of-rank-1"),
    ],
)
def test_bindings_are_read(dims: list[str], shapes: list[str], expected: Bindings) -> None:
    """Names may hold any character; sizes are positive whole numbers."""
    assert parse_bindings(dims, shapes) == expected


SIZES = ["", "0", "-1", "x", "1.5", "1e3", "²", str(2**63), "9" * 5000]
WRONG = [*(f"n={size}" for size in SIZES), "n", "=8", "n=8=x"]


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *(pytest.param("--dim", text, id=f"dim-{text[:12]}") for text in WRONG),
        pytest.param("--dim", "n=1,2", id="dim-of-two"),
        *(pytest.param("--input-shape", text, id=f"shape-{text[:12]}") for text in WRONG),
        pytest.param("--input-shape", "x=1,,2", id="shape-with-hole"),
        pytest.param("--input-shape", "x=1,3,", id="shape-with-end"),
        pytest.param("--input-shape", "x=1x3", id="shape-with-x"),
    ],
)
def test_a_wrong_binding_is_told(option: str, text: str) -> None:
    """The binding as it was given, and how one is written."""
    dims, shapes = ([text], []) if option == "--dim" else ([], [text])
    with pytest.raises(ConfigError) as error:
        parse_bindings(dims, shapes)
    assert error.value.source == f"{option} {text}"
    assert "positive whole number" in error.value.why


@pytest.mark.parametrize(
    ("bindings", "source", "told"),
    [
        pytest.param(Bindings({"seq": 8}, {"x": (1,)}), None, "", id="both-used"),
        pytest.param(Bindings({"sqe": 8}), "--dim sqe=…", "did you mean 'seq'?", id="near-dim"),
        pytest.param(
            Bindings({"height": 8}), "--dim height=…", "its dims are: batch, seq", id="far-dim"
        ),
        pytest.param(
            Bindings({}, {"image": (1,)}),
            "--input-shape image=…",
            "its inputs are: x",
            id="unknown-input",
        ),
    ],
)
def test_a_binding_that_fits_no_model_is_told(
    bindings: Bindings, source: str | None, told: str
) -> None:
    """What no model has is an error that lists what they have."""
    if source is None:
        check_used(bindings, {"batch", "seq"}, {"x"})
        return
    with pytest.raises(ConfigError) as error:
        check_used(bindings, {"batch", "seq"}, {"x"})
    assert error.value.source == source
    assert told in error.value.why
